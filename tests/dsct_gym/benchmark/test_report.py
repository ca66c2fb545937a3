import csv
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from statistics import fmean
from xml.etree import ElementTree

import numpy as np
import pytest

from dsct_gym import InputError, allocate, generate
from dsct_gym.benchmark.execution import run_job
from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.report.anytime import anytime_curves, mean_gap_over_time
from dsct_gym.benchmark.report.charts import (
    accuracy_against_energy,
    gap_distributions,
    pareto_front,
    performance_profiles,
    quality_against_time,
)
from dsct_gym.benchmark.report.gantt import gantt_svg
from dsct_gym.benchmark.report.machines import uses_of
from dsct_gym.benchmark.report.marks import mark
from dsct_gym.benchmark.report.page import render_page
from dsct_gym.benchmark.report.results import FEWEST, Results
from dsct_gym.benchmark.report.scales import Scale, linear_scale, log_scale
from dsct_gym.benchmark.report.tables import markdown_table, scores_as_csv
from dsct_gym.benchmark.report.writing import write_report
from dsct_gym.benchmark.scoring import score
from dsct_gym.benchmark.spec import Spec
from dsct_gym.benchmark.store import Store
from dsct_gym.cli import run
from records import record

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
HOSTILE = "<b>&'\"i"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Results with all that can come up: seeds, a search, failures, hostile names."""
    folder = tmp_path_factory.mktemp("results")
    store = Store(folder)
    with store.opened():
        for index, label in enumerate(["one", "two", HOSTILE]):
            instance = replace(
                generate(8, 2, seed=index, name=label),
                machine_names=(HOSTILE, "second"),
                task_names=(HOSTILE, *(f"t{task}" for task in range(7))),
            )
            solvers = [("random", 0), ("random", 1), ("greedy", 0), ("approx", 0), ("mip", 0)]
            for solver, seed in [*solvers, ("stub_solvers:Broken", 0)]:
                job = Job(label, instance, Spec(solver), time_limit=2.0, seed=seed)
                store.put_instance(job)
                store.put(run_job(job))
    return folder


@pytest.fixture(scope="module")
def results(folder) -> Results:
    return Results.load(folder)


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Results:
    """Enough instances for statistics."""
    store = Store(tmp_path_factory.mktemp("many"))
    with store.opened():
        for seed in range(FEWEST):
            instance = generate(6, 2, seed=seed, name=f"m{seed}")
            for solver in ("greedy", "approx"):
                job = Job(f"m{seed}", instance, Spec(solver), time_limit=2.0, seed=0)
                store.put_instance(job)
                store.put(run_job(job))
    return Results.load(store.folder)


@pytest.fixture(scope="module")
def page(results) -> str:
    return render_page(results, f"A {HOSTILE} title")


class Balance(HTMLParser):
    """Checks that every tag is closed in order."""

    VOID = ("meta", "br", "hr", "img", "input", "link")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_solvers_come_best_first(results):
    assert results.solvers[0] == "mip"
    assert results.solvers[-1] == "stub_solvers:Broken"
    gaps = [row.gap_to_best.mean for row in results.scores]
    assert gaps == sorted(gaps)


def test_the_page_needs_nothing_but_itself(page):
    assert not re.search(r"(src|href)=|url\(|@import|https?://|fetch\(|XMLHttp", page)


def test_the_page_is_whole(page):
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    drawings = re.findall(r"<svg viewBox.*?</svg>", page, re.DOTALL)
    assert len(drawings) == 3 + 2 * 4  # charts of few instances; best and worst of each
    for drawing in drawings:
        ElementTree.fromstring(drawing)
        assert "nan" not in drawing.lower().replace("name", "")


def test_few_instances_have_no_statistics(page):
    """Three instances: the least two-sided p of a signed-rank test is 0.25."""
    assert "bootstrap" not in page
    (summary,) = re.findall(r"<section id='summary'>.*?</section>", page, re.DOTALL)
    assert "<small>" not in summary
    assert "id='pairs'" not in page
    assert "Gaps over instances" not in page
    assert "id='machines'" in page


def test_few_instances_have_no_intervals_in_charts(results, many):
    assert not re.search(r'class="[^"]*\bbar"', quality_against_time(results))
    assert re.search(r'class="[^"]*\bbar"', quality_against_time(many))


def test_many_instances_have_statistics(many):
    page = render_page(many, "many")
    assert "bootstrap" in page
    assert "id='pairs'" in page
    assert "Gaps over instances" in page
    assert "id='machines'" not in page


def test_charts_of_many_instances_are_whole(results):
    for drawing in (gap_distributions(results), performance_profiles(results)):
        ElementTree.fromstring(drawing)
        assert "nan" not in drawing.lower()


def test_marks_differ_without_colour():
    looks = set()
    for rank in range(30):
        drawn = mark(0.0, 0.0, rank)
        shape = re.search(r' d="([^"]+)"', drawn)[1]
        looks.add((shape, re.search(r"\bf\d", drawn)[0]))
    assert len(looks) == 30


def test_machines_are_told_as_their_schedules_have_them(results):
    """Busy time and joules added up from the rows of the two files, one for each seed."""
    runs = [run for run in results.runs_of("random") if run.record.instance == "one"]
    horizon = results.problems["one"].core.deadlines.max()
    busy, energy = np.zeros((2, 2)), np.zeros((2, 2))
    for seed, kept in enumerate(runs):
        for task in json.loads(kept.schedule_path.read_text())["assignments"]:
            if task["machine"] is not None:
                busy[seed, task["machine"]] += task["duration"]
                energy[seed, task["machine"]] += task["energy"]
    uses = uses_of(results, "random", "one")
    assert [use.utilisation for use in uses] == pytest.approx(busy.mean(axis=0) / horizon)
    assert [use.energy for use in uses] == pytest.approx(energy.mean(axis=0))
    assert uses_of(results, "stub_solvers:Broken", "one") == []


def test_energy_is_in_joules_of_one_instance(results, many):
    one = replace(results, runs=tuple(r for r in results.runs if r.record.instance == "one"))
    assert "energy used (J), of a budget of" in accuracy_against_energy(one)
    assert "energy used, share of the budget" in accuracy_against_energy(many)


def test_a_gantt_tells_what_its_colours_mean():
    """Linear curves from 0 to 1 with three breakpoints: even steps; creeping ones are told."""
    instance = generate(4, 1, segments=2, beta=1.0, seed=0)
    shown = gantt_svg(allocate(instance, [0, 0, 0, 0]), "even")
    assert ">accuracy</text>" in shown
    creeping = np.tile([0.0, 0.9, 0.95, 1.0], (4, 1))
    work = np.tile([0.0, 1.0, 2.0, 3.0], (4, 1))
    uneven = replace(instance, work=work, accuracy=creeping)
    assert "the scale is not linear" in gantt_svg(allocate(uneven, [0, 0, 0, 0]), "uneven")


def test_nothing_hostile_gets_through(page):
    assert HOSTILE not in page
    assert "<b>&" not in page


def test_it_tells_of_failures_and_damage(folder, tmp_path, page):
    assert "no idea" in page
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (spoiled,) = copy.glob("runs/one/greedy.seed0.????????????.json")
    spoiled.write_text("{")
    found = Results.load(copy)
    told = " ".join(found.warnings)
    assert spoiled.name in told
    assert "greedy ran on 2 of 3 instances" in told
    assert "is damaged" in render_page(found, "t")


def test_the_summary_holds_the_scores(results, page):
    for row in results.scores:
        assert f"data-value='{row.gap_to_best.mean!r}'" in page
        assert f"data-value='{row.seconds!r}'" in page


def test_tables(results):
    rows = list(csv.DictReader(io.StringIO(scores_as_csv(results.scores))))
    assert [row["solver"] for row in rows] == list(results.solvers)
    assert float(rows[0]["mean_accuracy"]) == results.scores[0].mean_accuracy.mean
    assert float(rows[0]["gap_to_best_high"]) == results.scores[0].gap_to_best.high
    lines = markdown_table(results.scores).splitlines()
    assert len(lines) == 2 + len(results.solvers)
    assert len({line.count("|") for line in lines}) == 1
    assert "[" not in markdown_table(results.scores)


def test_tables_of_many_instances_have_intervals(many):
    (row, _) = markdown_table(many.scores).splitlines()[2:]
    best = many.scores[0].gap_to_best
    assert f"{best.mean:.3%} [{best.low:.3%}, {best.high:.3%}]" in row


def test_parquet_holds_every_run(results, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="extra 'parquet' is not installed")
    from dsct_gym.benchmark.report.tables import write_parquet

    write_parquet(results.records, tmp_path / "r.parquet")
    table = parquet.read_table(tmp_path / "r.parquet").to_pylist()
    assert [row["total_accuracy"] for row in table] == [r.total_accuracy for r in results.records]


def test_anytime_curves_begin_where_nothing_is_done(results):
    """At a_j(0) for every task, 0.001 each of eight: not at nothing."""
    (start, end) = mean_gap_over_time(results, "mip", np.array([0.0, 1e3])).tolist()
    known = [results.known[run.record.instance].best for run in results.runs_of("mip")]
    assert start == pytest.approx(fmean(1.0 - 8 * 0.001 / best for best in known))
    assert end == pytest.approx(fmean(run.record.gap for run in results.runs_of("mip")), abs=1e-6)


def test_anytime_curves_are_drawn_from_the_value_of_the_start_on(results):
    """Read off the chart: a search that starts 4 % below the best and ends 0.5 % below it."""
    (run,) = (r for r in results.runs_of("mip") if r.record.instance == "one")
    best, floor = results.known["one"].best, run.record.floor
    values = [floor + (best - floor) * share for share in (0.96, 0.995)]
    search = replace(run, trace=((0.2, values[0], None), (0.9, values[1], None), (2.0, None, None)))
    drawn = ElementTree.fromstring(anytime_curves(replace(results, runs=(search,))))
    ticks = {t.text: t for t in drawn.iter("text") if t.get("class") == "tick"}
    (curve,) = (p for p in drawn.iter("polyline") if "curve" in p.get("class"))
    points = [tuple(map(float, point.split(","))) for point in curve.get("points").split()]
    (x1, y1), (x2, y2) = points[0], points[-1]

    def read(at: float, axis: str, low: str, high: str) -> float:
        """The value between two ticks of a logarithmic axis."""
        shift = -4.0 if axis == "y" else 0.0  # the text of a tick stands below its line
        ends = [float(ticks[label].get(axis)) + shift for label in (low, high)]
        logs = [np.log10(float(label.rstrip("%"))) for label in (low, high)]
        return 10 ** float(logs[0] + (logs[1] - logs[0]) * (at - ends[0]) / (ends[1] - ends[0]))

    assert read(y1, "y", "1%", "2%") == pytest.approx(4.0, rel=0.01)
    assert read(y2, "y", "1%", "2%") == pytest.approx(0.5, rel=0.01)
    assert read(x1, "x", "0.2", "1") == pytest.approx(0.2, rel=0.01)
    assert read(x2, "x", "0.2", "1") == pytest.approx(2.0, rel=0.01)


def test_pareto_front_by_hand():
    scores = score(
        [
            record("a", "slow best", 8.0, seconds=9.0),
            record("a", "fast", 6.0, seconds=1.0),
            record("a", "beaten", 5.0, seconds=2.0),
            record("a", "middle", 7.0, seconds=3.0),
        ]
    )
    assert [row.solver for row in pareto_front(scores)] == ["fast", "middle", "slow best"]


def test_scales():
    scale = Scale(0.001, 10.0, 0.0, 100.0, log=True)
    assert [scale(v) for v in (0.001, 0.1, 10.0)] == pytest.approx([0.0, 50.0, 100.0])
    assert scale(1e9) == 100.0
    assert [scale.label(v) for v in scale.ticks()] == ["0.001", "0.01", "0.1", "1", "10"]
    even = linear_scale([0.13, 0.98], 0.0, 1.0, percent=True)
    assert even.low <= 0.13
    assert even.high >= 0.98
    assert [even.label(v) for v in even.ticks()][:2] == ["0%", "20%"]
    for values in ([], [0.0], [1.0, 1.0], [5.0]):
        scale = log_scale(values, 0.0, 1.0, floor=1e-5)
        assert scale.high >= 9.99 * scale.low > 0.0


def test_writes_through_no_link(results, tmp_path):
    outside = tmp_path / "precious"
    outside.write_text("precious")
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.html").symlink_to(outside)
    with pytest.raises(InputError, match=r"report\.html: is a symbolic link"):
        write_report(results, tmp_path / "report")
    assert outside.read_text() == "precious"


def test_the_command(folder, tmp_path, capsys):
    assert run(["report", str(folder), "-o", str(tmp_path / "r"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"report.html", "results.csv", "scores.csv", "scores.md"} <= set(told["files"])
    assert {path.name for path in (tmp_path / "r").iterdir()} == set(told["files"])
    assert run(["report", str(tmp_path)]) == 2
    assert "no folder of results" in capsys.readouterr().err


SCRIPT = """
<script>
addEventListener("load", () => {
  const inner = frames[0], document = inner.document;
  const dark = inner.matchMedia("(prefers-color-scheme: dark)").matches;
  const told = { errors: inner.problems, dark, ran: inner.ran ?? false };
  told.paper = getComputedStyle(document.body).backgroundColor;
  told.wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
  told.width = document.documentElement.clientWidth;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const order = () => all("#summary tbody th").map((th) => th.dataset.value);
  told.before = order();
  const heads = document.querySelectorAll("#summary thead button");
  heads[0].click(); told.byName = order();
  heads[8].click(); heads[8].click(); told.slowestFirst = order();
  document.querySelector(".entry").click();
  const box = (part) => part.getBoundingClientRect();
  const covers = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1.5;
  for (const folded of all("details")) folded.open = true;
  told.covered = [];
  for (const drawn of all("figure svg")) {
    const texts = [...drawn.querySelectorAll("text")];
    texts.forEach((one, k) => {
      for (const other of texts.slice(k + 1)) {
        if (covers(box(one), box(other))) {
          told.covered.push(one.textContent + " | " + other.textContent);
        }
      }
      const whole = box(drawn), part = box(one);
      if (part.left < whole.left - 1 || part.right > whole.right + 1) {
        told.covered.push(one.textContent);
      }
    });
  }
  inner.scrollTo(0, box(document.querySelector("#charts figure")).top + inner.scrollY);
  told.legend = box(document.querySelector("#charts .legend")).bottom;
  told.lit = document.querySelectorAll(".lit").length;
  told.charts = all("#charts figure svg").map((drawn) => box(drawn).height > 100);
  const out = document.createElement("pre");
  out.id = "told"; out.textContent = JSON.stringify(told);
  window.document.body.append(window.document.adoptNode(out));
});
</script>
"""


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_in_a_browser(page, results, tmp_path, width, dark):
    watch = "<head><script>problems = []; onerror = (m) => problems.push(m);</script>"
    strangers = "<img src=x onerror='ran = true'><script>ran = true</script></body>"
    (tmp_path / "page.html").write_text(
        page.replace("<head>", watch, 1).replace("</body>", strangers), encoding="utf-8"
    )
    frame = f"<iframe src=page.html style='border:0;width:{width}px;height:900px'></iframe>"
    (tmp_path / "frame.html").write_text(f"<body>{frame}{SCRIPT}</body>")
    command = [
        CHROMIUM,
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        "--allow-file-access-from-files",
        "--hide-scrollbars",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        f"--user-data-dir={tmp_path / 'profile'}",
        *("--window-size=1400,1000", "--virtual-time-budget=5000", "--dump-dom"),
        (tmp_path / "frame.html").as_uri(),
    ]
    dumped = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    found = re.search(r'<pre id="told">(.*?)</pre>', dumped, re.DOTALL)
    assert found, dumped[:2000]
    told = json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert told["errors"] == []
    assert not told["ran"], "a script that is not the page's own has run"
    assert told["width"] == width
    assert not told["wide"]
    assert told["dark"] == dark
    assert told["paper"] == ("rgb(20, 23, 26)" if dark else "rgb(251, 251, 250)")
    assert told["before"] == list(results.solvers)
    assert told["byName"] == sorted(results.solvers)
    seconds = {row.solver: row.seconds for row in results.scores}
    assert told["slowestFirst"] == sorted(seconds, key=seconds.__getitem__, reverse=True)
    assert told["lit"] >= 5
    assert all(told["charts"])
    assert told["covered"] == []
    if width < 600:
        assert told["legend"] <= 0.0, "the legend covers the chart"
