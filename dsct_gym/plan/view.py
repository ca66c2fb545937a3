"""What a policy sees of the task at hand and of each machine: the columns of a plan, written."""

from __future__ import annotations

import math

from dsct_gym.arrays import Floats32
from dsct_gym.incremental import CURRENT
from dsct_gym.jit import helper, kernel
from dsct_gym.plan.columns import FINE, LIMIT, Context, Machine
from dsct_gym.plan.options import MOVE, SWAP, weigh
from dsct_gym.plan.outlook import Scale
from dsct_gym.plan.plan import Plan
from dsct_gym.plan.prices import block_price, entry_block, own_block, surplus

_LEAST_GAIN = 1e-9


@kernel
def look(plan: Plan, task: int, context: Floats32, machine: Floats32) -> None:
    """Writes the columns for a task.

    Args:
        plan: The plan, begun; what can be decided on the task is left in its options.
        task: EDF rank of the task at hand.
        context: Where to write the columns of `Context` (C,).
        machine: Where to write the columns of `Machine` (m, M).
    """
    weigh(plan.packed, plan.curves, plan.prices, plan.options, task)
    for column in range(context.size):
        context[column] = plan.outlook.context[task, column]
    price = plan.outlook.scale[Scale.ENERGY_PRICE]
    context[Context.ENERGY_PRICE] = _ratio(plan.curves.price[CURRENT], price)
    for r in range(machine.shape[0]):
        _write_changes(plan, task, r, machine)
        _write_prices(plan, task, r, machine)
        _write_sizes(plan, task, r, machine)
        _write_loads(plan, task, r, machine)


@helper
def _write_changes(plan: Plan, task: int, r: int, machine: Floats32) -> None:
    """What giving the task to machine r would change."""
    options = plan.options
    fine = FINE / options.unit[0]
    here = r == plan.curves.machine[task]
    move = _compressed(fine * options.move[r])
    swap = _compressed(fine * options.swap[r])
    exact = options.known[SWAP, r] if swap > move else options.known[MOVE, r]
    machine[r, Machine.HERE] = 1.0 if here else 0.0
    machine[r, Machine.CHANGE] = max(move, swap) if not here else 0.0
    machine[r, Machine.MOVE] = move
    machine[r, Machine.SWAP] = swap
    machine[r, Machine.EXACT] = 1.0 if exact else 0.0


@helper
def _write_prices(plan: Plan, task: int, r: int, machine: Floats32) -> None:
    """The plan's prices on machine r at the deadline of the task."""
    packed, curves, prices, outlook = plan.packed, plan.curves, plan.prices, plan.outlook
    if r == curves.machine[task]:
        block = own_block(curves, prices, r, task)
    else:
        block = entry_block(curves, prices, r, task)
    price = block_price(packed, curves, prices, r, block)
    earned = surplus(packed, task, price)
    machine[r, Machine.SURPLUS] = _within(earned / max(outlook.gain[task], _LEAST_GAIN))
    machine[r, Machine.PRICE] = _difference(math.log(price), outlook.log_price[task])
    machine[r, Machine.SCARCITY] = _ratio(price * packed.efficiency[r], curves.price[CURRENT])


@helper
def _write_sizes(plan: Plan, task: int, r: int, machine: Floats32) -> None:
    """Machine r and the whole task beside it."""
    outlook = plan.outlook
    full = outlook.log_full[task]
    machine[r, Machine.SPEED] = outlook.machine[r, Machine.SPEED]
    machine[r, Machine.EFFICIENCY] = outlook.machine[r, Machine.EFFICIENCY]
    machine[r, Machine.FULL_TIME] = _within(
        full - outlook.log_speed[r] - outlook.log_deadline[task]
    )
    machine[r, Machine.FULL_ENERGY] = _within(
        full - outlook.log_efficiency[r] - outlook.scale[Scale.LOG_RATION]
    )


@helper
def _write_loads(plan: Plan, task: int, r: int, machine: Floats32) -> None:
    """What machine r should do in all, less what the plan has there."""
    outlook, loads = plan.outlook, plan.loads
    speed, busy, mean = plan.packed.speed[r], outlook.busy[r], outlook.scale[Scale.WORK]
    work, deadline = outlook.work[task], plan.packed.deadline[task]
    own = work if r == plan.curves.machine[task] else 0.0
    machine[r, Machine.SLACK] = _compressed((min(deadline, busy) * speed - loads.decided[r]) / mean)
    machine[r, Machine.LEFT] = _compressed((busy * speed - loads.planned[r] + own) / mean)
    machine[r, Machine.SIZE] = _compressed(work / mean)
    machine[r, Machine.BUSY] = outlook.machine[r, Machine.BUSY]


@helper
def _within(value: float) -> float:
    """Clips a column."""
    return min(max(value, -LIMIT), LIMIT)


@helper
def _compressed(value: float) -> float:
    """sign(x) ln(1 + |x|), clipped."""
    size = min(math.log(1.0 + abs(value)), LIMIT)
    return size if value >= 0.0 else -size


@helper
def _ratio(one: float, other: float) -> float:
    """Logarithm of the ratio of two prices, 0 where both are 0."""
    if one <= 0.0:
        return 0.0 if other <= 0.0 else -LIMIT
    return LIMIT if other <= 0.0 else _within(math.log(one / other))


@helper
def _difference(one: float, other: float) -> float:
    """Difference of the logarithms of two prices, 0 where both are 0."""
    if one == -math.inf:
        return 0.0 if other == -math.inf else -LIMIT
    return _within(one - other)
