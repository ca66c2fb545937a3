"""How a walk cools: temperatures that fall with its moves or with its time."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

if TYPE_CHECKING:
    from dsct_gym.baselines.local_search.search import Tally
    from dsct_gym.instance import Instance

LAST_TEMPERATURE: Final = 0.005
"""Where a cooling ends, in units of a typical loss."""

_HOT, _WARM = 0.2, 0.01  # where it begins, likewise
_LONG = 1_000  # proposals a task from which a run starts hot
_SWEEPS = 30  # proposals of one cooling for each neighbour of an assignment
_PILOT = 100  # proposals that measure the pace
_SLICE = 0.004  # s, between looks at the clock
_SLICE_MOVES = 1_000  # the same where the moves are limited
_SLICES = 100  # temperatures of one cooling, at least


class Walker(Protocol):
    """What can be cooled: a walk from schedule to schedule that keeps the best."""

    @property
    def instance(self) -> Instance:
        """The tasks and machines."""
        ...

    @property
    def can_move(self) -> bool:
        """Whether any change could matter."""
        ...

    @property
    def neighbours(self) -> int:
        """About how many schedules are one change away."""
        ...

    @property
    def tally(self) -> Tally:
        """How many changes were proposed so far."""
        ...

    @property
    def best_total(self) -> float:
        """Total accuracy of the best so far."""
        ...

    def typical_loss(self) -> float:
        """Median total accuracy that a change costs where it costs any."""
        ...

    def restart(self) -> None:
        """Goes back to the best."""
        ...

    def step(self, temperature: float, count: int) -> None:
        """Proposes so many changes at a temperature in units of total accuracy."""
        ...


def cool(search: Walker, clock: Clock) -> Iterator[float]:
    """Cools as often as there is time to, each time from the best so far.

    Args:
        search: The walk; its best is the result, whoever stops the iteration when.
        clock: What it may use up.

    Yields:
        Share of the run that is over, in [0, 1).
    """
    if not search.can_move:
        return
    loss = search.typical_loss()
    moves = clock.pilot(search, LAST_TEMPERATURE * loss)
    coolings = max(1, round(moves / (_SWEEPS * search.neighbours)))
    hot = first_temperature(moves, search.instance.num_tasks)
    cooling = 0
    while (progress := clock.progress(search)) < 1.0:
        if int(progress * coolings) > cooling:
            cooling = int(progress * coolings)
            search.restart()
        temperature = hot * (LAST_TEMPERATURE / hot) ** (progress * coolings - cooling)
        search.step(temperature * loss, clock.slice(search, coolings))
        yield progress


def first_temperature(moves: float, tasks: int) -> float:
    """Where a cooling begins, in units of a typical loss: the longer the run, the hotter.

    Args:
        moves: Number of proposals of the run.
        tasks: Number of tasks.
    """
    return max(_WARM, _HOT * math.sqrt(min(1.0, moves / (_LONG * tasks))))


class Clock:
    """How much of the moves or of the time is used up, and how long the next slice is.

    Args:
        started: Moment on the clock of `time.perf_counter` from which the time counts.
        moves: Proposals that there are, None for as many as there is time for.
        time_limit: Seconds that there are, None for no limit.
    """

    def __init__(self, started: float, moves: int | None, time_limit: float | None) -> None:
        self._started = started
        self._moves = moves
        self._limit = np.inf if time_limit is None else time_limit
        self._began = 0.0

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.perf_counter() - self._started

    def pilot(self, search: Walker, temperature: float) -> float:
        """The moves that there are; measured on a few where only the time is limited."""
        self._began = self.seconds
        if self._moves is not None:
            return float(self._moves)
        search.step(temperature, _PILOT)
        return max(0.0, self._limit - self.seconds) * self._rate(search)

    def progress(self, search: Walker) -> float:
        """Share of the run that is over, in [0, 1]."""
        if self.seconds >= self._limit:
            return 1.0
        if self._moves is not None:
            return search.tally.proposed / self._moves if self._moves > 0 else 1.0
        return max(0.0, (self.seconds - self._began) / (self._limit - self._began))

    def slice(self, search: Walker, coolings: int) -> int:
        """Moves until the next look at the clock."""
        parts = _SLICES * coolings
        if self._moves is not None:
            # Set by the moves alone, so that the clock has no say in the schedule.
            most = max(1, min(_SLICE_MOVES, self._moves // parts))
            return min(most, self._moves - search.tally.proposed)
        return max(1, int(self._rate(search) * min(_SLICE, self._limit / parts)))

    def _rate(self, search: Walker) -> float:
        """Moves a second so far."""
        return search.tally.proposed / max(1e-9, self.seconds - self._began)
