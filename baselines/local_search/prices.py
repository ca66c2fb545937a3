"""Upper bounds on what a local change can bring, from the prices of the current optimum.

The optimum of an assignment comes with prices: λ for energy and, on each machine, a price of work
that does not increase with the deadline and is at least λ/E_r. With prices ``p_1 ≥ … ≥ p_k`` of the
k tasks of machine r, what the machine earns net of energy is at most

    Σ_i [ max_f (a_i(f) − a_i(0) − p_i f) + s_r (d_i − d_{i−1}) (p_i − λ/E_r) ],

and no less at the optimal prices. The prices stay valid when tasks come and go, so a change of the
assignment changes the total by at most the sum, over the machines it touches, of the change of this
expression: for a task that moves, its surplus at the price where it goes less its surplus at the
price where it was. Where that is not enough to reject a change, the price of the block of tasks
around it is shifted to where the expression is least; any price gives a valid bound, so the search
may stop at any time. Bounds cost O(log n), the exact value O(n/m) or more.

Blocks are maximal runs of tasks with equal price when energy is free. λ raises the prices of the
last of them, the floor, to λ/E_r.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.allocation import Packed
from dsct_gym.arrays import Floats, Ints
from dsct_gym.incremental import CURRENT, Curves
from dsct_gym.jit import helper

_MAX_SHIFTS = 12


class Prices(NamedTuple):
    """Prices of the current assignment; slots are those of `Curves`, m + 2 of them.

    Attributes:
        earliest: First task with the deadline of each task (n,).
        position: Position of each task among those of its machine (n,).
        block: Block of each position (m+2, n).
        blocks: Number of blocks (m+2,).
        price: Price of work in each block when energy is free (m+2, n), decreasing.
        supply: Work that the machine can do in the time of each block (m+2, n), GFLOP.
        first: Where each block's segments start (m+2, n+1).
        slope: Slopes of the segments of the tasks in each block (m+2, S), non-increasing.
        demand: Work of the segments of a block up to each (m+2, S+n), from 0, GFLOP; block b starts
            at ``first[b] + b``.
        value: Accuracy of the same segments (m+2, S+n), from 0.
    """

    earliest: Ints
    position: Ints
    block: Ints
    blocks: Ints
    price: Floats
    supply: Floats
    first: Ints
    slope: Floats
    demand: Floats
    value: Floats

    @classmethod
    def empty(cls, packed: Packed) -> Prices:
        """Room for the prices of a problem; call `update_prices` for each machine."""
        tasks, slots, segments = packed.deadline.size, packed.speed.size + 2, packed.task.size
        return cls(
            earliest=np.searchsorted(packed.deadline, packed.deadline),
            position=np.zeros(tasks, dtype=np.int64),
            block=np.zeros((slots, tasks), dtype=np.int64),
            blocks=np.zeros(slots, dtype=np.int64),
            price=np.zeros((slots, tasks)),
            supply=np.zeros((slots, tasks)),
            first=np.zeros((slots, tasks + 1), dtype=np.int64),
            slope=np.zeros((slots, segments)),
            demand=np.zeros((slots, segments + tasks)),
            value=np.zeros((slots, segments + tasks)),
        )


@helper
def update_prices(packed: Packed, curves: Curves, prices: Prices, r: int) -> None:
    """Reads the prices of machine r off its curve, after the machine has changed."""
    slot = curves.slot[r]
    block, lowest, since, segments = -1, np.inf, 0.0, 0
    for position in range(curves.load[slot]):
        task = curves.tasks[slot, position]
        if block < 0 or curves.exhausted[slot, position] < lowest:
            lowest = curves.exhausted[slot, position]
            block += 1
            prices.price[slot, block] = lowest
            prices.supply[slot, block] = 0.0
            prices.first[slot, block] = segments
            prices.demand[slot, segments + block] = 0.0
            prices.value[slot, segments + block] = 0.0
        prices.supply[slot, block] += packed.speed[r] * (packed.deadline[task] - since)
        since = packed.deadline[task]
        prices.block[slot, position] = block
        prices.position[task] = position
        segments += packed.first[task + 1] - packed.first[task]
    prices.blocks[slot] = block + 1
    _sort_into_blocks(packed, curves, prices, slot)


@helper
def _sort_into_blocks(packed: Packed, curves: Curves, prices: Prices, slot: int) -> None:
    """Lists the segments of each block, steepest first, with their cumulated work and accuracy."""
    for index in range(curves.length[slot]):
        segment = curves.order[slot, index]
        block = prices.block[slot, prices.position[packed.task[segment]]]
        end = prices.first[slot, block]
        work = packed.width[segment]
        at = end + block
        prices.slope[slot, end] = packed.slope[segment]
        prices.demand[slot, at + 1] = prices.demand[slot, at] + work
        prices.value[slot, at + 1] = prices.value[slot, at] + work * packed.slope[segment]
        prices.first[slot, block] = end + 1
    # Every start has moved to its end, which is where the next block starts.
    for block in range(prices.blocks[slot], 0, -1):
        prices.first[slot, block] = prices.first[slot, block - 1]
    prices.first[slot, 0] = 0


@helper
def surplus(packed: Packed, task: int, price: float) -> float:
    """What a task earns beyond the price of its work, ``max_f a(f) − a(0) − price f``."""
    total, _ = _choice(packed, task, price)
    return total


@helper
def _choice(packed: Packed, task: int, price: float) -> tuple[float, float]:
    """What a task earns beyond the price of its work, and the work that does, GFLOP."""
    total, work = 0.0, 0.0
    for index in range(packed.first[task], packed.first[task + 1]):
        segment = packed.own[index]
        margin = packed.slope[segment] - price
        if margin <= 0.0:
            break
        total += margin * packed.width[segment]
        work += packed.width[segment]
    return total, work


@helper
def entry_block(curves: Curves, prices: Prices, r: int, task: int) -> int:
    """Block that a task would enter on machine r; the number of blocks if it comes after all."""
    slot, earliest = curves.slot[r], prices.earliest[task]
    low, high = 0, curves.load[slot]
    while low < high:
        middle = (low + high) // 2
        if curves.tasks[slot, middle] < earliest:
            low = middle + 1
        else:
            high = middle
    behind: int = prices.block[slot, low] if low < curves.load[slot] else prices.blocks[slot]
    return behind


@helper
def own_block(curves: Curves, prices: Prices, r: int, task: int) -> int:
    """Block of a task on its machine r."""
    block: int = prices.block[curves.slot[r], prices.position[task]]
    return block


@helper
def block_price(packed: Packed, curves: Curves, prices: Prices, r: int, block: int) -> float:
    """Price of work in a block of machine r, energy included."""
    floor: float = curves.price[CURRENT] / packed.efficiency[r]
    slot = curves.slot[r]
    return max(floor, prices.price[slot, block]) if block < prices.blocks[slot] else floor


@helper
def arrival_bound(packed: Packed, curves: Curves, prices: Prices, r: int, task: int) -> float:
    """Bound on what machine r earns more, net of energy, if a task comes: at current prices."""
    entry = entry_block(curves, prices, r, task)
    bound: float = surplus(packed, task, block_price(packed, curves, prices, r, entry))
    return bound


@helper
def departure_bound(packed: Packed, curves: Curves, prices: Prices, r: int, task: int) -> float:
    """Bound, at most 0, on the change of the same if a task leaves machine r."""
    own = own_block(curves, prices, r, task)
    bound: float = -surplus(packed, task, block_price(packed, curves, prices, r, own))
    return bound


class Touch(NamedTuple):
    """Where a task that comes and one that leaves touch the prices of a machine.

    Attributes:
        entry: Block that the first enters, −1 if none comes.
        at: Price of work there.
        gain: What the first earns at that price.
        own: Block of the second, −1 if none leaves.
        left: Price of work there.
        loss: Minus what the second earns at that price.
    """

    entry: int
    at: float
    gain: float
    own: int
    left: float
    loss: float


@helper
def touch(
    packed: Packed, curves: Curves, prices: Prices, r: int, coming: int, leaving: int
) -> Touch:
    """What a change of machine r touches.

    ``gain + loss`` bounds the change of what the machine earns net of energy, at current prices.

    Args:
        packed: The prepared instance.
        curves: The current assignment.
        prices: Its prices.
        r: The machine.
        coming: EDF rank of a task that comes to it, −1 for none.
        leaving: EDF rank of a task that leaves it, −1 for none.
    """
    floor: float = curves.price[CURRENT] / packed.efficiency[r]
    entry, at, gain = -1, floor, 0.0
    if coming >= 0:
        entry = entry_block(curves, prices, r, coming)
        at = block_price(packed, curves, prices, r, entry)
        gain = surplus(packed, coming, at)
    own, left, loss = -1, floor, 0.0
    if leaving >= 0:
        own = own_block(curves, prices, r, leaving)
        left = block_price(packed, curves, prices, r, own)
        loss = -surplus(packed, leaving, left)
    return Touch(entry, at, gain, own, left, loss)


@helper
def change_bound(
    packed: Packed,
    curves: Curves,
    prices: Prices,
    r: int,
    coming: int,
    leaving: int,
    place: Touch,
    enough: float,
) -> float:
    """A closer bound than that of `touch`: shifts the prices of the blocks in ``place``.

    It stops as soon as the bound is below ``enough``, or when it can no longer get there.
    """
    slot = curves.slot[r]
    floor: float = curves.price[CURRENT] / packed.efficiency[r]
    entry, at, gain, own, left, loss = place
    # Blocks whose price may rise: those from `start` on that share the price where the task enters.
    rises = 0 <= entry < prices.blocks[slot]
    start = _floor_block(prices, slot, floor) if rises and at == floor else entry
    together = rises and start <= own <= entry
    if own >= 0 and left > floor and not together:
        low = block_price(packed, curves, prices, r, own + 1)
        loss = _shift(packed, prices, slot, own, own, low, left, left, -1, leaving, enough - gain)
        # A price may not rise above one ahead of it that has just been lowered.
        rises = rises and own + 1 != start
    if rises:
        low = block_price(packed, curves, prices, r, entry + 1) if together else at
        high = prices.price[slot, start - 1] if start > 0 else packed.slope[0]
        goes = leaving if together else -1
        rest = 0.0 if together else loss
        gain = _shift(
            packed, prices, slot, start, entry, low, at, high, coming, goes, enough - rest
        )
        return gain + rest
    return gain + loss


@helper
def screen(
    packed: Packed,
    curves: Curves,
    prices: Prices,
    task: int,
    machine: int,
    other: int,
    least: float,
) -> float:
    """Tells by ever closer bounds whether a change can reach the total ``least``.

    Args:
        packed: The prepared instance.
        curves: The current assignment.
        prices: Its prices.
        task: EDF rank of the task that moves.
        machine: Where it goes: not none, and not where it is.
        other: EDF rank of a task on ``machine`` that goes where ``task`` was; −1 for a plain move.
        least: The total to reach.

    Returns:
        −∞ if it cannot; else a bound on the change of what the machine that the task leaves earns
        net of energy, for `dsct_gym.incremental.try_above`.
    """
    source = curves.machine[task]
    missing = least - curves.total[CURRENT]
    target = touch(packed, curves, prices, machine, task, other)
    there, here = target.gain + target.loss, 0.0
    if source >= 0:
        origin = touch(packed, curves, prices, source, other, task)
        here = origin.gain + origin.loss
    if there + here < missing:
        return -np.inf
    closer = change_bound(packed, curves, prices, machine, task, other, target, missing - here)
    there = min(there, closer)
    if there + here < missing:
        return -np.inf
    if source >= 0:
        closer = change_bound(packed, curves, prices, source, other, task, origin, missing - there)
        here = min(here, closer)
        if there + here < missing:
            return -np.inf
    return here


@helper
def _floor_block(prices: Prices, slot: int, floor: float) -> int:
    """First block whose price is at most ``floor``."""
    low, high = 0, prices.blocks[slot]
    while low < high:
        middle = (low + high) // 2
        if prices.price[slot, middle] > floor:
            low = middle + 1
        else:
            high = middle
    return low


@helper
def _shift(
    packed: Packed,
    prices: Prices,
    slot: int,
    first: int,
    last: int,
    low: float,
    price: float,
    high: float,
    coming: int,
    leaving: int,
    enough: float,
) -> float:
    """Least bound over one price in ``low..high`` for the blocks ``first..last``, now at ``price``.

    The bound is convex in the price and, where the task that leaves is among the blocks, so is it
    with the task gone: its derivative is supply less demand. Cutting planes close in on it.
    """
    before, slope = _worth(prices, slot, first, last, price, price)
    left_at, left, left_slope = price, 0.0, 0.0
    right_at, right, right_slope = price, 0.0, 0.0
    best = np.inf
    at = price
    for step in range(_MAX_SHIFTS):
        value = 0.0
        if step > 0:
            value, slope = _worth(prices, slot, first, last, at, price)
            value -= before
        if coming >= 0:
            earned, work = _choice(packed, coming, at)
            value += earned
            slope -= work
        if leaving >= 0:
            earned, work = _choice(packed, leaving, at)
            value -= earned
            slope += work
        best = min(best, value)
        if best < enough or slope == 0.0:
            break
        if slope < 0.0:
            left_at, left, left_slope = at, value, slope
        else:
            right_at, right, right_slope = at, value, slope
        if step == 0:
            at = high if slope < 0.0 else low
            if at == price:
                break
            continue
        if left_slope == 0.0 or right_slope == 0.0:
            break
        at = (right - left + left_slope * left_at - right_slope * right_at) / (
            left_slope - right_slope
        )
        if not left_at < at < right_at or left + left_slope * (at - left_at) >= enough:
            break
    return best


@helper
def _worth(
    prices: Prices, slot: int, first: int, last: int, price: float, reference: float
) -> tuple[float, float]:
    """Surplus of some blocks, with supply at what ``price`` exceeds ``reference``; its derivative.

    The derivative is supply less demand, GFLOP.
    """
    total, excess = 0.0, 0.0
    for block in range(first, last + 1):
        at = _steeper(prices, slot, block, price) + block
        demand, supply = prices.demand[slot, at], prices.supply[slot, block]
        total += prices.value[slot, at] - price * demand
        total += supply * (price - reference)
        excess += supply - demand
    return total, excess


@helper
def _steeper(prices: Prices, slot: int, block: int, price: float) -> int:
    """Where the segments of a block that are steeper than ``price`` end."""
    low: int = prices.first[slot, block]
    high = prices.first[slot, block + 1]
    while low < high:
        middle = (low + high) // 2
        if prices.slope[slot, middle] > price:
            low = middle + 1
        else:
            high = middle
    return low
