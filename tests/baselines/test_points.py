"""Solvers that know operating points, against enumeration with a linear programme each."""

from itertools import product

import numpy as np
import pytest

from dsct_gym import make_solver, upper_bound
from dsct_gym.errors import InputError
from points_truth import SPECIAL, at_one_clock, draw_problem, points_lp
from shapes import EDGE_CASES

PROBLEMS = SPECIAL | {f"seed {seed}": draw_problem(seed, n=5, m=2) for seed in range(20, 24)}
KNOWING = ["annealing", "approx", "approx-refined", "descent", "edf-3-levels", "edf-no-compression"]
KNOWING += ["exact", "greedy", "random"]
SMALL = [
    name
    for name, problem in PROBLEMS.items()
    if problem.core.num_machines**problem.core.num_tasks <= 64
]


def best_of_all(problem):
    machines = range(problem.core.num_machines)
    assignments = product(machines, repeat=problem.core.num_tasks)
    return max(points_lp(problem, np.array(machine_of)) for machine_of in assignments)


@pytest.mark.parametrize("solver", KNOWING)
def test_schedules_stand_below_the_bound(solver):
    for problem in PROBLEMS.values():
        solution = make_solver(solver).solve(problem, seed=1)
        assert solution.schedule.verify()
        assert solution.schedule.total_accuracy <= upper_bound(problem) * (1 + 1e-9)


@pytest.mark.parametrize("name", SMALL)
def test_local_search_finds_the_optimum_of_small_problems(name):
    problem = PROBLEMS[name]
    best = best_of_all(problem)
    found = make_solver("annealing", moves=3000).solve(problem, seed=1).schedule.total_accuracy
    assert found == pytest.approx(best, rel=1e-9)
    greedy = make_solver("greedy").solve(problem).schedule.total_accuracy
    assert 0.85 * best <= greedy <= best * (1 + 1e-9)


def test_the_usual_order():
    for problem in PROBLEMS.values():
        total = {
            name: make_solver(name).solve(problem, seed=1).schedule.total_accuracy
            for name in ("approx", "approx-refined", "descent")
        }
        assert total["approx"] <= total["approx-refined"] * (1 + 1e-12)
        assert total["approx-refined"] <= total["descent"] * (1 + 1e-12)


@pytest.mark.parametrize("solver", KNOWING)
def test_one_clock_gives_what_an_instance_gives(solver):
    for name in ("plain", "equal machines", "ragged curves", "more machines than tasks"):
        problem = at_one_clock(EDGE_CASES[name])
        mine = make_solver(solver).solve(problem, seed=1).schedule
        theirs = make_solver(solver).solve(problem.core, seed=1).schedule
        for one, other in zip(mine.rows, theirs.rows, strict=True):
            assert one.tobytes() == other.tobytes()


class TestEdf:
    @pytest.mark.parametrize("solver", ["edf-no-compression", "edf-3-levels"])
    def test_full_clock_is_the_core_and_best_is_no_worse(self, solver):
        gained = 0.0
        for problem in PROBLEMS.values():
            full = make_solver(solver).solve(problem).schedule
            core = make_solver(solver).solve(problem.core).schedule
            assert full.total_accuracy == core.total_accuracy
            assert full.energy == pytest.approx(core.energy, rel=1e-12)
            best = make_solver(solver, clock="best").solve(problem).schedule
            assert best.total_accuracy >= full.total_accuracy
            gained += best.total_accuracy - full.total_accuracy
            for r, points in enumerate(problem.points):
                used = best.pieces.speed[best.machine[best.pieces.task] == r]
                assert np.unique(used).size <= 1
                assert set(used) <= set(points.speeds)
        assert (gained > 0.0) == (solver == "edf-3-levels")

    def test_clocks_that_there_are_not(self):
        with pytest.raises(InputError, match="clock: must be full or best, got 'slow'"):
            make_solver("edf-3-levels", clock="slow")


def test_those_who_do_not_know_points_name_those_who_do():
    with pytest.raises(InputError) as error:
        make_solver("rl-greedy").solve(SPECIAL["ties"])
    assert "has points, which 'rl-greedy' does not know; those that do: annealing, approx" in str(
        error.value
    )


class TestMip:
    @pytest.mark.parametrize("name", SMALL)
    def test_it_proves_the_optimum(self, name):
        pytest.importorskip("pyomo")
        problem = PROBLEMS[name]
        best = best_of_all(problem)
        solution = make_solver("mip", start="random").solve(problem, seed=1)
        assert solution.schedule.total_accuracy == pytest.approx(best, rel=1e-6)
        assert best * (1 - 1e-9) <= solution.upper_bound <= best * (1 + 1e-5)

    @pytest.mark.parametrize("program", ["cbc", "glpk"])
    def test_other_solvers_prove_the_same(self, program):
        pytest.importorskip("pyomo")
        try:
            solver = make_solver("mip", solver=program, start="random")
        except InputError as missing:
            pytest.skip(str(missing))
        problem = draw_problem(21, n=5, m=2)
        best = best_of_all(problem)
        solution = solver.solve(problem, time_limit=20, seed=1)
        assert solution.schedule.total_accuracy == pytest.approx(best, rel=1e-6)
        assert best * (1 - 1e-9) <= solution.upper_bound <= best * (1 + 1e-5)

    def test_smooth_curves_are_for_one_clock(self):
        pytest.importorskip("pyomo")
        with pytest.raises(InputError, match="smooth: only for machines with one clock"):
            make_solver("mip", smooth=True).solve(SPECIAL["ties"])

    @pytest.mark.parametrize("name", ["ragged curves", "useless points"])
    def test_a_start_fits_the_model(self, name):
        """Every constraint holds for the values of a schedule."""
        pyo = pytest.importorskip("pyomo.environ")
        from dsct_gym.baselines.milp.points_model import build_points_model

        problem = PROBLEMS[name]
        schedule = make_solver("greedy").solve(problem).schedule
        model = build_points_model(problem)
        model.set_values(schedule)
        for constraint in model.pyomo.component_data_objects(pyo.Constraint):
            value = pyo.value(constraint.body)
            for bound, sign in ((constraint.lower, -1), (constraint.upper, 1)):
                assert bound is None or sign * (value - pyo.value(bound)) <= 1e-9
        gained = model.total(pyo.value(model.pyomo.gain))
        assert gained == pytest.approx(schedule.total_accuracy, rel=1e-9)
