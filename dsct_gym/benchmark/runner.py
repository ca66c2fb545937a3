"""Runs solvers on instances, one job a pair, in this process or in several."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from dsct_gym.benchmark.record import Record
from dsct_gym.instance import Instance
from dsct_gym.relaxation import upper_bound
from dsct_gym.schedule import Schedule
from dsct_gym.solver import make_solver


@dataclass(frozen=True)
class Job:
    """One solver on one instance.

    Attributes:
        label: Name of the instance in the records.
        instance: The problem.
        solver: Name of the solver.
        options: Options of the solver.
        time_limit: Wall-clock limit, s.
        seed: Seed of whatever is random.
    """

    label: str
    instance: Instance
    solver: str
    options: Mapping[str, object] = field(default_factory=dict)
    time_limit: float | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Run:
    """What came of a job: a record with its schedule, or the reason why there is none."""

    job: Job
    record: Record | None = None
    schedule: Schedule | None = None
    failure: str | None = None


def run_jobs(jobs: Sequence[Job], workers: int = 1) -> Iterator[Run]:
    """Runs the jobs and yields each as it ends.

    Args:
        jobs: What to run.
        workers: Number of processes; 1 runs here.

    Yields:
        One run a job, in the order of the jobs when ``workers`` is 1.

    Raises:
        KeyboardInterrupt: On Ctrl-C; in this process only after the run that it cut short, where
            the solver hands over what it has. Runs under way in other processes are lost.
    """
    if workers == 1:
        runs = map(run_job, jobs)
    else:
        from joblib import Parallel, delayed

        parallel = Parallel(
            n_jobs=workers, return_as="generator_unordered", initializer=_leave_interrupts
        )
        runs = parallel(delayed(run_job)(job) for job in jobs)
    for run in runs:
        yield run
        if run.record is not None and run.record.interrupted:
            raise KeyboardInterrupt


def _leave_interrupts() -> None:
    """Leaves Ctrl-C, which a terminal sends to all processes, to the one that started them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def run_job(job: Job) -> Run:
    """Runs one job; whatever its solver raises becomes the run's ``failure``."""
    try:
        warm_up(job.solver)
        solution = make_solver(job.solver, **job.options).solve(
            job.instance, time_limit=job.time_limit, seed=job.seed
        )
        record = Record.of(
            job.instance,
            solution,
            label=job.label,
            solver=job.solver,
            fractional_bound=upper_bound(job.instance),
            seed=job.seed,
            time_limit=job.time_limit,
        )
    except Exception as error:
        return Run(job, failure=f"{type(error).__name__}: {error}")
    return Run(job, record, solution.schedule)


@cache
def warm_up(solver: str) -> None:
    """Solves a toy, so that imports and compilation stay out of the seconds that are recorded.

    Args:
        solver: Name of the solver; it may fail on the toy.
    """
    with suppress(Exception):
        make_solver(solver).solve(_toy(), time_limit=0.1, seed=0)


def _toy() -> Instance:
    return Instance(
        speeds=np.array([1.0, 2.0]),
        efficiencies=np.array([2.0, 1.0]),
        deadlines=np.array([1.0, 1.0, 2.0]),
        work=np.array([[0.0, 1.0, 3.0]] * 3),
        accuracy=np.array([[0.0, 0.5, 0.8]] * 3),
        energy_budget=3.0,
    )
