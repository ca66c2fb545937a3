"""Tells where a run of Stable-Baselines3 stands."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

if TYPE_CHECKING:
    from dsct_gym.training.run import Progress

_EVERY: Final = 0.5  # seconds between two notes of progress


class Telling(BaseCallback):  # type: ignore[misc]
    """Counts the seconds of a run, and tells now and then how far it is and how good.

    Args:
        timesteps: Of the whole run.
        progress: Who is told.

    Attributes:
        best_share: Best share of the gap closed.
    """

    def __init__(self, timesteps: int, progress: Progress | None) -> None:
        super().__init__()
        self.best_share = -np.inf
        self._total, self._progress = timesteps, progress
        self._told = -np.inf
        self._count_from(0.0)

    @property
    def _seconds(self) -> float:
        """Of the run so far, those before it was resumed included."""
        return time.perf_counter() - self._started

    def _count_from(self, seconds: float) -> None:
        self._started = time.perf_counter() - seconds

    def _on_step(self) -> bool:
        if self._progress is not None and self._seconds - self._told >= _EVERY:
            self._told = self._seconds
            note = f"closes {100.0 * self.best_share:.1f} % held out"
            self._progress(min(self.num_timesteps, self._total), self._total, note)
        return True
