import json
import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from dsct_gym import InputError, generate
from dsct_gym.benchmark.execution import run_job
from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.leaderboard import keep_section, load_sections, render, take_up
from dsct_gym.benchmark.spec import Spec
from dsct_gym.benchmark.store import Store
from dsct_gym.cli import run
from dsct_gym.suites.suite import load_suite

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    store = Store(folder)
    with store.opened():
        for suite, index in (("tiny", 0), ("tiny", 3), ("small", 1)):
            instance = load_suite(suite)[index]
            for solver, seed in (("random", 0), ("random", 1), ("greedy", 0), ("approx", 0)):
                job = Job(str(instance.name), instance, Spec(solver), time_limit=5.0, seed=seed)
                store.put_instance(job)
                store.put(run_job(job, threads=1))
    return folder


@pytest.fixture
def copy(folder, tmp_path) -> Path:
    shutil.copytree(folder, tmp_path / "results")
    return tmp_path / "results"


def test_what_is_taken_up_is_kept(folder, tmp_path):
    section = take_up(folder, date="2026-01-02", commit="abc", notes=["a note"])
    assert len(section.records) == 12
    assert section.protocol["time limit"] == "5 s"
    assert section.protocol["seeds"] == "2 for random agents, 1 for the others"
    keep_section(section, tmp_path)
    assert load_sections(tmp_path) == [section]


def test_the_page(folder, tmp_path):
    new = take_up(folder, date="2026-01-02", commit="abc", notes=["a note"])
    old = replace(new, version="0.0.1", date="2025-01-02", commit="", notes=())
    for section in (old, new):
        keep_section(section, tmp_path)
    page = render(load_sections(tmp_path))
    assert page.index(f"## {new.version}") < page.index("## 0.0.1")
    assert "2026-01-02, commit `abc`.[^" in page
    assert "-1]: a note\n" in page
    tiny = page[page.index("### tiny") : page.index("### small")].splitlines()
    rows = [line.split("|")[1].strip() for line in tiny if line.startswith("| `")]
    # Best first; two of the suite's instances only, and the page says so.
    missing = f" (2 of {len(load_suite('tiny'))} instances)"
    assert rows[-1] == f"`random`{missing}"
    assert set(rows) == {f"`{name}`{missing}" for name in ("random", "greedy", "approx")}


def spoil(folder: Path, change) -> None:
    """Changes a greedy schedule and vouches for it anew, as a cheat would."""
    store = Store(folder)
    runs, _ = store.load()
    stored = next(run for run in runs if run.record.solver == "greedy")
    schedule = store.load_schedule(stored)
    job = Job(stored.record.instance, schedule.instance, Spec("greedy"), time_limit=5.0, seed=0)
    found = run_job(job)
    assert store.path_of(job) == stored.path
    store.put(change(found))


