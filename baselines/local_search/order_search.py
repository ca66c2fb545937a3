"""A walk over assignments and orders, driven from Python."""

from __future__ import annotations

import numpy as np

from dsct_gym.allocation import Packed
from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.local_search.search import Tally
from dsct_gym.baselines.local_search.sequencing import (
    Count,
    SequenceWalk,
    insert_by_arrival,
    place_sequences,
    sample_sequence_losses,
    step_sequences,
)
from dsct_gym.curves import Curves
from dsct_gym.online.sequences import Queues, allocate_in_order, arrivals_of
from dsct_gym.problem import Problem
from dsct_gym.schedule import Schedule

_SAMPLES = 200
_PLACES = 4  # different places in a machine's order at which a task may come in, about


class OrderSearch:
    """A walk over the assignments and orders of a problem, from what each task gains as it arrives.

    Args:
        problem: The problem; of an `Instance`, all tasks are there from the start.
        seed: Seed of the walk.

    Attributes:
        can_move: Whether any change could matter.
        neighbours: About how many schedules are one change away.
    """

    def __init__(self, problem: Problem, seed: int) -> None:
        self.problem = problem
        self.instance = core = problem.core
        n, m = core.num_tasks, core.num_machines
        self._base = float(core.base_accuracy.sum())
        self._packed = Packed.of(core)
        arrival = arrivals_of(problem)
        self._queues = Queues.of(self._packed, arrival)
        self._curves = Curves.of(self._packed)
        self._walk = SequenceWalk.seeded(arrival, seed)
        self.can_move = self._packed.task.size > 0 and n > 1
        self.neighbours = n * m * _PLACES
        self._begin(np.full(n, -1), arrival)
        insert_by_arrival(self._packed, self._queues, self._curves, self._walk)

    @property
    def best_total(self) -> float:
        """Total accuracy of the best schedule so far."""
        return self._base + float(self._walk.best_total[0])

    @property
    def tally(self) -> Tally:
        """How many changes were proposed so far, and what became of them."""
        tally = self._walk.tally
        return Tally(
            proposed=int(tally[Count.PROPOSED]),
            evaluated=int(tally[Count.EVALUATED]),
            accepted=int(tally[Count.ACCEPTED]),
        )

    def schedule(self) -> Schedule:
        """The best schedule so far."""
        rank = self.instance.edf_rank
        walk = self._walk
        return allocate_in_order(self.problem, walk.best_machine[rank], walk.best_key[rank])

    def restart(self) -> None:
        """Goes back to the best schedule."""
        self._begin(self._walk.best_machine.copy(), self._walk.best_key.copy())

    def typical_loss(self) -> float:
        """Median total accuracy that a change costs where it costs any."""
        losses = np.empty(_SAMPLES)
        sample_sequence_losses(self._packed, self._queues, self._curves, self._walk, losses)
        losses = losses[losses > 1e-12 * max(1.0, self.best_total)]
        return float(np.median(losses)) if losses.size else 0.0

    def step(self, temperature: float, count: int) -> None:
        """Proposes ``count`` changes; one that costs the temperature is taken once in e times."""
        step_sequences(self._packed, self._queues, self._curves, self._walk, temperature, count)

    def _begin(self, machine: Ints, key: Floats) -> None:
        self._walk.key[:] = key
        sequence = np.argsort(key, kind="stable")
        place_sequences(self._packed, self._queues, self._curves, self._walk, machine, sequence)
