"""What a search may use up, and where it tells how it goes."""

from __future__ import annotations

import time

import numpy as np

from dsct_gym.arrays import Ints
from dsct_gym.baselines.local_search.cooling import Clock
from dsct_gym.errors import InputError
from dsct_gym.solver import Progress, ProgressCallback

_REPORT = 0.1  # s, between reports of progress


class Run:
    """One run of a search, from now on.

    Args:
        moves: Proposals that there are, None for as many as there is time for.
        time_limit: Seconds that there are, None for no limit.
        seed: Of the search; 0 when None.
        progress: Called several times a second; None to tell nobody.
        warm_start: Machine of each task to begin from (n,), −1 for none; None for the usual start.
    """

    def __init__(
        self,
        moves: int | None,
        time_limit: float | None,
        seed: int | None,
        progress: ProgressCallback | None,
        warm_start: Ints | None = None,
    ) -> None:
        self.started = time.perf_counter()
        self.moves = moves
        self.time_limit = time_limit
        self.seed = 0 if seed is None else seed
        self.warm_start = warm_start
        self._progress = progress
        self._told = 0.0

    @property
    def deadline(self) -> float:
        """Moment on the clock of `time.perf_counter` at which it ends."""
        return self.started + (self.time_limit or np.inf)

    def clock(self, share: float = 1.0) -> Clock:
        """A clock that is over after a share of the run."""
        moves = None if self.moves is None else int(share * self.moves)
        limit = None if self.time_limit is None else share * self.time_limit
        return Clock(self.started, moves, limit)

    def tell(self, best: float, done: float) -> None:
        """Tells how it goes, now and then.

        Args:
            best: Value of the best so far.
            done: Share of the run that is over.
        """
        seconds = time.perf_counter() - self.started
        if self._progress is not None and seconds > self._told + _REPORT:
            self._told = seconds
            self._progress(Progress(seconds, best=best, done=done))


def as_moves(moves: int | None) -> int | None:
    """A number of proposals, None for as many as there is time for.

    Raises:
        InputError: If it is not a whole number of at least 0.
    """
    if moves is not None and (isinstance(moves, bool) or not isinstance(moves, int)):
        raise InputError(f"moves: must be a whole number, got {moves!r}")
    if moves is not None and moves < 0:
        raise InputError(f"moves: must be at least 0, got {moves}")
    return moves
