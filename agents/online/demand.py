"""At which price of work do tasks just fill a capacity? Work tallied by what it gains.

A tally holds work (GFLOP) by the slope of the piece of the curve that it is on, in bins of equal
width in ln(slope). At a price, tasks want the work whose slope is above it.
"""

from __future__ import annotations

import math
from typing import Final

from dsct_gym.arrays import Floats
from dsct_gym.jit import helper
from dsct_gym.online.known import Known

BINS: Final = 40
_WIDTH: Final = 0.3
_MIDDLE: Final = 22
_DEEPEST: Final = 3.0


@helper
def tally(known: Known, task: int, most: float, middle: float, bins: Floats) -> None:
    """Adds a task's work to a tally.

    Args:
        known: What is known.
        task: The task.
        most: No more than so much of its work, GFLOP.
        middle: ln(slope) at the middle of the tally.
        bins: The tally (BINS,), GFLOP.
    """
    for k in range(1, known.reach.shape[1]):
        before = known.reach[task, k - 1]
        gain = known.value[task, k] - known.value[task, k - 1]
        if known.reach[task, k] <= before or gain <= 0.0 or before >= most:
            break
        place = _MIDDLE + (math.log(gain / (known.reach[task, k] - before)) - middle) / _WIDTH
        bins[int(min(max(place, 0.0), BINS - 1.0))] += min(known.reach[task, k], most) - before


@helper
def clearing_price(present: Floats, past: Floats, expected: float, capacity: float) -> float:
    """The price at which present tasks and those expected want just what there is room for.

    Args:
        present: Tally of the tasks that wait (BINS,), GFLOP.
        past: Tally of the tasks that have arrived (BINS,), GFLOP.
        expected: How much of ``past`` is expected to come.
        capacity: GFLOP, positive.

    Returns:
        ln of the price, 0 at the middle of the tally; where all fits, the further below its range
        the more room is left.
    """
    wanted = 0.0
    for place in range(BINS - 1, -1, -1):
        here = present[place] + expected * past[place]
        if wanted + here > capacity:
            log_price: float = (place + 1.0 - (capacity - wanted) / here - _MIDDLE) * _WIDTH
            return log_price
        wanted += here
    return -_MIDDLE * _WIDTH - _DEEPEST * (1.0 - wanted / capacity)
