"""Accuracy curves against their definition, evaluated point by point."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dsct_gym.accuracy import (
    check_curves,
    concave_hull,
    curve_faults,
    curve_lengths,
    curve_slopes,
    discretisation_error,
    evaluate_curves,
    exponential_accuracy,
    exponential_breakpoints,
    exponential_curves,
    exponential_max_work,
    pad_curves,
)
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from strategies import instances


def smooth(work: float, theta: float) -> float:
    """The curve as the problem defines it, with the default a_min, a_max and epsilon."""
    return 0.001 + (0.82 - 0.001) * (1 - math.exp(-theta * work)) / (1 - 0.01)


@pytest.mark.parametrize("theta", [1e-3, 0.1, 7.0])
def test_exponential_curve_is_the_definition(theta: float) -> None:
    top = -math.log(0.01) / theta
    assert exponential_max_work(theta) == pytest.approx(top, rel=1e-15)
    for share in (0.0, 0.1, 0.5, 1.0):
        assert exponential_accuracy(share * top, theta) == pytest.approx(
            smooth(share * top, theta), rel=1e-12
        )
    assert exponential_accuracy(top, theta) == pytest.approx(0.82, rel=1e-12)
    assert exponential_accuracy(10 * top, theta) == pytest.approx(0.82, rel=1e-12)


@pytest.mark.parametrize("segments", [1, 2, 5, 64])
def test_breakpoints_lie_on_the_curve_equally_spaced_in_accuracy(segments: int) -> None:
    theta = np.array([0.1, 0.5])
    work, accuracy = exponential_curves(theta, segments)
    assert work.shape == accuracy.shape == (2, segments + 1)
    np.testing.assert_allclose(np.diff(accuracy), (0.82 - 0.001) / segments, rtol=1e-9)
    for j in range(2):
        expected = [smooth(f, theta[j]) for f in work[j]]
        np.testing.assert_allclose(accuracy[j], expected, rtol=1e-12)
    assert (work[:, 0] == 0.0).all()
    assert (accuracy[:, -1] == 0.82).all()
    check_curves(work, accuracy)


@pytest.mark.parametrize("segments", [1, 7, 1000])
def test_breakpoints_are_logarithms(segments: int) -> None:
    scaled_work, _ = exponential_breakpoints(segments, epsilon=0.05)
    share = np.arange(segments + 1) / segments
    np.testing.assert_allclose(scaled_work, -np.log1p(-0.95 * share), rtol=1e-14)


@pytest.mark.parametrize("segments", [1, 2, 5, 16, 64, 200])
@pytest.mark.parametrize("epsilon", [0.01, 0.2])
def test_discretisation_error_is_the_largest_distance(segments: int, epsilon: float) -> None:
    work, accuracy = exponential_curves(np.array([1.0]), segments, epsilon=epsilon)
    grid = np.linspace(0.0, work[0, -1], 400_001)
    chord = np.interp(grid, work[0], accuracy[0])
    distance = exponential_accuracy(grid, 1.0, epsilon=epsilon) - chord
    assert distance.min() >= -1e-12
    bound = discretisation_error(segments, epsilon) * (0.82 - 0.001)
    assert distance.max() <= bound * (1 + 1e-9)
    # The grid comes close to the touching point, where the distance is flat.
    assert distance.max() == pytest.approx(bound, rel=1e-4)


def test_64_segments_stand_for_the_smooth_curve() -> None:
    assert discretisation_error(5) < 0.077
    assert discretisation_error(64) < 0.0028
    assert discretisation_error(256) < 3.4e-4


def hull_by_hand(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points that no chord of two others passes above or through: cubic, but plainly right."""
    kept = []
    best = max(y for _, y in points)
    for x, y in sorted(set(points)):
        dominated = any(u <= x and v >= y and (u, v) != (x, y) for u, v in points)
        chords = (
            (v1 + (v2 - v1) * (x - u1) / (u2 - u1))
            for u1, v1 in points
            for u2, v2 in points
            if u1 < x < u2
        )
        if not dominated and all(y > chord for chord in chords):
            kept.append((x, y))
        if y == best:
            break
    return kept


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=10))
def test_hull_against_the_definition(points: list[tuple[int, int]]) -> None:
    # Small integers: collinear and repeated points are frequent, and all arithmetic is exact.
    expected = hull_by_hand([(float(x), float(y)) for x, y in points])
    assume(len(expected) >= 2)
    work, accuracy = concave_hull([x for x, _ in points], [y for _, y in points])
    assert list(zip(work.tolist(), accuracy.tolist(), strict=True)) == expected
    slopes = np.diff(accuracy) / np.diff(work)
    assert (np.diff(slopes) < 0).all()


@pytest.mark.parametrize(
    ("work", "accuracy"), [([1.0], [0.5]), ([0, 1], [0.5, 0.5]), ([2, 2], [0.1, 0.2]), ([], [])]
)
def test_hull_needs_two_points(work: list[float], accuracy: list[float]) -> None:
    with pytest.raises(InputError, match="two points"):
        concave_hull(work, accuracy)


