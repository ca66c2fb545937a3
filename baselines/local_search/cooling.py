"""How a walk cools: temperatures that fall with its moves or with its time."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

import numpy as np

from dsct_gym.baselines.local_search.search import Tally
from dsct_gym.problem import Problem

LAST_TEMPERATURE: Final = 0.005
"""Where a cooling of assignments ends, in units of a typical loss."""

_LONG = 1_000  # proposals a task from which a run starts hot
_PILOT = 100  # proposals that measure the pace
_SLICE = 0.004  # s, between looks at the clock
_SLICE_MOVES = 1_000  # the same where the moves are limited
_SLICES = 100  # temperatures of one cooling, at least


class Course(NamedTuple):
    """What cooling a kind of walk takes; temperatures in units of a typical loss.

    Attributes:
        hot: Where a cooling of a long run begins.
        warm: Where it begins at least.
        last: Where it ends.
        sweeps: Proposals of one cooling for each neighbour.
    """

    hot: float
    warm: float
    last: float
    sweeps: float


ASSIGNMENTS: Final = Course(hot=0.2, warm=0.01, last=LAST_TEMPERATURE, sweeps=30)
"""For walks over assignments."""


class Cooled(Protocol):
    """A walk that can be cooled."""

    @property
    def instance(self) -> Problem:
        """The problem, or its core."""
        ...

    @property
    def can_move(self) -> bool:
        """Whether any change could matter."""
        ...

    @property
    def neighbours(self) -> int:
        """About how many changes there are."""
        ...

    @property
    def tally(self) -> Tally:
        """How many changes were proposed so far."""
        ...

    @property
    def best_total(self) -> float:
        """Value of the best so far."""
        ...

    def typical_loss(self) -> float:
        """The median of what a change costs where it costs any; 0 where none does."""
        ...

    def step(self, temperature: float, count: int) -> None:
        """Proposes ``count`` changes."""
        ...

    def restart(self) -> None:
        """Goes back to the best."""
        ...


def cool(search: Cooled, clock: Clock, course: Course = ASSIGNMENTS) -> Iterator[float]:
    """Cools as often as there is time to, each time from the best so far.

    Args:
        search: The walk; its best is the result, whoever stops the iteration when.
        clock: What it may use up.
        course: What a cooling takes.

    Yields:
        Share of the run that is over, in [0, 1).
    """
    if not search.can_move:
        return
    loss = search.typical_loss()
    moves = clock.pilot(search, course.last * loss)
    coolings = max(1, round(moves / (course.sweeps * search.neighbours)))
    hot = first_temperature(moves, search.instance.core.num_tasks, course)
    cooling = 0
    while (progress := clock.progress(search)) < 1.0:
        if int(progress * coolings) > cooling:
            cooling = int(progress * coolings)
            search.restart()
        temperature = hot * (course.last / hot) ** (progress * coolings - cooling)
        search.step(temperature * loss, clock.slice(search, coolings))
        yield progress


def first_temperature(moves: float, tasks: int, course: Course = ASSIGNMENTS) -> float:
    """Where a cooling begins, in units of a typical loss: the longer the run, the hotter.

    Args:
        moves: Number of proposals of the run.
        tasks: Number of tasks.
        course: What a cooling takes.
    """
    return max(course.warm, course.hot * math.sqrt(min(1.0, moves / (_LONG * tasks))))


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

    def pilot(self, search: Cooled, temperature: float) -> float:
        """The moves that there are; measured on a few where only the time is limited."""
        self._began = self.seconds
        if self._moves is not None:
            return float(self._moves)
        search.step(temperature, _PILOT)
        return max(0.0, self._limit - self.seconds) * self._rate(search)

    def progress(self, search: Cooled) -> float:
        """Share of the run that is over, in [0, 1]."""
        if self.seconds >= self._limit:
            return 1.0
        if self._moves is not None:
            return search.tally.proposed / self._moves if self._moves > 0 else 1.0
        return max(0.0, (self.seconds - self._began) / (self._limit - self._began))

    def slice(self, search: Cooled, coolings: int) -> int:
        """Moves until the next look at the clock."""
        parts = _SLICES * coolings
        if self._moves is not None:
            # Set by the moves alone, so that the clock has no say in the schedule.
            most = max(1, min(_SLICE_MOVES, self._moves // parts))
            return min(most, self._moves - search.tally.proposed)
        return max(1, int(self._rate(search) * min(_SLICE, self._limit / parts)))

    def _rate(self, search: Cooled) -> float:
        """Moves a second so far."""
        return search.tally.proposed / max(1e-9, self.seconds - self._began)
