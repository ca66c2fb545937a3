"""Services that a run is watched on, with what agents without learning make of them."""

from __future__ import annotations

from statistics import fmean
from typing import Final, NamedTuple

import numpy as np

from dsct_gym.agents.rl_service import best_asked
from dsct_gym.agents.serving.network import Network
from dsct_gym.arrays import Floats
from dsct_gym.baselines.serving.batch_timeout import BatchTimeout, Static
from dsct_gym.random import spawn
from dsct_gym.serving.agent import Situation
from dsct_gym.serving.load import highest_rate
from dsct_gym.serving.outcome import Outcome
from dsct_gym.serving.table import batch_energy, batch_time
from dsct_gym.training.serving.config import ServiceConfig, Task
from dsct_gym.training.serving.practice import KINDS, draw_dense, known_table

_STREAM: Final = 0x5E8
_REQUESTS: Final = 3_000
_DEAR: Final = 10.0
"""What a share of late requests above the allowed one costs, over the energy of one alone."""


class Case(NamedTuple):
    """A held-out service.

    Attributes:
        situation: What agents know before; the table is what is played, too.
        arrivals: s (M,).
        alone: Energy of one request alone, J.
        first: What `batch-timeout` costs, over that.
        best: What `static` does.
    """

    situation: Situation
    arrivals: Floats
    alone: float
    first: float
    best: float

    def cost(self, outcome: Outcome) -> float:
        """Energy a request over that of one alone, and a price of violations beyond the allowed."""
        beyond = max(0.0, outcome.violations - self.situation.allowed)
        return outcome.energy_per_request / self.alone + _DEAR * beyond


class HeldOut:
    """Services of the kinds of a configuration, whose arrivals no run learns from.

    Args:
        config: Of the run.
    """

    def __init__(self, config: ServiceConfig) -> None:
        self._cases = [_draw(config, index) for index in range(config.held_out)]

    def closed(self, network: Network) -> dict[str, float]:
        """How well a network serves.

        Returns:
            Under ``"mean"`` the share of the gap from `batch-timeout` to `static` that it closes,
            above 1 where it is ahead of both; under ``"saved"`` its mean saving against `static`;
            under ``"violations"`` its mean share of late requests.
        """
        played = [
            best_asked(network, case.situation).play(case.situation.table, case.arrivals)
            for case in self._cases
        ]
        costs = [case.cost(outcome) for case, outcome in zip(self._cases, played, strict=True)]
        first = fmean(case.first for case in self._cases)
        gap = first - fmean(case.best for case in self._cases)
        return {
            "mean": (first - fmean(costs)) / gap,
            "saved": 1.0 - fmean(c / k.best for c, k in zip(costs, self._cases, strict=True)),
            "violations": fmean(outcome.violations for outcome in played),
        }


def _draw(config: ServiceConfig, index: int) -> Case:
    """A held-out service that `static` serves in time; kinds of arrivals take turns."""
    rng = spawn(0, _STREAM, index)
    tasks, kinds = config.tasks, list(KINDS)
    low, high = config.load
    while True:
        task, kind = tasks[int(rng.random() * len(tasks))], kinds[index % len(kinds)]
        situation, arrivals = _situation(config, task, kind, low + (high - low) * rng.random(), rng)
        first, best = (
            agent.serve(situation, situation.table, arrivals)
            for agent in (BatchTimeout(), Static())
        )
        if best.violations <= situation.allowed:
            alone = float(batch_energy(situation.table)[0, -1])
            case = Case(situation, arrivals, alone, 0.0, 0.0)
            return case._replace(first=case.cost(first), best=case.cost(best))


def _situation(
    config: ServiceConfig, task: Task, kind: str, load: float, rng: np.random.Generator
) -> tuple[Situation, Floats]:
    """What agents know, and what they serve."""
    table = known_table(task.gpu, task.network)
    seconds = task.objective * float(batch_time(table)[0, -1])
    horizon = _REQUESTS / (load * highest_rate(table, seconds))
    process = KINDS[kind](rng)
    sample, arrivals = (
        horizon * draw_dense(process, kind, float(_REQUESTS), rng) for _ in range(2)
    )
    return Situation(table, seconds, sample, config.latency), arrivals
