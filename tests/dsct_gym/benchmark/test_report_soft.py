import re
from xml.etree import ElementTree

import numpy as np
import pytest

from dsct_gym import Instance
from dsct_gym.benchmark.execution import run_job
from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.report.gantt import gantt_svg
from dsct_gym.benchmark.report.page import render_page
from dsct_gym.benchmark.report.results import Results
from dsct_gym.benchmark.report.soft import outcomes
from dsct_gym.benchmark.report.soft_charts import Outcome, outcomes_of_tasks
from dsct_gym.benchmark.spec import Spec
from dsct_gym.benchmark.store import Store
from dsct_gym.schedule import Schedule
from dsct_gym.soft.instance import SoftInstance
from dsct_gym.soft.penalties import Linear, Step
from dsct_gym.verifier import Rows
from records import record


def _problem(penalty: Step | Linear, name: str) -> SoftInstance:
    core = Instance(
        speeds=np.array([10.0]),
        efficiencies=np.array([1.0]),
        deadlines=np.array([1.0, 2.0, 3.0]),
        work=np.array([[0.0, 20.0]] * 3),
        accuracy=np.array([[0.0, 0.8]] * 3),
        energy_budget=100.0,
        name=name,
    )
    return SoftInstance(core, penalty, energy_price=0.001)


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Results:
    store = Store(tmp_path_factory.mktemp("soft"))
    with store.opened():
        for name, penalty in (("steps", Step(cap=1.0)), ("lines", Linear(scale=2.0, cap=1.0))):
            for solver in ("edf", "atc"):
                job = Job(name, _problem(penalty, name), Spec(solver), time_limit=1.0, seed=0)
                store.put_instance(job)
                store.put(run_job(job))
    return Results.load(store.folder)


def test_outcomes_by_hand():
    """Of ten tasks each; a run without a schedule refuses all."""
    records = [
        record("a", "s", 5.0, measures={"late": 2.0, "refused": 1.0}),
        record("b", "s", 5.0, measures={"late": 0.0, "refused": 3.0}),
        record("a", "broken", 0.0),
    ]
    found = outcomes(records, ("other", "s", "broken"))
    assert found["s"].shares == pytest.approx((0.7, 0.1, 0.2))
    assert found["s"].rank == 1
    assert found["broken"].shares == pytest.approx((0.0, 0.0, 1.0))
    assert "other" not in found


def test_bars_are_as_long_as_the_shares():
    drawn = ElementTree.fromstring(outcomes_of_tasks({"s": Outcome(0, late=0.3, refused=0.1)}))
    widths = [float(r.get("width")) for r in drawn.iter("rect") if r.find("title") is not None]
    assert np.array(widths) / sum(widths) == pytest.approx([0.6, 0.3, 0.1], abs=1e-3)


def test_the_chapter_tells_what_records_hold(results):
    page = render_page(results, "soft")
    (chapter,) = re.findall(r"<section id='soft'>.*?</section>", page, re.DOTALL)
    (first, by_penalty) = re.findall(r"<tbody>(.*?)</tbody>", chapter, re.DOTALL)
    rows = dict(re.findall(r"<tr><th scope='row' data-value='([^']+)'>(.*?)</tr>", first))
    for solver in results.solvers:
        runs = [r for r in results.records if r.solver == solver]
        cells = re.findall(r"<td data-value='([^']*)'", rows[solver])
        assert float(cells[0]) == pytest.approx(np.mean([r.value / 3 for r in runs]))
        late = np.mean([r.measures["late"] / 3 for r in runs])
        refused = np.mean([r.measures["refused"] / 3 for r in runs])
        assert [float(c) for c in cells[2:5]] == pytest.approx([1 - late - refused, late, refused])
    assert "Step penalty" in chapter
    assert "Linear penalty" in chapter
    assert len(re.findall("<tr>", by_penalty)) == len(results.solvers)
    assert "id='arrivals'" not in page


def test_energy_without_a_budget_is_no_share_of_one(results):
    assert not results.budgeted
    page = render_page(results, "soft")
    assert "share of the budget or most possible" in page
    assert "% of the budget</figcaption>" not in page


def test_what_runs_late_is_struck_out_and_in_sight():
    """Two tasks of 2 s from 0 and 2 s, due at 1 and 2 s: late from 1 to 2 and from 2 to 4 s."""
    problem = _problem(Step(cap=1.0), "late")
    rows = Rows(
        task=np.array([0, 1]),
        machine=np.array([0, 0]),
        start=np.array([0.0, 2.0]),
        duration=np.array([2.0, 2.0]),
        work=np.array([20.0, 20.0]),
        accuracy=np.array([0.8, 0.8]),
        energy=np.array([20.0, 20.0]),
    )
    drawn = ElementTree.fromstring(gantt_svg(Schedule.from_rows(problem, rows), "late"))
    bars = [r for r in drawn.iter("rect") if r.get("class") == "task"]
    starts = [float(bar.get("x")) for bar in bars]
    ends = [float(bar.get("x")) + float(bar.get("width")) for bar in bars]
    second = (ends[0] - starts[0]) / 2.0
    assert ends[1] == pytest.approx(starts[0] + 4.0 * second, abs=0.1)
    late = [
        ((float(each.get("x1")) - starts[0]) / second, (float(each.get("x2")) - starts[0]) / second)
        for each in drawn.iter("line")
        if each.get("class") == "late"
    ]
    assert np.array(late) == pytest.approx(np.array([(1.0, 2.0), (2.0, 4.0)]), abs=0.01)
    assert max(ends) < float(drawn.get("viewBox").split()[2])
