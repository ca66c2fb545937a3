"""`eali`: batch and clocks of each unit, coordinated, by what waits and how long it has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.serving.batch_timeout import waiting_rules
from dsct_gym.serving.agent import Agent, Fixed, Situation
from dsct_gym.serving.plans import plan_costs, worthwhile_plans
from dsct_gym.serving.rule import STAY, Rule
from dsct_gym.serving.service import Control

STEPS = 24
"""Steps of age within the objective."""

SHARES = (1.0, 0.9, 0.8, 0.65, 0.5)
"""Shares of the objective that a request may take by plan."""

PRICES = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
"""Prices of the card's time that are tried, as shares of the largest power."""


class Eali(Agent):
    """Starts when enough wait or the oldest must, by the plan of least energy that it has time for.

    Source: after Yao et al., "EALI: energy-aware layer-level scheduling for convolutional neural
    network inference services on GPUs", Neurocomputing 507, 2022, doi 10.1016/j.neucom.2022.08.025,
    of which only the abstract was at hand: layers are combined into units, batch and clocks are
    chosen together, online, by what waits. How is this project's own: the plans are those of
    `dsct_gym.serving.plans` (dynamic programming over units with what a change of clock costs);
    a batch that starts takes the plan of least energy, with a price on the card's time, that ends
    in time for its oldest request. The batch to wait for, the price and the share of the objective
    are those that do best on the sample by the predictor; rules with one plan for all batches are
    tried as well.
    """

    name = "eali"

    def control(self, situation: Situation) -> Control:
        """As `Agent.control`."""
        plans = worthwhile_plans(situation.table, situation.latency)
        return Fixed(situation.best(coordinated_rules(situation, plans)))


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
