"""`auto` chooses by its rules, and what it hands over is its choice's; warm starts are kept."""

import numpy as np
import pytest

from dsct_gym import InputError, allocate, generate, make_solver
from dsct_gym.baselines.auto import DEFAULT_SECONDS, PROVABLE, Auto, choose
from dsct_gym.online import OnlineInstance
from dsct_gym.points.generator import draw_points
from toy_variant import FinedInstance

SMALL = generate(20, 3, seed=1)


@pytest.mark.parametrize(
    ("tasks", "machines", "limit", "name"),
    [
        (20, 3, None, "exact"),
        (PROVABLE // 10, 10, 1.0, "exact"),
        (PROVABLE // 10 + 1, 10, 1.0, "annealing"),
        (20, 3, 0.1, "descent"),
        (20_001, 2, 60.0, "descent"),
    ],
)
def test_rules(tasks, machines, limit, name):
    choice = choose(generate(tasks, machines), limit)
    assert choice.name == name
    assert choice.time_limit == (DEFAULT_SECONDS if limit is None else limit)
    assert choice.why


def test_variants_go_to_those_who_know_them():
    assert choose(draw_points(SMALL, 3), 0.1).name == "descent"
    online = OnlineInstance(SMALL, np.zeros(20), SMALL.horizon)
    chosen = choose(online, 1.0)
    assert online.needs <= make_solver(chosen.name).knows
    assert chosen.why == "it knows arrivals"


def test_what_nobody_knows_is_refused():
    fined = FinedInstance(SMALL, np.zeros(20), 0.0)
    with pytest.raises(InputError, match="has fines, which 'auto' does not know"):
        Auto().solve(fined)


def test_it_answers_as_its_choice():
    auto = Auto()
    mine = auto.solve(SMALL, time_limit=0.4, seed=1)
    theirs = make_solver("descent").solve(SMALL)
    assert auto.remark.startswith("descent, for ")
    assert mine.schedule.solver == "auto"
    assert np.array_equal(mine.schedule.machine, theirs.schedule.machine)
    assert mine.upper_bound == theirs.upper_bound


def test_it_proves_what_is_small():
    solution = Auto().solve(generate(8, 2, seed=3), time_limit=5.0)
    assert solution.upper_bound <= solution.schedule.total_accuracy * (1 + 1e-5)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("annealing", {"moves": 0}),
        ("descent", {"passes": 0}),
        ("exact", {"tolerance": 0.5}),
        ("mip", {}),
        ("auto", {}),
    ],
)
def test_a_warm_start_is_not_lost(name, options):
    """The start is the optimum, which none of them finds by itself with so little to do."""
    instance = generate(30, 4, beta=0.4, seed=8)
    best = make_solver("annealing", moves=40_000).solve(instance, seed=1).schedule
    solver = make_solver(name, **options)
    cold = solver.solve(instance, time_limit=0.3, seed=2).schedule.total_accuracy
    solver.warm_start = np.where(np.arange(30) == 5, -1, best.machine)
    given = allocate(instance, solver.warm_start).total_accuracy
    warm = solver.solve(instance, time_limit=0.3, seed=2).schedule.total_accuracy
    assert warm >= given - 1e-9
    if name in ("annealing", "descent"):
        assert warm > cold


def test_a_start_of_another_problem_is_refused():
    solver = make_solver("annealing", moves=0)
    solver.warm_start = np.zeros(3, dtype=int)
    with pytest.raises(InputError, match="machine_of: shape"):
        solver.solve(SMALL)
