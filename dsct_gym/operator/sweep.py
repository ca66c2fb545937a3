"""A problem asked again: with less energy, other deadlines, other machines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from dsct_gym.errors import InputError
from dsct_gym.operator.changes import (
    find_machine,
    machine_names,
    with_budget,
    with_deadlines,
    with_machine,
    without_machine,
)
from dsct_gym.operator.savings import Solve
from dsct_gym.relaxation import relax
from dsct_gym.schedule import objective, value
from dsct_gym.schedule_table import inert
from dsct_gym.units import SHARE, Dimension

if TYPE_CHECKING:
    from dsct_gym.operator.machines import Machine
    from dsct_gym.problem import Problem

AS_IT_IS: Final = "as it is"
"""What the machines of the instance are called beside others."""

MOST_STEPS: Final = 10_000


@dataclass(frozen=True)
class Point:
    """What a problem comes to at one setting.

    Attributes:
        machines: Which machines, as `clusters` calls them.
        budget: Energy budget, J.
        deadlines: Factor by which deadlines are later than the instance's.
        bound: Upper bound on the value, which is the total accuracy but in variants.
        mean_bound: The same per task.
        bound_energy: What the relaxation spends, J.
        energy_price: What the next joule brings, accuracy per J.
        value: Value of the solver's schedule; None without a solver.
        mean_value: The same per task.
        energy: What the schedule spends, J.
    """

    machines: str
    budget: float
    deadlines: float
    bound: float
    mean_bound: float
    bound_energy: float
    energy_price: float
    value: float | None = None
    mean_value: float | None = None
    energy: float | None = None


def clusters(
    problem: Problem,
    added: Mapping[str, Sequence[Machine]] = MappingProxyType({}),
    without: Iterable[str] = (),
) -> dict[str, Problem]:
    """The problem as it is, with some machines more, and without each of some of its own.

    Args:
        problem: The problem.
        added: Machines by what they are called together; each set is an alternative of its own.
        without: Names or numbers of machines, likewise.

    Returns:
        The alternatives by what they are called, the problem as it is first.

    Raises:
        InputError: If there is no such machine, or no other.
    """
    found: dict[str, Problem] = {AS_IT_IS: problem}
    for name, machines in added.items():
        found[f"with {name}"] = reduce(with_machine, machines, problem)
    for name in without:
        try:
            machine = find_machine(problem.core, name)
            called = machine_names(problem.core)[machine]
            found[f"without {called}"] = without_machine(problem, machine)
        except InputError as error:
            raise InputError(f"--without-machine: {error}") from None
    return found


def sweep(
    alternatives: Mapping[str, Problem],
    *,
    budgets: Sequence[float] | None = None,
    deadlines: Sequence[float] = (1.0,),
    solve: Solve | None = None,
) -> Iterator[Point]:
    """Bounds, and solves, every alternative at every budget and deadline.

    Args:
        alternatives: Problems by name, as `clusters` gives them.
        budgets: Energy budgets, J; None for that of each problem.
        deadlines: Factors by which deadlines are later.
        solve: Finds schedules; None for the bound alone.

    Yields:
        A point for each, alternative after alternative.
    """
    for (name, problem), factor in product(alternatives.items(), deadlines):
        moved = problem if factor == 1.0 else with_deadlines(problem, factor)
        for budget in (problem.core.energy_budget,) if budgets is None else budgets:
            yield _point(name, with_budget(moved, budget), factor, solve)


def measure_of(problem: Problem) -> str:
    """What the numbers of its points are called: accuracy, or value in variants that have one."""
    plain = objective.dispatch(type(problem)) is objective.dispatch(object)
    return "accuracy" if plain else "value"


def usable_energy(problem: Problem) -> float:
    """The budget, J; or what the relaxation spends of it, where it has no use for the rest."""
    spent = float(relax(problem).energy.sum())
    return (
        spent if spent < problem.core.energy_budget * (1.0 - 1e-9) else problem.core.energy_budget
    )


def read_steps(
    text: str, steps: int, whole: float, dimension: Dimension, field: str
) -> list[float]:
    """The numbers that ``LOW:HIGH`` stands for, evenly spaced; or a single one.

    Args:
        text: Shares such as ``10%`` of what there is, or quantities with their unit.
        steps: How many there are from low to high, both included.
        whole: What there is.
        dimension: What the numbers measure.
        field: Option to name in errors.

    Raises:
        InputError: If it cannot be read or is not positive.
    """
    ends = [_read_end(part, whole, dimension, field) for part in text.split(":")]
    if len(ends) > 2:
        raise InputError(f"{field}: expected LOW:HIGH, got {text[:40]!r}")
    if not min(ends) > 0.0:
        raise InputError(f"{field}: must be positive, got {text[:40]!r}")
    if len(ends) == 1:
        return ends
    return [float(number) for number in np.linspace(ends[0], ends[1], steps)]


def points_as_csv(points: Iterable[Point], tasks: int) -> str:
    """The points as a CSV table: a row each, units in the names of the columns."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [
            "machines",
            "budget_J",
            "deadlines_factor",
            "bound_mean_accuracy",
            "bound_energy_J",
            "energy_price_mean_accuracy_per_J",
            "mean_accuracy",
            "energy_J",
        ]
    )
    for point in points:
        writer.writerow(
            [
                inert(point.machines),
                point.budget,
                point.deadlines,
                point.mean_bound,
                point.bound_energy,
                point.energy_price / tasks,
                point.mean_value,
                point.energy,
            ]
        )
    return text.getvalue()


def _point(name: str, problem: Problem, factor: float, solve: Solve | None) -> Point:
    relaxed, tasks = relax(problem), problem.core.num_tasks
    schedule = None if solve is None else solve(problem)
    worth = None if schedule is None else value(schedule)
    return Point(
        machines=name,
        budget=problem.core.energy_budget,
        deadlines=factor,
        bound=relaxed.bound,
        mean_bound=relaxed.bound / tasks,
        bound_energy=float(relaxed.energy.sum()),
        energy_price=relaxed.energy_price,
        value=worth,
        mean_value=None if worth is None else worth / tasks,
        energy=None if schedule is None else schedule.energy,
    )


def _read_end(text: str, whole: float, dimension: Dimension, field: str) -> float:
    """One end: a share of the whole in per cent, or a quantity."""
    if text.strip().endswith("%"):
        return SHARE.read(text, field) * whole
    return dimension.read(text, field)
