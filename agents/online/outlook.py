"""What is known at a decision, as the few numbers from which prices are made."""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Final

from dsct_gym.agents.online.columns import PRIOR_AT, Outlook, Prior
from dsct_gym.agents.online.demand import BINS, clearing_price, tally
from dsct_gym.arrays import Floats
from dsct_gym.jit import helper
from dsct_gym.online.known import Known

_TINY: Final = 1e-9
_LONG: Final = 5.0
_NEAR: Final = 0.4
_WIDEST: Final = 10.0


class Mind(IntEnum):
    """Places of the numbers that are kept in mind.

    SEEN: How many tasks are counted in the rest.
    GAIN: What they gain in full, summed.
    WORK: Their work in full, summed, GFLOP.
    PATIENCE: The times that they can wait, summed, s.
    LATELY: Arrivals, fading within a patience.
    LONGER: Arrivals, fading within five.
    MIDDLE: ln(slope) at the middle of the tallies.
    """

    SEEN = 0
    GAIN = 1
    WORK = 2
    PATIENCE = 3
    LATELY = 4
    LONGER = 5
    MIDDLE = 6


PAST: Final = len(Mind)
PRESENT: Final = PAST + BINS
OUTLOOK: Final = PRESENT + BINS
COSTS: Final = OUTLOOK + len(Outlook)
"""Where the tallies of past and present tasks, the outlook and the costs of work lie in memory."""


@helper
def remember(known: Known, memory: Floats) -> None:
    """Counts the tasks that have arrived since it was last asked."""
    full = known.reach.shape[1] - 1
    for task in range(int(memory[Mind.SEEN]), known.arrival.size):
        gain, work = known.value[task, full] - known.value[task, 0], known.reach[task, full]
        if memory[Mind.GAIN] == 0.0 and gain > 0.0:
            memory[Mind.MIDDLE] = math.log(gain / work)
        memory[Mind.GAIN] += gain
        memory[Mind.WORK] += work
        memory[Mind.PATIENCE] += known.deadline[task] - known.arrival[task]
        since = known.arrival[task] - (known.arrival[task - 1] if task > 0 else 0.0)
        passed = since * (task + 1) / memory[Mind.PATIENCE]
        memory[Mind.LATELY] = memory[Mind.LATELY] * math.exp(-passed) + 1.0
        memory[Mind.LONGER] = memory[Mind.LONGER] * math.exp(-passed / _LONG) + 1.0
        tally(known, task, math.inf, memory[Mind.MIDDLE], memory[PAST:PRESENT])
    memory[Mind.SEEN] = known.arrival.size


@helper
def look_out(known: Known, memory: Floats, parameters: Floats) -> None:
    """Writes the `Outlook` into memory; `remember` comes first."""
    speed, power = known.speed.sum(), full_power(known)
    outlook, seen = memory[OUTLOOK:COSTS], memory[Mind.SEEN]
    patience = memory[Mind.PATIENCE] / seen
    left = max(known.horizon - known.clock, 0.0)
    time_left = left / known.horizon
    energy_left = known.left / known.budget if known.budget > 0.0 else 0.0
    rate = _long_rate(known, memory, parameters)
    longer, lately = _recent_rates(known, memory, patience)
    outlook[Outlook.ONE] = 1.0
    outlook[Outlook.PACE] = math.log((energy_left + 0.02) / (time_left + 0.02))
    outlook[Outlook.LEFT] = time_left
    outlook[Outlook.TREND] = math.log((longer * patience + 0.001) / (rate * patience + 0.001))
    outlook[Outlook.SURGE] = math.log((lately * patience + 0.01) / (longer * patience + 0.01))
    outlook[Outlook.WAITING] = _tally_present(known, memory) / (speed * patience)
    outlook[Outlook.BUSY] = 1.0 - _capacity(known, patience) / (speed * patience)
    outlook[Outlook.BUDGET] = math.log(known.budget / (power * known.horizon) + 0.01)
    outlook[Outlook.LOAD] = math.log(rate * memory[Mind.WORK] / seen / speed + 0.001)
    later = 0.5 * longer * min(patience, left) / seen
    soon = 0.5 * lately * min(_NEAR * patience, left) / seen
    outlook[Outlook.LATER] = _price(memory, later, _capacity(known, patience))
    outlook[Outlook.SOON] = _price(memory, soon, _capacity(known, _NEAR * patience))
    outlook[Outlook.ENERGY] = _price(memory, rate * left / seen, known.left * speed / power)
    for place in range(outlook.size):
        outlook[place] = min(max(outlook[place], -_WIDEST), _WIDEST)


@helper
def full_power(known: Known) -> float:
    """What all machines take together, W."""
    power = 0.0
    for machine in range(known.speed.size):
        power += known.speed[machine] / known.efficiency[machine]
    return power


@helper
def _long_rate(known: Known, memory: Floats, parameters: Floats) -> float:
    """Arrivals a second since the beginning, and as believed before."""
    seen = memory[Mind.SEEN]
    weight = math.exp(min(parameters[PRIOR_AT + Prior.WEIGHT], _WIDEST)) * known.horizon
    load = math.exp(min(parameters[PRIOR_AT + Prior.LOAD], _WIDEST))
    believed = load * known.speed.sum() * seen / memory[Mind.WORK]
    rate: float = (seen + believed * weight) / (known.clock + weight)
    return rate


@helper
def _recent_rates(known: Known, memory: Floats, patience: float) -> tuple[float, float]:
    """Arrivals a second over the last five patiences, and over the last one."""
    passed = (known.clock - known.arrival[known.arrival.size - 1]) / patience
    # So much of a fading count there can be, so soon after the beginning.
    age = known.clock / patience + 0.3
    lately = memory[Mind.LATELY] * math.exp(-passed) / (1.0 - math.exp(-age))
    longer = memory[Mind.LONGER] * math.exp(-passed / _LONG) / (1.0 - math.exp(-age / _LONG))
    return longer / (_LONG * patience), lately / patience


@helper
def _tally_present(known: Known, memory: Floats) -> float:
    """Tallies the tasks that wait, each as far as a mean machine can do it in time; GFLOP."""
    present, total = memory[PRESENT:OUTLOOK], 0.0
    for place in range(BINS):
        present[place] = 0.0
    for task in known.waiting:
        most = (known.deadline[task] - known.clock) * known.speed.mean()
        tally(known, task, most, memory[Mind.MIDDLE], present)
    for place in range(BINS):
        total += present[place]
    return total


@helper
def _capacity(known: Known, span: float) -> float:
    """What machines can do within a span beside what was given to them, GFLOP."""
    work = 0.0
    for machine in range(known.speed.size):
        taken = max(known.free[machine] - known.clock, 0.0)
        work += known.speed[machine] * max(span - taken, 0.0)
    return work


@helper
def _price(memory: Floats, expected: float, capacity: float) -> float:
    """The logarithm of the clearing price; its unit is what tasks gain in full over their work."""
    present, past = memory[PRESENT:OUTLOOK], memory[PAST:PRESENT]
    unit = math.log((memory[Mind.GAIN] + _TINY) / memory[Mind.WORK]) - memory[Mind.MIDDLE]
    price: float = clearing_price(present, past, expected, capacity + _TINY) - unit
    return price
