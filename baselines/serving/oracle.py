"""`oracle`: the batches and clocks of someone who knows when every request will come."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.jit import kernel
from dsct_gym.serving.agent import Agent, Fixed, Situation
from dsct_gym.serving.card import Cards, Costs, command, costs_of, idle, new_cards
from dsct_gym.serving.outcome import Outcome
from dsct_gym.serving.plans import plan_costs, worthwhile_plans
from dsct_gym.serving.queue import Queues, new_queues, receive, start
from dsct_gym.serving.rule import greedy_rule
from dsct_gym.serving.service import Control
from dsct_gym.serving.table import Table

BINS = 48
"""Steps of the time at which the card is free, within two objectives of a request's arrival."""

_PRICES = 8


class Oracle(Agent):
    """Knows the arrivals: the least energy with no more violations than allowed, on a grid.

    Dynamic programming over requests in their order and the time at which the card is free: the
    next batch is any number of the requests that come next, by any plan, begun as soon as the last
    of them is there; until then the card rests. A late request has a price, the least that is
    enough. It takes changes of clock to be free and is measured so, whatever they cost the others:
    what it spends is what more knowledge could save. Of times on the grid that fall into one step
    the cheapest is kept, so it is close to the least, not a bound.
    """

    name = "oracle"

    def control(self, situation: Situation) -> Control:
        """Without the arrivals there is nothing to know: greedy at the highest clock."""
        table = situation.table
        plans = worthwhile_plans(table, 0.0)
        return Fixed(greedy_rule(table, situation.largest_batch, situation.fastest, plans))

    def serve(
        self,
        situation: Situation,
        truth: Table,
        arrivals: Floats,
        progress: Callable[[float], None] | None = None,
    ) -> Outcome:
        """As `Agent.serve`, with free changes of clock."""
        plans = worthwhile_plans(truth, 0.0)
        time, energy = plan_costs(truth, plans, 0.0)
        spent = energy
        if situation.idle_counts:
            spent = energy - time * truth.idle_power.min()
        spent = np.where(_beaten(time, spent), np.inf, spent)
        largest = float(np.abs(spent[np.isfinite(spent)]).max())
        low, high = 1e-4 * largest, 1e4 * largest
        best: Outcome | None = None
        for turn in range(_PRICES):
            price = float(np.sqrt(low * high)) if turn else high
            outcome = _carry_out(situation, truth, arrivals, plans, (time, spent), price)
            enough = outcome.violations <= situation.allowed
            low, high = (low, price) if enough else (price, high)
            if best is None or enough:
                best = outcome
            if progress is not None:
                progress((turn + 1) / _PRICES)
        assert best is not None
        return best


def _beaten(time: Floats, spent: Floats) -> Bools:
    """Whether another plan for the same batch is as good in both time and energy (K, S)."""
    faster = time[:, None] <= time[None]
    cheaper = spent[:, None] <= spent[None]
    better = (time[:, None] < time[None]) | (spent[:, None] < spent[None])
    return np.asarray((faster & cheaper & better).any(axis=0))


def _carry_out(
    situation: Situation,
    truth: Table,
    arrivals: Floats,
    plans: Ints,
    known: tuple[Floats, Floats],
    price: float,
) -> Outcome:
    """The best batches where a late request costs so much, run on the card."""
    most = situation.largest_batch
    batches, chosen = _decide(arrivals, *known, situation.objective, price, most, BINS)
    cards = new_cards(1, truth.num_clocks - 1)
    queues = new_queues(arrivals[None].copy(), np.array([arrivals.size]))
    park = int(truth.idle_power.argmin())
    _follow(costs_of(truth), cards, queues, plans, batches, chosen, park)
    return Outcome.of(cards, queues, situation.objective)


@kernel
def _decide(
    arrivals: Floats,
    time: Floats,
    energy: Floats,
    objective: float,
    price: float,
    most: int,
    bins: int,
) -> tuple[Ints, Ints]:
    """The batch sizes and their plans, in order; the sizes add up to the number of requests."""
    count, plans = arrivals.size, time.shape[0]
    width = 2.0 * objective / (bins - 1)
    cost = np.full((count + 1, bins), np.inf)
    free = np.full((count + 1, bins), np.inf)
    came = np.full((count + 1, bins, 3), -1, dtype=np.int32)
    cost[0, 0], free[0, 0] = 0.0, 0.0
    quickest = np.array([time[:, size].min() for size in range(most)])
    for first in range(count):
        least = np.inf
        for at in range(bins):
            if cost[first, at] >= least:
                continue  # another is free sooner for less
            least = cost[first, at]
            for size in range(1, min(most, count - first) + 1):
                last = first + size
                begin = max(free[first, at], arrivals[last - 1])
                soonest = begin + quickest[size - 1] - arrivals[first]
                if begin > free[first, at] and soonest > objective and size > 1:
                    break  # waiting for more makes the first late
                for plan in range(plans):
                    if energy[plan, size - 1] == np.inf:
                        continue
                    end = begin + time[plan, size - 1]
                    late = 0
                    while late < size and end - arrivals[first + late] > objective:
                        late += 1
                    total = cost[first, at] + energy[plan, size - 1] + price * late
                    following = arrivals[min(last, count - 1)]
                    place = int(np.ceil((end - following) / width))
                    place = min(max(place, 0), bins - 1)
                    if total < cost[last, place]:
                        cost[last, place], free[last, place] = total, end
                        came[last, place, 0] = first
                        came[last, place, 1] = at
                        came[last, place, 2] = plan
    batches, chosen = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    last, place, number = count, int(np.argmin(cost[count])), 0
    while last > 0:
        first = came[last, place, 0]
        batches[number], chosen[number] = last - first, came[last, place, 2]
        last, place = first, came[last, place, 1]
        number += 1
    return batches[:number][::-1].copy(), chosen[:number][::-1].copy()


@kernel
def _follow(
    costs: Costs,
    cards: Cards,
    queues: Queues,
    plans: Ints,
    batches: Ints,
    chosen: Ints,
    park: int,
) -> None:
    """Runs the batches one after the other, each as soon as its last request is there."""
    for turn in range(batches.size):
        last = queues.head[0] + batches[turn] - 1
        command(cards, 0, park, 0.0)
        idle(costs, cards, 0, max(cards.now[0], queues.arrival[0, last]))
        receive(queues, 0, cards.now[0])
        start(costs, cards, queues, 0, batches[turn], plans, chosen[turn], 0.0)
