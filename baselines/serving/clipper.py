"""`clipper`: the largest batch grows steadily and shrinks by a factor when it takes too long."""

from __future__ import annotations

from dsct_gym.arguments import as_integer, as_number
from dsct_gym.serving.agent import Agent, Situation
from dsct_gym.serving.rule import Rule, greedy_rule, network_plans
from dsct_gym.serving.service import Control, Seen


class Clipper(Agent):
    """Additive increase, multiplicative decrease of the batch size, at the highest clock.

    A batch takes too long if it takes more than half of the objective: a request may have to wait
    for one before its own.

    Source: Crankshaw et al., "Clipper", NSDI 2017; the steps (+4, times 0.9) are those that
    Nabavinejad et al., TPDS 33(10), 2022 (BatchDVFS) took for it.

    Args:
        increase: How many more each period that they do not take too long, at least 1.
        decrease: By what the batch is multiplied otherwise, in (0, 1).
        period: How often, in objectives, positive.
    """

    name = "clipper"

    def __init__(self, increase: int = 4, decrease: float = 0.9, period: float = 10.0) -> None:
        self.increase = as_integer(increase, "increase", 1)
        self.decrease = as_number(decrease, "decrease", 0.01, 0.999)
        self.period = as_number(period, "period", 0.01, 1e6)

    def control(self, situation: Situation) -> Control:
        """As `Agent.control`."""
        return _Clipping(self, situation)


class _Clipping:
    """A largest batch on its way up and down."""

    def __init__(self, agent: Clipper, situation: Situation) -> None:
        self._agent, self._situation = agent, situation
        self._largest = 1
        self._plans = network_plans(situation.table)
        self.period = agent.period * situation.objective

    @property
    def rule(self) -> Rule:
        table = self._situation.table
        return greedy_rule(table, self._largest, self._situation.fastest, self._plans)

    def adapt(self, seen: Seen) -> Rule:
        time = self._situation.costs.whole_time[self._largest - 1, self._situation.fastest]
        if time > 0.5 * self._situation.objective:
            self._largest = max(1, int(self._agent.decrease * self._largest))
        else:
            most = self._situation.table.largest_batch
            self._largest = min(most, self._largest + self._agent.increase)
        return self.rule
