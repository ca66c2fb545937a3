"""The instances on which a training run is watched: never trained on, and not the test set."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from dsct_gym.agents.network import Network, Scratch
from dsct_gym.agents.rollout import play_greedily
from dsct_gym.baselines.annealing import Annealing
from dsct_gym.baselines.approx_refined import ApproxRefined
from dsct_gym.instance import Instance
from dsct_gym.plan import Plan, begin
from dsct_gym.training.config import Distribution

STREAM: Final = 0x4E1D
"""Marks the random numbers of held-out instances; training draws with seeds of other lengths."""
_MOVES = 400  # of the reference annealing, for each task


class Case(NamedTuple):
    """A held-out instance.

    Attributes:
        instance: The problem.
        first: Total accuracy of approx-refined.
        best: Total accuracy after annealing.
    """

    instance: Instance
    first: float
    best: float


def draw_cases(distribution: Distribution, n: int, m: int, count: int) -> list[Case]:
    """The first ``count`` held-out instances of a size, always the same."""
    return [_case(distribution, n, m, index) for index in range(count)]


def share_closed(cases: list[Case], totals: list[float]) -> float:
    """Share of the gap from approx-refined to annealing that ``totals`` close (k,)."""
    gap = sum(case.best - case.first for case in cases)
    gained = sum(total - case.first for total, case in zip(totals, cases, strict=True))
    return gained / gap if gap > 0.0 else 1.0


class HeldOut:
    """Instances with what DSCT-APPROX, refined, and annealing gain on them.

    Args:
        distribution: Where they come from.
        sizes: Their sizes, n and m.
        count: Number of instances of each size.
    """

    def __init__(
        self, distribution: Distribution, sizes: tuple[tuple[int, int], ...], count: int
    ) -> None:
        self._cases = {(n, m): draw_cases(distribution, n, m, count) for n, m in sizes}
        self._plans = {
            size: [Plan.of(case.instance) for case in cases] for size, cases in self._cases.items()
        }

    def closed(self, network: Network) -> dict[str, float]:
        """Share of the gap from approx-refined to annealing that one greedy pass closes.

        Returns:
            The share for each size, ``"50x5"`` for example, and their mean under ``"mean"``.
        """
        shares = {}
        for (n, m), cases in self._cases.items():
            scratch = Scratch.empty(network, m)
            totals = []
            for case, plan in zip(cases, self._plans[n, m], strict=True):
                begin(plan)
                play_greedily(network, scratch, plan, 0, n)
                base = float(case.instance.base_accuracy.sum())
                totals.append(base + plan.gain)
            shares[f"{n}x{m}"] = share_closed(cases, totals)
        return shares | {"mean": float(np.mean(list(shares.values())))}


def _case(distribution: Distribution, n: int, m: int, index: int) -> Case:
    rng = np.random.default_rng((STREAM, n, m, index, 0, 0))
    instance = distribution.scenario(n, m).sample(rng)
    first = ApproxRefined().solve(instance).whole().schedule.total_accuracy
    best = Annealing(_MOVES * n).solve(instance, seed=0).whole().schedule.total_accuracy
    return Case(instance, first, max(first, best))
