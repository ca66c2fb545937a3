import os
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

from dsct_gym import InputError, generate, make_solver, upper_bound
from dsct_gym.benchmark import guard
from dsct_gym.benchmark.engines import open_engine
from dsct_gym.benchmark.execution import Run, run_job
from dsct_gym.benchmark.guard import Guard, Limits
from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.record import Status
from dsct_gym.benchmark.runner import run_jobs
from dsct_gym.benchmark.spec import Spec
from stub_solvers import STARTED


def jobs(*solvers: str, time_limit: float | None = 5.0) -> list[Job]:
    instance = generate(10, 3, seed=4)
    return [Job("ten", instance, Spec(solver), time_limit=time_limit, seed=7) for solver in solvers]


def found(run: Run) -> tuple[str, str, float]:
    assert run.record is not None
    return run.record.instance, run.record.solver, run.record.total_accuracy


def is_alive(process: int) -> bool:
    """Whether a process runs: neither gone nor a zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_run_records_its_schedule():
    (job,) = jobs("random")
    run = run_job(job)
    assert run.record is not None
    assert run.schedule is not None
    assert run.schedule.verify()
    solved = make_solver("random").solve(job.instance, seed=7).schedule
    assert run.record.status == Status.OK
    assert run.record.total_accuracy == run.schedule.total_accuracy == solved.total_accuracy
    assert run.record.energy == run.schedule.energy
    assert run.record.fractional_bound == upper_bound(job.instance)
    assert (run.record.seed, run.record.time_limit) == (7, 5.0)
    assert run.environment is not None
    assert {"dsct-gym", "numpy", "python", "processor", "cores"} <= run.environment.keys()


def test_the_relaxation_of_an_instance_is_solved_once_for_all_that_run_on_it(monkeypatch):
    solved = []

    def counted(problem):
        solved.append(problem)
        return upper_bound(problem)

    monkeypatch.setattr("dsct_gym.benchmark.execution.upper_bound", counted)
    one, other = generate(10, 3, seed=41), generate(10, 3, seed=42)
    for instance in (one, generate(10, 3, seed=41), other):
        for name in ("greedy", "random", "stub_solvers:Broken"):
            run = run_job(Job("ten", instance, Spec(name), time_limit=5.0, seed=0))
            assert run.record is not None
            assert run.record.fractional_bound == upper_bound(instance)
    assert solved == [one, other]


def test_runs_come_in_the_order_of_the_jobs():
    names = ["greedy", "edf-3-levels", "approx"]
    assert [run.job.solver.name for run in run_jobs(jobs(*names))] == names


def test_processes_find_what_one_finds():
    planned = jobs("greedy", "edf-3-levels", "random")
    here = sorted(found(run) for run in run_jobs(planned))
    there = sorted(found(run) for run in run_jobs(planned, workers=2))
    assert here == there


def test_threads_reach_the_solver_unless_it_is_told_otherwise():
    (job,) = jobs("mip")
    run = run_job(job, threads=1)
    assert run.environment is not None
    assert run.environment["threads"] == 1
    assert run_job(Job("ten", job.instance, Spec("greedy")), threads=1).record is not None


def test_the_trace_ends_at_the_result_and_never_falls():
    (job,) = jobs("mip")
    run = run_job(job)
    assert run.record is not None
    assert run.trace[-1] == (
        run.record.seconds,
        run.record.total_accuracy,
        run.record.proven_bound,
    )
    seconds = [point[0] for point in run.trace]
    assert seconds == sorted(seconds)


@pytest.mark.parametrize(
    ("solver", "status", "told"),
    [
        ("stub_solvers:Broken", Status.FAILED, "RuntimeError: no idea"),
        ("nobody", Status.FAILED, "no solver 'nobody'"),
        ("stub_solvers:Crashing", Status.FAILED, "the process died (SIGSEGV): out of luck"),
        ("stub_solvers:Cheating", Status.INFEASIBLE, "exceeds the budget"),
        ("stub_solvers:Hanging", Status.TIMEOUT, "killed after 1.1 s"),
    ],
)
def test_what_goes_wrong_is_recorded_and_does_not_stop_the_others(solver, status, told):
    limits = Limits(grace=1.0)
    planned = [*jobs("greedy"), *jobs(solver, time_limit=0.1), *jobs("greedy")]
    first, wrong, last = run_jobs(planned, limits=limits)
    assert wrong.record is not None
    assert wrong.record.status == status
    assert told in (wrong.record.message or "")
    assert wrong.schedule is None
    # It counts as the empty schedule.
    base = wrong.job.instance.base_accuracy.sum()
    assert wrong.record.total_accuracy == pytest.approx(base)
    assert wrong.record.fractional_bound == upper_bound(wrong.job.instance)
    assert wrong.record.seconds >= 0.0
    assert found(first) == found(last)


def test_a_solver_that_hangs_is_killed_with_what_it_started(monkeypatch, tmp_path):
    marker = tmp_path / "child"
    monkeypatch.setenv(STARTED, str(marker))
    (run,) = run_jobs(jobs("stub_solvers:Hanging", time_limit=0.5), limits=Limits(grace=0.5))
    assert run.record is not None
    assert run.record.status == Status.TIMEOUT
    assert 1.0 <= run.record.seconds < 5.0
    assert not is_alive(int(marker.read_text()))


def test_a_solver_that_hangs_as_it_warms_up_costs_what_a_job_may(monkeypatch):
    monkeypatch.setattr(guard, "START", 4.0)
    short, long = (jobs("stub_solvers:Drowsy", time_limit=limit)[0] for limit in (0.2, 5.0))
    with closing(Guard(Limits(grace=0.3))) as supervisor:
        for job, least in ((short, 4.0), (short, 0.5), (long, 4.0)):
            started = time.perf_counter()
            run = supervisor.run(job)
            seconds = time.perf_counter() - started
            assert run.record is not None
            assert run.record.status == Status.TIMEOUT
            assert run.record.message == "not ready in time"
            assert least <= seconds < least + 3.0


def test_whoever_compiles_may_take_longer(monkeypatch):
    with closing(Guard(Limits())) as supervisor:
        supervisor.run(jobs("random")[0])  # starts the process
        monkeypatch.setattr(guard, "START", 1.5)
        monkeypatch.setattr(guard.Limits, "patience", lambda limits, time_limit: 1.5)
        run = supervisor.run(jobs("stub_solvers:Tailor")[0])
    assert run.record is not None
    assert run.record.status == Status.OK


def test_compilation_is_no_warm_up_however_long_a_kernel_takes(monkeypatch):
    with closing(Guard(Limits())) as supervisor:
        for solver, status in (("Weaver", Status.OK), ("Dozing", Status.TIMEOUT)):
            with monkeypatch.context() as patch:
                supervisor.run(jobs("random")[0])  # starts the process
                patch.setattr(guard, "START", 1.5)
                patch.setattr(guard.Limits, "patience", lambda limits, time_limit: 1.5)
                run = supervisor.run(jobs(f"stub_solvers:{solver}")[0])
            assert run.record is not None
            assert (solver, run.record.status) == (solver, status)
            supervisor.close()


def test_several_processes_survive_what_goes_wrong_too():
    wrong = ("stub_solvers:Hanging", "stub_solvers:Crashing", "stub_solvers:Broken")
    planned = [*jobs(*wrong, time_limit=0.1), *jobs("greedy", "approx")]
    runs = {run.job.solver.name: run for run in run_jobs(planned, 2, limits=Limits(grace=1.0))}
    statuses = {solver: run.record and run.record.status for solver, run in runs.items()}
    assert statuses == {
        "stub_solvers:Hanging": Status.TIMEOUT,
        "stub_solvers:Crashing": Status.FAILED,
        "stub_solvers:Broken": Status.FAILED,
        "greedy": Status.OK,
        "approx": Status.OK,
    }


def test_no_limit_is_never_up():
    assert Limits(grace=1.0).patience(None) is None
    assert Limits(grace=1.0).patience(2.0) == 3.0
    assert Limits().patience(2.0) == 12.0
    assert Limits().patience(60.0) == 90.0
    assert Limits(grace=float("inf")).patience(2.0) is None
    assert Limits().patience(1e300) is None


def press_ctrl_c_once_there(marker: Path) -> None:
    """Presses Ctrl-C, from a process of its own, once a solver waits."""
    if os.fork() == 0:
        for _ in range(600):
            if marker.exists():
                time.sleep(0.2)
                os.kill(os.getppid(), signal.SIGINT)
                break
            time.sleep(0.05)
        os._exit(0)


def test_an_interrupted_run_is_the_last(monkeypatch, tmp_path):
    monkeypatch.setenv(STARTED, str(tmp_path / "started"))
    runs = run_jobs(jobs("greedy", "stub_solvers:Patient", "approx", time_limit=None))
    assert next(runs).job.solver.name == "greedy"
    press_ctrl_c_once_there(tmp_path / "started")
    interrupted = next(runs)
    assert interrupted.record is not None
    assert interrupted.record.interrupted
    with pytest.raises(KeyboardInterrupt):
        next(runs)


def test_a_guard_starts_again_after_it_was_closed():
    guard = Guard(Limits())
    (job,) = jobs("greedy")
    first = guard.run(job)
    guard.close()
    again = guard.run(job)
    guard.close()
    assert found(first) == found(again)


@pytest.mark.parametrize(
    ("name", "address", "named"),
    [
        ("slurm", None, "engine: no engine 'slurm'"),
        ("dask", None, "address:"),
        ("ray", None, "address:"),
        ("local", "here:1", "address:"),
    ],
)
def test_refuses_engines_that_cannot_be_had(name, address, named):
    with pytest.raises(InputError, match=named):
        open_engine(name, Limits(), address=address)
