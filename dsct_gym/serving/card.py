"""The GPU as kernels run it: a clock that is commanded takes effect after a while.

A command at time x takes effect at x + latency; until then the card goes on, or stands idle, at
the old clock. One command is in flight at most: a new one takes its place. Source: measured
switching latencies of GPUs, Velička et al., arXiv:2502.20075; no stall is counted.

Cards are rows of arrays, so that one or many run in the same kernels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.jit import helper
from dsct_gym.serving.table import Table, batch_energy, batch_time


class Costs(NamedTuple):
    """A table as kernels read it.

    Attributes:
        time: s (U, S, C).
        power: W (U, S, C).
        idle_power: W (C,).
        whole_time: Of a batch at one clock, s (S, C).
        whole_energy: Likewise, J (S, C).
    """

    time: Floats
    power: Floats
    idle_power: Floats
    whole_time: Floats
    whole_energy: Floats


class Cards(NamedTuple):
    """N cards at work (N,) each.

    Attributes:
        now: s.
        clock: The clock that each runs at, as a place in the table.
        target: The clock that was commanded last; the same if none is in flight.
        effect: When the command in flight takes effect, s; infinite if there is none.
        busy_energy: Energy spent running, J.
        idle_energy: Energy spent with nothing to run, J.
        switches: Number of times that the clock changed.
    """

    now: Floats
    clock: Ints
    target: Ints
    effect: Floats
    busy_energy: Floats
    idle_energy: Floats
    switches: Ints


def costs_of(table: Table) -> Costs:
    """What kernels read of a table."""
    return Costs(
        time=np.ascontiguousarray(table.time),
        power=np.ascontiguousarray(table.power),
        idle_power=np.ascontiguousarray(table.idle_power),
        whole_time=batch_time(table),
        whole_energy=batch_energy(table),
    )


def new_cards(count: int, clock: int) -> Cards:
    """Cards that stand at time 0 at a clock."""
    return Cards(
        now=np.zeros(count),
        clock=np.full(count, clock, dtype=np.int64),
        target=np.full(count, clock, dtype=np.int64),
        effect=np.full(count, np.inf),
        busy_energy=np.zeros(count),
        idle_energy=np.zeros(count),
        switches=np.zeros(count, dtype=np.int64),
    )


@helper
def command(cards: Cards, row: int, clock: int, latency: float) -> None:
    """Commands a clock; the one that is on its way already is not commanded again."""
    if clock == cards.target[row]:
        return
    cards.target[row] = clock
    if clock == cards.clock[row]:
        cards.effect[row] = np.inf
    else:
        cards.effect[row] = cards.now[row] + latency
        if latency == 0.0:
            take_effect(cards, row)


@helper
def take_effect(cards: Cards, row: int) -> None:
    """The command in flight becomes the clock."""
    cards.clock[row] = cards.target[row]
    cards.effect[row] = np.inf
    cards.switches[row] += 1


@helper
def idle(costs: Costs, cards: Cards, row: int, until: float) -> None:
    """Stands with nothing to run until a moment."""
    if cards.effect[row] <= until:
        spent = cards.effect[row] - cards.now[row]
        cards.idle_energy[row] += costs.idle_power[cards.clock[row]] * spent
        cards.now[row] = cards.effect[row]
        take_effect(cards, row)
    cards.idle_energy[row] += costs.idle_power[cards.clock[row]] * (until - cards.now[row])
    cards.now[row] = until


@helper
def run_unit(costs: Costs, cards: Cards, row: int, unit: int, batch: int) -> None:
    """Runs one unit of a batch; what is left of it when a clock takes effect runs at that."""
    left = 1.0
    while left > 0.0:
        clock = cards.clock[row]
        time = costs.time[unit, batch - 1, clock]
        spent = left * time
        if cards.effect[row] < cards.now[row] + spent:
            spent = cards.effect[row] - cards.now[row]
            left -= spent / time
            cards.now[row] = cards.effect[row]
            take_effect(cards, row)
        else:
            left = 0.0
            cards.now[row] += spent
        cards.busy_energy[row] += costs.power[unit, batch - 1, clock] * spent


@helper
def run_batch(
    costs: Costs, cards: Cards, row: int, batch: int, plans: Ints, plan: int, latency: float
) -> None:
    """Runs a batch from its first unit to its last, commanding the clock of each at its start.

    Args:
        costs: Of the network.
        cards: All cards.
        row: Which one.
        batch: Its size, from 1.
        plans: Clock of each unit in each plan for each batch size (K, S, U).
        plan: Which plan.
        latency: Of a command, s.
    """
    units = costs.time.shape[0]
    first = plans[plan, batch - 1, 0]
    command(cards, row, first, latency)
    same = True
    for unit in range(1, units):
        same = same and plans[plan, batch - 1, unit] == first
    clock = cards.clock[row]
    whole = costs.whole_time[batch - 1, clock]
    if same and cards.effect[row] >= cards.now[row] + whole:
        cards.now[row] += whole
        cards.busy_energy[row] += costs.whole_energy[batch - 1, clock]
        return
    for unit in range(units):
        command(cards, row, plans[plan, batch - 1, unit], latency)
        run_unit(costs, cards, row, unit, batch)
