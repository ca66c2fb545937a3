"""`replan`: rules for many rates, and the one for the rate that was last seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.serving.eali import PARKS, candidates, finalists, priced
from dsct_gym.baselines.serving.pricing import PRICES, Pricing
from dsct_gym.jit import kernel
from dsct_gym.serving.agent import Agent, Measured, Situation, standard_error
from dsct_gym.serving.card import Cards, Costs, new_cards
from dsct_gym.serving.outcome import Outcome
from dsct_gym.serving.queue import Queues, new_queues, serve_until
from dsct_gym.serving.rule import Rule
from dsct_gym.serving.service import Control, serve

RATES = 4
"""Ranges of the rate that have rules of their own."""

SPREAD = 1.5
"""By so much the densest part of a sample must exceed the thinnest for rates to be told apart."""

_OBJECTIVES, _REQUESTS = 4.0, 20.0
"""A rate is seen over so many objectives, and so many requests in the mean."""

_WINDOWS = 10
"""Periods in a window of the sample, by whose rates ranges are told."""

_TUNED = (3, 5, 7)
"""Places of the prices of a late request at which rules are sought."""

_LIMIT = 0.9
"""Share of the violations allowed that a control may have on the sample."""

_LONG = 1500
"""Requests that the rules for a range are tried on."""

_EACH = 2
"""Rules that are tried for a range at a price, from there and from all of the sample."""


class Replan(Agent):
    """The rules of `eali` chosen anew by the rate last seen, jointly at a price of late requests.

    The sample is cut into ranges of rates; for each the rules that do best in it are tried in
    turn while the others stay, on all of the sample with the rate seen as late as it will be, so
    that a rule for calm must bear the first moments of a burst. One price of a late request holds
    for all rates, and follows the violations so far. Where this is not surely better on the sample
    than `eali`, which does not look at the rate, it is `eali`.

    Source: this project's own; after the rate-dependent tables of EAIS and the batching of
    InferLine (Crankshaw et al., SoCC 2020), which plan for the rates that may come.
    """

    name = "replan"

    def control(self, situation: Situation) -> Control:
        """As `Agent.control`."""
        tried = finalists(situation, PARKS)
        plain = priced(situation, tried)
        period = max(_OBJECTIVES * situation.objective, _REQUESTS / situation.rate)
        edges, parts = _ranges(situation, _WINDOWS * period)
        if edges.size == 0:
            return plain
        rules = _rules(situation, tried, edges, parts, period)
        return _better(situation, plain, _controls(situation, edges, rules, period))


def _controls(
    situation: Situation, edges: Floats, rules: Sequence[tuple[Rule, ...]], period: float
) -> Iterable[Pricing]:
    """From prices to begin with from low to high."""
    for fair in _TUNED:
        yield Pricing(
            objective=situation.objective,
            allowed=situation.allowed,
            rates=edges,
            rules=rules,
            fair=fair,
            period=period,
        )


def _better(situation: Situation, plain: Pricing, others: Iterable[Pricing]) -> Control:
    """The one that surely saves most of those that keep the objective; else the plain one."""
    best, known, least = plain, _measure(situation, plain), 0.0
    most = max(_LIMIT * situation.allowed, float(known.violations.mean()))
    for control in others:
        found = _measure(situation, control)
        if found.violations.mean() > most:
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


def _ranges(situation: Situation, window: float) -> tuple[Floats, list[Floats]]:
    """Upper ends of the ranges of rates, and what of the sample lies in each; none if steady."""
    sample = situation.sample
    count = int(sample[-1] / window)
    if count < RATES:
        return np.zeros(0), []
    of = np.minimum((sample / window).astype(np.int64), count - 1)
    rates = np.bincount(of, minlength=count) / window
    low, high = np.quantile(rates, (0.1, 0.95)).tolist()
    low = max(low, 1.0 / window)
    if high < SPREAD * low:
        return np.zeros(0), []
    edges = np.geomspace(low, high, RATES + 1)[1:]
    place = np.minimum(np.searchsorted(edges, rates), RATES - 1)
    gaps = np.diff(sample, prepend=0.0)
    parts = [np.cumsum(gaps[place[of] == each])[:_LONG] for each in range(RATES)]
    return edges, parts


class Rules(NamedTuple):
    """Rules side by side, as a kernel reads them.

    Attributes:
        batch: (N, Q + 1, A).
        plan: Likewise.
        step: s (N,).
        park: (N,).
        plans: (K, S, U).
    """

    batch: Ints
    plan: Ints
    step: Floats
    park: Ints
    plans: Ints

    @classmethod
    def of(cls, rules: Sequence[Rule]) -> Rules:
        """Of rules with the same plans; the last row and column hold for all beyond."""
        rows = max(rule.batch.shape[0] for rule in rules)
        steps = max(rule.batch.shape[1] for rule in rules)

        def spread(values: Ints) -> Ints:
            """To the size of the largest."""
            more = [(0, rows - values.shape[0]), (0, steps - values.shape[1])]
            return np.pad(values, more, mode="edge")

        return cls(
            batch=np.stack([spread(rule.batch) for rule in rules]),
            plan=np.stack([spread(rule.plan) for rule in rules]),
            step=np.array([rule.step for rule in rules]),
            park=np.array([rule.park for rule in rules]),
            plans=max((rule.plans for rule in rules), key=len),
        )


def _rules(
    situation: Situation,
    tried: Sequence[tuple[Rule, Measured]],
    edges: Floats,
    parts: Sequence[Floats],
    period: float,
) -> list[tuple[Rule, ...]]:
    """Rules by range and price."""
    unit = float(tried[0][1].energy.mean())
    pools = _pools(situation, tried, parts, unit)
    every = [rule for pool in pools for rule in pool]
    rules = Rules.of(every)
    places, at = [], 0
    for pool in pools:
        places.append(list(range(at, at + len(pool))))
        at += len(pool)
    found: list[list[int]] = []
    choice = np.array([own[0] for own in places])
    for price in PRICES[list(_TUNED)].tolist():
        choice = _improve(situation, rules, places, choice, edges, period, price * unit)
        found.append(choice.tolist())
    nearest = [int(np.abs(np.array(_TUNED) - place).argmin()) for place in range(PRICES.size)]
    return [tuple(every[found[near][each]] for near in nearest) for each in range(len(pools))]


def _improve(
    situation: Situation,
    rules: Rules,
    places: Sequence[Sequence[int]],
    choice: Ints,
    edges: Floats,
    period: float,
    price: float,
) -> Ints:
    """The best rule of each range in turn, while those of the others stay."""

    def cost(chosen: Ints) -> float:
        """Energy a request and the price of those late, J."""
        outcome = _try(situation, rules, chosen, edges, period)
        return situation.energy(outcome) + price * outcome.violations

    best, least = choice.copy(), cost(choice)
    for each in range(len(places) - 1, -1, -1):
        for place in places[each]:
            chosen = best.copy()
            chosen[each] = place
            spent = cost(chosen)
            if spent < least:
                best, least = chosen, spent
    return best


def _pools(
    situation: Situation,
    tried: Sequence[tuple[Rule, Measured]],
    parts: Sequence[Floats],
    unit: float,
) -> list[list[Rule]]:
    """Rules to try for each range: those that do best on all of the sample, and in the range."""
    prices = np.asarray(unit * PRICES[list(_TUNED)])
    every = [rule for rule, _ in tried] + list(candidates(situation))
    common = _best(tried, prices)
    pools = []
    for part in parts:
        if part.size < 100:
            pools.append(common)
            continue
        here = replace(situation, sample=part)
        outcomes = [here.trial(rule) for rule in every]
        energy = np.array([[here.energy(outcome)] for outcome in outcomes])
        late = np.array([[outcome.violations] for outcome in outcomes])
        measured = [Measured(*pair) for pair in zip(energy, late, strict=True)]
        pools.append(common + _best(list(zip(every, measured, strict=True)), prices))
    return pools


def _best(tried: Sequence[tuple[Rule, Measured]], prices: Floats) -> list[Rule]:
    """Some that cost least at some price, the least at the highest price first."""
    found: dict[int, Rule] = {}
    for price in prices[::-1].tolist():
        cost = [float((m.energy + price * m.violations).mean()) for _, m in tried]
        for place in np.argsort(cost, kind="stable")[:_EACH].tolist():
            found.setdefault(place, tried[place][0])
    return list(found.values())


def _try(situation: Situation, rules: Rules, choice: Ints, edges: Floats, period: float) -> Outcome:
    """How rules by rate do on the sample, by what the predictor says."""
    sample = np.ascontiguousarray(situation.sample)[None]
    cards = new_cards(1, situation.fastest)
    queues = new_queues(sample, np.array([sample.size]))
    _play(situation.costs, cards, queues, rules, choice, edges, period, situation.latency)
    return Outcome.of(cards, queues, situation.objective)


@kernel
def _play(
    costs: Costs,
    cards: Cards,
    queues: Queues,
    rules: Rules,
    choice: Ints,
    edges: Floats,
    period: float,
    latency: float,
) -> None:
    """Serves all requests, every period by the rule for the rate seen in the last one."""
    asked, come, place = 0.0, 0, edges.size - 1
    while queues.head[0] < queues.total[0]:
        number = choice[place]
        rule = Rule(
            batch=rules.batch[number],
            plan=rules.plan[number],
            plans=rules.plans,
            step=rules.step[number],
            park=rules.park[number],
        )
        serve_until(costs, cards, queues, 0, rule, latency, asked + period)
        now = cards.now[0]
        if now >= asked + period:
            rate = (queues.come[0] - come) / (now - asked)
            place = 0
            while place < edges.size - 1 and edges[place] < rate:
                place += 1
            asked, come = now, queues.come[0]
