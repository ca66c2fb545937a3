"""How many tasks arrive, as rules estimate it: a count over the time just past."""

from __future__ import annotations

from dsct_gym.arrays import Floats
from dsct_gym.jit import kernel


@kernel
def arrival_rate(arrival: Floats, clock: float, window: float) -> float:
    """Tasks a second over the latest ``window`` seconds.

    Args:
        arrival: When the tasks arrived that have (k,), s, ascending.
        clock: Now, s.
        window: How long to look back, s; the time before the start counts, and nothing came in it.
    """
    count = 0
    while count < arrival.size and arrival[arrival.size - 1 - count] > clock - window:
        count += 1
    return count / window
