"""`batch-timeout` and `static`: the best batch and waiting time, and with them the best clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dsct_gym.arrays import Ints
from dsct_gym.serving.agent import Agent, Fixed, Situation
from dsct_gym.serving.rule import Rule, network_plans, waiting_rule
from dsct_gym.serving.service import Control

WAITS = (0.0, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75)
"""Waiting times that are tried, as shares of the objective."""


def waiting_rules(situation: Situation, plans: Ints, choices: Sequence[int]) -> Iterator[Rule]:
    """Every batch size, waiting time and plan: a batch starts when it is full or has waited.

    Args:
        situation: What is known.
        plans: Clocks of units (K, S, U).
        choices: Places of the plans to try.
    """
    table = situation.table
    for plan in choices:
        for batch in situation.batches():
            for wait in WAITS if batch > 1 else WAITS[:1]:
                yield waiting_rule(
                    table,
                    least=batch if wait > 0.0 else 1,
                    largest=batch,
                    timeout=wait * situation.objective,
                    plan=plan,
                    plans=plans,
                )


class BatchTimeout(Agent):
    """The best batch size and waiting time at the highest clock, found by trial.

    Source: the dynamic batcher of NVIDIA's Triton inference server.
    """

    name = "batch-timeout"

    def control(self, situation: Situation) -> Control:
        """As `Agent.control`."""
        plans = network_plans(situation.table)
        return Fixed(situation.best(waiting_rules(situation, plans, [situation.fastest])))


class Static(Agent):
    """The best batch size, waiting time and clock, found by trial of all: the bar to beat."""

    name = "static"

    def control(self, situation: Situation) -> Control:
        """As `Agent.control`."""
        plans = network_plans(situation.table)
        return Fixed(situation.best(waiting_rules(situation, plans, range(len(plans)))))
