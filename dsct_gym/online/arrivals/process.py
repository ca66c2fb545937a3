"""What a process of arrivals is."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from dsct_gym.arrays import Floats


class ArrivalProcess(Protocol):
    """Draws when tasks arrive, in units of the horizon: how many come is random as well."""

    def draw(self, expected: float, rng: np.random.Generator) -> Floats:
        """Draws the moments of one horizon.

        Args:
            expected: Mean number of arrivals, positive.
            rng: Source of randomness.

        Returns:
            Moments in [0, 1], ascending (N,); none perhaps.

        Raises:
            InputError: If so many do not come of the process.
        """
        ...
