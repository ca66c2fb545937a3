"""What holds for solvers that search, however little time they get."""

import pytest

from dsct_gym import generate, make_solver
from shapes import EDGE_CASES

ANYTIME = ["annealing", "descent", "exact", "mip", "rl", "rl-beam", "rl-sample"]
LATE = 2.0  # s, on a machine that does other work


@pytest.mark.parametrize("name", ANYTIME)
@pytest.mark.parametrize("limit", [0.2, 0.05, 0.001])
@pytest.mark.parametrize(("n", "m"), [(8, 3), (40, 5), (400, 10)])
def test_a_schedule_comes_in_time_and_is_no_worse_than_the_start(
    name: str, limit: float, n: int, m: int
) -> None:
    instance = generate(n, m, mu=10, rho=0.5, beta=0.4, seed=n)
    make_solver(name).solve(generate(3, 2), time_limit=0.1)  # compiles
    start = make_solver("approx-refined").solve(instance).schedule
    solution = make_solver(name).solve(instance, time_limit=limit)
    assert solution.schedule.total_accuracy >= start.total_accuracy * (1 - 1e-12)
    assert solution.upper_bound is not None
    assert solution.upper_bound >= solution.schedule.total_accuracy * (1 - 1e-9)
    assert solution.seconds < limit + LATE


@pytest.mark.parametrize("name", ANYTIME)
@pytest.mark.parametrize("case", EDGE_CASES)
def test_no_time_is_enough_for_every_shape(name: str, case: str) -> None:
    instance = EDGE_CASES[case]
    solution = make_solver(name).solve(instance, time_limit=1e-9)
    assert solution.upper_bound is not None
    assert solution.upper_bound >= solution.schedule.total_accuracy * (1 - 1e-9)
