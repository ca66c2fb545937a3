"""`dvfs-b1` and `dvfs-greedy`: the slowest clock that meets the objective."""

from __future__ import annotations

from dsct_gym.serving.agent import MARGIN, Agent, Fixed, Situation
from dsct_gym.serving.rule import Rule, greedy_rule, network_plans
from dsct_gym.serving.service import Control


def slowest(situation: Situation, largest: int) -> Rule:
    """Greedy batches at the slowest clock with no more violations than allowed; else the fastest.

    Source: frequency scaling under a latency constraint as in Tang et al., e-Energy 2019,
    arXiv:1905.11012; found by trial.
    """
    table = situation.table
    plans = network_plans(table)
    for clock in range(table.num_clocks):
        rule = greedy_rule(table, largest, clock, plans)
        if situation.trial(rule).violations <= MARGIN * situation.allowed:
            return rule
    return greedy_rule(table, largest, situation.fastest, plans)


class DvfsB1(Agent):
    """One request at a time at the slowest clock that meets the objective."""

    name = "dvfs-b1"

    def control(self, situation: Situation) -> Control:
        """As `Agent.control`."""
        return Fixed(slowest(situation, 1))


class DvfsGreedy(Agent):
    """Whatever waits as one batch at the slowest clock that meets the objective."""

    name = "dvfs-greedy"

    def control(self, situation: Situation) -> Control:
        """As `Agent.control`."""
        return Fixed(slowest(situation, situation.largest_batch))
