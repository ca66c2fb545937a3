"""The best assignment so far, and how it is improved: climbing and annealing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from dsct_gym.allocation import Packed
from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.branch_and_price.packed import PackedProblem
from dsct_gym.baselines.local_search import Walk, begin_walk, step_walk
from dsct_gym.incremental import Curves, accept_trial, place_all, try_change
from dsct_gym.jit import kernel
from dsct_gym.plan import Prices

_SWAPS = 0.75
# Temperatures in units of the largest rise of a task's curve.
_WANDERING = 0.002
_HOT, _COLD = 0.003, 0.00003
_COOLINGS = 10
_MOVES = 20  # for each pair of task and machine
_WANDERINGS = 100
# Longest piece of work between two looks at the clock.
_MOST_MOVES = 2_000
_MOST_TRIALS = 5_000


class Incumbent:
    """The best assignment found.

    Args:
        data: The problem.
        seed: Seed of the annealing.

    Attributes:
        total: Its total accuracy.
        machine: Machine of each task in EDF order (n,), −1 for none.
    """

    def __init__(self, data: PackedProblem, seed: int) -> None:
        self.total = data.base
        self.machine = np.full(data.tasks, -1, dtype=np.int64)
        self._data = data
        self._packed = data.kernels
        self._curves = Curves.of(self._packed)
        self._prices = Prices.of(self._packed)
        self._walk = Walk.seeded(data.tasks, seed)

    def works(self, machine: Ints) -> Floats:
        """Exact works for an assignment, both in EDF order (n,)."""
        return self._data.best_works(machine)

    def offer(self, machine: Ints) -> bool:
        """Climbs from an assignment in EDF order (n,); whether it gave a new incumbent."""
        gain = climb(self._packed, self._curves, machine, _MOST_TRIALS)
        return self._keep(gain, self._curves.machine)

    def wander(self, deadline: float) -> Iterator[Ints]:
        """Assignments not far from the incumbent, in EDF order (n,): their schedules price well."""
        self._begin(self.machine)
        moves = min(self._data.tasks * self._data.machines // 2 + 1, _MOST_MOVES)
        for _ in range(_WANDERINGS):
            if time.perf_counter() > deadline:
                return
            self._step(_WANDERING, moves)
            yield self._curves.machine.copy()
        self._keep(self._walk.best_total[0], self._walk.best)

    def anneal(self, machine: Ints) -> bool:
        """Anneals mildly from an assignment in EDF order (n,); whether it gave an incumbent."""
        self._begin(machine)
        moves = min(_MOVES * self._data.tasks * self._data.machines // _COOLINGS, _MOST_MOVES)
        for temperature in np.geomspace(_HOT, _COLD, _COOLINGS):
            self._step(temperature, moves)
        return self._keep(self._walk.best_total[0], self._walk.best)

    def _begin(self, machine: Ints) -> None:
        begin_walk(self._packed, self._curves, self._prices, self._walk, machine)

    def _step(self, temperature: float, moves: int) -> None:
        if self._data.machines > 1:
            heat = temperature * self._data.unit
            step_walk(self._packed, self._curves, self._prices, self._walk, _SWAPS, heat, moves)

    def _keep(self, gain: float, machine: Ints) -> bool:
        total = self._data.base + float(gain)
        if total <= self.total:
            return False
        self.total, self.machine = total, machine.copy()
        return True


@kernel
def climb(packed: Packed, curves: Curves, machine: Ints, most: int) -> float:
    """Moves single tasks for as long as that gains, in at most about ``most`` trials.

    Args:
        packed: The prepared instance.
        curves: The state to work in; it ends on the assignment reached.
        machine: Where to start (n,), tasks in EDF order.
        most: Number of trials.

    Returns:
        The gain over no work reached.
    """
    n, m = machine.size, packed.speed.size
    current = place_all(packed, curves, machine)
    task, idle, trials = 0, 0, 0
    while idle < n and trials < most:
        best, target = current + 1e-12 * max(1.0, current), -1
        for r in range(m):
            if r != curves.machine[task]:
                total = try_change(packed, curves, task, r, -1)
                if total > best:
                    best, target = total, r
        idle += 1
        trials += m
        if target >= 0:
            current = try_change(packed, curves, task, target, -1)
            accept_trial(curves, task, target, -1)
            idle = 0
        task = (task + 1) % n
    return current
