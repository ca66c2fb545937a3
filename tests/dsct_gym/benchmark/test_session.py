from collections.abc import Iterator

import pytest

from dsct_gym import InputError, generate
from dsct_gym.benchmark import provenance
from dsct_gym.benchmark import session as module
from dsct_gym.benchmark.execution import Run, run_job
from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.planning import default_solvers, label_instances, plan_jobs
from dsct_gym.benchmark.session import Conduct, Session
from dsct_gym.benchmark.spec import Spec
from dsct_gym.benchmark.store import Store

INSTANCE = generate(5, 2, seed=1, name="five")


@pytest.fixture
def planned() -> list[Job]:
    solvers = [Spec("greedy"), Spec("random"), Spec("stub_solvers:Broken")]
    return plan_jobs({"five": INSTANCE}, solvers, seeds=(0, 1), time_limit=1.0)


@pytest.fixture(autouse=True)
def here(monkeypatch) -> list[Job]:
    """Jobs run in this process; the list tells which."""
    ran: list[Job] = []

    def run_jobs(jobs: list[Job], *_: object, **__: object) -> Iterator[Run]:
        for job in jobs:
            ran.append(job)
            yield run_job(job)

    monkeypatch.setattr(module, "run_jobs", run_jobs)
    return ran


def run_all(jobs: list[Job], store: Store | None = None, **options: object) -> Session:
    session = Session(jobs, store)
    with session.opened():
        session.resume(**options)
        session.run(Conduct(), lambda run: None)
    return session


def test_what_is_random_gets_every_seed_and_the_rest_the_first(planned):
    assert [(job.solver.name, job.seed) for job in planned] == [
        ("greedy", 0),
        ("random", 0),
        ("random", 1),
        ("stub_solvers:Broken", 0),
    ]


def test_records_come_in_the_order_of_the_plan(planned):
    session = Session(planned)
    session.run(Conduct(), lambda run: None)
    assert [record.solver for record in session.records] == [j.solver.label for j in planned]
    assert (session.missing, session.lost, session.interrupted) == ([], 0, False)


def test_resumes_what_is_there_and_runs_the_rest(planned, here, tmp_path):
    store = Store(tmp_path / "out")
    first = run_all(planned[:3], store)
    here.clear()
    second = run_all(planned, store)
    assert here == planned[3:]
    assert second.records[:3] == first.records
    here.clear()
    assert run_all(planned, store).records == second.records
    assert here == []
    run_all(planned, store, retry=True)
    assert here == planned[3:]  # the one that fails


def test_runs_that_were_made_otherwise_are_told_and_run_anew_on_demand(
    planned, here, monkeypatch, tmp_path
):
    store = Store(tmp_path / "out")
    run_all(planned, store)
    assert Session(planned, store).resume() == []
    digest = provenance.digest_of
    monkeypatch.setattr(
        provenance, "digest_of", lambda solver: "0" if solver.name == "random" else digest(solver)
    )
    (told,) = Session(planned, store).resume()
    assert "other code (random)" in told
    assert "--fresh" in told
    assert "greedy" not in told
    session, before = Session(planned, store), store.path_of(planned[1]).read_bytes()
    assert session.resume(fresh=True) == []
    assert session.missing == planned[1:3]
    assert store.path_of(planned[1]).read_bytes() == before  # until its run ends
    here.clear()
    run_all(planned, store, fresh=True)
    assert here == planned[1:3]
    assert Session(planned, store).resume() == []
    assert store.path_of(planned[1]).read_bytes() != before


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        ({"threads": 1}, {"threads": 2}, ["--threads 1, now 2"]),
        ({}, {"threads": 2, "code": "a"}, []),
        ({"code": "a", "threads": 2}, {"code": "b", "threads": 2}, ["other code"]),
        (
            {"dsct-gym": "0.1", "solver": "dsct-gym 0.1", "code": "a"},
            {"dsct-gym": "0.2", "solver": "dsct-gym 0.2", "code": "b"},
            ["version 0.1, now 0.2"],
        ),
        (
            {"dsct-gym": "0.2", "solver": "own 1.0", "code": "a"},
            {"dsct-gym": "0.2", "solver": "own 1.1", "code": "b"},
            ["own 1.0, now own 1.1"],
        ),
    ],
)
def test_how_a_run_was_made_otherwise(then, now, told):
    assert provenance.differences(then, now) == told


def test_records_that_say_nothing_of_code_are_taken_as_they_are(planned, monkeypatch, tmp_path):
    store = Store(tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(provenance, "digest_of", lambda solver: None)
        run_all(planned[:1], store)
    session = Session(planned[:1], store)
    assert session.resume() == []
    assert session.missing == []
    session = Session(planned[:1], store)
    session.resume(fresh=True)  # whether they are what they would be now is not known
    assert session.missing == planned[:1]


def test_keeps_only_what_it_is_asked_to(planned, here, tmp_path):
    store = Store(tmp_path / "out")
    for _ in range(2):
        session = Session(planned, store, kept={planned[0].key})
        with session.opened():
            session.resume()
            session.run(Conduct(), lambda run: None)
        assert len(session.records) == 4
    assert [job.solver.name for job in here].count("greedy") == 1
    assert len(here) == 7


def test_ctrl_c_while_a_run_is_kept_loses_nothing(planned, monkeypatch, tmp_path):
    store, kept = Store(tmp_path / "out"), Store.put

    def interrupted_once(self: Store, run: Run) -> None:
        monkeypatch.setattr(Store, "put", kept)
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "put", interrupted_once)
    session = run_all(planned, store)
    assert session.interrupted
    assert [record.solver for record in session.records] == ["greedy"]
    assert store.get(planned[0]) is not None


def test_a_run_that_the_engine_lost_is_counted_and_comes_up_again(planned, monkeypatch, tmp_path):
    store = Store(tmp_path / "out")
    lost = [Run(planned[0], lost="gone")]
    monkeypatch.setattr(module, "run_jobs", lambda jobs, *_, **__: lost)
    session = run_all(planned, store)
    assert (session.lost, session.records, session.missing) == (1, [], planned)


@pytest.mark.parametrize("limit", [-1.0, 0.0, float("nan")])
def test_refuses_a_limit_that_is_none(limit):
    with pytest.raises(InputError, match="time_limit"):
        plan_jobs({"five": INSTANCE}, [Spec("greedy")], time_limit=limit)


def test_no_two_instances_of_one_name():
    other = generate(4, 2, seed=2)
    assert list(label_instances([("a", INSTANCE), ("b", other)])) == ["five", "b"]
    with pytest.raises(InputError, match="two are called 'five'"):
        label_instances([("a", INSTANCE), ("five", other)])


def test_the_default_is_every_solver_that_can_be_made(monkeypatch):
    found, left_out = default_solvers([INSTANCE])
    assert {"greedy", "exact", "rl"} <= {solver.name for solver in found}
    assert left_out == []
    monkeypatch.setattr(
        "dsct_gym.benchmark.planning.solver_entry_points", lambda: {"greedy": None, "nobody": None}
    )
    found, left_out = default_solvers([INSTANCE])
    assert [solver.name for solver in found] == ["greedy"]
    assert "nobody" in left_out[0]
