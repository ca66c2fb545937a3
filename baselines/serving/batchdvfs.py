"""`batchdvfs`: the batch by bisection, then the clock one step at a time, as latencies allow."""

from __future__ import annotations

import numpy as np

from dsct_gym.arguments import as_number
from dsct_gym.serving.agent import Agent, Situation
from dsct_gym.serving.rule import Rule, greedy_rule, network_plans
from dsct_gym.serving.service import Control, Seen


class BatchDvfs(Agent):
    """Bisects the largest batch and steps the clock, on latencies instead of a power cap.

    Source: Nabavinejad, Reda, Ebrahimi, "Coordinated batching and DVFS for DNN inference on GPU
    accelerators", TPDS 33(10), 2022, doi 10.1109/TPDS.2021.3137867. There a power cap is kept and
    throughput raised; here the latency objective is kept and the clock lowered: while the highest
    percentile allowed is below 0.8 of the objective the clock goes down a step, above it the batch
    is halved towards the last that was met, and at batch 1 the clock goes up.

    Args:
        period: How often, in objectives, positive.
    """

    name = "batchdvfs"

    def __init__(self, period: float = 30.0) -> None:
        self.period = as_number(period, "period", 0.01, 1e6)

    def control(self, situation: Situation) -> Control:
        """As `Agent.control`."""
        return _Bisecting(situation, self.period * situation.objective)


class _Bisecting:
    """A batch between two that enclose it, and a clock."""

    def __init__(self, situation: Situation, period: float) -> None:
        self._situation, self.period = situation, period
        self._plans = network_plans(situation.table)
        self._low, self._high = 1, situation.largest_batch
        self._batch, self._clock = self._high, situation.fastest

    @property
    def rule(self) -> Rule:
        table = self._situation.table
        return greedy_rule(table, self._batch, self._clock, self._plans)

    def adapt(self, seen: Seen) -> Rule:
        if seen.latency.size:
            share = 1.0 - self._situation.allowed
            worst = float(np.quantile(seen.latency, share)) / self._situation.objective
            if worst > 1.0:
                self._hurry()
            elif worst < 0.8:
                self._relax()
        return self.rule

    def _hurry(self) -> None:
        if self._clock < self._situation.fastest:
            self._clock += 1
        elif self._batch > self._low:
            self._high = self._batch
            self._batch = (self._low + self._batch) // 2
        else:
            self._low, self._high = 1, self._situation.largest_batch
            self._batch = self._high

    def _relax(self) -> None:
        if self._high - self._batch > 1:
            self._low = self._batch
            self._batch = (self._batch + self._high) // 2
        elif self._clock > 0:
            self._clock -= 1
