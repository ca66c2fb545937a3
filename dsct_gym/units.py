"""Quantities with units: read from what users write, shown as they read best.

The package computes in s, J, W, GFLOP, GFLOP/s and GFLOP/J; these units are left and entered here
alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dsct_gym.errors import InputError, instead_of

_NUMBER: Final = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*")
_LONGEST: Final = 100
"""Characters of a quantity; what is longer is none."""


@dataclass(frozen=True)
class Dimension:
    """What a quantity measures.

    Attributes:
        name: What errors call it.
        units: How many of the package's own unit, the first, one of each makes.
        shown: The units in which it is shown, largest first.
    """

    name: str
    units: Mapping[str, float]
    shown: tuple[str, ...]

    @property
    def base(self) -> str:
        """The package's own unit."""
        return next(iter(self.units))

    def read(self, text: str, field: str) -> float:
        """A quantity in the package's own unit.

        Args:
            text: A number, with a unit or, for the package's own, without.
            field: What to name in the error.

        Raises:
            InputError: If it is no number or has another unit.
        """
        found = _NUMBER.fullmatch(text) if len(text) <= _LONGEST else None
        if found is None:
            raise InputError(f"{field}: must be a number with a unit, got {text[:40]!r}")
        unit = found[2] or self.base
        if unit.startswith(","):
            raise InputError(f"{field}: decimals come after a point, got {text[:40]!r}")
        if unit not in self.units:
            raise InputError(f"{field}: {unit!r} is no unit of {self.name}; {self._meant(unit)}")
        value = self.converted(float(found[1]), unit)
        if not math.isfinite(value):
            raise InputError(f"{field}: must be finite, got {text[:40]!r}")
        return value

    def converted(self, number: float, unit: str) -> float:
        """So many of a unit in the package's own; 70 % is 0.7 to the last digit."""
        factor = self.units[unit]
        return number * factor if factor >= 1.0 else number / round(1.0 / factor)

    def fitting(self, value: float) -> str:
        """The largest unit in which a value is at least one, the smallest for less."""
        for unit in self.shown:
            if abs(value) >= self.units[unit] * (1.0 - 5e-5):
                return unit
        return self.base if value == 0.0 else self.shown[-1]

    def show(self, value: float) -> str:
        """A quantity to four digits, in its `fitting` unit."""
        if not math.isfinite(value):
            return "no limit" if value > 0.0 else "none"
        unit = self.fitting(value)
        return f"{self.number(value, unit)} {unit}"

    def number(self, value: float, unit: str) -> str:
        """The number alone, to four digits, as columns of a table have it under their unit."""
        number = value / self.units[unit]
        return f"{number:.0f}" if 1e4 <= abs(number) < 1e7 else f"{number:.4g}"

    def _meant(self, unit: str) -> str:
        """The units perhaps meant, first those that differ in letter case alone."""
        spelled = [known for known in self.units if known.casefold() == unit.casefold()]
        return f"did you mean {spelled[0]}" if spelled else instead_of(unit, self.units)


TIME: Final = Dimension(
    "time",
    {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0},
    ("h", "s", "ms", "µs", "ns"),
)
ENERGY: Final = Dimension(
    "energy",
    {
        "J": 1.0,
        "mJ": 1e-3,
        "kJ": 1e3,
        "MJ": 1e6,
        "GJ": 1e9,
        "Wh": 3600.0,
        "kWh": 3.6e6,
        "MWh": 3.6e9,
    },
    ("GJ", "MJ", "kJ", "J", "mJ"),
)
POWER: Final = Dimension(
    "power", {"W": 1.0, "mW": 1e-3, "kW": 1e3, "MW": 1e6}, ("MW", "kW", "W", "mW")
)
WORK: Final = Dimension(
    "work",
    {"GFLOP": 1.0, "MFLOP": 1e-3, "TFLOP": 1e3, "PFLOP": 1e6, "GMAC": 2.0, "MMAC": 2e-3},
    ("PFLOP", "TFLOP", "GFLOP", "MFLOP"),
)
SPEED: Final = Dimension(
    "speed",
    {
        "GFLOP/s": 1.0,
        "MFLOP/s": 1e-3,
        "TFLOP/s": 1e3,
        "PFLOP/s": 1e6,
        "GFLOPS": 1.0,
        "TFLOPS": 1e3,
    },
    ("PFLOP/s", "TFLOP/s", "GFLOP/s", "MFLOP/s"),
)
EFFICIENCY: Final = Dimension(
    "efficiency",
    {"GFLOP/J": 1.0, "TFLOP/J": 1e3, "GFLOPS/W": 1.0, "TFLOPS/W": 1e3, "MFLOP/J": 1e-3},
    ("TFLOP/J", "GFLOP/J", "MFLOP/J"),
)
FACTOR: Final = Dimension("a factor", {"": 1.0, "x": 1.0}, ())
"""Ratios: 2 or 2x."""
SHARE: Final = Dimension("a share", {"": 1.0, "%": 0.01}, ())
"""Shares and accuracies: 0.5 or 50%."""


_NOTHING: Final = 1e-9
"""A share below which there is nothing to show."""


def show_share(share: float) -> str:
    """A share in per cent, to a tenth, or further where it is small."""
    value = 100.0 * share if abs(share) >= _NOTHING else 0.0
    return f"{value:.1f} %" if abs(value) >= 1.0 or value == 0.0 else f"{value:.2g} %"
