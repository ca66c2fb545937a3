"""`edf-no-compression` and `edf-3-levels`: what schedulers do that cannot shrink a task at will.

Source: the reference policies EDF-NoCompression and EDF-3CompressionLevels of the parent paper
(DSCT, AlgoTel/CCGrid 2024).
"""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import numpy as np

from dsct_gym.accuracy import DEFAULT_A_MAX
from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.jit import kernel
from dsct_gym.points import DvfsInstance
from dsct_gym.points.schedule import at_points
from dsct_gym.problem import Problem
from dsct_gym.schedule import Schedule
from dsct_gym.solver import Answer, Solver, practises
from dsct_gym.tolerances import ROUNDING

_LEVELS_OF_DEFAULT = (0.27, 0.55, 0.82)
_LEVELS_OF_OTHERS = (1 / 3, 2 / 3, 1.0)


CLOCKS = ("full", "best")
"""What machines with operating points can be told to run at."""


class _Edf(Solver):
    """Earliest deadline first at given works, every machine at one clock."""

    knows = frozenset({"points"})

    def __init__(self, clock: str = "full") -> None:
        if clock not in CLOCKS:
            raise InputError(f"clock: must be {' or '.join(CLOCKS)}, got {clock!r}")
        self.clock = clock

    def _solve(self, instance: Problem, *, time_limit: float | None, seed: int | None) -> Answer:
        works = self._works(instance.core)
        tried = [_schedule(instance, fleet, works) for fleet in _fleets(instance, self.clock)]
        return Answer(max(tried, key=lambda schedule: schedule.total_accuracy))

    @abstractmethod
    def _works(self, core: Instance) -> Floats:
        """The works that a task may be given (n, L), ascending, GFLOP."""


@practises()
class EdfNoCompression(_Edf):
    """Earliest deadline first, every task in full or not at all.

    Tasks by deadline; each goes to the machine that finishes it first among those that can meet
    its deadline within the energy left. A task that fits nowhere is not done.

    Args:
        clock: As for `EdfThreeLevels`.
    """

    name = "edf-no-compression"

    def _works(self, core: Instance) -> Floats:
        return core.max_work[:, None]


@practises()
class EdfThreeLevels(_Edf):
    """Earliest deadline first, every task at one of three accuracies.

    The levels are 27 %, 55 % and 82 % for a task whose greatest accuracy is 82 %, else a third,
    two thirds and all of its greatest accuracy. As `EdfNoCompression`, at the highest level that
    fits somewhere.

    Args:
        clock: For machines with operating points: ``"full"``, every machine at its fastest, or
            ``"best"``, every machine at the slowest that reaches a share of its full clock, the
            same share for all; of all shares that make a difference, the one whose schedule has
            the largest total accuracy, found by trying them.

    Raises:
        InputError: If ``clock`` is neither.
    """

    name = "edf-3-levels"

    def _works(self, core: Instance) -> Floats:
        return work_for_accuracy(core, three_levels(core))


def three_levels(instance: Instance) -> Floats:
    """The three accuracies of each task (n, 3), ascending."""
    top = instance.top_accuracy[:, None]
    default = np.isclose(top, DEFAULT_A_MAX, rtol=1e-9, atol=0.0)
    return np.where(default, np.array(_LEVELS_OF_DEFAULT), np.array(_LEVELS_OF_OTHERS) * top)


def work_for_accuracy(instance: Instance, levels: Floats) -> Floats:
    """Least work that brings each task to each accuracy.

    Args:
        instance: The problem.
        levels: Accuracies (n, L); clipped to the curve's range.

    Returns:
        Work (n, L), GFLOP.
    """
    rows = np.arange(instance.num_tasks)[:, None]
    target = np.clip(levels, instance.base_accuracy[:, None], instance.top_accuracy[:, None])
    right = (instance.accuracy[:, None, :] < target[:, :, None]).sum(axis=2)
    left = np.maximum(right - 1, 0)
    low, high = instance.accuracy[rows, left], instance.accuracy[rows, right]
    share = np.divide(target - low, high - low, out=np.zeros_like(target), where=high > low)
    start = instance.work[rows, left]
    return np.asarray(start + share * (instance.work[rows, right] - start))


class _Fleet(NamedTuple):
    """All machines at one clock each, (m,) each.

    Attributes:
        speeds: GFLOP/s.
        efficiencies: GFLOP/J.
        points: Which of its operating points that is.
    """

    speeds: Floats
    efficiencies: Floats
    points: Ints


def _fleets(problem: Problem, clock: str) -> list[_Fleet]:
    """The clocks to try, full clock first."""
    if not isinstance(problem, DvfsInstance):
        core = problem.core
        return [_Fleet(core.speeds, core.efficiencies, np.zeros(core.num_machines, np.int64))]
    shares = {1.0}
    if clock == "best":
        for points in problem.points:
            shares.update((points.speeds / points.speeds[points.fastest]).tolist())
    return [_at_share(problem, share) for share in sorted(shares, reverse=True)]


def _at_share(problem: DvfsInstance, share: float) -> _Fleet:
    """Every machine at the slowest point that reaches a share of its full clock."""
    chosen = []
    for points in problem.points:
        reach = points.speeds / points.speeds[points.fastest] >= share
        chosen.append(int(np.argmin(np.where(reach, points.speeds, np.inf))))
    at = list(zip(problem.points, chosen, strict=True))
    speeds = np.array([points.speeds[point] for points, point in at])
    powers = np.array([points.powers[point] for points, point in at])
    return _Fleet(speeds, speeds / powers, np.array(chosen))


def _schedule(problem: Problem, fleet: _Fleet, work: Floats) -> Schedule:
    """Places each task with the most of its works (n, L), ascending, that fits."""
    instance = problem.core
    order = instance.edf_order
    machine, level = _first_to_finish(
        instance.deadlines[order],
        fleet.speeds,
        fleet.efficiencies,
        instance.energy_budget,
        work[order],
    )
    machine_of, chosen = machine[instance.edf_rank], level[instance.edf_rank]
    spent = work[np.arange(instance.num_tasks), chosen]
    if isinstance(problem, DvfsInstance):
        return at_points(problem, machine_of, spent, fleet.points)
    return Schedule.from_work(instance, machine_of, spent)


@kernel
def _first_to_finish(
    deadline: Floats, speed: Floats, efficiency: Floats, budget: float, work: Floats
) -> tuple[Ints, Ints]:
    """Machine (n,), −1 for none, and level (n,) of each task; tasks in EDF order."""
    n, levels = work.shape
    machine, chosen = np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=np.int64)
    load = np.zeros(speed.size)
    left = budget
    forgiven = ROUNDING * budget
    for task in range(n):
        latest = deadline[task] * (1.0 + ROUNDING)
        for level in range(levels - 1, -1, -1):
            best, earliest = -1, np.inf
            for r in range(speed.size):
                finish = load[r] + work[task, level] / speed[r]
                affordable = work[task, level] / efficiency[r] <= left + forgiven
                if finish <= latest and affordable and finish < earliest:
                    best, earliest = r, finish
            if best >= 0:
                machine[task], chosen[task] = best, level
                load[best] = earliest
                left -= work[task, level] / efficiency[best]
                break
    return machine, chosen
