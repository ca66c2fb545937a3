import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings

from dsct_gym import allocate, generate, make_solver, upper_bound
from dsct_gym.arrays import Ints
from dsct_gym.baselines.annealing import Annealing
from dsct_gym.baselines.local_search import descend
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.plan import Plan
from dsct_gym.solver import Progress
from shapes import EDGE_CASES
from strategies import instances


@settings(max_examples=25, deadline=None)
@given(instance=instances(max_tasks=5))
def test_tiny_instances_are_solved_to_the_optimum(instance: Instance) -> None:
    machines = range(instance.num_machines)
    optimum = max(
        allocate(instance, np.array(choice)).total_accuracy
        for choice in itertools.product(machines, repeat=instance.num_tasks)
    )
    solutions = [Annealing().solve(instance, seed=seed) for seed in range(3)]
    totals = [solution.schedule.total_accuracy for solution in solutions]
    assert max(totals) == pytest.approx(optimum, rel=1e-9)
    assert min(totals) >= 0.95 * optimum
    assert {solution.upper_bound for solution in solutions} == {upper_bound(instance)}


@pytest.mark.parametrize("case", EDGE_CASES)
def test_every_shape_is_solved(case: str) -> None:
    # `solve` verifies the schedule.
    instance = EDGE_CASES[case]
    start = make_solver("approx-refined").solve(instance).schedule.total_accuracy
    found = Annealing(moves=500).solve(instance).schedule.total_accuracy
    assert found >= start * (1 - 1e-12)


_PRINT_ASSIGNMENT = """
import json
from dsct_gym import generate, make_solver
solution = make_solver("annealing", moves=5_000).solve(generate(30, 4, seed=3), seed=5)
print(json.dumps([solution.schedule.machine.tolist(), solution.schedule.work.tolist()]))
"""


def test_a_seed_gives_one_schedule_in_every_process() -> None:
    runs = [
        json.loads(subprocess.check_output([sys.executable, "-c", _PRINT_ASSIGNMENT], text=True))
        for _ in range(2)
    ]
    here = Annealing(moves=5_000).solve(generate(30, 4, seed=3), seed=5).schedule
    assert runs == [[here.machine.tolist(), here.work.tolist()]] * 2


def test_seeds_differ_and_more_moves_find_more() -> None:
    instance = generate(60, 5, mu=10, seed=2)
    short = [Annealing(moves=300).solve(instance, seed=s).schedule for s in range(2)]
    assert not np.array_equal(short[0].machine, short[1].machine)
    long = Annealing(moves=60_000).solve(instance, seed=0).schedule
    assert long.total_accuracy > max(s.total_accuracy for s in short) + 1e-3


def test_without_moves_it_is_approx_refined() -> None:
    instance = generate(40, 4, seed=7)
    start = make_solver("approx-refined").solve(instance).schedule
    assert np.array_equal(Annealing(moves=0).solve(instance).schedule.machine, start.machine)


@pytest.mark.parametrize("moves", [None, 10**9])
def test_the_time_limit_is_kept(moves: int | None) -> None:
    instance = generate(100, 5, seed=1)
    Annealing(moves=10).solve(instance)
    started = time.perf_counter()
    solution = Annealing(moves=moves).solve(instance, time_limit=0.3)
    assert solution.seconds > 0.25
    assert time.perf_counter() - started < 0.6


def test_interruption_returns_the_best_so_far() -> None:
    instance = generate(60, 5, mu=10, seed=2)
    solver, told = Annealing(), []

    def interrupt(progress: Progress) -> None:
        told.append(progress)
        if len(told) == 2:
            raise KeyboardInterrupt

    solver.progress = interrupt
    solution = solver.solve(instance, time_limit=60.0)
    assert solution.interrupted
    assert solution.seconds < 10.0
    assert told[1].best is not None
    assert solution.schedule.total_accuracy == pytest.approx(told[1].best, rel=1e-12)
    assert 0.0 <= told[0].done <= told[1].done < 1.0


@pytest.mark.parametrize("moves", [-1, 2.5, True, "many"])
def test_bad_options_are_named(moves: object) -> None:
    with pytest.raises(InputError, match="moves: must be"):
        make_solver("annealing", moves=moves)


def test_with_many_tasks_it_is_never_worse_than_descent() -> None:
    for seed in range(6):
        instance = generate(120, 6, mu=10, rho=0.4, beta=0.4, seed=seed)
        descent = make_solver("descent").solve(instance).schedule.total_accuracy
        for limits in ({"moves": 0}, {"moves": 12_000}):
            short = make_solver("annealing", **limits).solve(instance, seed=seed).schedule
            assert short.total_accuracy >= descent - 1e-12 * descent


def test_ctrl_c_in_the_descent_keeps_what_it_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_pass(plan: Plan, order: Ints, passes: int | None) -> Iterator[None]:
        yield from descend(plan, order, 1)
        raise KeyboardInterrupt

    monkeypatch.setattr("dsct_gym.baselines.local_search.start.descend", one_pass)
    instance = generate(120, 6, mu=10, rho=0.4, beta=0.4, seed=0)
    solution = make_solver("annealing").solve(instance, time_limit=60.0)
    once = make_solver("descent", passes=1).solve(instance).schedule.total_accuracy
    assert solution.interrupted
    assert solution.seconds < 10.0
    assert solution.schedule.total_accuracy == pytest.approx(once, rel=1e-12)
