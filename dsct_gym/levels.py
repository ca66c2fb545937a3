"""Compression levels: the work that brings a task to each of L equal steps of accuracy.

Curves are read as kernels have them: one row of breakpoints a task, padded by its last.
"""

from __future__ import annotations

from dsct_gym.arrays import Floats
from dsct_gym.jit import helper


@helper
def work_for(reach: Floats, value: Floats, accuracy: float) -> float:
    """Least work at which a curve (K+1,) has the given accuracy, GFLOP."""
    for k in range(reach.size - 1):
        if value[k + 1] >= accuracy:
            rise = value[k + 1] - value[k]
            share = (accuracy - value[k]) / rise if rise > 0.0 else 0.0
            return float(reach[k] + max(share, 0.0) * (reach[k + 1] - reach[k]))
    return float(reach[reach.size - 1])


@helper
def accuracy_for(reach: Floats, value: Floats, work: float) -> float:
    """Accuracy of a curve (K+1,) for the work spent."""
    for k in range(reach.size - 1):
        if reach[k + 1] >= work:
            share = (work - reach[k]) / (reach[k + 1] - reach[k])
            return float(value[k] + share * (value[k + 1] - value[k]))
    return float(value[reach.size - 1])


@helper
def fill_levels(reach: Floats, value: Floats, level: Floats) -> None:
    """Writes the least work of each compression level (L,), GFLOP; 0 for a flat curve."""
    levels, last = level.size, reach.size - 1
    base, top = value[0], value[last]
    k = 0
    for step in range(1, levels + 1):
        target = top if step == levels else base + (step / levels) * (top - base)
        while k < last - 1 and value[k + 1] < target:
            k += 1
        rise = value[k + 1] - value[k]
        share = max(target - value[k], 0.0) / rise if rise > 0.0 else 0.0
        level[step - 1] = reach[k] + share * (reach[k + 1] - reach[k])
