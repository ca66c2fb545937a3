"""Turns in proportion to weights, spread as evenly as can be."""

from __future__ import annotations

import numpy as np

from dsct_gym.arrays import Floats


class RoundRobin:
    """Smooth weighted round robin: each turn goes to whoever is owed most.

    Source: the balancer of nginx; also known as the quota method of apportionment.

    Args:
        weights: Share of the turns of each, at least 0 (k,); they may change between turns.
    """

    def __init__(self, weights: Floats) -> None:
        self.weights = weights
        self._owed = np.zeros(weights.size)

    def next(self) -> int:
        """Whose turn it is; of equal ones the first."""
        self._owed += self.weights
        turn = int(self._owed.argmax())
        self._owed[turn] -= self.weights.sum()
        return turn
