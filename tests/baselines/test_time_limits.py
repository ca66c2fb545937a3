"""What holds for solvers that search, however little time they get."""

import subprocess
import sys

import pytest

from dsct_gym import generate, make_solver
from shapes import EDGE_CASES

ANYTIME = ["annealing", "exact", "mip", "rl", "rl-beam", "rl-sample"]
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


FRESH = """
import gc
from numba.core.dispatcher import Dispatcher
from dsct_gym import generate, make_solver

def compiled():
    found = (thing for thing in gc.get_objects() if isinstance(thing, Dispatcher))
    return {(one.__module__, one.__name__): len(one.signatures) for one in found}

make_solver("exact").solve(generate(3, 2), time_limit=1e-3)
before = compiled()
for n, m in ((6, 3), (12, 4), (30, 2)):
    make_solver("exact").solve(generate(n, m, seed=n), time_limit=1.0)
after = compiled()
late = [name for name, count in after.items() if count > before.get(name, 0)]
assert not late, late
"""


def test_the_first_solve_compiles_all_that_later_ones_need() -> None:
    subprocess.run([sys.executable, "-c", FRESH], check=True, timeout=300)
