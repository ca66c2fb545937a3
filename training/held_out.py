"""The instances on which a training run is watched: never trained on, and not the test set."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from agents.network import Network, Scratch
from agents.rollout import Table, play_greedily, start
from baselines.annealing import Annealing
from dsct_gym.allocation import allocate
from training.config import Distribution

STREAM: Final = 0x4E1D
"""Marks the random numbers of held-out instances; training draws with seeds of other lengths."""
_MOVES = 400  # of the reference annealing, for each task


class _Case(NamedTuple):
    table: Table
    first: float
    best: float


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
        self._cases = {
            (n, m): [_case(distribution, n, m, index) for index in range(count)] for n, m in sizes
        }

    def closed(self, network: Network) -> dict[str, float]:
        """Share of the gap from approx-refined to annealing that one greedy pass closes.

        Returns:
            The share for each size, ``"50x5"`` for example, and their mean under ``"mean"``.
        """
        shares = {}
        for (n, m), cases in self._cases.items():
            scratch = Scratch.empty(network, m)
            gained = 0.0
            for case in cases:
                start(case.table)
                play_greedily(network, scratch, case.table, 0, n)
                gained += float(case.table.curves.total[0]) - case.first
            gap = sum(case.best - case.first for case in cases)
            shares[f"{n}x{m}"] = gained / gap if gap > 0.0 else 1.0
        return shares | {"mean": float(np.mean(list(shares.values())))}


def _case(distribution: Distribution, n: int, m: int, index: int) -> _Case:
    rng = np.random.default_rng((STREAM, n, m, index, 0, 0))
    instance = distribution.scenario(n, m).sample(rng)
    table = Table.of(instance)
    base = float(instance.base_accuracy.sum())
    first = allocate(instance, table.outlook.start[instance.edf_rank]).total_accuracy
    best = Annealing(_MOVES * n).solve(instance, seed=0).schedule.total_accuracy
    return _Case(table, first - base, max(first, best) - base)
