"""What holds for every solver that ships, on every valid shape of instance."""

import numpy as np
import pytest
from hypothesis import given, settings

from dsct_gym import generate, make_solver, upper_bound
from dsct_gym.instance import Instance
from shapes import EDGE_CASES
from strategies import instances

FAST = [
    "approx",
    "approx-refined",
    "descent",
    "edf-no-compression",
    "edf-3-levels",
    "greedy",
    "random",
]


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("case", EDGE_CASES)
def test_every_shape_is_solved(name: str, case: str) -> None:
    # `solve` verifies the schedule, and its upper bound against the schedule.
    instance = EDGE_CASES[case]
    solution = make_solver(name).solve(instance, seed=1)
    total = solution.schedule.total_accuracy
    assert instance.base_accuracy.sum() <= total * (1 + 1e-12)
    assert total <= upper_bound(instance) * (1 + 1e-9)


@pytest.mark.parametrize("name", FAST)
@settings(max_examples=40, deadline=None)
@given(instance=instances())
def test_every_instance_is_solved(name: str, instance: Instance) -> None:
    solution = make_solver(name).solve(instance, seed=2)
    assert solution.schedule.total_accuracy <= upper_bound(instance) + 1e-9


@pytest.mark.parametrize("name", FAST)
def test_a_seed_gives_one_schedule(name: str) -> None:
    instance = generate(30, 4, seed=3)
    first, second = (make_solver(name).solve(instance, seed=5).schedule for _ in range(2))
    assert np.array_equal(first.machine, second.machine)
    assert np.array_equal(first.work, second.work)
