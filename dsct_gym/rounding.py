"""Rounding to significant digits, the same on every machine."""

from typing import Final

import numpy as np

from dsct_gym.arrays import Floats

DIGITS: Final = 12
"""Significant decimal digits of every generated number."""

# Powers of ten up to 1e22 are exact doubles: with them, scaling up to an integer of 12 digits and
# back rounds once, to the double nearest to the decimal. That covers 1e-11 to 1e12; zero has a
# class of its own, and what lies outside has a factor of NaN and goes through text.
_LEAST, _MOST = DIGITS - 1 - 22, DIGITS
CLASSES = np.array([5e-324, *(float(f"1e{decade}") for decade in range(_LEAST, _MOST + 1))])
FACTORS = np.array(
    [1.0, np.nan, *(float(f"1e{DIGITS - 1 - decade}") for decade in range(_LEAST, _MOST)), np.nan]
)


def round_significant(values: Floats) -> Floats:
    """Rounds to 12 significant digits; each result is the double nearest to its decimal.

    Args:
        values: Finite numbers of any shape.

    Returns:
        A new array of the same shape.
    """
    factors: Floats = FACTORS[CLASSES.searchsorted(np.abs(values), side="right")]
    rounded: Floats = np.rint(values * factors) / factors
    outside = np.isnan(rounded)
    if np.count_nonzero(outside):
        rounded[outside] = [round_number(value) for value in values[outside].tolist()]
    return rounded


def round_number(value: float) -> float:
    """As `round_significant`, for one number."""
    return float(f"{value:.{DIGITS}g}")
