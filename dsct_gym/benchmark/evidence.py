"""What a record says, held against its schedule and its instance: whatever they tell is recomputed.

A checksum tells of damage, not of forgery: whoever writes a number can write its checksum as well.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from dsct_gym.benchmark.execution import fractional_bound
from dsct_gym.benchmark.record import Record, tolerance_of
from dsct_gym.benchmark.spec import Spec
from dsct_gym.errors import InputError, located
from dsct_gym.gaps import exceeds
from dsct_gym.schedule import Schedule
from dsct_gym.solver import Solution, solver_entry_points
from dsct_gym.tolerances import CLAIM

if TYPE_CHECKING:
    from dsct_gym.benchmark.store import StoredRun
    from dsct_gym.problem import Problem

BELIEVED: Final = ("proven_bound", "seconds", "interrupted", "status", "message")
"""What a record says that neither its schedule nor its instance tells."""

OF_SCHEDULES: Final = ("fairness", "tolerance")
"""What says nothing where there is no schedule."""


def refutations(run: StoredRun, problem: Problem) -> list[str]:
    """What a record says that its schedule or its instance refutes.

    Args:
        run: The run.
        problem: Its instance.

    Returns:
        One line for each; none where everything holds that can be recomputed. The proven bound,
        which cannot, must at least not lie below the value of the schedule.
    """
    record = run.record
    if not record.ok:
        return _differences(record, _without_schedule(problem, record), "instance")
    try:
        schedule = Schedule.load(run.schedule_path, problem)
    except InputError as error:
        return located(run.schedule_path, error).lines
    true = _of_schedule(problem, record, schedule)
    reasons = [*schedule.verify().reasons, *_differences(record, true, "schedule")]
    if record.proven_bound is not None and exceeds(true.value, record.proven_bound):
        reasons.append("record: proven_bound is below what the schedule is worth")
    return reasons


def _differences(record: Record, recomputed: Record, whose: str) -> list[str]:
    return [
        f"record: {each.name} is not the {whose}'s"
        for each in fields(Record)
        if each.name not in BELIEVED
        and not (each.name in OF_SCHEDULES and not record.ok)
        and _differ(getattr(record, each.name), getattr(recomputed, each.name))
    ]


def _of_schedule(problem: Problem, record: Record, schedule: Schedule) -> Record:
    solution = Solution(schedule, record.proven_bound, record.seconds, record.interrupted)
    return Record.of(problem, solution, tolerance=_tolerance(record), **_given(problem, record))


def _tolerance(record: Record) -> float:
    """The solver's own if it is registered; what only the record names is not even imported."""
    try:
        solver = Spec.parse(record.solver, "record: solver")
        known = solver.name in solver_entry_points()
        return tolerance_of(solver.make()) if known else record.tolerance
    except InputError:
        return record.tolerance


def _without_schedule(problem: Problem, record: Record) -> Record:
    given = _given(problem, record)
    return Record.without_schedule(problem, record.status, "", seconds=record.seconds, **given)


def _given(problem: Problem, record: Record) -> dict[str, Any]:
    return {
        "label": record.instance,
        "solver": record.solver,
        "fractional_bound": fractional_bound(problem),
        "seed": record.seed,
        "time_limit": record.time_limit,
    }


def _differ(claimed: object, true: object) -> bool:
    if isinstance(claimed, float) and isinstance(true, float):
        return not abs(claimed - true) <= CLAIM * max(1.0, abs(true))
    return claimed != true
