"""Relaxation and allocation on increments against a linear programme over all points."""

import numpy as np
import pytest

from dsct_gym import allocate, upper_bound
from dsct_gym.points.schedule import at_speeds, schedule_of
from dsct_gym.relaxation import relax
from points_truth import SPECIAL, at_one_clock, draw_problem, points_lp
from shapes import EDGE_CASES

PROBLEMS = SPECIAL | {f"seed {seed}": draw_problem(seed) for seed in range(20, 40)}


@pytest.mark.parametrize("name", sorted(PROBLEMS))
class TestAgainstLinearProgrammes:
    def test_relaxation(self, name):
        problem = PROBLEMS[name]
        relaxation = relax(problem)
        assert upper_bound(problem) == relaxation.bound
        assert relaxation.bound == pytest.approx(points_lp(problem), rel=1e-9)
        core, spent = problem.core, relaxation.energy.sum()
        assert relaxation.energy.shape == relaxation.busy_time.shape == (core.num_machines,)
        assert spent <= core.energy_budget * (1 + 1e-9)
        assert (relaxation.busy_time <= core.horizon * (1 + 1e-9)).all()
        assert (relaxation.energy <= relaxation.busy_time * core.powers * (1 + 1e-9)).all()

    @pytest.mark.parametrize("draw", range(3))
    def test_allocation(self, name, draw):
        problem = PROBLEMS[name]
        core = problem.core
        machine_of = np.random.default_rng(draw).integers(-1, core.num_machines, core.num_tasks)
        schedule = allocate(problem, machine_of)
        assert schedule.verify().reasons == ()
        assert schedule.total_accuracy == pytest.approx(points_lp(problem, machine_of), rel=1e-9)

    def test_least_energy_of_what_is_done(self, name):
        """With the works as all that there is to gain, any less energy would miss some of it."""
        problem = PROBLEMS[name]
        core = problem.core
        machine_of = np.arange(core.num_tasks) % core.num_machines
        done = allocate(problem, machine_of)
        again = schedule_of(problem, machine_of, done.work)
        assert again.energy == done.energy
        if done.energy > 0.0:
            less = _with_budget(problem, 0.999 * done.energy)
            assert points_lp(less, machine_of) < done.total_accuracy


def _with_budget(problem, budget):
    core = problem.core
    fields = ("speeds", "efficiencies", "deadlines", "work", "accuracy")
    tasks = type(core)(*(getattr(core, field) for field in fields), energy_budget=budget)
    return type(problem).of(tasks, problem.points)


class TestOneClock:
    @pytest.mark.parametrize("name", sorted(EDGE_CASES))
    def test_the_same_bytes_as_an_instance(self, name):
        problem = at_one_clock(EDGE_CASES[name])
        core = problem.core
        assert upper_bound(problem) == upper_bound(core)
        for field in ("work", "busy_time", "energy", "marginal_prices"):
            mine, theirs = getattr(relax(problem), field), getattr(relax(core), field)
            assert mine.tobytes() == theirs.tobytes()
        for draw in range(3):
            rng = np.random.default_rng(draw)
            machine_of = rng.integers(-1, core.num_machines, core.num_tasks)
            mine, theirs = allocate(problem, machine_of), allocate(core, machine_of)
            for one, other in zip(mine.rows, theirs.rows, strict=True):
                assert one.tobytes() == other.tobytes()
            assert (mine.total_accuracy, mine.energy) == (theirs.total_accuracy, theirs.energy)
            assert mine.verify()


class TestSpeeds:
    def test_a_given_clock(self):
        problem = SPECIAL["useless points"]
        core = problem.core
        machine_of = np.arange(core.num_tasks) % core.num_machines
        work = 0.01 * core.max_work
        schedule = at_speeds(problem, machine_of, work, core.speeds[machine_of])
        plain = allocate(core, machine_of)
        assert set(schedule.pieces.speed) == {5e3}
        assert schedule.task_energy == pytest.approx(work / core.efficiencies[machine_of])
        assert plain.instance is core

    def test_slower_clocks_take_less_energy_until_the_first_point(self):
        problem = SPECIAL["useless points"]
        core = problem.core
        machine_of = np.zeros(core.num_tasks, dtype=np.int64)
        energies = [
            at_speeds(problem, machine_of, core.max_work, np.full(core.num_tasks, speed)).energy
            for speed in (1.0, 2e3, 2.5e3, 3e3, 4e3, 5e3, 9e3)
        ]
        assert energies[0] == energies[1]
        assert energies[-2] == energies[-1]
        assert (np.diff(energies[1:-1]) > 0).all()
