"""`smdp`: batching and clocks as a semi-Markov decision process, near-optimal under Poisson."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.serving.batch_timeout import waiting_rules
from dsct_gym.baselines.serving.eali import resting_rules
from dsct_gym.serving.agent import MARGIN, Agent, Fixed, Situation
from dsct_gym.serving.plans import plan_costs, worthwhile_plans
from dsct_gym.serving.rule import STAY, Rule
from dsct_gym.serving.service import Control

STEPS = 24
"""Steps of age within the objective."""

_SWEEPS = 400
_CLOSE = 1e-3
_PRICES = 7

_ABOVE, _MORE = 1.5, 8
"""Batches go up to the requests expected in an objective, times and plus this: more seldom come."""


class Smdp(Agent):
    """The rule of least energy and priced violations over requests waiting and age of the oldest.

    Value iteration on the average cost; the price of a violation is the least at which there are
    no more of them on the sample than allowed. All that waits is started, up to the largest batch;
    between decisions to wait a step of age passes; changes of clock are taken to be free. Where
    they are not, the best rules with one plan throughout, which does not mind, are tried as well.
    Resting is no action of the process: its best rule is tried with the rests of `eali` besides.

    Source: Xu, Sun, Zhou, Niu, "SMDP-based dynamic batching for efficient inference on GPU-based
    platforms", ICC 2023, arXiv:2301.12865, for the process; ages, clocks and violations in place
    of mean latency are this project's own. Transformation to equal times: Tijms, "A first course
    in stochastic models", 2003, section 7.2.
    """

    name = "smdp"

    def control(self, situation: Situation) -> Control:
        """As `Agent.control`."""
        plans = worthwhile_plans(situation.table, situation.latency)
        rules = [_cheapest(situation, plans)]
        rules += resting_rules(situation, rules[0])
        if situation.latency > 0.0:
            rules += [_cheapest(situation, each) for each in _steady_plans(situation, plans)]
        return Fixed(situation.best(rules))


def _steady_plans(situation: Situation, plans: Ints) -> list[Ints]:
    """The two plans that do best when they are the only one."""

    def cost(place: int) -> tuple[float, float]:
        """Of the best rule that starts when enough wait."""
        rules = waiting_rules(situation, plans, [place])
        return min(situation.cost(situation.trial(rule)) for rule in rules)

    best = sorted(range(plans.shape[0]), key=cost)
    return [plans[place : place + 1] for place in best[:2]]


def _cheapest(situation: Situation, plans: Ints) -> Rule:
    """The rule at the least price of violations that is enough, found by bisection."""
    process = Process.of(situation, plans)
    scale = float(np.abs(process.energy).max()) / situation.allowed
    low, high = 3e-4 * scale, scale
    values = np.zeros(process.shape)
    rule, values, _ = process.solve(high, values)
    for _ in range(_PRICES):
        middle = float(np.sqrt(low * high))
        tried, values, _ = process.solve(middle, values)
        if situation.trial(tried).violations <= MARGIN * situation.allowed:
            rule, high = tried, middle
        else:
            low = middle
    return rule


@dataclass(frozen=True, eq=False)
class Process:
    """The process with its costs and moves; states are requests waiting and step of age.

    Attributes:
        rate: Of the requests, per s.
        step: Of age, s.
        plans: (K, S, U).
        time: Of each plan for each batch, s (K, S).
        energy: Beyond standing idle, J (K, S).
        late: Requests expected to be late of a batch with its oldest in a step (K, S, A).
        after: Odds of what waits after so long: none, or so many by age of the oldest
            (K, S, 1 + S A).
        come: Odds of so many waiting a step later (S, S).
    """

    rate: float
    step: float
    plans: Ints
    time: Floats
    energy: Floats
    late: Floats
    after: Floats
    come: Floats

    @classmethod
    def of(cls, situation: Situation, plans: Ints) -> Process:
        """The process of a situation in which only some plans may be used."""
        table = situation.table
        expected = situation.rate * situation.objective
        most = min(situation.largest_batch, int(_ABOVE * expected) + _MORE)
        time, energy = plan_costs(table, plans, situation.latency)
        time, energy = time[:, :most], energy[:, :most]
        if situation.idle_counts:
            energy = energy - time * table.idle_power[plans[:, :most, -1]]
        step = situation.objective / STEPS
        return cls(
            rate=situation.rate,
            step=step,
            plans=plans,
            time=time,
            energy=energy,
            late=_late(time, situation.objective, step),
            after=_after(time, situation.rate, step),
            come=_come(situation.rate * step, most),
        )

    @property
    def shape(self) -> tuple[int]:
        """Of the values of states: nothing waits, or so many with the oldest so old."""
        return (1 + self.time.shape[1] * (STEPS + 2),)

    def solve(self, price: float, values: Floats) -> tuple[Rule, Floats, float]:
        """The best rule where a late request costs so much, J.

        Args:
            price: J.
            values: Of the states, to start from.

        Returns:
            The rule, the values, and the cost per s beyond standing idle, W.
        """
        batches = self.time.shape[1]
        cost = self.energy[:, :, None] + price * self.late
        tick = min(float(self.time.min()), self.step, 1.0 / self.rate) * 0.99
        rates = cost / self.time[:, :, None]
        moves = self.after.reshape(-1, values.size)
        gain = 0.0
        for _ in range(_SWEEPS):
            table = values[1:].reshape(batches, STEPS + 2)
            start = (
                rates + (tick / self.time * (moves @ values).reshape(self.time.shape))[:, :, None]
            )
            start = start + (1.0 - tick / self.time)[:, :, None] * table
            wait = tick / self.step * self._older(table) + (1.0 - tick / self.step) * table
            wait[:, -1] = wait[-1] = np.inf  # whoever waits for ever is not served for nothing
            best = np.minimum(start.min(axis=0), wait)
            empty = tick * self.rate * table[0, 0] + (1.0 - tick * self.rate) * values[0]
            new = np.concatenate([[empty], best.ravel()])
            change = new - values
            gain = float(change.max() + change.min()) / 2.0
            spread = float(change.max() - change.min())
            values = new - new[0]
            if spread <= _CLOSE * max(abs(gain), 1e-9):
                break
        return self._rule(start, wait), values, gain

    def _older(self, table: Floats) -> Floats:
        """What the states are worth one step later, with those that have come (S, A)."""
        return np.asarray(self.come @ np.concatenate([table[:, 1:], table[:, -1:]], axis=1))

    def _rule(self, start: Floats, wait: Floats) -> Rule:
        batches = self.time.shape[1]
        size = np.arange(1, batches + 1)[:, None]
        batch = np.where(start.min(axis=0) <= wait, size, 0)
        plan = np.where(batch > 0, start.argmin(axis=0), STAY)
        return Rule(
            batch=np.concatenate([batch[:1], batch]).astype(np.int64),
            plan=np.concatenate([plan[:1], plan]).astype(np.int64),
            plans=self.plans,
            step=self.step,
            park=STAY,
        )


def _late(time: Floats, objective: float, step: float) -> Floats:
    """Requests expected to be late; those but the oldest came at any time since it did."""
    age = step * (np.arange(STEPS + 2) + 0.5)
    left = (objective - time)[:, :, None]
    oldest = np.clip((age + step / 2 - left) / step, 0.0, 1.0)
    others = np.clip(1.0 - left / age, 0.0, 1.0)
    return np.asarray(oldest + (np.arange(time.shape[1])[None, :, None]) * others)


def _after(time: Floats, rate: float, step: float) -> Floats:
    """Odds of what waits when a batch is done: n came, the oldest at most x ago: P(n) (x / t)^n."""
    plans, batches = time.shape
    edges = step * np.arange(1, STEPS + 2)
    share = np.minimum(1.0, edges / time[:, :, None])
    odds = _poisson(rate * time, batches)
    count = np.arange(1, batches + 1)
    below = share[:, :, None, :] ** count[None, None, :, None]
    below = np.concatenate([below, np.ones((plans, batches, batches, 1))], axis=3)
    within = np.diff(below, axis=3, prepend=0.0) * odds[:, :, 1:, None]
    return np.concatenate([odds[:, :, :1], within.reshape(plans, batches, -1)], axis=2)


def _come(mean: float, batches: int) -> Floats:
    """Odds of so many waiting when a mean number may have come; all beyond the largest are one."""
    odds = _poisson(mean, batches)
    come = np.zeros((batches, batches))
    for waiting in range(batches):
        reached = np.minimum(waiting + np.arange(batches + 1), batches - 1)
        np.add.at(come[waiting], reached, odds)
    return come


def _poisson(mean: float | Floats, most: int) -> Floats:
    """Odds of 0, 1, ..., most and more (..., most + 1)."""
    from scipy.stats import poisson

    count = np.arange(most + 1)
    odds: Floats = np.asarray(poisson.pmf(count, np.asarray(mean)[..., None]))
    odds[..., -1] = poisson.sf(most - 1, np.asarray(mean))
    return odds
