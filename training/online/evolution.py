"""Covariance matrix adaptation: proposals of weights that learn in which directions to vary.

Source: Hansen, "The CMA evolution strategy: a tutorial", arXiv 1604.00772; pairs of mirrored
proposals: Brockhoff et al., "Mirrored sampling and sequential selection for evolution strategies",
PPSN 2010.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dsct_gym.arrays import Floats


@dataclass
class Evolution:
    """Where an evolution stands; all of it is numbers, so it can be kept and taken up again.

    Attributes:
        mean: The weights around which proposals are made (d,).
        spread: Their step size.
        covariance: Their covariance over the square of that (d, d).
        path: Recent steps of the mean, summed (d,).
        whitened: Those steps as if the covariance were the unit matrix, summed (d,).
        step: Generations so far.
    """

    mean: Floats
    spread: float
    covariance: Floats
    path: Floats
    whitened: Floats
    step: int = 0

    @classmethod
    def begin(cls, mean: Floats, spread: float) -> Evolution:
        """An evolution at its beginning."""
        d = mean.size
        return cls(mean.copy(), spread, np.eye(d), np.zeros(d), np.zeros(d))

    def propose(self, count: int, rng: np.random.Generator) -> Floats:
        """Standard normal numbers of so many proposals (count, d), each with its mirror image."""
        half = rng.standard_normal((count // 2, self.mean.size))
        return np.concatenate([half, -half])

    def weights_of(self, draws: Floats) -> Floats:
        """The proposals (count, d) that belong to normal numbers (count, d)."""
        return self.mean + self.spread * self._steps(draws)

    def learn(self, draws: Floats, values: Floats) -> None:
        """Goes on, from what the proposals are worth.

        Args:
            draws: What `propose` gave (count, d).
            values: Their values (count,), the higher the better.
        """
        rates = _Rates(len(values), self.mean.size)
        best = np.argsort(-values, kind="stable")[: rates.parents]
        steps = self._steps(draws)[best]
        step, white = rates.share @ steps, self._vectors @ (rates.share @ draws[best])
        self.step += 1
        self.mean = self.mean + self.spread * step
        self.whitened = (1.0 - rates.fade) * self.whitened + rates.add * white
        length = float(np.linalg.norm(self.whitened))
        settled = math.sqrt(1.0 - (1.0 - rates.fade) ** (2 * self.step))
        steady = length / settled < (1.4 + 2.0 / (self.mean.size + 1.0)) * rates.usual
        self.path = (1.0 - rates.fade_path) * self.path + steady * rates.add_path * step
        kept = 1.0 - rates.by_path - rates.by_steps
        self.covariance = (
            kept * self.covariance
            + rates.by_path * np.outer(self.path, self.path)
            + rates.by_steps * (steps.T * rates.share) @ steps
        )
        self.spread *= math.exp(rates.fade / rates.damping * (length / rates.usual - 1.0))
        del self._axes

    @cached_property
    def _axes(self) -> tuple[Floats, Floats]:
        """Standard deviations (d,) and directions (d, d) of the covariance."""
        values, vectors = np.linalg.eigh(0.5 * (self.covariance + self.covariance.T))
        return np.sqrt(np.maximum(values, 1e-20)), vectors

    @property
    def _vectors(self) -> Floats:
        return self._axes[1]

    def _steps(self, draws: Floats) -> Floats:
        deviations, vectors = self._axes
        return (draws * deviations) @ vectors.T


class _Rates:
    """How fast things are learned: the tutorial's defaults for a population and a dimension."""

    def __init__(self, population: int, d: int) -> None:
        self.parents = population // 2
        share = math.log(self.parents + 0.5) - np.log(np.arange(1, self.parents + 1))
        self.share = share / share.sum()
        mass = 1.0 / float((self.share**2).sum())
        self.fade = (mass + 2.0) / (d + mass + 5.0)
        self.add = math.sqrt(self.fade * (2.0 - self.fade) * mass)
        self.fade_path = (4.0 + mass / d) / (d + 4.0 + 2.0 * mass / d)
        self.add_path = math.sqrt(self.fade_path * (2.0 - self.fade_path) * mass)
        self.by_path = 2.0 / ((d + 1.3) ** 2 + mass)
        most = 2.0 * (mass - 2.0 + 1.0 / mass) / ((d + 2.0) ** 2 + mass)
        self.by_steps = min(1.0 - self.by_path, most)
        beyond = max(0.0, math.sqrt((mass - 1.0) / (d + 1.0)) - 1.0)
        self.damping = 1.0 + 2.0 * beyond + self.fade
        self.usual = math.sqrt(d) * (1.0 - 1.0 / (4.0 * d) + 1.0 / (21.0 * d * d))
