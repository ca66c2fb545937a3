"""How far a value is from a target. Values may be negative, so nothing is compared by a factor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from dsct_gym.schedule import idle, objective
from dsct_gym.tolerances import CLAIM

if TYPE_CHECKING:
    from dsct_gym.problem import Problem

PROVEN: Final = 1e-5
"""A shortfall from a proven bound up to which an optimum counts as proven."""

SIGNIFICANT: Final = 1e-9
"""A difference from which values and bounds are not the same: less is rounding."""


def shortfall(value: float, target: float, floor: float = 0.0) -> float:
    """What a value misses of a target, as a share of what lies between target and floor.

    Args:
        value: What was reached.
        target: The best known, or an upper bound.
        floor: Where the measure begins: what doing nothing is worth.

    Returns:
        ``(target - value) / |target - floor|``, and 0 where the value reaches the target. Where
        target and floor are the same, so that there is no measure, any value below misses all: 1.
    """
    if value >= target:
        return 0.0
    if target > floor:
        # With a floor of 0 this is 1 - value / target to the last bit.
        share = 1.0 - (value - floor) / (target - floor)
    else:
        share = (target - value) / (floor - target) if target < floor else math.inf
    return share if math.isfinite(share) else 1.0


def exceeds(value: float, limit: float, tolerance: float = CLAIM) -> bool:
    """Whether a value is above a limit by more than rounding, ``tolerance * max(1, |limit|)``."""
    return value > limit + tolerance * max(1.0, abs(limit))


def floor_of(problem: Problem) -> float:
    """Where the gaps of a problem begin: 0 for total accuracy, the value of idleness otherwise."""
    accuracy_counts = objective.dispatch(type(problem)) is objective.dispatch(object)
    return 0.0 if accuracy_counts else idle(problem)
