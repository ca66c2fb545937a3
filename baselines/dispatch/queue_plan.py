"""The best works of the tasks that wait for one machine, at prices of energy and of time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.jit import helper
from dsct_gym.online.known import Known


class Prices(NamedTuple):
    """What a machine's energy and time cost.

    Attributes:
        joule: Accuracy per J.
        queue: Accuracy per GFLOP that would be done one patience ahead of now.
        shape: Power of how far ahead the time is, in patiences, with which its price rises.
        patience: How long tasks may take on average, s.
    """

    joule: float
    queue: float
    shape: float
    patience: float


class Queue(NamedTuple):
    """Room for planning one machine's tasks, w of them at most.

    Attributes:
        mine: Places of its tasks among those that wait, most urgent first (w,).
        piece: Piece of its curve that each may have next (w,).
        work: Work of each (w,), GFLOP.
    """

    mine: Ints
    piece: Ints
    work: Floats


@helper
def plan_queue(known: Known, prices: Prices, machine: int, owner: Ints, queue: Queue) -> float:
    """Works for a machine's tasks of most accuracy beyond the prices, exactly.

    A machine that does its tasks by deadline from when it is free on can do a piece of work more
    on a task if the total of every later deadline allows it. These limits and the price of time,
    which depends on the total alone and rises with it, form a laminar family with convex costs, so
    a greedy algorithm is exact: pieces in order of slope, each as long as it fits and pays.

    Args:
        known: What is known.
        prices: What energy and time cost.
        machine: The machine.
        owner: Machine of each waiting task (w,); the others are left out.
        queue: Where the tasks and their works are written.

    Returns:
        The accuracy gained beyond the prices.
    """
    size = _gather(machine, owner, queue)
    speed, worth, total = known.speed[machine], 0.0, 0.0
    start = max(known.free[machine] - known.clock, 0.0)
    energy = prices.joule / known.efficiency[machine]
    while True:
        place = _steepest(known, queue, size)
        if place < 0:
            break
        task = known.waiting[queue.mine[place]]
        value = _slope(known, task, queue.piece[place]) - energy
        if value <= 0.0:
            break
        most = known.reach[task, queue.piece[place] + 1] - known.reach[task, queue.piece[place]]
        most = min(most, _slack(known, queue, size, place, start, speed))
        most = min(most, _paying(prices, value, start, speed) - total)
        queue.piece[place] += 1
        if most > 0.0:
            queue.work[place] += most
            total += most
            worth += value * most
    return worth - _price_of_time(prices, start, speed, total)


@helper
def _gather(machine: int, owner: Ints, queue: Queue) -> int:
    """Puts the machine's tasks in the queue, without work; how many there are."""
    size = 0
    for place in range(owner.size):
        if owner[place] == machine:
            queue.mine[size] = place
            queue.piece[size] = 0
            queue.work[size] = 0.0
            size += 1
    return size


@helper
def _steepest(known: Known, queue: Queue, size: int) -> int:
    """Whose next piece gains most per GFLOP; −1 if none gains anything."""
    best, most = -1, 0.0
    for place in range(size):
        slope = _slope(known, known.waiting[queue.mine[place]], queue.piece[place])
        if slope > most:
            best, most = place, slope
    return best


@helper
def _slope(known: Known, task: int, piece: int) -> float:
    """Accuracy per GFLOP of a piece of a curve; 0 after its last."""
    if piece >= known.reach.shape[1] - 1:
        return 0.0
    width = known.reach[task, piece + 1] - known.reach[task, piece]
    rise = known.value[task, piece + 1] - known.value[task, piece]
    return float(rise / width) if width > 0.0 else 0.0


@helper
def _slack(known: Known, queue: Queue, size: int, place: int, start: float, speed: float) -> float:
    """How much more work a task may have before it, or one after it, is late, GFLOP."""
    done, least = 0.0, np.inf
    for other in range(size):
        done += queue.work[other]
        if other >= place:
            time = known.deadline[known.waiting[queue.mine[other]]] - known.clock - start
            least = min(least, time * speed - done)
    return least


@helper
def _paying(prices: Prices, value: float, start: float, speed: float) -> float:
    """Work in all up to which time costs less than a piece is worth, GFLOP.

    Args:
        prices: What time costs.
        value: What a GFLOP of the piece is worth beyond its energy.
        start: When the machine is free, s from now.
        speed: Of the machine, GFLOP/s.
    """
    if prices.queue <= 0.0:
        return np.inf
    if prices.shape <= 0.0:
        return np.inf if value > prices.queue else 0.0
    ahead = (value / prices.queue) ** (1.0 / prices.shape) * prices.patience
    return float((ahead - start) * speed)


@helper
def _price_of_time(prices: Prices, start: float, speed: float, total: float) -> float:
    """What the time for so much work costs, from ``start`` s ahead on."""
    power = prices.shape + 1.0
    first, last = start / prices.patience, (start + total / speed) / prices.patience
    return float(prices.queue * speed * prices.patience * (last**power - first**power) / power)
