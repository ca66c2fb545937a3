"""Solvers of problems with soft deadlines, against enumeration and against each other."""

from pathlib import Path

import numpy as np
import pytest

from dsct_gym import generate, make_solver
from dsct_gym.baselines.sequencing import lawler_moore, subsets
from dsct_gym.baselines.sequencing.search import SequenceSearch
from dsct_gym.errors import InputError
from dsct_gym.schedule import idle, measures, value
from dsct_gym.soft import Exponential, Linear, SoftInstance, Step
from dsct_gym.soft.orlib import read_weighted_tardiness
from soft_truth import best_by_enumeration, draw_soft

WT40 = Path(__file__).parents[2] / "data" / "wt40.txt"
BEST = {1: 913, 2: 4936, 3: 21169}
"""Best known weighted tardiness of the problems in the file."""

NAMES = ("annealing", "atc", "edf", "exact", "greedy", "mip")


def solved(name, problem, **options):
    seed, limit = options.pop("seed", 0), options.pop("limit", None)
    return make_solver(name, **options).solve(problem, time_limit=limit, seed=seed)


@pytest.mark.parametrize("seed", range(18))
def test_whole_tasks_against_enumeration(seed):
    n, m = ((5, 2), (7, 1))[seed % 2]
    problem = draw_soft(seed, n, m, cap=(None, 2.0, 0.6)[seed // 6])
    truth = pytest.approx(best_by_enumeration(problem), rel=1e-9, abs=1e-9)
    exact = solved("exact", problem)
    assert value(exact.schedule) == truth
    assert exact.upper_bound == truth
    assert value(subsets.solve_by_subsets(problem)) == truth
    assert value(solved("annealing", problem, moves=20_000).schedule) == truth


@pytest.mark.parametrize("seed", range(6))
def test_lawler_moore_against_sets_of_tasks(seed):
    problem = draw_soft(seed, 12, 1, shape=Step, cap=(None, 1.0, 0.3)[seed % 3])
    assert lawler_moore.solves(problem)
    truth = value(subsets.solve_by_subsets(problem))
    assert value(lawler_moore.solve_step(problem)) == pytest.approx(truth)


@pytest.mark.parametrize("seed", range(3))
def test_annealing_reaches_lawler_moore(seed):
    problem = draw_soft(seed, 40, 1, shape=Step)
    truth = value(solved("exact", problem).schedule)
    found = value(solved("annealing", problem, moves=1_000_000).schedule)
    assert found <= truth + 1e-9
    assert truth - found <= 1e-2 * (truth - idle(problem))


@pytest.mark.parametrize("seed", range(9))
def test_the_programme_against_enumeration(seed):
    problem = draw_soft(seed, 4, 2, cap=(None, 2.0, 0.6)[seed // 3])
    truth = best_by_enumeration(problem)
    solution = solved("mip", problem)
    assert value(solution.schedule) == pytest.approx(truth)
    # Tangents lie below the exponential: its bound may stay above.
    assert solution.upper_bound >= truth - 1e-6
    if not isinstance(problem.penalty, Exponential):
        assert solution.upper_bound == pytest.approx(truth, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("shape", [Step, Linear])
def test_annealing_against_the_programme_with_works_and_a_budget(shape):
    problem = draw_soft(4, 6, 2, shape=shape, whole=0.3, budget=True)
    programme = solved("mip", problem, limit=20.0)
    found = value(solved("annealing", problem, moves=400_000).schedule)
    best = value(programme.schedule)
    assert programme.upper_bound >= max(found, best) - 1e-6
    assert best - found <= 2e-3 * (best - idle(problem))


@pytest.mark.parametrize("index", [1, 2, 3])
def test_weighted_tardiness_of_the_or_library(index):
    problem = read_weighted_tardiness(WT40, index)
    schedule = solved("annealing", problem, moves=2_000_000, seed=1).schedule
    assert measures(schedule)["penalty"] == pytest.approx(BEST[index])


def test_weighted_tardiness_on_two_machines():
    problem = read_weighted_tardiness(WT40, 1, machines=2)
    schedule = solved("annealing", problem, moves=1_000_000).schedule
    assert measures(schedule)["penalty"] == pytest.approx(606.0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cap", [None, 1.5])
def test_every_solver_keeps_a_budget(name, cap):
    for seed in range(3):
        problem = draw_soft(seed, 6, 2, cap=cap, whole=False, budget=True)
        solution = solved(name, problem, limit=0.5)
        assert solution.schedule.energy <= problem.budget * (1 + 1e-9)
        assert cap is not None or (solution.schedule.work > 0.0).all()


@pytest.mark.parametrize("name", ["annealing", "atc", "edf", "greedy"])
def test_edge_cases(name):
    core = generate(1, 1, seed=0)
    for penalty in (Step(), Linear(1.0, 1.0), Exponential(1e-6)):
        problem = SoftInstance(core, penalty, weights=np.zeros(1))
        assert solved(name, problem, limit=0.05).schedule.verify()
    nothing = SoftInstance(core, Linear(1.0, 1.0), budget=0.0)
    assert solved(name, nothing, limit=0.05).schedule.energy == 0.0


def test_the_value_of_a_walk_is_that_of_its_schedule():
    for seed in range(4):
        problem = draw_soft(seed, 15, 3, whole=0.5, budget=seed > 1)
        search = SequenceSearch(problem, seed)
        search.step(0.05, 20_000)
        assert search.best_total <= value(search.schedule()) + 1e-9
        assert search.best_total == pytest.approx(value(search.schedule()), abs=0.2)


def test_the_same_seed_gives_the_same_schedule():
    problem = draw_soft(3, 20, 3, whole=0.5)
    first, second = (solved("annealing", problem, moves=30_000, seed=7) for _ in range(2))
    assert np.array_equal(first.schedule.start, second.schedule.start)
    other = solved("annealing", problem, moves=30_000, seed=8)
    assert not np.array_equal(first.schedule.start, other.schedule.start)


def test_annealing_is_ahead_of_the_rules():
    for seed in range(6):
        problem = draw_soft(seed, 25, 4)
        found = value(solved("annealing", problem, moves=200_000).schedule)
        rules = [value(solved(name, problem).schedule) for name in ("atc", "edf", "greedy")]
        assert found >= max(rules) - 1e-9


def test_ctrl_c_keeps_the_best_so_far(monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    problem = draw_soft(1, 20, 3)
    solver = make_solver("annealing")
    solver.solve(problem, time_limit=0.01)
    monkeypatch.setattr("dsct_gym.baselines.sequencing.search.kick_walk", stop)
    solution = solver.solve(problem, time_limit=10.0)
    assert solution.interrupted
    assert solution.seconds < 5.0


def test_hard_deadlines_are_kept():
    instance = generate(20, 3, seed=1)
    edf, full = (
        make_solver(name).solve(instance).schedule for name in ("edf", "edf-no-compression")
    )
    assert np.array_equal(edf.work, full.work)
    assert make_solver("atc").solve(instance).schedule.total_accuracy > full.total_accuracy


@pytest.mark.parametrize("lookahead", [0.0, -1.0, float("nan")])
def test_bad_options_are_named(lookahead):
    with pytest.raises(InputError, match="lookahead: must be positive"):
        make_solver("atc", lookahead=lookahead)
