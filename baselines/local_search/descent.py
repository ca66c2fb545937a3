"""Descent over a complete plan: one task after the other takes the change that gains most."""

from __future__ import annotations

from collections.abc import Iterator

from dsct_gym.arrays import Ints
from dsct_gym.incremental import CURRENT
from dsct_gym.jit import helper, kernel
from dsct_gym.plan import Plan, change, decide, gain_above, weigh

_SLACK = 1e-11  # relative to the total: what a change must gain to be more than rounding
_TASKS = 200  # tasks between two looks at the clock


def descend(plan: Plan, order: Ints, passes: int | None) -> Iterator[None]:
    """Improves a plan until nothing does, or for so many passes.

    The plan is complete whenever the iterator stands still: whoever stops early has a schedule.

    Args:
        plan: The plan, begun.
        order: EDF ranks of the tasks, in the order in which each pass takes them (n,).
        passes: Number of passes, each task taking the best change that its options show
            (`dsct_gym.plan.weigh`); fewer when nothing is left to gain. None: until not even a move
            or a swap that they do not show gains anything.
    """
    done, look_further = 0, False
    while passes is None or done < passes:
        changes = 0
        for first in range(0, order.size, _TASKS):
            some = order[first : first + _TASKS]
            changes += change_all(plan, some) if look_further else change_shown(plan, some)
            yield
        done += 1
        if changes == 0 and (passes is not None or look_further):
            return
        look_further = changes == 0


@kernel
def change_shown(plan: Plan, tasks: Ints) -> int:
    """Makes the best change that the options of each task show; counts those that gain."""
    changes = 0
    for task in tasks:
        weigh(plan.packed, plan.curves, plan.prices, plan.options, task)
        machine = _best_shown(plan, task)
        if machine >= 0:
            decide(plan, task, machine)
            changes += 1
    return changes


@kernel
def change_all(plan: Plan, tasks: Ints) -> int:
    """Makes the best of all moves of each task and all its swaps; counts those that gain."""
    changes = 0
    for task in tasks:
        machine, other = _best_of_all(plan, task)
        if machine >= 0:
            change(plan, task, machine, other)
            changes += 1
    return changes


@helper
def _least(plan: Plan) -> float:
    """What a change must gain."""
    least: float = _SLACK * max(1.0, plan.curves.total[CURRENT])
    return least


@helper
def _best_shown(plan: Plan, task: int) -> int:
    """Machine that the task gains most by going to, by move or swap; −1 if none gains."""
    best, most = -1, _least(plan)
    for r in range(plan.options.move.size):
        gain = max(plan.options.move[r], plan.options.swap[r])
        if gain > most and r != plan.curves.machine[task]:
            best, most = r, gain
    return best


@helper
def _best_of_all(plan: Plan, task: int) -> tuple[int, int]:
    """Machine and partner of the change that gains most, −1 for none.

    A swap is looked for from the earlier of its two tasks.
    """
    packed, curves, prices = plan.packed, plan.curves, plan.prices
    source = curves.machine[task]
    machine, partner, most = -1, -1, _least(plan)
    for r in range(curves.slot.size):
        if r != source:
            gain = gain_above(packed, curves, prices, task, r, -1, most)
            if gain > most:
                machine, most = r, gain
    if source < 0:
        return machine, partner
    for other in range(task + 1, curves.machine.size):
        r = curves.machine[other]
        if r >= 0 and r != source:
            gain = gain_above(packed, curves, prices, task, r, other, most)
            if gain > most:
                machine, partner, most = r, other, gain
    return machine, partner