@pytest.fixture(scope="module")
def clocks(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clocks")
    store = Store(folder)
    with store.opened():
        problem = load_suite("dvfs")[0]
        for solver in ("greedy", "approx"):
            job = Job(str(problem.name), problem, Spec(solver), time_limit=5.0, seed=0)
            store.put_instance(job)
            store.put(run_job(job, threads=1))
    return folder


def test_a_variant_has_a_chapter_of_its_own(folder, clocks, tmp_path):
    for results in (folder, clocks):
        section = take_up(results, date="2026-01-02", notes=["a note"])
        keep_section(section, tmp_path)
    plain, variant = load_sections(tmp_path)
    assert (plain.needs, variant.needs) == ((), ("points",))
    assert variant == section
    page = render([plain, variant])
    assert f"## {variant.version}, points\n" in page
    assert page.index(f"## {plain.version}\n") < page.index("### small") < page.index("### dvfs")
    assert len({line for line in page.splitlines() if line.startswith("[^")}) == 2


def test_refuses_variants_in_one_folder(copy, clocks):
    shutil.copytree(clocks, copy, dirs_exist_ok=True)
    with pytest.raises(InputError, match=r"runs of several variants \(dvfs, small, tiny\)"):
        take_up(copy, date="2026-01-02")


def test_refuses_a_schedule_that_does_not_hold(copy):
    def overspend(found):
        works = found.schedule.work * 2.0
        return replace(found, schedule=replace(found.schedule, work=works))

    spoil(copy, overspend)
    with pytest.raises(InputError, match=r"greedy.*duration is not"):
        take_up(copy, date="")


def test_refuses_a_record_that_is_not_its_schedule(copy):
    def boast(found):
        return replace(found, record=replace(found.record, total_accuracy=99.0))

    spoil(copy, boast)
    with pytest.raises(InputError, match="total_accuracy is not the schedule's"):
        take_up(copy, date="")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("fairness", 1.0),
        ("slack", 1.0),
        ("makespan", 0.0),
        ("energy_budget", 1e9),
        ("tasks", 99),
        ("machines", 99),
        ("fractional_bound", 99.0),
        ("value", 99.0),
        ("floor", -9.0),
        ("needs", ("points",)),
        ("measures", {"lateness": 0.0}),
        ("solver", "exact"),
        ("seed", 5),
        ("time_limit", 1.0),
        ("proven_bound", 0.01),
    ],
)
def test_refuses_whatever_else_a_record_makes_up(copy, capsys, field, value):
    store = Store(copy)
    runs, _ = store.load()
    stored = next(run for run in runs if run.record.solver == "greedy")
    document = json.loads(stored.path.read_text())
    del document["sha256"]
    document["record"][field] = value
    content = json.dumps(document, sort_keys=True).encode()
    stored.path.write_text(json.dumps({**document, "sha256": sha256(content).hexdigest()}))
    assert run(["leaderboard", str(copy), "--check"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"Error: {stored.path}: record: ")
    assert field in line


def test_a_forged_section_is_one_line(folder, tmp_path):
    section = take_up(folder, date="2026-01-02")
    keep_section(section, tmp_path)
    (about,) = tmp_path.glob("*.json")
    document = json.loads(about.read_text())
    for changes, told in (
        ({"protocol": []}, "protocol: must be an object"),
        ({"notes": [1]}, r"notes\[0\]: must be text"),
        ({"more": 1}, "more: unknown key"),
    ):
        about.write_text(json.dumps({**document, **changes}))
        with pytest.raises(InputError, match=rf"^{about}: {told}"):
            load_sections(tmp_path)
    about.write_text(json.dumps(document))
    (table,) = tmp_path.glob("*.csv.gz")
    table.write_bytes(b"nothing")
    with pytest.raises(InputError, match=rf"^{table}: "):
        load_sections(tmp_path)


def test_refuses_another_instance_of_a_suites_name(copy):
    store = Store(copy)
    instance = generate(5, 2, seed=1, name="tiny-00")
    store.put(run_job(Job("tiny-00", instance, Spec("greedy"), seed=9)))
    with pytest.raises(InputError, match="another instance than the suite's"):
        take_up(copy, date="")


def test_refuses_what_is_of_no_suite_or_damaged(copy):
    store = Store(copy)
    store.path_of(Job("tiny-00", load_suite("tiny")[0], Spec("greedy"), 5.0, 0)).write_text("{")
    with pytest.raises(InputError, match="damaged"):
        take_up(copy, date="")
    shutil.rmtree(copy / "runs")
    store.put(run_job(Job("mine", generate(5, 2, seed=1), Spec("greedy"))))
    with pytest.raises(InputError, match="no suite"):
        take_up(copy, date="")


def test_the_command(folder, tmp_path, capsys):
    assert run(["leaderboard", str(folder), "--check", "-o", str(tmp_path)]) == 0
    assert list(tmp_path.iterdir()) == []
    assert run(["leaderboard", str(folder), "-o", str(tmp_path), "--commit", "abc"]) == 0
    page = (tmp_path / "leaderboard.md").read_text()
    assert "`greedy`" in page
    assert run(["leaderboard", "-o", str(tmp_path)]) == 0
    assert (tmp_path / "leaderboard.md").read_text() == page
    (about,) = (tmp_path / "leaderboard").glob("*.json")
    assert json.loads(about.read_text())["commit"] == "abc"
    capsys.readouterr()
    assert run(["leaderboard", "-o", str(tmp_path / "none")]) == 2
    assert "no section" in capsys.readouterr().err


@pytest.mark.skipif(not (DOCS / "leaderboard").is_dir(), reason="no results committed yet")
def test_the_committed_page_is_rendered_from_the_committed_results():
    page = (DOCS / "leaderboard.md").read_text(encoding="utf-8")
    assert page == render(load_sections(DOCS / "leaderboard"))
