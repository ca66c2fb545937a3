"""A walk over assignments, driven from Python."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.allocation import pack
from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.local_search.metropolis import (
    ACCEPTED,
    EVALUATED,
    PROPOSED,
    Walk,
    begin_walk,
    gain_by_swaps,
    sample_losses,
    step_walk,
)
from dsct_gym.incremental import Curves
from dsct_gym.plan import Prices
from dsct_gym.problem import Problem

_SWAPS = 0.75
_SAMPLES = 200


class Tally(NamedTuple):
    """Numbers of changes.

    Attributes:
        proposed: All of them.
        evaluated: Those that no bound ruled out.
        accepted: Those that were made.
    """

    proposed: int
    evaluated: int
    accepted: int


class Search:
    """A walk over the assignments of a problem.

    Args:
        problem: The problem.
        machine_of: Machine of each task to begin with (n,), −1 for none.
        seed: Seed of the walk.
        partners: EDF ranks of the tasks with which to swap each task by EDF rank, as often as they
            deserve it (n, k); None where all deserve it alike.

    Attributes:
        can_move: Whether any change of the assignment could matter.
        neighbours: About how many assignments are one move or swap away.
    """

    def __init__(
        self, problem: Problem, machine_of: Ints, seed: int, partners: Ints | None = None
    ) -> None:
        self.instance = instance = problem.core
        n, m = instance.num_tasks, instance.num_machines
        self._base = float(instance.base_accuracy.sum())
        self._packed = pack(problem)
        self._curves = Curves.of(self._packed)
        self._prices = Prices.of(self._packed)
        self._walk = Walk.seeded(n, seed, partners)
        self.can_move = m > 1 and self._packed.task.size > 0
        self.neighbours = n * (m - 1) + n * (n - 1) // 2
        self._begin(machine_of[instance.edf_order])

    @property
    def best(self) -> Ints:
        """Best assignment so far (n,), in the order of the instance."""
        return self._walk.best[self.instance.edf_rank]

    @property
    def best_total(self) -> float:
        """Its total accuracy."""
        return self._base + float(self._walk.best_total[0])

    @property
    def tally(self) -> Tally:
        """How many changes were proposed so far, and what became of them."""
        tally = self._walk.tally
        return Tally(
            proposed=int(tally[PROPOSED]),
            evaluated=int(tally[EVALUATED]),
            accepted=int(tally[ACCEPTED]),
        )

    def restart(self) -> None:
        """Goes back to the best assignment."""
        self._begin(self._walk.best.copy())

    def typical_loss(self) -> float:
        """Median total accuracy that a change costs where it costs any."""
        losses = np.empty(_SAMPLES)
        sample_losses(self._packed, self._curves, self._walk, _SWAPS, losses)
        losses = losses[losses > 1e-12 * max(1.0, self.best_total)]
        return float(np.median(losses)) if losses.size else 0.0

    def swap_gains(self, one: Ints, other: Ints) -> Floats:
        """What swaps would gain in total accuracy as the walk stands.

        Args:
            one: EDF ranks of tasks (k,).
            other: EDF ranks of those that each would change places with (k,).

        Returns:
            The exact changes (k,); NaN where both tasks are on one machine or either is on none.
        """
        gains = np.empty(one.size)
        gain_by_swaps(self._packed, self._curves, one, other, gains)
        return gains

    def step(self, temperature: float, count: int) -> None:
        """Proposes ``count`` changes; one that costs the temperature is taken once in e times."""
        step_walk(self._packed, self._curves, self._prices, self._walk, _SWAPS, temperature, count)

    def _begin(self, machine: Ints) -> None:
        begin_walk(self._packed, self._curves, self._prices, self._walk, machine)
