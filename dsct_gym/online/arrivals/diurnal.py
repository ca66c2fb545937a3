"""Arrivals that rise and fall with the hours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsct_gym.arguments import as_number
from dsct_gym.arrays import Floats
from dsct_gym.online.arrivals.poisson import poisson_moments


@dataclass(frozen=True)
class Diurnal:
    """A Poisson process with the rate ``1 + amplitude · sin(2π (periods · x + phase))``.

    Attributes:
        amplitude: How far the rate rises above its mean and falls below, in [0, 1].
        periods: Periods in the horizon; with 1 it is a day.
        phase: Where in a period the horizon begins, in [0, 1]; None: anywhere.

    Raises:
        InputError: If a number is out of range.
    """

    amplitude: float = 0.8
    periods: float = 1.0
    phase: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "amplitude", as_number(self.amplitude, "amplitude", 0.0, 1.0))
        object.__setattr__(self, "periods", as_number(self.periods, "periods", 0.0, 1e4))
        if self.phase is not None:
            object.__setattr__(self, "phase", as_number(self.phase, "phase", 0.0, 1.0))

    def draw(self, expected: float, rng: np.random.Generator) -> Floats:
        """As `ArrivalProcess.draw`; with a given phase the mean is that of whole periods."""
        phase = rng.random() if self.phase is None else self.phase
        peak = 1.0 + self.amplitude
        moments = poisson_moments(expected * peak, 0.0, 1.0, rng)
        rate = 1.0 + self.amplitude * np.sin(2.0 * np.pi * (self.periods * moments + phase))
        return moments[rng.random(moments.size) * peak < rate]
