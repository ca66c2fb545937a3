"""Where a task ends first: the machine that most rules give a task to whose level is settled."""

from __future__ import annotations

from dsct_gym.jit import helper
from dsct_gym.online.known import NOTHING, Choice, Known, room


@helper
def soonest(known: Known, task: int, level: int) -> int:
    """The machine that ends a level of a task first, of equal ones the first; −1 if none can."""
    work, best, earliest = known.level[task, level], -1, 0.0
    for machine in range(known.speed.size):
        if 0.0 < work <= room(known, task, machine):
            end = max(known.clock, known.free[machine]) + work / known.speed[machine]
            if best < 0 or end < earliest:
                best, earliest = machine, end
    return best


@helper
def highest_up_to(known: Known, task: int, top: int) -> Choice:
    """The highest level from ``top`` down that fits somewhere, where it ends first."""
    for level in range(top, -1, -1):
        machine = soonest(known, task, level)
        if machine >= 0:
            return Choice(task=task, machine=machine, work=known.level[task, level])
    return NOTHING
