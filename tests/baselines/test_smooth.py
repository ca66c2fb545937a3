import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsct_gym import generate, make_solver
from dsct_gym.accuracy import evaluate_curves, exponential_accuracy
from dsct_gym.allocation import allocate
from dsct_gym.baselines.milp.smooth import SmoothCurves, even_points
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance


def smooth_accuracy(curves: SmoothCurves, work: np.ndarray) -> np.ndarray:
    """The formula, written out."""
    spent = np.minimum(work, -math.log(curves.epsilon) / curves.theta)
    rise = (1.0 - np.exp(-curves.theta * spent)) / (1.0 - curves.epsilon)
    return np.asarray(curves.a_min + (curves.a_max - curves.a_min) * rise)


def brute_force(instance: Instance, curves: SmoothCurves) -> tuple[float, float]:
    """Lower and upper bound on the smooth optimum over every assignment, on very fine chords."""
    grid = even_points(4000, curves.epsilon) / curves.theta[:, None]
    fine = curves.below(instance, grid)
    every = itertools.product(range(instance.num_machines), repeat=instance.num_tasks)
    best = max(
        smooth_accuracy(curves, allocate(fine, np.array(choice)).work).sum() for choice in every
    )
    return best, best + instance.num_tasks * 4e-8  # what chords this fine can hide


@pytest.mark.parametrize(
    ("n", "m", "rho", "beta"), [(5, 2, 0.35, 0.5), (4, 3, 0.2, 0.2), (6, 2, 0.6, 0.1), (1, 1, 1, 1)]
)
def test_proves_the_smooth_optimum(n: int, m: int, rho: float, beta: float) -> None:
    instance = generate(n, m, mu=6, rho=rho, beta=beta, seed=n)
    curves = SmoothCurves.of(instance)
    solution = make_solver("mip", smooth=True).solve(instance)
    low, high = brute_force(instance, curves)
    total = solution.schedule.total_accuracy
    assert solution.upper_bound is not None
    assert total <= high
    assert solution.upper_bound >= low
    assert solution.upper_bound - total <= 1e-4 * total
    # What the schedule claims is what its works earn on the smooth curves.
    assert total == pytest.approx(smooth_accuracy(curves, solution.schedule.work).sum(), rel=1e-12)
    assert np.array_equal(solution.schedule.instance.deadlines, instance.deadlines)


def test_a_medium_instance_is_proven_to_a_ten_thousandth() -> None:
    instance = generate(20, 2, seed=1)
    solution = make_solver("mip", smooth=True).solve(instance, time_limit=60)
    total = solution.schedule.total_accuracy
    assert solution.upper_bound is not None
    assert solution.upper_bound - total <= 1e-4 * total
    # Chords lie below the curve: the smooth optimum is at least the piecewise-linear one.
    coarse = make_solver("mip").solve(instance, time_limit=60).schedule
    assert total >= coarse.total_accuracy * (1 - 1e-4)


def test_curves_of_their_own() -> None:
    instance = generate(4, 2, seed=3)
    curves = SmoothCurves(np.array([1e-3, 2e-3, 5e-3, 1e-2]), a_min=0.1, a_max=0.9, epsilon=0.05)
    solution = make_solver("mip", smooth=curves).solve(instance)
    low, high = brute_force(instance, curves)
    assert low * (1 - 1e-4) <= solution.schedule.total_accuracy <= high


def test_time_limit_returns_a_schedule_with_a_bound() -> None:
    instance = generate(30, 5, seed=3)
    solution = make_solver("mip", smooth=True).solve(instance, time_limit=1e-3)
    assert solution.upper_bound is not None
    assert solution.schedule.mean_accuracy > 0.3
    assert solution.upper_bound < 1.1 * solution.schedule.total_accuracy


@settings(max_examples=60, deadline=None)
@given(
    theta=st.floats(1e-6, 1e3),
    low=st.floats(0.0, 0.4),
    rise=st.floats(0.01, 0.6),
    epsilon=st.floats(0.001, 0.5),
    inner=st.lists(st.floats(0.01, 0.99), max_size=6, unique=True),
)
def test_chords_are_below_and_tangents_above(
    theta: float, low: float, rise: float, epsilon: float, inner: list[float]
) -> None:
    curves = SmoothCurves(np.array([theta]), low, low + rise, epsilon)
    cut = -math.log(epsilon)
    points = np.concatenate(([0.0], cut * np.unique(np.round(inner, 4)), [cut]))
    instance = Instance([1.0], [1.0], [1.0], [[0.0, 1.0]], [[0.0, 1.0]], 1.0)
    above = curves.above(instance, [points])
    below = curves.below(instance, [points / theta])
    work = np.linspace(0.0, cut / theta, 200)
    smooth = exponential_accuracy(work, theta, a_min=low, a_max=low + rise, epsilon=epsilon)
    for spent, true in zip(work, smooth, strict=True):
        upper = evaluate_curves(above.work, above.accuracy, np.array([spent]))[0]
        lower = evaluate_curves(below.work, below.accuracy, np.array([spent]))[0]
        assert lower - 1e-12 <= true <= upper + 1e-12
    # They touch where they are asked to.
    touched = evaluate_curves(
        np.repeat(above.work, points.size, axis=0),
        np.repeat(above.accuracy, points.size, axis=0),
        points / theta,
    )
    expected = curves.accuracy(points[None, :] / theta)[0]
    assert touched == pytest.approx(expected, abs=1e-9)


def test_curves_are_read_from_a_generated_instance() -> None:
    instance = generate(10, 2, mu=7, segments=6, seed=2)
    curves = SmoothCurves.of(instance)
    assert curves.accuracy(instance.work) == pytest.approx(instance.accuracy, abs=1e-9)
    assert curves.theta.max() / curves.theta.min() <= 7 * (1 + 1e-9)
    bent = generate(10, 2, segments=6, seed=2, epsilon=0.05)
    with pytest.raises(InputError, match=r"tasks\[0\].accuracy: not an exponential curve"):
        SmoothCurves.of(bent)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"theta": [[1.0]]}, "smooth.theta: must be one value a task"),
        ({"theta": [0.0]}, "smooth.theta: must be finite and positive"),
        ({"theta": [1.0], "epsilon": 1.0}, "smooth.epsilon"),
        ({"theta": [1.0], "a_min": [0.1, 0.2]}, "smooth.a_min: shape"),
        ({"theta": [1.0], "a_min": 0.9}, "smooth: needs"),
    ],
)
def test_bad_curves_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SmoothCurves(**fields)  # type: ignore[arg-type]


def test_number_of_curves_must_fit() -> None:
    solver = make_solver("mip", smooth=SmoothCurves(np.ones(3)))
    with pytest.raises(InputError, match=r"smooth.theta: 3 values, 5 tasks"):
        solver.solve(generate(5, 2, seed=0))
