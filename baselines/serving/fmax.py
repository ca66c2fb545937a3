"""`fmax-b1` and `fmax-greedy`: the highest clock always, without and with batching."""

from __future__ import annotations

from dsct_gym.serving.agent import Agent, Fixed, Situation
from dsct_gym.serving.rule import greedy_rule, network_plans
from dsct_gym.serving.service import Control


class FmaxB1(Agent):
    """One request at a time at the highest clock: what a server does that nobody has tuned."""

    name = "fmax-b1"

    def control(self, situation: Situation) -> Control:
        """As `Agent.control`."""
        table = situation.table
        return Fixed(greedy_rule(table, 1, situation.fastest, network_plans(table)))


class FmaxGreedy(Agent):
    """Whatever waits as one batch, at the highest clock.

    Source: Inoue, "Queueing analysis of GPU-based inference servers with dynamic batching",
    arXiv:1912.06322.
    """

    name = "fmax-greedy"

    def control(self, situation: Situation) -> Control:
        """As `Agent.control`."""
        table, most = situation.table, situation.largest_batch
        return Fixed(greedy_rule(table, most, situation.fastest, network_plans(table)))
