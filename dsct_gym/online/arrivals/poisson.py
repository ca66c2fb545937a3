"""Arrivals at a steady rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dsct_gym.arrays import Floats


@dataclass(frozen=True)
class Poisson:
    """Independent arrivals at a steady rate: how requests of many users come within a minute."""

    def draw(self, expected: float, rng: np.random.Generator) -> Floats:
        """As `ArrivalProcess.draw`."""
        return poisson_moments(expected, 0.0, 1.0, rng)


def poisson_moments(rate: float, start: float, end: float, rng: np.random.Generator) -> Floats:
    """Moments of a Poisson process between two moments, ascending.

    Args:
        rate: Mean number of arrivals per unit of time, at least 0.
        start: Where it starts.
        end: Where it ends.
        rng: Source of randomness.
    """
    if rate <= 0.0 or end <= start:
        return np.zeros(0)
    mean = rate * (end - start)
    found, last = [np.zeros(0)], start
    while last < end:
        # Gaps from plain uniform numbers, whose stream is the same in every version of NumPy.
        gaps = -np.log1p(-rng.random(int(mean + 4.0 * math.sqrt(mean)) + 8)) / rate
        moments = last + np.cumsum(gaps)
        found.append(moments[moments < end])
        last = float(moments[-1])
    return np.concatenate(found)
