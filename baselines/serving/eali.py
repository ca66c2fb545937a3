"""`eali`: batch and clocks of each unit, coordinated, by what waits and how long it has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.serving.batch_timeout import waiting_rules
from dsct_gym.baselines.serving.eais import network_rules
from dsct_gym.baselines.serving.pricing import Pricing, by_price, fair_price
from dsct_gym.errors import InputError
from dsct_gym.serving.agent import Agent, Measured, Situation
from dsct_gym.serving.plans import plan_costs, worthwhile_plans
from dsct_gym.serving.rest import rested
from dsct_gym.serving.rule import STAY, Rule
from dsct_gym.serving.service import Control

STEPS = 24
"""Steps of age within the objective."""

SHARES = (1.0, 0.9, 0.8, 0.65, 0.5)
"""Shares of the objective that a request may take by plan."""

PRICES = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
"""Prices of the card's time that are tried, as shares of the largest power."""

PERIOD = 10.0
"""How often to look at the violations, in objectives."""

PARKS = (0, 1)
"""Clocks to rest at that are tried, as places in the table."""

RESTED, MEASURED = 100, 60
"""How many rules are tried with resting, and how many are measured on all of the sample."""


class Eali(Agent):
    """Starts when enough wait or the oldest must, by the plan of least energy that it has time for.

    Source: after Yao et al., "EALI: energy-aware layer-level scheduling for convolutional neural
    network inference services on GPUs", Neurocomputing 507, 2022, doi 10.1016/j.neucom.2022.08.025,
    of which only the abstract was at hand: layers are combined into units, batch and clocks are
    chosen together, online, by what waits. How is this project's own: the plans are those of
    `dsct_gym.serving.plans` (dynamic programming over units with what a change of clock costs);
    a batch that starts takes the plan of least energy, with a price on the card's time, that ends
    in time for its oldest request; without work the card rests at a slow clock and is woken while
    requests wait to be batched. The batch to wait for, the price, the share of the objective and
    the clock to rest at are those that do best on the sample by the predictor; what `static` and
    `eais` would do is left only for a rule that is surely better on the sample. While it serves
    late requests have a price, which rises and falls with the violations so far.

    Args:
        rests: Whether the card may rest at a slow clock.

    Raises:
        InputError: If it is neither true nor false.
    """

    name = "eali"

    def __init__(self, rests: bool = True) -> None:
        if not isinstance(rests, bool):
            raise InputError(f"rests: must be true or false, got {rests!r}")
        self.rests = rests

    def control(self, situation: Situation) -> Control:
        """As `Agent.control`."""
        return priced(situation, finalists(situation, PARKS if self.rests else ()))


def priced(situation: Situation, tried: Sequence[tuple[Rule, Measured]]) -> Pricing:
    """Plays the rule that is best at a price that follows the violations so far."""
    rules = by_price(tried)
    return Pricing(
        objective=situation.objective,
        allowed=situation.allowed,
        rates=np.array([np.inf]),
        rules=[rules],
        fair=fair_price(situation, rules, tried),
        period=PERIOD * situation.objective,
    )


@lru_cache(maxsize=1)
def finalists(situation: Situation, parks: tuple[int, ...]) -> list[tuple[Rule, Measured]]:
    """The rules that do best on the sample and how, first those of `static` and `eais`.

    Args:
        situation: What is known; the last one's are kept for the next who asks.
        parks: Clocks to rest at, as places in the table; none never to rest.
    """
    plans = worthwhile_plans(situation.table, situation.latency)
    plain = situation.best(waiting_rules(situation, plans, range(situation.table.num_clocks)))
    known = [plain, situation.best(network_rules(situation))]
    others = candidates(situation, parks, known)
    tried = known + situation.promising(others, MEASURED)
    return [(rule, situation.measure(rule)) for rule in tried]


def candidates(
    situation: Situation, parks: Sequence[int] = PARKS, known: Sequence[Rule] = ()
) -> Iterator[Rule]:
    """The rules that do best without rest on stretches of the sample, and with it."""
    plans = worthwhile_plans(situation.table, situation.latency)
    found = situation.promising(coordinated_rules(situation, plans), RESTED)
    yield from found
    for rule in (*known, *found):
        yield from resting_rules(situation, rule, parks)


def resting_rules(situation: Situation, rule: Rule, parks: Sequence[int] = PARKS) -> Iterator[Rule]:
    """A rule with the clocks that it may rest at, woken for the first request or just in time."""
    table = situation.table
    for park in parks:
        if table.idle_power[park] < table.idle_power[-1]:
            yield rested(rule, park, np.inf)
    for park in parks[:1]:
        yield rested(rule, park, situation.latency)


def coordinated_rules(situation: Situation, plans: Ints) -> Iterator[Rule]:
    """All rules that it chooses from.

    Args:
        situation: What is known.
        plans: Clocks of units (K, S, U).
    """
    table = situation.table
    time, energy = plan_costs(table, plans, situation.latency)
    if situation.idle_counts:
        energy = energy - time * table.idle_power[plans[:, :, -1]]
    yield from waiting_rules(situation, plans, range(len(plans)))
    for price in PRICES:
        cost = energy + price * float(table.power.max()) * time
        for share in SHARES:
            for target in situation.batches():
                yield _coordinated(situation, plans, time, cost, share, target)


def _coordinated(
    situation: Situation, plans: Ints, time: Floats, cost: Floats, share: float, target: int
) -> Rule:
    """The rule that waits for a batch while there is time, and takes the plan there is time for."""
    step = situation.objective / STEPS
    most = situation.largest_batch
    size = np.minimum(np.arange(most + 1), most)
    age = step * (np.arange(STEPS + 1) + 0.5)
    left = share * situation.objective - age
    of_size = np.maximum(size, 1) - 1
    in_time = time[:, of_size, None] <= left
    priced = np.where(in_time, cost[:, of_size, None], np.inf)
    fastest = time[:, of_size].argmin(axis=0)
    plan = np.where(in_time.any(axis=0), priced.argmin(axis=0), fastest[:, None])
    # Waiting one step more must leave time for the plan that costs least of all.
    wanted = np.take_along_axis(time[:, of_size], cost[:, of_size].argmin(axis=0)[None], axis=0)[0]
    may_wait = (left - step >= wanted[:, None]) & (size < target)[:, None]
    batch = np.where(may_wait, 0, size[:, None])
    return Rule(
        batch=np.ascontiguousarray(batch, dtype=np.int64),
        plan=np.ascontiguousarray(np.where(may_wait, STAY, plan), dtype=np.int64),
        plans=plans,
        step=step,
        park=STAY,
    )
