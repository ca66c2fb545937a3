"""The held-out instances of `held_out`, played by policies of Stable-Baselines3."""

from __future__ import annotations

from typing import Any

import numpy as np

from dsct_gym.agents.stable import fit, play
from dsct_gym.allocation import allocate
from dsct_gym.training.config import Distribution
from dsct_gym.training.held_out import draw_cases, share_closed


class StableHeldOut:
    """Instances with what DSCT-APPROX, refined, and annealing earn on them.

    They are those of `dsct_gym.training.held_out.HeldOut`, so shares can be compared.

    Args:
        distribution: Where they come from.
        sizes: Their sizes, n and m.
        count: Number of instances of each size.
    """

    def __init__(
        self, distribution: Distribution, sizes: tuple[tuple[int, int], ...], count: int
    ) -> None:
        self._cases = {(n, m): draw_cases(distribution, n, m, count) for n, m in sizes}

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
            schedules = play(fitted, [case.instance for case in cases])
            exact = [
                allocate(case.instance, schedule.machine).total_accuracy
                for case, schedule in zip(cases, schedules, strict=True)
            ]
            shares[f"{n}x{m}"] = share_closed(cases, exact)
            played.append(share_closed(cases, [schedule.total_accuracy for schedule in schedules]))
            accuracy.append(float(np.mean(exact)) / n)
        return shares | {
            "mean": float(np.mean(list(shares.values()))),
            "played": float(np.mean(played)),
            "accuracy": float(np.mean(accuracy)),
        }
