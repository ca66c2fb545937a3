import math
import sys
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsct_gym import generate
from dsct_gym.gaps import exceeds, floor_of, shortfall
from dsct_gym.points.generator import draw_points
from dsct_gym.schedule import idle


@pytest.mark.parametrize(
    ("value", "target", "floor", "share"),
    [
        # Accuracies: a share of the target.
        (6.0, 8.0, 0.0, 0.25),
        (0.0, 8.0, 0.0, 1.0),
        (8.0, 8.0, 0.0, 0.0),
        (8.0 + 1e-12, 8.0, 0.0, 0.0),
        (0.0, 0.0, 0.0, 0.0),
        # Penalties: doing nothing costs 5, and a quarter of what lies between -5 and -1 is missing.
        (-2.0, -1.0, -5.0, 0.25),
        (-1.0, -1.0, -5.0, 0.0),
        (-9.0, -1.0, -5.0, 2.0),
        (3.0, 5.0, -5.0, 0.2),
        # A floor above the target still measures.
        (-1.0, -1.0, 0.0, 0.0),
        (-3.0, -1.0, 0.0, 2.0),
        # No measure at all.
        (-1.0, -1.0, -1.0, 0.0),
        (-3.0, -1.0, -1.0, 1.0),
        (-1.0, 0.0, 0.0, 1.0),
    ],
)
def test_shortfall_by_hand(value, target, floor, share):
    assert shortfall(value, target, floor) == pytest.approx(share, abs=1e-15)


def test_with_a_floor_of_nothing_it_is_what_records_always_had():
    """To the last bit: what was written in 0.1.0 does not move."""
    for total, bound in product([0.1, 0.3, 1.7, 5.9999999, 6.0], [6.0, 6.1, 9.7]):
        assert shortfall(total, bound) == max(0.0, 1.0 - total / bound)


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_shortfall_is_a_number_and_never_negative(value, target, floor):
    share = shortfall(value, target, floor)
    assert math.isfinite(share)
    assert share >= 0.0
    assert (share == 0.0) or value < target


def test_shortfall_of_what_can_hardly_be_measured():
    assert shortfall(-1e300, 5e-324, 0.0) == 1.0
    assert shortfall(-sys.float_info.max, sys.float_info.max, -sys.float_info.max) == 1.0


@pytest.mark.parametrize(
    ("value", "limit", "more"),
    [
        (-1.0, -1.0, False),
        (-0.5, -1.0, True),
        (-1.0 + 5e-8, -1.0, False),
        (0.0, 0.0, False),
        (5e-8, 0.0, False),
        (2e-7, 0.0, True),
        (1e6 + 0.05, 1e6, False),
        (1e6 + 0.2, 1e6, True),
        (-1e6 + 0.05, -1e6, False),
    ],
)
def test_comparisons_are_by_difference(value, limit, more):
    assert exceeds(value, limit) == more


def test_gaps_of_machines_with_clocks_begin_where_those_of_an_instance_do():
    problem = draw_points(generate(4, 2, seed=1), 3)
    assert floor_of(problem) == 0.0 < problem.core.base_accuracy.sum()


def test_the_floor_of_an_instance_is_nothing_though_idleness_earns_something():
    instance = generate(5, 2, seed=1)
    assert idle(instance) == pytest.approx(5 * 0.001)
    assert floor_of(instance) == 0.0
