"""Prices from the outlook, and the waiting task that a machine takes at these prices."""

from __future__ import annotations

import math
from typing import Final

from dsct_gym.agents.online.columns import (
    HOLD_AT,
    INDEX_AT,
    PRICES_AT,
    ROW,
    SHARPNESS_AT,
    Candidate,
    Hold,
    Price,
)
from dsct_gym.agents.online.outlook import COSTS, OUTLOOK, Mind, full_power, look_out, remember
from dsct_gym.arrays import Floats
from dsct_gym.jit import helper
from dsct_gym.online.known import NOTHING, Choice, Known, room

_LOWEST: Final = -12.0
_HIGHEST: Final = 8.0
_SHARPEST: Final = 3.0
_FURTHEST: Final = 3.0
_TINY: Final = 1e-9
_CAP: Final = 30.0


@helper
def decide(known: Known, memory: Floats, parameters: Floats) -> Choice:
    """The waiting task of the highest index, with the work that is worth most at the prices."""
    remember(known, memory)
    look_out(known, memory, parameters)
    dear = _log_price(memory, parameters, Price.TIME)
    _find_costs(known, memory, parameters, dear)
    here, highest, choice = known.machine, -math.inf, NOTHING
    for task in known.waiting:
        value, work = best_work(known, task, here, memory[COSTS + here])
        if work <= 0.0:
            continue
        rival = min(_rival(known, memory, task) / value, _FURTHEST)
        slack = (known.deadline[task] - known.clock) * memory[Mind.SEEN] / memory[Mind.PATIENCE]
        if _holds(parameters, rival, slack, dear):
            continue
        index = _index(known, memory, parameters, task, value, work, rival, slack, dear)
        if index > highest:
            highest, choice = index, Choice(task=task, machine=here, work=work)
    return choice


@helper
def best_work(known: Known, task: int, machine: int, cost: float) -> tuple[float, float]:
    """The work on a task that is worth most at a cost of work, and what it is worth.

    Args:
        known: What is known.
        task: The task.
        machine: Where it would run, from when that is free.
        cost: Accuracy per GFLOP.

    Returns:
        What it gains beyond the cost, and the work, GFLOP; both 0 where nothing is worth it.
    """
    most, best, work = room(known, task, machine), 0.0, 0.0
    for k in range(1, known.reach.shape[1]):
        before = known.reach[task, k - 1]
        until, whole = min(known.reach[task, k], most), known.reach[task, k] - before
        if until <= before:
            break
        slope = (known.value[task, k] - known.value[task, k - 1]) / whole
        if slope <= cost:
            break
        best += (slope - cost) * (until - before)
        work = until
    return best, work


@helper
def _log_price(memory: Floats, parameters: Floats, price: int) -> float:
    """The logarithm of a price, in units of what tasks gain in full over their work."""
    total, row = 0.0, PRICES_AT + price * ROW
    for place in range(ROW):
        total += parameters[row + place] * memory[OUTLOOK + place]
    return min(max(total, _LOWEST), _HIGHEST)


@helper
def _find_costs(known: Known, memory: Floats, parameters: Floats, dear: float) -> None:
    """What work costs on each machine: the price of work or that of its energy, the dearer.

    In the clairvoyant relaxation it is the larger of both; here the q-norm, with q learned.
    """
    unit = (memory[Mind.GAIN] + _TINY) / memory[Mind.WORK]
    norm = math.exp(min(max(parameters[SHARPNESS_AT], 0.0), _SHARPEST))
    time = unit * math.exp(dear)
    speed, power = known.speed.sum(), full_power(known)
    joule = unit * math.exp(_log_price(memory, parameters, Price.ENERGY)) * speed / power
    for machine in range(known.speed.size):
        energy = joule / known.efficiency[machine]
        high, low = max(time, energy), min(time, energy)
        memory[COSTS + machine] = high * (1.0 + (low / high) ** norm) ** (1.0 / norm)


@helper
def _rival(known: Known, memory: Floats, task: int) -> float:
    """What a task would gain beyond the prices on the best other machine."""
    best = 0.0
    for machine in range(known.speed.size):
        if machine != known.machine:
            value, _ = best_work(known, task, machine, memory[COSTS + machine])
            best = max(best, value)
    return best


@helper
def _holds(parameters: Floats, rival: float, slack: float, dear: float) -> bool:
    """Whether a task is kept for another machine."""
    total = parameters[HOLD_AT + Hold.ALWAYS]
    total += parameters[HOLD_AT + Hold.URGENCY] * (1.0 - slack)
    total += parameters[HOLD_AT + Hold.PRICED] * dear
    return rival > 1.0 + math.exp(min(total, _CAP))


@helper
def _index(
    known: Known,
    memory: Floats,
    parameters: Floats,
    task: int,
    value: float,
    work: float,
    rival: float,
    slack: float,
    dear: float,
) -> float:
    """The index of a candidate: the sum of its columns by their weights."""
    mean_gain = memory[Mind.GAIN] / memory[Mind.SEEN]
    duration = work / known.speed[known.machine]
    lasts = math.log(duration * memory[Mind.SEEN] / memory[Mind.PATIENCE] + 0.001)
    left = known.deadline[task] - known.clock
    index: float = parameters[INDEX_AT + Candidate.VALUE] * math.log(value / mean_gain + _TINY)
    index += parameters[INDEX_AT + Candidate.DURATION] * lasts
    index += parameters[INDEX_AT + Candidate.SLACK] * slack
    index += parameters[INDEX_AT + Candidate.SHARE] * duration / left
    index += parameters[INDEX_AT + Candidate.RIVAL] * rival
    index += parameters[INDEX_AT + Candidate.BETTER] * max(rival - 1.0, 0.0)
    index += parameters[INDEX_AT + Candidate.SLACK_PRICED] * slack * dear
    index += parameters[INDEX_AT + Candidate.DURATION_PRICED] * lasts * dear
    return index
