"""Held-out instances whose tasks arrive, played by policies of Stable-Baselines3."""

from __future__ import annotations

from statistics import fmean
from typing import Any, Final, NamedTuple

from dsct_gym.agents.stable import play
from dsct_gym.baselines.dispatch.price import Price
from dsct_gym.envs.arrival_sampling import ArrivalScenario
from dsct_gym.online import OnlineInstance
from dsct_gym.random import spawn
from dsct_gym.relaxation import relax
from dsct_gym.training.config import Distribution

_STREAM: Final = 0x5B3


class Case(NamedTuple):
    """A held-out instance.

    Attributes:
        problem: The problem.
        first: Mean accuracy of `price`.
        best: The clairvoyant bound on it.
    """

    problem: OnlineInstance
    first: float
    best: float

    @classmethod
    def of(cls, problem: OnlineInstance) -> Case:
        """A problem with both."""
        first = Price().solve(problem).schedule.mean_accuracy
        return cls(problem, first, relax(problem).bound / problem.core.num_tasks)


def draw_arriving(distribution: Distribution, n: int, m: int, count: int) -> list[Case]:
    """The first ``count`` held-out instances of a size, always the same."""
    scenario = ArrivalScenario(
        n=n, m=m, mu=distribution.mu, rho=distribution.rho, beta=distribution.beta
    )
    return [Case.of(scenario.sample(spawn(0, _STREAM, n, m, index))) for index in range(count)]


class ArrivalHeldOut:
    """Instances whose tasks arrive, as the environments draw them.

    Args:
        distribution: Where they come from.
        sizes: Their sizes: expected tasks, and machines.
        count: Number of instances of each size.
    """

    def __init__(
        self, distribution: Distribution, sizes: tuple[tuple[int, int], ...], count: int
    ) -> None:
        self._cases = {(n, m): draw_arriving(distribution, n, m, count) for n, m in sizes}

    def closed(self, policy: Any) -> dict[str, float]:
        """Share of the gap from `price` to the clairvoyant bound that greedy play closes.

        Returns:
            The share for each size and their mean under ``"mean"`` and ``"played"``; under
            ``"accuracy"`` the mean accuracy per task.
        """
        shares, accuracy = {}, []
        for (n, m), cases in self._cases.items():
            schedules = play(policy, [case.problem for case in cases])
            found = fmean(schedule.mean_accuracy for schedule in schedules)
            first = fmean(case.first for case in cases)
            best = fmean(case.best for case in cases)
            shares[f"{n}x{m}"] = (found - first) / (best - first)
            accuracy.append(found)
        mean = fmean(shares.values())
        return shares | {"mean": mean, "played": mean, "accuracy": fmean(accuracy)}
