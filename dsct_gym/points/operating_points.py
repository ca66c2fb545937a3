"""The clocks of one machine, and the lower convex hull of them that matters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError, refuse
from dsct_gym.instance import LARGEST, SMALLEST

FIELD: Final = "operating_points"
"""What they are called in files, and in refusals."""


@dataclass(frozen=True, eq=False)
class OperatingPoints:
    """The clocks at which one machine can run, in any order; read-only.

    Points above the lower convex hull are taken: a mix of two others does their work in the same
    time with less energy.

    Attributes:
        speeds: GFLOP/s, positive, no two alike (P,).
        powers: Power while busy at each, W, positive (P,).

    Raises:
        InputError: One line for each fault, naming the point.
    """

    speeds: Floats
    powers: Floats

    def __post_init__(self) -> None:
        for column in ("speeds", "powers"):
            object.__setattr__(self, column, _as_column(getattr(self, column), column))
        if self.speeds.shape != self.powers.shape:
            raise InputError(f"{FIELD}: {self.powers.size} powers for {self.speeds.size} speeds")
        faults = [*self._faults()]
        if faults:
            refuse(faults)

    def _faults(self) -> Iterator[str]:
        seen: dict[float, int] = {}
        for index, point in enumerate(zip(self.speeds.tolist(), self.powers.tolist(), strict=True)):
            sound = True
            for name, value in zip(("speed", "power"), point, strict=True):
                if not SMALLEST <= value <= LARGEST:
                    sound = False
                    limits = f"in {SMALLEST:g}..{LARGEST:g}"
                    yield f"{FIELD}[{index}].{name}: must be {limits}, got {value:g}"
            if sound and not SMALLEST <= point[0] / point[1] <= LARGEST:
                yield f"{FIELD}[{index}]: {point[0] / point[1]:g} GFLOP/J is out of range"
            if point[0] in seen:
                yield f"{FIELD}[{index}].speed: {point[0]:g} again, as of point {seen[point[0]]}"
            seen.setdefault(point[0], index)

    @cached_property
    def hull(self) -> Ints:
        """The points on the lower convex hull of standing still and all of them, slowest first.

        The fastest point is always the last of them (H,).
        """
        kept: list[int] = []
        for point in np.argsort(self.speeds).tolist():
            while kept and self._efficiency(kept[-2:-1], kept[-1]) <= self._efficiency(
                kept[-1:], point
            ):
                kept.pop()
            kept.append(point)
        return np.array(kept, dtype=np.int64)

    def _efficiency(self, before: list[int], point: int) -> float:
        """GFLOP/J of the edge to a point from one before it, or from standing still."""
        speed, power = float(self.speeds[point]), float(self.powers[point])
        if before:
            speed, power = speed - self.speeds[before[0]], power - self.powers[before[0]]
        # A faster point that takes no more power makes the one before it pointless.
        return speed / power if power > 0.0 else np.inf

    @property
    def fastest(self) -> int:
        """The fastest point."""
        return int(self.hull[-1])

    @property
    def size(self) -> int:
        """Number of points P."""
        return int(self.speeds.size)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OperatingPoints):
            return NotImplemented
        return np.array_equal(self.speeds, other.speeds) and np.array_equal(
            self.powers, other.powers
        )

    def __hash__(self) -> int:
        return hash((self.speeds.tobytes(), self.powers.tobytes()))

    def __reduce__(self) -> tuple[type[OperatingPoints], tuple[Floats, Floats]]:
        return OperatingPoints, (self.speeds, self.powers)


def _as_column(values: npt.ArrayLike, column: str) -> Floats:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{FIELD}: {column} are not numbers") from error
    if array.ndim != 1 or array.size == 0:
        raise InputError(f"{FIELD}: needs a list of at least one point")
    array.setflags(write=False)
    return array
