"""`replan`: rules for many rates, and the one for the rate that was last seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.baselines.serving.eali import coordinated_rules
from dsct_gym.random import spawn
from dsct_gym.serving.agent import Agent, Fixed, Situation
from dsct_gym.serving.load import highest_rate
from dsct_gym.serving.plans import worthwhile_plans
from dsct_gym.serving.rule import Rule
from dsct_gym.serving.service import Control, Seen, serve

RATES = 7
"""Rates that there are rules for, spread from a twentieth of what the card sustains to all."""

PERIODS = (5.0, 20.0, 80.0)
"""How often to choose anew, in objectives."""

SAFETY = (1.0, 1.2, 1.5)
"""By what the rate last seen is multiplied."""

_REQUESTS = 3000


class Replan(Agent):
    """The rules of `eali` for Poisson arrivals at many rates; chosen anew by the rate last seen.

    How often and with how much to spare is what does best on the sample, as is whether to choose
    anew at all. Source: this project's own; after the rate-dependent tables of EAIS and the
    batching of InferLine (Crankshaw et al., SoCC 2020), which plan for the rates that may come.
    """

    name = "replan"

    def control(self, situation: Situation) -> Control:
        """As `Agent.control`."""
        plans = worthwhile_plans(situation.table, situation.latency)
        steady = situation.best(coordinated_rules(situation, plans))
        best: Control = Fixed(steady)
        least = situation.cost(situation.trial(steady))
        for control in _controls(situation):
            outcome = serve(
                situation.table, control, situation.sample, situation.objective, situation.latency
            )
            cost = situation.cost(outcome)
            if cost < least:
                best, least = control, cost
        return best


@dataclass(frozen=True, eq=False)
class ByRate:
    """Chooses the rule of the least rate that is not below what was seen.

    Attributes:
        rates: Ascending, requests a second.
        rules: One for each.
        period: s.
        safety: By what the rate seen is multiplied.
    """

    rates: Floats
    rules: Sequence[Rule]
    period: float
    safety: float

    @property
    def rule(self) -> Rule:
        """That of the highest rate, as long as nothing was seen."""
        return self.rules[-1]

    def adapt(self, seen: Seen) -> Rule:
        """The rule for the rate seen, with what waits."""
        rate = self.safety * seen.arrivals.size / (seen.end - seen.start)
        place = int(np.searchsorted(self.rates, rate))
        return self.rules[min(place, self.rates.size - 1)]


def _controls(situation: Situation) -> Iterator[ByRate]:
    """All that are tried: rules for each rate, how often and with how much to spare."""
    table = situation.table
    most = highest_rate(table, situation.objective, situation.allowed)
    if most <= 0.0:
        return
    plans = worthwhile_plans(table, situation.latency)
    rates = most * np.geomspace(0.05, 1.0, RATES)
    moments = np.cumsum(-np.log1p(-spawn(0, 1).random(_REQUESTS)))
    rules = []
    for rate in rates:
        at_rate = replace(situation, sample=moments / rate)
        rules.append(at_rate.best(coordinated_rules(at_rate, plans)))
    for period in PERIODS:
        for safety in SAFETY:
            yield ByRate(rates, rules, period * situation.objective, safety)
