"""How little energy an accuracy takes.

The bound as a function of the budget is concave: its tangents lie above it and its chords below, so
both close in on the budget at which it reaches a value, and meet it exactly where it is linear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dsct_gym.gaps import floor_of
from dsct_gym.operator.changes import with_budget
from dsct_gym.relaxation import relax
from dsct_gym.schedule import value

if TYPE_CHECKING:
    from dsct_gym.problem import Problem
    from dsct_gym.schedule import Schedule

LOSSES: Final = (0.0, 0.005, 0.01, 0.02, 0.05)
"""Shares of the accuracy that are given up, for which savings are told."""

KNOWS: Final = frozenset({"points", "arrivals"})
"""The variants whose bound is concave in the budget, with the price of energy as its slope."""

Solve = Callable[["Problem"], "Schedule"]
"""Finds a verified schedule of a problem."""

_CLOSE: Final = 1e-9
_MOST_STEPS: Final = 60
_TRIALS: Final = (1e-3, 0.01, 0.1, 0.3, 0.5, 0.5)
"""Where between the bound's budget and the least known a solver is tried for each loss: good ones
need little more than the bound."""
_NEAR: Final = 1e-3


@dataclass(frozen=True)
class Reference:
    """What savings are measured from: a problem as it is.

    Attributes:
        bound: Upper bound on the value.
        bound_energy: What the relaxation spends, J.
        value: Value of a solver's schedule; None without a solver.
        energy: What that spends, J; None likewise.
        floor: Value from which losses are shares: 0 where the value is the total accuracy.
    """

    bound: float
    bound_energy: float
    value: float | None
    energy: float | None
    floor: float

    @classmethod
    def of(cls, problem: Problem, solve: Solve | None = None) -> Reference:
        """Solves a problem as it is."""
        relaxed = relax(problem)
        schedule = None if solve is None else solve(problem)
        return cls(
            bound=relaxed.bound,
            bound_energy=float(relaxed.energy.sum()),
            value=None if schedule is None else value(schedule),
            energy=None if schedule is None else schedule.energy,
            floor=floor_of(problem),
        )


@dataclass(frozen=True)
class Saving:
    """What giving up some accuracy saves.

    Attributes:
        loss: Share of the accuracy that is given up.
        bound_energy: Energy without which no schedule can have what is left of the bound, J; None
            where no energy is enough.
        energy: Energy with which a solver's schedule has what is left of its value, J; None without
            a solver, or where none was found.
        bound_saved: What that is less than the reference, as a share of it; None likewise.
        saved: The same of the solver.
    """

    loss: float
    bound_energy: float | None
    energy: float | None
    bound_saved: float | None
    saved: float | None


def least_energy(problem: Problem, target: float) -> float | None:
    """The least budget at which the relaxation reaches a value.

    Args:
        problem: A problem that has a relaxation; its budget is the most that is tried.
        target: The value, the total accuracy but in variants.

    Returns:
        The budget, J, to a relative 1e-9 above the least; None where the problem's own is not
        enough.
    """
    most = problem.core.energy_budget
    low, high = relax(with_budget(problem, 0.0)), relax(problem)
    if high.bound < target:
        return None
    if low.bound >= target:
        return 0.0
    least, enough = 0.0, min(most, float(high.energy.sum()))
    for _ in range(_MOST_STEPS):
        if enough - least <= _CLOSE * enough or low.energy_price <= 0.0:
            break
        least = max(least, least + (target - low.bound) / low.energy_price)
        if least >= enough * (1.0 - _CLOSE):
            break
        low = relax(with_budget(problem, least))
        if low.bound >= target - _CLOSE * abs(target):
            return least
        chord = (target - low.bound) / (high.bound - low.bound)
        middle = least + chord * (enough - least)
        here = relax(with_budget(problem, middle))
        if here.bound >= target:
            enough, high = middle, here
    return enough


def savings(
    problem: Problem,
    reference: Reference,
    losses: Iterable[float] = LOSSES,
    solve: Solve | None = None,
    known: Iterable[tuple[float, float]] = (),
) -> list[Saving]:
    """What a problem needs to keep all but some of what a reference has.

    Args:
        problem: The problem, perhaps with other machines than the reference.
        reference: What is to be kept.
        losses: Shares of the reference's value that may be given up.
        solve: Finds schedules; None for the bound alone.
        known: Energy (J) and value of schedules of the problem that are known already.
    """
    found, pool = [], list(known)
    for loss in losses:
        keep = reference.floor + (1.0 - loss) * (reference.bound - reference.floor)
        least = least_energy(problem, keep)
        energy = None
        if solve is not None and reference.value is not None:
            goal = reference.floor + (1.0 - loss) * (reference.value - reference.floor)
            energy = _energy_of_solver(problem, goal, solve, pool)
        found.append(
            Saving(
                loss=loss,
                bound_energy=least,
                energy=energy,
                bound_saved=_saved(least, reference.bound_energy),
                saved=_saved(energy, reference.energy),
            )
        )
    return found


def _energy_of_solver(
    problem: Problem, goal: float, solve: Solve, pool: list[tuple[float, float]]
) -> float | None:
    """Least energy of the schedules of the goal in a pool, to which a few more are added."""
    goal -= _CLOSE * max(1.0, abs(goal))

    def best() -> float | None:
        return min((energy for energy, reached in pool if reached >= goal), default=None)

    def attempt(budget: float) -> bool:
        schedule = solve(with_budget(problem, budget))
        pool.append((schedule.energy, value(schedule)))
        return pool[-1][1] >= goal

    low = least_energy(problem, goal)
    if low is None or (best() is None and not attempt(problem.core.energy_budget)):
        return None
    for share in _TRIALS:
        high = best()
        assert high is not None
        budget = low + share * (high - low)
        if high - low <= _NEAR * high:
            break
        if not attempt(budget):
            low = budget
    return best()


def _saved(energy: float | None, of: float | None) -> float | None:
    """What an energy is less than another, as a share of it."""
    if energy is None or of is None:
        return None
    return 1.0 - energy / of if of > 0.0 else 0.0
