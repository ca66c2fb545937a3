"""What is seen of a service at a decision, and which decisions there are."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np

from dsct_gym.arrays import Bools, Floats, Floats32, Ints
from dsct_gym.jit import helper, kernel
from dsct_gym.serving.card import Cards, Costs
from dsct_gym.serving.queue import Queues

SHORT: Final = 4.0
LONG: Final = 40.0
"""Windows in which arrivals are counted, in objectives."""

LARGEST: Final = 10.0
"""No number that is seen is larger; none is negative."""


class Column(IntEnum):
    """Places in an observation; `PerClock` comes after them, in `UnitColumn` what is last.

    Everything is without unit: times over the objective, rates over what the card sustains. "What
    would run" is all that waits as one batch, a single request where none waits, or what is left of
    the batch that runs.
    """

    WAITING = 0  # requests waiting over the largest batch
    OLDEST = 1  # age of the oldest
    MIDDLE = 2  # age of the one in the middle of those waiting
    LAST = 3  # time since the last arrival
    SHORT_RATE = 4  # arrivals a second in the last 4 objectives
    LONG_RATE = 5  # in the last 40
    IN_FLIGHT = 6  # time until the command takes effect; 0 if none is in flight
    LATENCY = 7  # time from a command to its effect
    PRICE = 8  # ln(1 + price of a late request over the energy of one alone at the highest clock)


FIXED: Final = len(Column)


class PerClock(IntEnum):
    """What is seen of each clock c, from the lowest: place ``FIXED + C · PerClock + c``."""

    TIME = 0  # of what would run at it
    ENERGY = 1  # of that a request, over that of one alone at the highest clock
    IDLE = 2  # energy of standing idle for the time of one alone, likewise
    RUNS = 3  # 1 if it is the clock that the card runs at, else 0
    TOLD = 4  # 1 if it is the clock that was commanded last, else 0


PER_CLOCK: Final = len(PerClock)


class UnitColumn(IntEnum):
    """What comes last where each unit has its clock: places after all others."""

    RUNNING = 0  # size of the batch that runs over the largest, 0 if none does
    DONE = 1  # share of its units that are done


class Setting(NamedTuple):
    """What is the same in all episodes.

    Attributes:
        costs: Of the network on the card.
        sizes: Batch sizes to choose from (B,).
        clocks: MHz (C,).
        objective: s.
        latency: Of a command, s.
        wait: Longest wait for another request, s.
        rest: Longest wait for any, s.
        sustained: Requests a second.
        alone: Energy of one request alone at the highest clock, J.
    """

    costs: Costs
    sizes: Ints
    clocks: Floats
    objective: float
    latency: float
    wait: float
    rest: float
    sustained: float
    alone: float


class Flight(NamedTuple):
    """Batches that run (N,) each; with one clock for a whole batch none does at a decision.

    Attributes:
        size: Requests in it, the oldest that there are; 0 where none runs.
        unit: The unit that comes next.
    """

    size: Ints
    unit: Ints


def width_of(clocks: int) -> int:
    """Length of an observation with so many clocks to choose from, `UnitColumn` not counted."""
    return FIXED + PER_CLOCK * clocks


@kernel
def look(
    setting: Setting,
    cards: Cards,
    queues: Queues,
    flight: Flight,
    price: Floats,
    observation: Floats32,
    mask: Bools,
) -> None:
    """Writes what is seen (N, width) and which batch choices there are (N, 1 + B).

    Starting is possible where requests wait and the card is free: at most the next size that is not
    less than what waits.
    """
    largest = setting.costs.whole_time.shape[0]
    for row in range(observation.shape[0]):
        now, seen = cards.now[row], observation[row]
        first, come = queues.head[row] + flight.size[row], queues.come[row]
        waiting = come - first
        seen[:] = 0.0
        if waiting > 0:
            middle = queues.arrival[row, first + waiting // 2]
            seen[Column.WAITING] = waiting / largest
            seen[Column.OLDEST] = (now - queues.arrival[row, first]) / setting.objective
            seen[Column.MIDDLE] = (now - middle) / setting.objective
        since = now - (queues.arrival[row, come - 1] if come > 0 else 0.0)
        seen[Column.LAST] = since / setting.objective
        seen[Column.SHORT_RATE] = _rate(setting, queues, row, now, SHORT)
        seen[Column.LONG_RATE] = _rate(setting, queues, row, now, LONG)
        _see_clocks(setting, cards, row, seen)
        seen[Column.PRICE] = np.log1p(price[row] / setting.alone)
        if flight.size[row] > 0:
            _see_rest(setting, flight, row, seen)
        else:
            _see_batch(setting, min(max(waiting, 1), largest), seen)
        for column in range(seen.size):
            seen[column] = min(max(seen[column], 0.0), LARGEST)
        mask[row, 0] = True
        below = 0
        for choice in range(setting.sizes.size):
            mask[row, choice + 1] = below < waiting and flight.size[row] == 0
            below = setting.sizes[choice]


@helper
def _see_clocks(setting: Setting, cards: Cards, row: int, seen: Floats32) -> None:
    """Writes the clock, the command in flight, and what idling costs at each clock."""
    count = setting.clocks.size
    seen[FIXED + PerClock.RUNS * count + cards.clock[row]] = 1.0
    seen[FIXED + PerClock.TOLD * count + cards.target[row]] = 1.0
    if cards.effect[row] < np.inf:
        seen[Column.IN_FLIGHT] = (cards.effect[row] - cards.now[row]) / setting.objective
    seen[Column.LATENCY] = setting.latency / setting.objective
    alone = setting.costs.whole_time[0, count - 1] / setting.alone
    for clock in range(count):
        place = FIXED + PerClock.IDLE * count + clock
        seen[place] = setting.costs.idle_power[clock] * alone


@helper
def _see_batch(setting: Setting, batch: int, seen: Floats32) -> None:
    """Writes what a batch would take at each clock."""
    count = setting.clocks.size
    for clock in range(count):
        time = setting.costs.whole_time[batch - 1, clock]
        energy = setting.costs.whole_energy[batch - 1, clock] / batch
        seen[FIXED + PerClock.TIME * count + clock] = time / setting.objective
        seen[FIXED + PerClock.ENERGY * count + clock] = energy / setting.alone


@helper
def _see_rest(setting: Setting, flight: Flight, row: int, seen: Floats32) -> None:
    """Writes what the rest of the batch that runs would take at each clock."""
    count, batch = setting.clocks.size, flight.size[row]
    for clock in range(count):
        time, energy = 0.0, 0.0
        for unit in range(flight.unit[row], setting.costs.time.shape[0]):
            took = setting.costs.time[unit, batch - 1, clock]
            time += took
            energy += took * setting.costs.power[unit, batch - 1, clock]
        seen[FIXED + PerClock.TIME * count + clock] = time / setting.objective
        seen[FIXED + PerClock.ENERGY * count + clock] = energy / batch / setting.alone


@helper
def _rate(setting: Setting, queues: Queues, row: int, now: float, window: float) -> float:
    """Arrivals a second in a window up to now, over what the card sustains."""
    length = min(max(now, setting.objective), window * setting.objective)
    low, high = 0, queues.come[row]
    while low < high:  # the first that came within the window
        middle = (low + high) // 2
        if queues.arrival[row, middle] > now - length:
            high = middle
        else:
            low = middle + 1
    return float((queues.come[row] - low) / length / setting.sustained)
