"""A walk over sequences, driven from Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from dsct_gym.baselines.local_search.cooling import Clock, Course
from dsct_gym.baselines.local_search.search import Tally
from dsct_gym.baselines.sequencing.dispatching import append_by_urgency
from dsct_gym.baselines.sequencing.rules import finished
from dsct_gym.baselines.sequencing.state import Data, Sequences
from dsct_gym.baselines.sequencing.walk import (
    Walk,
    begin_walk,
    kick_walk,
    sample_losses,
    step_walk,
)
from dsct_gym.schedule import Schedule
from dsct_gym.soft import SoftInstance

COURSE: Final = Course(hot=0.1, warm=0.03, last=0.001, sweeps=np.inf)
"""How sequences are cooled, once, before they are kicked."""

LOOKAHEAD: Final = 2.0
"""Of the rule that makes the start."""

_WARM, _COLD, _LENIENT = 3e-2, 3e-4, 3e-3  # temperatures of kicks, in units of a typical loss
_WALK = 100  # proposals after a kick for each task
_LONGEST = 50_000  # and at most
_SHORTEST = 4_000  # proposals between looks at the clock, at least
_SAMPLES = 400


class SequenceSearch:
    """A walk over the sequences and works of a problem with soft deadlines.

    It begins with what dispatching by apparent tardiness cost gives.

    Args:
        problem: The problem.
        seed: Seed of the walk.

    Attributes:
        instance: The problem.
        can_move: Whether any change could matter.
        neighbours: About how many sequences are one move or swap away.
    """

    can_move = True

    def __init__(self, problem: SoftInstance, seed: int) -> None:
        self.instance = problem
        n, m = problem.core.num_tasks, problem.core.num_machines
        self.neighbours = n * (n + m)
        self._data = Data.of(problem)
        self._lines = Sequences.empty(problem)
        append_by_urgency(self._data, self._lines, LOOKAHEAD)
        self._walk = Walk.seeded(self._data, seed)
        self._begin(self._lines)

    @property
    def best_total(self) -> float:
        """Value of the best so far."""
        return float(self._walk.best_total[0])

    @property
    def tally(self) -> Tally:
        """How many changes were proposed so far."""
        proposed = int(self._walk.proposed[0])
        return Tally(proposed=proposed, evaluated=proposed, accepted=0)

    def restart(self) -> None:
        """Goes back to the best."""
        self._begin(self._walk)

    def typical_loss(self) -> float:
        """Median value that a change costs where it costs any."""
        losses = np.empty(_SAMPLES)
        sample_losses(self._data, self._lines, self._walk, losses)
        losses = losses[losses > 1e-12 * max(1.0, abs(self.best_total))]
        return float(np.median(losses)) if losses.size else 0.0

    def step(self, temperature: float, count: int) -> None:
        """Proposes ``count`` changes; one that costs the temperature is taken once in e times."""
        step_walk(self._data, self._lines, self._walk, temperature, count)

    def kick(self, clock: Clock, most: int | None) -> Iterator[float]:
        """Goes from local optimum to local optimum until the clock is over.

        Args:
            clock: What it may use up.
            most: Proposals in all at which it ends, those so far included; None where only the
                clock ends it.

        Yields:
            Share of the run that is over, in [0, 1).
        """
        self.restart()
        loss = self.typical_loss()
        length = min(_WALK * self.instance.core.num_tasks, _LONGEST)
        while (progress := clock.progress(self)) < 1.0:
            kicks = max(1, _SHORTEST // length)
            if most is not None:
                length = min(length, most - self.tally.proposed)
                kicks = min(kicks, (most - self.tally.proposed) // length)
            kick_walk(
                self._data,
                self._lines,
                self._walk,
                warm=_WARM * loss,
                cold=_COLD * loss,
                lenient=_LENIENT * loss,
                count=length,
                kicks=kicks,
            )
            yield progress

    def schedule(self) -> Schedule:
        """The best so far."""
        return finished(self.instance, self._lines, self._walk)

    def _begin(self, at: Sequences | Walk) -> None:
        order = np.argsort(at.place, kind="stable")
        begin_walk(self._data, self._lines, self._walk, at.machine.copy(), order, at.work.copy())
