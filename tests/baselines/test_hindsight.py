"""What could have been done: optimal where that can be checked, and always a schedule."""

import json
import subprocess
import sys

import numpy as np
import pytest

from dsct_gym import generate, make_solver, upper_bound
from dsct_gym.baselines.hindsight import Hindsight
from dsct_gym.baselines.local_search import OrderSearch
from dsct_gym.errors import InputError
from dsct_gym.solver import Progress
from online_truth import SPECIAL, draw_arrivals, draw_online, release_mip
from shapes import EDGE_CASES


@pytest.mark.parametrize("seed", range(8))
def test_small_problems_are_solved_to_the_optimum(seed):
    n, m = (6, 2) if seed % 2 else (5, 3)
    problem = draw_online(seed, n=n, m=m, rho=0.15 + 0.03 * seed, segments=2)
    if seed >= 5:
        core = generate(n, m, mu=5.0, rho=0.25, segments=2, seed=seed)
        problem = draw_arrivals(core, seed)
    optimum = release_mip(problem)
    totals = [Hindsight().solve(problem, seed=s).schedule.total_accuracy for s in range(3)]
    assert max(totals) == pytest.approx(optimum, rel=1e-6)
    assert min(totals) >= 0.98 * optimum
    assert optimum <= upper_bound(problem) * (1 + 1e-6)


@pytest.mark.parametrize("name", sorted(SPECIAL))
def test_every_kind_of_problem_is_solved(name):
    # `solve` verifies the schedule, arrivals included, and the bound against it.
    problem = SPECIAL[name]
    solution = Hindsight(moves=2_000).solve(problem, seed=1)
    assert solution.upper_bound == upper_bound(problem)
    assert solution.schedule.total_accuracy >= problem.core.base_accuracy.sum() * (1 - 1e-12)


@pytest.mark.parametrize("case", sorted(EDGE_CASES))
def test_without_arrivals_too(case):
    instance = EDGE_CASES[case]
    solution = Hindsight(moves=500).solve(instance, seed=1)
    assert solution.schedule.instance is instance


def test_what_the_walk_believes_is_what_its_schedule_earns():
    problem = draw_online(4, n=60, m=4, segments=5)
    search = OrderSearch(problem, 0)
    for temperature in (1e-2, 1e-4):
        search.step(temperature, 3_000)
        assert search.schedule().total_accuracy == pytest.approx(search.best_total, rel=1e-12)
        search.restart()
    assert search.tally.accepted > 100


def test_it_comes_close_to_the_bound():
    problem = draw_online(2, n=100, m=5, rho=0.4, beta=0.4, segments=5)
    solution = Hindsight(moves=20_000).solve(problem, seed=0)
    bound = upper_bound(problem)
    assert 0.0 <= bound - solution.schedule.total_accuracy <= 0.002 * bound
    start = Hindsight(moves=0).solve(problem, seed=0).schedule.total_accuracy
    assert start < solution.schedule.total_accuracy - 0.01 * bound


_PRINT = """
import json, sys
sys.path[:0] = ["tests"]
from dsct_gym import make_solver
from dsct_gym.loading import load
solution = make_solver("hindsight", moves=3_000).solve(load(sys.argv[1]), seed=5)
print(json.dumps([solution.schedule.machine.tolist(), solution.schedule.start.tolist()]))
"""


def test_a_seed_gives_one_schedule_in_every_process(tmp_path):
    from dsct_gym.files import write_instance

    problem = draw_online(3, n=30, m=3)
    path = tmp_path / "online.json"
    write_instance(problem, path)
    told = subprocess.check_output([sys.executable, "-c", _PRINT, str(path)], text=True)
    here = Hindsight(moves=3_000).solve(problem, seed=5).schedule
    assert json.loads(told) == [here.machine.tolist(), here.start.tolist()]
    other = Hindsight(moves=3_000).solve(problem, seed=6).schedule
    assert not np.array_equal(other.start, here.start)


def test_the_time_limit_is_kept():
    problem = draw_online(1, n=100, m=5)
    Hindsight(moves=10).solve(problem)
    solution = Hindsight().solve(problem, time_limit=0.3)
    assert 0.25 < solution.seconds < 0.6


def test_interruption_returns_the_best_so_far():
    solver, told = Hindsight(), []

    def interrupt(progress: Progress) -> None:
        told.append(progress)
        if len(told) == 2:
            raise KeyboardInterrupt

    solver.progress = interrupt
    solution = solver.solve(draw_online(1, n=60, m=4), time_limit=60.0)
    assert solution.interrupted
    assert solution.seconds < 10.0
    assert solution.schedule.total_accuracy == pytest.approx(told[1].best, rel=1e-12)


@pytest.mark.parametrize("moves", [-1, 2.5, True, "many"])
def test_bad_options_are_named(moves):
    with pytest.raises(InputError, match="moves: must be"):
        make_solver("hindsight", moves=moves)