@settings(max_examples=100, deadline=None)
@given(instances(), st.integers(0, 2**32 - 1))
def test_evaluation_is_linear_interpolation(instance: Instance, seed: int) -> None:
    shares = np.random.default_rng(seed).choice(
        [-0.1, 0.0, 1e-9, 0.3, 0.5, 1.0, 1.1], instance.num_tasks
    )
    spent = shares * instance.max_work
    lengths = curve_lengths(instance.work)
    reached = evaluate_curves(instance.work, instance.accuracy, spent)
    for j, length in enumerate(lengths):
        curve = instance.work[j, :length], instance.accuracy[j, :length]
        assert reached[j] == pytest.approx(np.interp(spent[j], *curve), rel=1e-12)


def test_evaluation_hits_breakpoints_exactly() -> None:
    work, accuracy = exponential_curves(np.array([0.3, 0.7]), 7)
    for k in range(8):
        assert (evaluate_curves(work, accuracy, work[:, k]) == accuracy[:, k]).all()


def test_padding_and_lengths() -> None:
    work, accuracy = pad_curves([([0, 1], [0.0, 0.5]), ([0, 1, 3], [0.1, 0.5, 0.6])])
    np.testing.assert_array_equal(work, [[0, 1, 1], [0, 1, 3]])
    np.testing.assert_array_equal(accuracy, [[0, 0.5, 0.5], [0.1, 0.5, 0.6]])
    np.testing.assert_array_equal(curve_lengths(work), [2, 3])
    np.testing.assert_allclose(curve_slopes(work, accuracy), [[0.5, 0.0], [0.4, 0.05]])


def test_slopes_never_increase_where_rounding_bends_a_line() -> None:
    third = np.round(np.arange(4) / 3, 12)[None, :]
    accuracy = np.array([[0.0, 0.1, 0.2, 0.3]])
    check_curves(third, accuracy)
    raw = np.diff(accuracy) / np.diff(third)
    assert (np.diff(raw) > 0).any()
    assert (np.diff(curve_slopes(third, accuracy)) <= 0).all()


@pytest.mark.parametrize(
    ("work", "accuracy", "message"),
    [
        ([1, 2, 3], [0.1, 0.2, 0.3], r"tasks\[1\].work: must start at 0"),
        ([0, 0, 0], [0.1, 0.1, 0.1], r"tasks\[1\].work: not strictly increasing at breakpoint 1"),
        ([0, 0, 3], [0.1, 0.1, 0.3], r"tasks\[1\].work: not strictly increasing at breakpoint 1"),
        ([0, 2, 1], [0.1, 0.2, 0.3], r"tasks\[1\].work: not strictly increasing at breakpoint 2"),
        ([0, 1, 2], [0.1, 0.2, 1.3], r"tasks\[1\].accuracy: outside \[0, 1\] at breakpoint 2"),
        ([0, 1, 2], [-0.1, 0.2, 0.3], r"tasks\[1\].accuracy: outside \[0, 1\] at breakpoint 0"),
        ([0, 1, 2], [0.1, 0.3, 0.2], r"tasks\[1\].accuracy: decreasing at breakpoint 2"),
        ([0, 2, 2], [0.1, 0.2, 0.3], r"tasks\[1\].accuracy: changes where work does not"),
        ([0, 1, 2], [0.1, 0.2, 0.4], r"tasks\[1\].accuracy: not concave at breakpoint 1"),
        ([0, 1, 2], [0.1, 0.2, 0.3 + 1e-8], r"tasks\[1\].accuracy: not concave at breakpoint 1"),
    ],
)
def test_faulty_curves_are_named(work: list[float], accuracy: list[float], message: str) -> None:
    good_work, good_accuracy = [0.0, 1.0, 2.0], [0.0, 0.5, 0.75]
    with pytest.raises(InputError, match=message):
        check_curves(np.array([good_work, work], float), np.array([good_accuracy, accuracy], float))


def test_what_follows_from_another_fault_is_none() -> None:
    """Where work falls back, no slope means anything."""
    work, accuracy = np.array([[0.0, 5.0, 4.0, 8.0]]), np.array([[0.0, 0.3, 0.5, 0.6]])
    assert curve_faults(work, accuracy) == [
        "tasks[0].work: not strictly increasing at breakpoint 2"
    ]
    accuracy = np.array([[0.0, 1.5, 1.6, 1.7]])
    assert curve_faults(work, accuracy) == [
        "tasks[0].work: not strictly increasing at breakpoint 2",
        "tasks[0].accuracy: outside [0, 1] at breakpoint 1",
    ]


def test_not_concave_names_the_breakpoint_of_the_contract() -> None:
    work = np.array([[0.0, 1.0, 2.0, 3.0]])
    with pytest.raises(InputError, match=r"^tasks\[0\].accuracy: not concave at breakpoint 2$"):
        check_curves(work, np.array([[0.0, 0.2, 0.3, 0.5]]))


def test_repetition_inside_a_curve_is_no_padding() -> None:
    with pytest.raises(InputError, match="work: not strictly increasing at breakpoint 2"):
        check_curves(np.array([[0.0, 1.0, 1.0, 2.0]]), np.array([[0.0, 0.5, 0.5, 0.6]]))
