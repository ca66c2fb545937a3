"""Upper bounds on what a local change of an assignment can bring, from the prices of its optimum.

The prices of `dsct_gym.plan.prices` stay valid when tasks come and go, so a change of the
assignment changes the total by at most the sum, over the machines it touches, of the change of what
they may earn net of energy: for a task that moves, its surplus at the price where it goes less its
surplus at the price where it was. Where that is not enough to reject a change, the price of the
block of tasks around it is shifted to where the bound is least; any price gives a valid bound, so
the search may stop at any time. Bounds cost O(log n), the exact value O(n/m) or more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.allocation import Packed
from dsct_gym.incremental import CURRENT, Curves
from dsct_gym.jit import helper
from dsct_gym.plan.prices import (
    Prices,
    block_price,
    choose_work,
    entry_block,
    floor_price,
    own_block,
    rent,
    surplus,
)

_MAX_SHIFTS = 12


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
        machine: The machine.
        coming: EDF rank of the first, −1 if none comes.
        entry: Block that it enters.
        at: Price of work there.
        gain: What it earns at that price.
        leaving: EDF rank of the second, −1 if none leaves.
        own: Its block.
        left: Price of work there.
        loss: Minus what it earns at that price.
    """

    machine: int
    coming: int
    entry: int
    at: float
    gain: float
    leaving: int
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
    floor = floor_price(packed, curves, r)
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
    return Touch(
        machine=r,
        coming=coming,
        entry=entry,
        at=at,
        gain=gain,
        leaving=leaving,
        own=own,
        left=left,
        loss=loss,
    )


@helper
def change_bound(
    packed: Packed, curves: Curves, prices: Prices, place: Touch, enough: float
) -> float:
    """A closer bound than that of `touch`: shifts the prices of the blocks in ``place``.

    It stops as soon as the bound is below ``enough``, or when it can no longer get there.
    """
    r, entry, own, gain, loss = place.machine, place.entry, place.own, place.gain, place.loss
    slot = curves.slot[r]
    floor = floor_price(packed, curves, r)
    # Blocks whose price may rise: those from `start` on that share the price where the task enters.
    rises = 0 <= entry < prices.blocks[slot]
    start = _floor_block(prices, slot, floor) if rises and place.at == floor else entry
    together = rises and start <= own <= entry
    if own >= 0 and place.left > floor and not together:
        low = block_price(packed, curves, prices, r, own + 1)
        span = _Span(
            machine=r,
            slot=slot,
            first=own,
            last=own,
            low=low,
            price=place.left,
            high=place.left,
        )
        loss = _shift(packed, prices, span, -1, place.leaving, enough - gain)
        # A price may not rise above one ahead of it that has just been lowered.
        rises = rises and own + 1 != start
    if rises:
        low = block_price(packed, curves, prices, r, entry + 1) if together else place.at
        high = prices.price[slot, start - 1] if start > 0 else packed.slope[0]
        span = _Span(
            machine=r, slot=slot, first=start, last=entry, low=low, price=place.at, high=high
        )
        goes = place.leaving if together else -1
        rest = 0.0 if together else loss
        gain = _shift(packed, prices, span, place.coming, goes, enough - rest)
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
    closer = change_bound(packed, curves, prices, target, missing - here)
    there = min(there, closer)
    if there + here < missing:
        return -np.inf
    if source >= 0:
        closer = change_bound(packed, curves, prices, origin, missing - there)
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


class _Span(NamedTuple):
    """Neighbouring blocks of a slot whose common price may shift.

    Attributes:
        machine: The machine.
        slot: Its slot.
        first: First block.
        last: Last block.
        low: Least price.
        price: The price now.
        high: Largest price.
    """

    machine: int
    slot: int
    first: int
    last: int
    low: float
    price: float
    high: float


@helper
def _shift(
    packed: Packed,
    prices: Prices,
    span: _Span,
    coming: int,
    leaving: int,
    enough: float,
) -> float:
    """Least bound over one price for a span, as a task comes to it and another leaves.

    The bound is convex in the price and, where the task that leaves is among the blocks, so is it
    with the task gone: its derivative is supply less demand. Cutting planes close in on it.
    """
    price = span.price
    before, slope = _worth(prices, span, price)
    left_at, left, left_slope = price, 0.0, 0.0
    right_at, right, right_slope = price, 0.0, 0.0
    best = np.inf
    at = price
    for step in range(_MAX_SHIFTS):
        value = 0.0
        if step > 0:
            value, slope = _worth(prices, span, at)
            value -= before
        if coming >= 0:
            earned, work = choose_work(packed, coming, at)
            value += earned
            slope -= work
        if leaving >= 0:
            earned, work = choose_work(packed, leaving, at)
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
            at = span.high if slope < 0.0 else span.low
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
def _worth(prices: Prices, span: _Span, price: float) -> tuple[float, float]:
    """Surplus of a span, with supply at what ``price`` exceeds today's; its derivative.

    The derivative is supply less demand, GFLOP.
    """
    slot = span.slot
    earned, share = _earned_by_time(prices, prices.several, span, price)
    total, excess = 0.0, 0.0
    for block in range(span.first, span.last + 1):
        at = _steeper(prices, slot, block, price) + block
        demand, supply = prices.demand[slot, at], prices.supply[slot, block]
        total += prices.value[slot, at] - price * demand
        total += supply * earned
        excess += supply * share - demand
    return total, excess


@helper
def _earned_by_time(
    prices: Prices, several: bool | None, span: _Span, price: float
) -> tuple[float, float]:
    """What time earns by a shift of the price, for each GFLOP that it has room for at full speed.

    Returns:
        Accuracy per GFLOP, and the share of the full speed that earns something.
    """
    if several is None:
        return price - span.price, 1.0
    now, _ = rent(prices, span.machine, span.price)
    then, speed = rent(prices, span.machine, price)
    full = prices.levels.speed[prices.levels.first[span.machine + 1] - 1]
    return (then - now) / full, speed / full


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
