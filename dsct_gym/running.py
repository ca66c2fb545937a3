"""The door through which solutions and bounds leave those who found them, whoever they are."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from functools import singledispatch
from typing import TYPE_CHECKING

import numpy as np

from dsct_gym.allocation import allocate
from dsct_gym.certificate import CertifiedBound
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.list_schedule import assign
from dsct_gym.relaxation import relax
from dsct_gym.schedule import Schedule, idle
from dsct_gym.solver import (
    Progress,
    ProgressCallback,
    Solution,
    Solver,
    SolverProtocol,
    as_seed,
    as_time_limit,
    check_solver_knows,
)
from dsct_gym.tolerances import CLAIM
from dsct_gym.verifier import Claims, Pieces, Rows

if TYPE_CHECKING:
    from dsct_gym.bounds import BoundMethod
    from dsct_gym.problem import Problem


class InvalidAnswerError(InputError):
    """A solver handed over what is no answer to its problem, or claims of it what is not so."""


def run(
    solver: SolverProtocol,
    problem: Problem,
    name: str,
    *,
    time_limit: float | None = None,
    seed: int | None = None,
) -> Solution:
    """Solves a problem and verifies the answer anew; nothing of it is believed.

    Args:
        solver: Of a class of its own, or one that derives from `Solver`.
        problem: The problem.
        name: Name of the solver, for errors.
        time_limit: Wall-clock limit, s.
        seed: Seed of whatever is random.

    Returns:
        The solution as plain types: a schedule for this problem that passed the verifier, a bound
        that no schedule of it refutes, and seconds as they were measured.

    Raises:
        InputError: If the solver does not know what the problem needs, or limit or seed is out of
            range.
        InvalidAnswerError: If the answer is not right: a defect of the solver.
    """
    check_solver_knows(solver, problem, name)
    limit, seed = as_time_limit(time_limit), as_seed(seed)
    started = time.perf_counter()
    solution = solver.solve(problem, time_limit=limit, seed=seed)
    measured = time.perf_counter() - started
    try:
        schedule, bound = _as_it_stands(solution, problem)
    except (AttributeError, TypeError, ValueError) as error:
        raise InvalidAnswerError(f"{name}: hands over no solution: {error}") from error
    if reasons := schedule.verify().reasons:
        raise InvalidAnswerError(f"{name}: its schedule is wrong: {'; '.join(reasons)}")
    seconds = _seconds(solution, measured) if isinstance(solver, Solver) else measured
    credited = schedule.credited(solver=schedule.solver or name, seconds=seconds)
    return Solution(credited, bound, seconds, bool(getattr(solution, "interrupted", False)))


def run_bound(
    method: BoundMethod,
    problem: Problem,
    name: str,
    *,
    time_limit: float | None = None,
    progress: ProgressCallback | None = None,
) -> float:
    """Asks for an upper bound and believes none that a schedule at hand refutes.

    Args:
        method: As `dsct_gym.bounds.bound_for` gives it.
        problem: The problem.
        name: Name of the method, for errors.
        time_limit: Wall-clock limit, s.
        progress: Called now and then; its ``bound`` passed the same check.

    Returns:
        The bound on the value of any schedule. Where it comes with a certificate, so does this one,
        and it is what that proves, or the fractional bound where that is less: checked, whatever
        the method claims.

    Raises:
        InputError: If the limit is out of range.
        InvalidAnswerError: If it is no number, or below the value of a schedule that is found at
            once: a defect of the method.
    """
    limit, least = as_time_limit(time_limit), found_at_once(problem)

    def checked(bound: float) -> float:
        try:
            number = float(bound)
        except (TypeError, ValueError) as error:
            raise InvalidAnswerError(f"{name}: its bound is no number: {error}") from error
        if not number >= least - CLAIM * max(1.0, abs(least)):
            raise InvalidAnswerError(
                f"{name}: its bound {number:.9g} is below {least:.9g}, which a schedule attains"
            )
        return number

    def hear(news: Progress) -> None:
        if news.bound is not None:
            checked(news.bound)
        if progress is not None:
            progress(news)

    found = method(problem, time_limit=limit, progress=hear)
    bound = checked(found)
    if isinstance(found, CertifiedBound) and isinstance(problem, Instance):
        return _proven(found, problem, name)
    return bound


def _proven(claim: CertifiedBound, instance: Instance, name: str) -> CertifiedBound:
    """What the prices of a claim prove, at most the fractional bound."""
    try:
        proven = claim.certificate.check(instance)
    except InputError as error:
        raise InvalidAnswerError(f"{name}: its certificate is wrong: {error}") from error
    certificate = replace(claim.certificate, upper_bound=proven)
    return CertifiedBound(min(proven, relax(instance).bound), certificate, claim.interrupted)


@singledispatch
def found_at_once(problem: Problem) -> float:
    """The value of some schedule of a problem, that of doing nothing where no better is at hand."""
    return idle(problem)


@found_at_once.register
def _(problem: Instance) -> float:
    return allocate(problem, assign(problem, relax(problem))).total_accuracy


def _as_it_stands(solution: Solution, problem: Problem) -> tuple[Schedule, float | None]:
    """What a solution says, as a schedule for this problem with its bound."""
    given, bound = solution.schedule, solution.upper_bound
    if bound is not None:
        bound = float(bound)
        bound = None if bound == math.inf else bound
    rows = Rows(
        task=np.arange(problem.core.num_tasks),
        machine=given.machine,
        start=given.start,
        duration=given.duration,
        work=given.work,
        accuracy=given.accuracy,
        energy=given.task_energy,
    )
    total = float(given.total_accuracy)
    mean = total / problem.core.num_tasks
    claims = Claims(total, mean, float(given.energy), bound)
    author = given.solver if isinstance(given.solver, str) else None
    told = getattr(given, "pieces", None)
    pieces = told if isinstance(told, Pieces) else None
    return Schedule.from_rows(problem, rows, claims=claims, solver=author, pieces=pieces), bound


def _seconds(solution: Solution, measured: float) -> float:
    """What a `Solver` measured itself, without its verification; no time is longer than it was."""
    own = solution.seconds
    return own if isinstance(own, float) and 0.0 <= own <= measured else measured
