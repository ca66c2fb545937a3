import pytest

from dsct_gym import generate, make_solver, upper_bound
from dsct_gym.benchmark.runner import Job, Run, run_job, run_jobs


def jobs(*solvers: str) -> list[Job]:
    instance = generate(10, 3, seed=4)
    return [Job("ten", instance, solver, time_limit=5.0, seed=7) for solver in solvers]


def found(run: Run) -> tuple[str, str, float]:
    assert run.record is not None
    return run.record.instance, run.record.solver, run.record.total_accuracy


def test_a_run_records_its_schedule():
    (job,) = jobs("random")
    run = run_job(job)
    assert run.failure is None
    assert run.record is not None
    assert run.schedule is not None
    assert run.schedule.verify()
    solved = make_solver("random").solve(job.instance, seed=7).schedule
    assert run.record.total_accuracy == run.schedule.total_accuracy == solved.total_accuracy
    assert run.record.energy == run.schedule.energy
    assert run.record.fractional_bound == upper_bound(job.instance)
    assert (run.record.seed, run.record.time_limit) == (7, 5.0)


def test_runs_come_in_the_order_of_the_jobs():
    names = ["greedy", "edf-3-levels", "approx"]
    assert [run.job.solver for run in run_jobs(jobs(*names))] == names


def test_processes_find_what_one_finds():
    planned = jobs("greedy", "edf-3-levels", "random")
    here = sorted(found(run) for run in run_jobs(planned))
    there = sorted(found(run) for run in run_jobs(planned, workers=2))
    assert here == there


@pytest.mark.parametrize("solver", ["stub_solvers:Broken", "nobody"])
def test_a_failure_is_told_and_does_not_stop_the_others(solver):
    failed, worked = run_jobs(jobs(solver, "greedy"))
    assert failed.record is None
    assert ("no idea" if "Broken" in solver else "nobody") in (failed.failure or "")
    assert worked.record is not None


def test_an_interrupted_run_is_the_last(monkeypatch, tmp_path):
    def press(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("STUB_SOLVER_STARTED", str(tmp_path / "started"))
    monkeypatch.setattr("stub_solvers.time.sleep", press)
    runs = run_jobs(jobs("greedy", "stub_solvers:Patient", "approx"))
    assert next(runs).job.solver == "greedy"
    interrupted = next(runs)
    assert interrupted.record is not None
    assert interrupted.record.interrupted
    with pytest.raises(KeyboardInterrupt):
        next(runs)
