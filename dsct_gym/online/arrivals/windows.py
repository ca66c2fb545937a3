"""Arrivals from rates that were recorded window by window, as ServeGen tells them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv

from dsct_gym.arguments import as_integer
from dsct_gym.arrays import Floats
from dsct_gym.errors import InputError

_STEADY = 1e-3
"""Coefficient of variation below which gaps are all equal."""


@dataclass(frozen=True, eq=False)
class Windows:
    """Gaps of a gamma distribution whose mean and variation change from window to window.

    A random run of windows is stretched to the horizon. Sums over clients keep the burstiness that
    a Poisson process of the same mean does not have (Xiang et al., "ServeGen", arXiv 2505.09999).

    Attributes:
        rates: Mean rate in each window (W,), at least 0, to each other.
        variations: Coefficient of variation of the gaps (W,).
        length: How many windows make a horizon, at most W.

    Raises:
        InputError: If the arrays do not fit or a number is out of range.
    """

    rates: Floats
    variations: Floats
    length: int = 36

    def __post_init__(self) -> None:
        rates = np.array(self.rates, dtype=np.float64)
        variations = np.array(self.variations, dtype=np.float64)
        if rates.ndim != 1 or rates.shape != variations.shape or rates.size == 0:
            raise InputError("windows: needs a rate and a variation for each window")
        for field, values in (("rates", rates), ("variations", variations)):
            if not (np.isfinite(values).all() and values.min() >= 0.0 and values.max() <= 1e9):
                raise InputError(f"{field}: must be in 0..1e+09")
            values.flags.writeable = False
            object.__setattr__(self, field, values)
        if rates.max() <= 0.0:
            raise InputError("rates: nothing ever arrives")
        object.__setattr__(self, "length", as_integer(self.length, "length", 1, rates.size))

    def draw(self, expected: float, rng: np.random.Generator) -> Floats:
        """As `ArrivalProcess.draw`; the mean is about that where variations change."""
        first = int(rng.random() * (self.rates.size - self.length + 1))
        run = slice(first, first + self.length)
        typical = np.convolve(self.rates, np.ones(self.length), "valid").mean()
        mean = expected * self.rates[run] / typical
        moments: list[float] = []
        window, place = 0, 0.0  # the place within the window, in [0, 1]
        while True:
            variation = self.variations[first + window]
            left = _gap(variation, rng) if moments else _rest_of_gap(variation, rng)
            while left > mean[window] * (1.0 - place):
                left -= mean[window] * (1.0 - place)
                window, place = window + 1, 0.0
                if window == self.length:
                    return np.array(moments)
            place += left / mean[window]
            moments.append((window + place) / self.length)


def _gap(variation: float, rng: np.random.Generator) -> float:
    """A gap of mean 1, by the inverse of its distribution from one uniform number."""
    share = rng.random()
    if variation < _STEADY:
        return 1.0
    shape = 1.0 / variation**2
    return float(gammaincinv(shape, share)) / shape


def _rest_of_gap(variation: float, rng: np.random.Generator) -> float:
    """What is left of a gap that is under way: longer ones are met more often."""
    share, rest = rng.random(), rng.random()
    if variation < _STEADY:
        return rest
    shape = 1.0 / variation**2
    return rest * float(gammaincinv(shape + 1.0, share)) / shape
