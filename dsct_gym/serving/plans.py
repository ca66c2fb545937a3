"""Clocks for the units of a network: the plans worth having, by dynamic programming.

With a price on time, the best clocks of a batch's units in sequence are a shortest path: its state
is the clock that the last unit ended with, a change costs what the card does until it takes effect.
Prices from none to all give the lower convex hull of energy against time.
"""

from __future__ import annotations

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.jit import kernel
from dsct_gym.serving.card import costs_of, new_cards, run_batch
from dsct_gym.serving.rule import network_plans
from dsct_gym.serving.table import Table


def unit_plans(table: Table, prices: Floats, latency: float) -> Ints:
    """The best clocks of each unit at each price of time.

    Args:
        table: Of the network.
        prices: W (K,): what a second is worth besides the energy; at least minus the idle power.
        latency: Of a command, s: a change takes effect so long after its unit has begun, so a unit
            that is done by then cannot have one. Infinite forbids changes.

    Returns:
        Places of clocks (K, S, U).
    """
    plans = np.zeros((prices.size, table.largest_batch, table.num_units), dtype=np.int64)
    _find_plans(table.time, table.power, prices, latency, plans)
    return plans


@kernel
def _find_plans(time: Floats, power: Floats, prices: Floats, latency: float, plans: Ints) -> None:
    """Fills the plans, one batch size and price after the other."""
    units, batches, clocks = time.shape
    value = np.zeros(clocks)
    before = np.zeros(clocks)
    came = np.zeros((units, clocks), dtype=np.int64)
    for place in range(prices.size):
        for size in range(batches):
            for clock in range(clocks):
                value[clock] = time[0, size, clock] * (power[0, size, clock] + prices[place])
            for unit in range(1, units):
                for clock in range(clocks):
                    before[clock] = value[clock]
                for clock in range(clocks):
                    best, at = np.inf, clock
                    for old in range(clocks):
                        cost = before[old] + _unit_cost(
                            time, power, unit, size, old, clock, latency, prices[place]
                        )
                        if cost < best or (cost == best and old == clock):
                            best, at = cost, old
                    value[clock] = best
                    came[unit, clock] = at
            clock = int(np.argmin(value))
            for unit in range(units - 1, -1, -1):
                plans[place, size, unit] = clock
                clock = came[unit, clock]


@kernel
def _unit_cost(
    time: Floats,
    power: Floats,
    unit: int,
    size: int,
    old: int,
    new: int,
    latency: float,
    price: float,
) -> float:
    """Energy and priced time of a unit that begins at one clock and ends at another, J."""
    late = 0.0 if old == new else latency
    whole = time[unit, size, old]
    if late > 0.0 and late >= whole:
        return np.inf
    rest = (1.0 - late / whole) * time[unit, size, new]
    begun = late * (power[unit, size, old] + price) if late > 0.0 else 0.0
    return float(begun + rest * (power[unit, size, new] + price))


def price_ladder(table: Table, count: int) -> Floats:
    """Prices of time from where the card may as well take its time to where it must hurry, W.

    From minus the least idle power, which is saved while it runs, to twenty times the largest
    power, ascending (count,).
    """
    largest = 20.0 * float(table.power.max())
    least = -0.999 * float(table.idle_power.min())
    steps = np.geomspace(1.0, (largest - least) / abs(least) + 1.0, count)
    return np.asarray(least + abs(least) * (steps - 1.0))


def plan_costs(table: Table, plans: Ints, latency: float) -> tuple[Floats, Floats]:
    """What plans take that begin at their first clock.

    Returns:
        Time, s, and energy, J, of each plan for each batch size (K, S).
    """
    time, energy = np.zeros(plans.shape[:2]), np.zeros(plans.shape[:2])
    _measure(costs_of(table), new_cards(1, 0), plans, latency, time, energy)
    return time, energy


@kernel
def _measure(costs, cards, plans, latency, time, energy):  # type: ignore[no-untyped-def]
    for plan in range(plans.shape[0]):
        for size in range(plans.shape[1]):
            first = plans[plan, size, 0]
            cards.clock[0], cards.target[0], cards.effect[0] = first, first, np.inf
            cards.now[0] = cards.busy_energy[0] = 0.0
            run_batch(costs, cards, 0, size + 1, plans, plan, latency)
            time[plan, size], energy[plan, size] = cards.now[0], cards.busy_energy[0]


def worthwhile_plans(table: Table, latency: float, count: int = 12) -> Ints:
    """Plans to choose among: each clock throughout, and clocks for each unit that differ.

    Args:
        table: Of the network.
        latency: Of a command, s.
        count: How many prices of time to try.

    Returns:
        Places of clocks (K, S, U), the first C of them one clock throughout.
    """
    plans = network_plans(table)
    found = unit_plans(table, price_ladder(table, count), latency)
    varied = (found != found[:, :, :1]).any(axis=(1, 2))
    return np.concatenate([plans, found[varied]])
