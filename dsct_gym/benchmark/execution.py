"""Runs one job in this process: solve, verify, measure."""

from __future__ import annotations

import inspect
import time
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast

from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.provenance import environment_of
from dsct_gym.benchmark.record import Record, Status, tolerance_of
from dsct_gym.problem import Problem
from dsct_gym.relaxation import upper_bound
from dsct_gym.running import InvalidAnswerError, run
from dsct_gym.schedule import Schedule
from dsct_gym.solver import Progress, find_solver, make_solver
from dsct_gym.toy import toy, toy_like

TracePoint = tuple[float, float | None, float | None]
"""Seconds, best value and proven bound until then."""

_MOST_POINTS: Final = 400


@dataclass(frozen=True)
class Run:
    """What came of a job.

    Attributes:
        job: What was run.
        record: Its numbers; None when the run was lost through no fault of the solver.
        schedule: The verified schedule, None when there is none.
        trace: How best and bound moved, in the order of time.
        environment: Versions and machine.
        lost: Why there is no record.
    """

    job: Job
    record: Record | None = None
    schedule: Schedule | None = None
    trace: tuple[TracePoint, ...] = ()
    environment: dict[str, str | int] | None = None
    lost: str | None = None


def run_job(job: Job, threads: int | None = None) -> Run:
    """Runs one job; whatever its solver does wrong is told by the record's status.

    Args:
        job: What to run.
        threads: Threads for a solver that has such an option and is not told otherwise.

    Raises:
        KeyboardInterrupt: On Ctrl-C, where the solver does not hand over what it has.
    """
    started = time.perf_counter()
    tracer = _Tracer()
    try:
        solver = make_solver(job.solver.name, **_with_threads(job, threads))
        if hasattr(solver, "progress"):
            solver.progress = tracer
        started = time.perf_counter()
        solution = run(
            solver, job.instance, job.solver.label, time_limit=job.time_limit, seed=job.seed
        )
    except InvalidAnswerError as error:
        seconds = time.perf_counter() - started
        return failed_run(job, Status.INFEASIBLE, str(error), seconds, threads)
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        return failed_run(job, Status.FAILED, text, time.perf_counter() - started, threads)
    record = Record.of(
        job.instance,
        solution,
        label=job.label,
        solver=job.solver.label,
        fractional_bound=fractional_bound(job.instance),
        seed=job.seed,
        time_limit=job.time_limit,
        tolerance=tolerance_of(solver),
    )
    last = (record.seconds, record.value, record.proven_bound)
    trace = (*tracer.thinned(), last)
    return Run(job, record, solution.schedule, trace, environment_of(job.solver, threads))


def failed_run(
    job: Job, status: Status, message: str, seconds: float, threads: int | None = None
) -> Run:
    """The run of a job whose solver gave no feasible schedule."""
    record = Record.without_schedule(
        job.instance,
        status,
        " ".join(message.split()),
        label=job.label,
        solver=job.solver.label,
        fractional_bound=fractional_bound(job.instance),
        seconds=seconds,
        seed=job.seed,
        time_limit=job.time_limit,
    )
    return Run(job, record, environment=environment_of(job.solver, threads))


def fractional_bound(problem: Problem) -> float:
    """The bound of a problem; that of the last is kept, as its solvers and seeds come in a row."""
    global _last_bound
    last = _last_bound
    if last is None or last[0] != problem:
        last = _last_bound = (problem, upper_bound(problem))
    return last[1]


_last_bound: tuple[Problem, float] | None = None


def warm_up(solver: str, problem: Problem | None = None) -> None:
    """Solves a toy, so that imports and compilation stay out of the seconds that are recorded.

    It costs nothing once it has been done in a process.

    Args:
        solver: Name of the solver; it may fail on the toy.
        problem: One like those to come; an `Instance` when left out.
    """
    small = toy() if problem is None else toy_like(problem)
    _solve_toy(solver, cast("Hashable", small))


@cache
def _solve_toy(solver: str, small: Any) -> None:
    upper_bound(small)
    with suppress(Exception):
        make_solver(solver).solve(small, time_limit=0.1, seed=0)


class _Tracer:
    """Hears a solver's progress and keeps the points where best or bound moved."""

    def __init__(self) -> None:
        self._points: list[TracePoint] = []

    def __call__(self, progress: Progress) -> None:
        if progress.best is None and progress.bound is None:
            return
        if not self._points or self._points[-1][1:] != (progress.best, progress.bound):
            self._points.append((progress.seconds, progress.best, progress.bound))

    def thinned(self) -> list[TracePoint]:
        """At most `_MOST_POINTS` of the points, evenly chosen."""
        step = -(-len(self._points) // _MOST_POINTS)
        return self._points[:: max(1, step)]


def _with_threads(job: Job, threads: int | None) -> dict[str, Any]:
    options = dict(job.solver.options)
    if threads is not None and takes_threads(job.solver.name):
        options.setdefault("threads", threads)
    return options


@cache
def takes_threads(solver: str) -> bool:
    """Whether a solver has an option ``threads``."""
    return "threads" in inspect.signature(find_solver(solver)).parameters
