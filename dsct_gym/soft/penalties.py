"""What lateness costs: penalties as values.

Lateness is ``x = max(0, C − d)`` for a task that ends at C and was due at d. The three shapes are
those of Kang and Youn, "Simulated annealing for timeliness and energy aware deep learning job
assignment", ICTC 2019, of which only the abstract can be had: the formulas are this project's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, TypeAlias

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.errors import InputError
from dsct_gym.instance import LARGEST, SMALLEST
from dsct_gym.jit import helper


class Shape(IntEnum):
    """The shapes, for kernels."""

    STEP = 0
    LINEAR = 1
    EXPONENTIAL = 2


STEEPEST: Final = 230.0
"""Lateness in scales from which an exponential penalty grows no more: e^230 is 1e100."""


@dataclass(frozen=True)
class Step:
    """``1`` for whatever is late, however late.

    Attributes:
        cap: The most that a task of weight 1 pays, positive; None for no cap: tasks must then not
            be refused.

    Raises:
        InputError: If the cap is out of range.
    """

    cap: float | None = None
    shape: ClassVar[Shape] = Shape.STEP
    scale: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True)
class Linear:
    """``x / scale``: weighted tardiness.

    Attributes:
        scale: Lateness that costs a task of weight 1 as much as accuracy 1 is worth, s, positive.
        cap: As for `Step`.

    Raises:
        InputError: If a number is out of range.
    """

    scale: float
    cap: float | None = None
    shape: ClassVar[Shape] = Shape.LINEAR

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True)
class Exponential:
    """``e^(x / scale) − 1``; from 230 scales on it grows no more.

    Attributes:
        scale: Lateness from which the penalty grows e-fold for each as much more, s, positive.
        cap: As for `Step`.

    Raises:
        InputError: If a number is out of range.
    """

    scale: float
    cap: float | None = None
    shape: ClassVar[Shape] = Shape.EXPONENTIAL

    def __post_init__(self) -> None:
        _check(self)


Penalty: TypeAlias = Step | Linear | Exponential

SHAPES: Final[dict[str, type[Step] | type[Linear] | type[Exponential]]] = {
    "step": Step,
    "linear": Linear,
    "exponential": Exponential,
}
"""The shapes by name."""


def name_of(penalty: Penalty) -> str:
    """The name of its shape."""
    return penalty.shape.name.lower()


def cap_of(penalty: Penalty) -> float:
    """The most that a task of weight 1 pays; infinity where there is no cap."""
    return math.inf if penalty.cap is None else penalty.cap


def of_refusal(penalty: Penalty) -> float:
    """What a task of weight 1 that is refused pays: the penalty of lateness without end.

    Infinity where there is no cap, for then no task may be refused.
    """
    if penalty.cap is None:
        return math.inf
    return min(1.0, penalty.cap) if penalty.shape == Shape.STEP else penalty.cap


def penalties(penalty: Penalty, lateness: Floats) -> Floats:
    """What tasks of weight 1 pay.

    Args:
        penalty: The penalty.
        lateness: Of each task (k,), s, at least 0.
    """
    share = np.asarray(lateness, np.float64) / penalty.scale
    if penalty.shape == Shape.STEP:
        paid = (share > 0.0).astype(np.float64)
    elif penalty.shape == Shape.LINEAR:
        paid = share
    else:
        paid = np.expm1(np.minimum(share, STEEPEST))
    return np.minimum(paid, cap_of(penalty))


@helper
def penalty_at(shape: int, scale: float, cap: float, lateness: float) -> float:
    """What a task of weight 1 pays, as `penalties` says; for kernels."""
    if lateness <= 0.0:
        return 0.0
    if shape == Shape.STEP:
        return min(1.0, cap)
    share = lateness / scale
    if shape == Shape.EXPONENTIAL:
        share = np.expm1(min(share, STEEPEST))
    return min(share, cap)


def _check(penalty: Penalty) -> None:
    for field, number in (("scale", penalty.scale), ("cap", penalty.cap)):
        if number is None:
            continue
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise InputError(f"objective.{field}: must be a number, got {type(number).__name__}")
        if not SMALLEST <= number <= LARGEST:
            raise InputError(
                f"objective.{field}: must be in {SMALLEST:g}..{LARGEST:g}, got {number:g}"
            )
