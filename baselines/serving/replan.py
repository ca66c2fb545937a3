"""`replan`: rules for many rates, and the one for the rate that was last seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.baselines.serving.eali import candidates, finalists, priced
from dsct_gym.baselines.serving.pricing import ENOUGH, PRICES, Pricing, by_price
from dsct_gym.random import spawn
from dsct_gym.serving.agent import BLOCKS, Agent, Measured, Situation, standard_error
from dsct_gym.serving.load import highest_rate
from dsct_gym.serving.rule import Rule
from dsct_gym.serving.service import Control, serve

RATES = 6
"""Rates that there are rules for, spread from a twentieth of what the card sustains to all."""

PERIODS = (4.0, 12.0, 40.0)
"""How often to choose anew, in objectives."""

SAFETY = (1.0, 1.3)
"""By what the rate last seen is multiplied."""

_REQUESTS = 3000
_MEASURED = 30


class Replan(Agent):
    """The rules of `eali` for Poisson arrivals at many rates; chosen anew by the rate last seen.

    One price of a late request holds for all rates, and rises and falls with the violations so far.
    How often to choose and with how much to spare is what does best on the sample; where none does
    surely better than `eali`, which does not look at the rate, it is `eali`. Source: this project's
    own; after the rate-dependent tables of EAIS and the batching of InferLine (Crankshaw et al.,
    SoCC 2020), which plan for the rates that may come.
    """

    name = "replan"

    def control(self, situation: Situation) -> Control:
        """As `Agent.control`."""
        tried = finalists(situation)
        best = priced(situation, tried)
        rates, rules = _rules_by_rate(situation, [rule for rule, _ in tried])
        if rates.size == 0:
            return best
        known = _measure(situation, best)
        least = 0.0
        for control in _controls(situation, rates, rules):
            found = _measure(situation, control)
            if found.violations.mean() > ENOUGH * situation.allowed:
                continue
            more = found.energy - known.energy
            surely = float(more.mean()) + standard_error(more)
            if surely < least:
                best, least = control, surely
        return best


def _measure(situation: Situation, control: Control) -> Measured:
    """How a control does on each part of the sample."""
    found = [
        serve(situation.table, control, part, situation.objective, situation.latency)
        for part in situation.parts
    ]
    energy = np.array([situation.energy(outcome) for outcome in found])
    return Measured(energy, np.array([outcome.violations for outcome in found]))


def _rules_by_rate(
    situation: Situation, known: Sequence[Rule]
) -> tuple[Floats, list[tuple[Rule, ...]]]:
    """Rates, and the rules by price for each; none where no rate is sustained."""
    most = highest_rate(situation.table, situation.objective, situation.allowed)
    if most <= 0.0:
        return np.zeros(0), []
    rates = most * np.geomspace(0.05, 1.0, RATES)
    moments = np.cumsum(-np.log1p(-spawn(0, 1).random(_REQUESTS)))
    rules = []
    for rate in rates:
        at_rate = replace(situation, sample=moments / rate)
        tried = at_rate.promising([*known, *candidates(at_rate)], _MEASURED)
        rules.append(by_price([(rule, at_rate.measure(rule)) for rule in tried], 0.0))
    return rates, rules


def _controls(
    situation: Situation, rates: Floats, rules: Sequence[tuple[Rule, ...]]
) -> Iterator[Pricing]:
    """All that are tried: how often and with how much to spare."""

    def control(period: float, safety: float, fair: int) -> Pricing:
        return Pricing(
            objective=situation.objective,
            allowed=situation.allowed,
            rates=rates,
            rules=rules,
            fair=fair,
            period=period * situation.objective,
            safety=safety,
        )

    for period in PERIODS:
        for safety in SAFETY:
            for fair in (2, 4, 6):
                yield control(period, safety, fair)
