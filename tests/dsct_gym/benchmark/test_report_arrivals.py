import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from dsct_gym import Instance, generate
from dsct_gym.benchmark.execution import run_job
from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.report.arrival_charts import Traits, spent_until, waiting_at
from dsct_gym.benchmark.report.arrivals import played
from dsct_gym.benchmark.report.gantt import gantt_svg
from dsct_gym.benchmark.report.page import render_page
from dsct_gym.benchmark.report.results import Results
from dsct_gym.benchmark.spec import Spec
from dsct_gym.benchmark.store import Store
from dsct_gym.online.generator import generate_online
from dsct_gym.online.instance import OnlineInstance
from dsct_gym.schedule import Schedule
from dsct_gym.verifier import Rows


@pytest.fixture(scope="module")
def problem() -> OnlineInstance:
    """Three tasks of 20, 40 and 20 GFLOP on machines of 10 and 30 GFLOP/s, horizon 4 s."""
    core = Instance(
        speeds=np.array([10.0, 30.0]),
        efficiencies=np.array([1.0, 2.0]),
        deadlines=np.array([4.0, 5.0, 6.0]),
        work=np.array([[0.0, 20.0], [0.0, 40.0], [0.0, 20.0]]),
        accuracy=np.array([[0.0, 0.8], [0.0, 0.8], [0.0, 0.8]]),
        energy_budget=100.0,
    )
    return OnlineInstance(core, np.array([0.0, 1.0, 4.0]), 4.0)


@pytest.fixture(scope="module")
def schedule(problem) -> Schedule:
    """Task 0 from 1 to 3 s on machine 0; task 1 from 3 to 4 s on machine 1; task 2 not at all."""
    rows = Rows(
        task=np.array([0, 1]),
        machine=np.array([0, 1]),
        start=np.array([1.0, 3.0]),
        duration=np.array([2.0, 1.0]),
        work=np.array([20.0, 30.0]),
        accuracy=np.array([0.8, 0.6]),
        energy=np.array([20.0, 15.0]),
    )
    made = Schedule.from_rows(problem, rows)
    assert made.verify()
    return made


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Results:
    store = Store(tmp_path_factory.mktemp("arrivals"))
    with store.opened():
        for seed in range(3):
            instance = generate_online(12, 2, seed=seed, name=f"a{seed}")
            for solver in ("myopic", "edf-online"):
                job = Job(f"a{seed}", instance, Spec(solver), time_limit=2.0, seed=0)
                store.put_instance(job)
                store.put(run_job(job))
    return Results.load(store.folder)


def test_load_and_burstiness_by_hand(problem):
    """80 GFLOP where 40 GFLOP/s have 4 s; gaps of 1 and 3 s: deviation 1, mean 2."""
    traits = Traits.of(problem)
    assert traits.load == pytest.approx(0.5)
    assert traits.burstiness == pytest.approx(0.5)
    steady = OnlineInstance(problem.core, np.array([0.0, 1.0, 2.0]), 4.0)
    assert Traits.of(steady).burstiness == 0.0
    at_once = OnlineInstance(problem.core, np.zeros(3), 4.0)
    assert Traits.of(at_once).burstiness == 0.0


def test_energy_over_time_by_hand(schedule):
    spent = spent_until(schedule, np.array([0.5, 2.0, 3.0, 3.5, 9.0]))
    assert spent == pytest.approx([0.0, 10.0, 20.0, 27.5, 35.0])


def test_queue_over_time_by_hand(problem, schedule):
    """Task 0 waits from 0 to 1 s, task 1 from 1 to 3 s; task 2 is never run."""
    waiting = waiting_at(problem, schedule, np.array([0.5, 1.5, 2.9, 3.5, 4.5]))
    assert waiting.tolist() == [1.0, 1.0, 1.0, 0.0, 0.0]


def test_waits_by_hand(problem, schedule):
    """1 s of 4 s, and 2 s of 4 s."""
    told = played(problem, schedule)
    assert told.served == pytest.approx(2.0 / 3.0)
    assert told.wait == pytest.approx(0.375)


def test_the_chapter_tells_ratios_to_the_bound(results):
    page = render_page(results, "arrivals")
    (chapter,) = re.findall(r"<section id='arrivals'>.*?</section>", page, re.DOTALL)
    (body,) = re.findall(r"<tbody>(.*?)</tbody>", chapter, re.DOTALL)
    shown = {
        name: [float(value) for value in re.findall(r"<td data-value='([^']+)'", row)]
        for name, row in re.findall(r"<tr><th scope='row' data-value='([^']+)'>(.*?)</tr>", body)
    }
    for solver in results.solvers:
        runs = [record for record in results.records if record.solver == solver]
        ratios = [r.total_accuracy / results.known[r.instance].bound for r in runs]
        assert shown[solver][0] == pytest.approx(np.mean(ratios))
        assert shown[solver][2] == pytest.approx(np.mean([r.energy_share for r in runs]))
    for heading in ("against load", "against burstiness", "Energy over time", "Queue over time"):
        assert heading in chapter
    assert "id='soft'" not in page


def test_others_have_no_such_chapter(tmp_path: Path):
    store = Store(tmp_path)
    with store.opened():
        job = Job("plain", generate(5, 2, seed=0, name="plain"), Spec("greedy"), time_limit=1.0)
        store.put_instance(job)
        store.put(run_job(job))
    page = render_page(Results.load(tmp_path), "plain")
    assert "id='arrivals'" not in page
    assert "burstiness" not in page


def test_a_gantt_tells_how_long_tasks_wait(schedule):
    """Task 0 from 0 to 1 s, task 1 from 1 to 3 s; their bars begin where waiting ends."""
    drawn = ElementTree.fromstring(gantt_svg(schedule, "waits"))
    starts = [float(r.get("x")) for r in drawn.iter("rect") if r.get("class") == "task"]
    second = (starts[1] - starts[0]) / 2.0
    (waits,) = (p.get("d") for p in drawn.iter("path") if p.get("class") == "waiting")
    ends = np.array(re.findall(r"M([\d.]+) [\d.]+H([\d.]+)", waits), dtype=float)
    seconds = 1.0 + (ends - starts[0]) / second
    assert seconds == pytest.approx(np.array([(0.0, 1.0), (1.0, 3.0)]), abs=0.01)
