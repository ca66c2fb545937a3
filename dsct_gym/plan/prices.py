"""Prices of energy and of work on each machine at the optimum of an assignment.

The optimum comes with prices: λ for energy and, on each machine, a price of work that does not
increase with the deadline and is at least λ/E_r. With prices ``p_1 ≥ … ≥ p_k`` of the k tasks of
machine r, what the machine earns net of energy is at most

    Σ_i [ max_f (a_i(f) − a_i(0) − p_i f) + s_r (d_i − d_{i−1}) (p_i − λ/E_r) ],

and no less at the optimal prices. `dsct_gym.plan.changes` bounds with it what a change can bring.

Blocks are maximal runs of tasks with equal price when energy is free. λ raises the prices of the
last of them, the floor, to λ/E_r.

On a machine with several increments k, each of them has a place for E_r and s_r:
``Σ_k Δs_k max(0, p_i − λ/E_k)`` is what time is worth. Its prices depend on λ: with ``u_k`` the
price when energy is free and only k increments are there, the price is ``min(u_k, λ/E_{k+1})`` for
the largest k with ``u_k > λ/E_k``, and the floor ``λ/E_1`` where there is none. Its blocks are runs
of equal price at the λ of the current optimum.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np

from dsct_gym.allocation import Levels, Packed
from dsct_gym.arrays import Floats, Ints
from dsct_gym.incremental import CURRENT, Curves
from dsct_gym.jit import helper


class Prices(NamedTuple):
    """Prices of the current assignment; slots are those of `Curves`, m + 2 of them.

    Attributes:
        earliest: First task with the deadline of each task (n,).
        position: Position of each task among those of its machine (n,).
        block: Block of each position (m+2, n).
        blocks: Number of blocks (m+2,).
        price: Price of work in each block when energy is free (m+2, n), decreasing; energy
            included where there are several increments.
        supply: Work that the machine can do in the time of each block (m+2, n), GFLOP; at most,
            where there are several increments.
        first: Where each block's segments start (m+2, n+1).
        slope: Slopes of the segments of the tasks in each block (m+2, S), non-increasing.
        demand: Work of the segments of a block up to each (m+2, S+n), from 0, GFLOP; block b starts
            at ``first[b] + b``.
        value: Accuracy of the same segments (m+2, S+n), from 0.
        several: As in `Packed`.
        levels: As in `Packed`.
        cost: λ/E_k of each increment (V,), accuracy per GFLOP; None where machines have one clock.
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
    several: bool | None = None
    levels: Levels = cast("Levels", None)
    cost: Floats = cast("Floats", None)

    @classmethod
    def of(cls, packed: Packed) -> Prices:
        """Room for the prices of a problem."""
        sizes = packed.deadline.size, packed.speed.size, packed.task.size
        prices = cls.empty(*sizes)
        if packed.several is None:
            return prices
        return prices._replace(
            several=packed.several,
            levels=packed.levels,
            cost=np.zeros(packed.levels.speed.size),
        )

    @classmethod
    def empty(cls, tasks: int, machines: int, segments: int) -> Prices:
        """Room for prices of machines with one clock; `begin_prices` fills it."""
        slots = machines + 2
        return cls(
            earliest=np.zeros(tasks, dtype=np.int64),
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
def begin_prices(packed: Packed, curves: Curves, prices: Prices) -> None:
    """Reads the prices of an assignment of which none are known yet."""
    first = 0
    for task in range(packed.deadline.size):
        if packed.deadline[task] > packed.deadline[first]:
            first = task
        prices.earliest[task] = first
    for r in range(packed.speed.size):
        update_prices(packed, curves, prices, r)


@helper
def update_prices(packed: Packed, curves: Curves, prices: Prices, r: int) -> None:
    """Reads the prices of machine r off its curve, after the machine has changed."""
    slot = curves.slot[r]
    _note_costs(packed, curves, prices, packed.several, r)
    block, lowest, since, segments = -1, np.inf, 0.0, 0
    for position in range(curves.load[slot]):
        task = curves.tasks[slot, position]
        here = _price_at(packed, curves, prices, packed.several, r, position)
        if block < 0 or here < lowest:
            lowest = here
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
def renew_prices(packed: Packed, curves: Curves, prices: Prices, source: int, machine: int) -> None:
    """Reads the prices that a change of two machines (−1 for none) has made others."""
    _renew(packed, curves, prices, packed.several, source, machine)


@helper
def _renew(
    packed: Packed, curves: Curves, prices: Prices, several: bool | None, source: int, machine: int
) -> None:
    if several is None:
        if machine >= 0:
            update_prices(packed, curves, prices, machine)
        if source >= 0:
            update_prices(packed, curves, prices, source)
    else:
        # Those of all machines depend on λ, which every change may move.
        for r in range(packed.speed.size):
            update_prices(packed, curves, prices, r)


@helper
def _note_costs(
    packed: Packed, curves: Curves, prices: Prices, several: bool | None, r: int
) -> None:
    """Notes λ/E_k of the increments of a machine."""
    if several is not None:
        for k in range(packed.levels.first[r], packed.levels.first[r + 1]):
            prices.cost[k] = curves.price[CURRENT] / packed.levels.efficiency[k]


@helper
def _price_at(
    packed: Packed, curves: Curves, prices: Prices, several: bool | None, r: int, position: int
) -> float:
    """Price of work at a position of a machine, energy included where there are increments."""
    slot, n = curves.slot[r], curves.machine.size
    price: float = curves.exhausted[slot, position]
    if several is not None:
        price = np.inf
        first = packed.levels.first[r]
        for k in range(packed.levels.first[r + 1] - 1, first - 1, -1):
            free = curves.exhausted[slot, (k - first) * n + position]
            if free > prices.cost[k]:
                return float(min(free, price))
            price = prices.cost[k]
    return price


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
    total, _ = choose_work(packed, task, price)
    return total


@helper
def choose_work(packed: Packed, task: int, price: float) -> tuple[float, float]:
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
def floor_price(packed: Packed, curves: Curves, r: int) -> float:
    """λ/E_r: what the energy of work on machine r costs, on its first increment."""
    return _floor_price(packed, curves, packed.several, r)


@helper
def _floor_price(packed: Packed, curves: Curves, several: bool | None, r: int) -> float:
    efficiency = packed.efficiency[r]
    if several is not None:
        efficiency = packed.levels.efficiency[packed.levels.first[r]]
    price: float = curves.price[CURRENT] / efficiency
    return price


@helper
def rent(prices: Prices, r: int, price: float) -> tuple[float, float]:
    """What a second of machine r with several increments earns at a price of work.

    Returns:
        Accuracy per second, and the speed of the increments that earn it, GFLOP/s.
    """
    total, before = 0.0, 0.0
    for k in range(prices.levels.first[r], prices.levels.first[r + 1]):
        margin = price - prices.cost[k]
        if margin <= 0.0:
            break
        total += margin * (prices.levels.speed[k] - before)
        before = prices.levels.speed[k]
    return total, before


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
    floor = floor_price(packed, curves, r)
    slot = curves.slot[r]
    return max(floor, prices.price[slot, block]) if block < prices.blocks[slot] else floor
