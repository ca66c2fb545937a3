"""The held-out instances of `training.held_out`, played by policies of Stable-Baselines3."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from agents.stable import Game, fit
from baselines.annealing import Annealing
from baselines.approx_refined import ApproxRefined
from dsct_gym.allocation import allocate
from dsct_gym.instance import Instance
from training.config import Distribution
from training.held_out import STREAM

_MOVES = 400  # of the reference annealing, for each task: as in `training.held_out`


class _Case(NamedTuple):
    instance: Instance
    first: float
    best: float


class StableHeldOut:
    """Instances with what DSCT-APPROX, refined, and annealing earn on them.

    They are those of `training.held_out.HeldOut`, so shares can be compared.

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

    def closed(self, policy: Any) -> dict[str, float]:
        """Share of the gap from approx-refined to annealing that greedy play closes.

        Works are allocated exactly for the machines that the policy chose.

        Returns:
            The share for each size, ``"50x5"`` for example, and their mean under ``"mean"``; under
            ``"played"`` the mean share with the works that the policy chose itself, and under
            ``"accuracy"`` the mean accuracy per task with exact works.
        """
        shares, played, accuracy = {}, [], []
        for (n, m), cases in self._cases.items():
            fitted = fit(policy, n, m)
            schedules = Game.of(fitted).play(fitted, [case.instance for case in cases])
            exact = [
                allocate(case.instance, schedule.machine).total_accuracy
                for case, schedule in zip(cases, schedules, strict=True)
            ]
            shares[f"{n}x{m}"] = _share(cases, exact)
            played.append(_share(cases, [schedule.total_accuracy for schedule in schedules]))
            accuracy.append(float(np.mean(exact)) / n)
        return shares | {
            "mean": float(np.mean(list(shares.values()))),
            "played": float(np.mean(played)),
            "accuracy": float(np.mean(accuracy)),
        }


def _share(cases: list[_Case], earned: list[float]) -> float:
    gap = sum(case.best - case.first for case in cases)
    gained = sum(total - case.first for total, case in zip(earned, cases, strict=True))
    return gained / gap if gap > 0.0 else 1.0


def _case(distribution: Distribution, n: int, m: int, index: int) -> _Case:
    rng = np.random.default_rng((STREAM, n, m, index, 0, 0))
    instance = distribution.scenario(n, m).sample(rng)
    first = ApproxRefined().solve(instance).schedule.total_accuracy
    best = Annealing(_MOVES * n).solve(instance, seed=0).schedule.total_accuracy
    return _Case(instance, first, max(first, best))
