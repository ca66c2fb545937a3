"""Rounding to significant digits against Python's own decimal formatting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsct_gym.rounding import DIGITS, round_number, round_significant

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FINITE | st.floats(-1e13, 1e13), max_size=20))
def test_results_have_twelve_digits_and_are_nearest(values: list[float]) -> None:
    rounded = round_significant(np.array(values))
    for value, result in zip(values, rounded.tolist(), strict=True):
        # The shortest decimal that reads back as the double has no more digits than asked for.
        assert float(f"{result:.{DIGITS}g}") == result
        # A tie may go either way, so compare the distance, not the digits.
        error, nearest = abs(result - value), abs(round_number(value) - value)
        assert error <= nearest * (1 + 1e-3) or error == nearest


@given(st.lists(FINITE, min_size=1, max_size=20))
def test_rounding_twice_changes_nothing(values: list[float]) -> None:
    once = round_significant(np.array(values))
    np.testing.assert_array_equal(round_significant(once), once)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, 0.0),
        (1 / 3, 0.333333333333),
        (-2e9 / 3, -666666666.667),
        (999.9999999999999, 1000.0),
        (9.99999999999999e-12, 1e-11),
        (999999999999.9, 1e12),
        (123456789012345.0, 123456789012000.0),
        (1.23456789012345e-300, 1.23456789012e-300),
        (1.23456789012345e300, 1.23456789012e300),
    ],
)
def test_by_hand(value: float, expected: float) -> None:
    assert round_significant(np.array([[value]])).tolist() == [[expected]]
    assert round_number(value) == expected
