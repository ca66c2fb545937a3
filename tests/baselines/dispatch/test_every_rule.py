"""What holds for every rule that decides as tasks arrive."""

import numpy as np
import pytest

from arriving import arriving, otherwise_after
from dsct_gym import generate, make_solver
from dsct_gym.online.policy import DispatchPolicy
from dsct_gym.online.simulator import Game, Outcome
from dsct_gym.solver import solver_entry_points

RULES = [
    name
    for name, entry in solver_entry_points().items()
    if entry.value.startswith("dsct_gym.baselines.dispatch")
]
CASES = [(name, pace) for name in RULES for pace in (None, 0.05)]


def played(rule: DispatchPolicy, problem: object) -> Game:
    game = Game.of(problem, rule.levels, np.inf if rule.pace is None else rule.pace)
    rule._play(game)
    return game


@pytest.mark.parametrize(("name", "pace"), CASES)
def test_schedules_are_feasible_and_no_task_is_lost(name: str, pace: float | None) -> None:
    rule = make_solver(name, pace=pace)
    for seed in range(4):
        problem = arriving(seed, crowds=10 * (seed % 2), beta=0.3 * seed)
        game = played(rule, problem)
        schedule = rule.solve(problem).schedule  # verified, arrivals included
        assert np.array_equal(schedule.machine, game.schedule(problem).machine)
        assert (game.outcome != Outcome.OPEN).all()


@pytest.mark.parametrize(("name", "pace"), CASES)
def test_what_comes_later_changes_nothing_before(name: str, pace: float | None) -> None:
    rule = make_solver(name, pace=pace)
    for seed in range(6):
        problem = arriving(seed, n=30)
        moment = float(np.quantile(problem.arrivals, 0.2 + 0.1 * seed))
        other = otherwise_after(problem, moment, seed)
        known = int((problem.arrivals <= moment).sum())
        one, two = played(rule, problem), played(rule, other)
        # What was decided by that moment is decided; what waited may be decided otherwise.
        early = (one.start[:known] <= moment) | (one.outcome[:known] == Outcome.SKIPPED)
        assert np.array_equal(one.machine[:known][early], two.machine[:known][early])
        assert np.array_equal(one.start[:known][early], two.start[:known][early])
        assert np.array_equal(one.work[:known][early], two.work[:known][early])


@pytest.mark.parametrize("name", RULES)
def test_tasks_that_are_all_there_are_a_special_case(name: str) -> None:
    solution = make_solver(name).solve(generate(20, 3, seed=1))
    assert solution.schedule.machine.max() >= 0


@pytest.mark.parametrize("name", RULES)
def test_a_game_is_the_same_each_time(name: str) -> None:
    problem, rule = arriving(3, n=30), make_solver(name)
    first = rule.solve(problem).schedule
    rule.solve(arriving(4, n=20, m=2))  # of which it remembers nothing
    for again in (rule, make_solver(name)):
        assert np.array_equal(again.solve(problem).schedule.work, first.work)
