"""`des` by hand, and its plan against the allocation and a linear programme."""

import numpy as np
import pytest
from scipy.optimize import linprog

from arriving import arriving, by_hand
from dsct_gym import allocate, make_solver
from dsct_gym.baselines.dispatch.des import best_works
from dsct_gym.instance import Instance
from dsct_gym.online.known import Known
from dsct_gym.online.simulator import Game, know, next_idle


def test_works_are_settled_when_a_task_starts() -> None:
    # Task 0 knows of no other and runs until 4. Then the plan has 1 GFLOP for task 1, the steeper
    # one, until its deadline, and 4 for task 2 until its own.
    problem = by_hand([0.0, 1.0, 1.0], [4.0, 5.0, 9.0], [4.0, 2.0, 8.0], horizon=10.0)
    schedule = make_solver("des", lead=1.0).solve(problem).schedule
    assert schedule.work == pytest.approx([4.0, 1.0, 4.0])
    assert schedule.start == pytest.approx([0.0, 4.0, 5.0])


def test_energy_comes_in_over_time() -> None:
    # 1 J a second, and 2 ahead: 2 of 4 GFLOP for the first at 0, 4 more by 4 for the second.
    problem = by_hand([0.0, 4.0], [20.0, 20.0], [4.0, 8.0], budget=10.0, horizon=10.0)
    schedule = make_solver("des", lead=0.2).solve(problem).schedule
    assert schedule.work == pytest.approx([2.0, 4.0])


def _all_there(seed: int) -> tuple[Instance, Known]:
    core = arriving(seed, n=8, m=3).core
    game = Game.of(core, 10)
    assert next_idle(game)
    return core, know(game)


@pytest.mark.parametrize("seed", range(3))
def test_with_all_machines_idle_the_plan_is_the_allocation(seed: int) -> None:
    core, known = _all_there(seed)
    machine = np.random.default_rng(seed).integers(0, 3, 8)
    works = best_works(known, machine[known.waiting], core.energy_budget)
    best = allocate(core, machine)
    assert works == pytest.approx(best.work[known.waiting], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_with_busy_machines_the_plan_is_the_linear_programme(seed: int) -> None:
    core, known = _all_there(seed)
    rng = np.random.default_rng(seed)
    free = rng.random(3) * np.median(core.deadlines)
    machine = rng.integers(0, 3, 8)[known.waiting]
    works = best_works(known._replace(free=free), machine, core.energy_budget)
    width, rise = np.diff(core.work[known.waiting]), np.diff(core.accuracy[known.waiting])
    rows, limits = [], []
    for place, due in enumerate(core.deadlines[known.waiting]):
        row = np.zeros(width.shape)
        row[: place + 1][machine[: place + 1] == machine[place]] = 1.0
        rows.append(row.ravel())
        limits.append(max(0.0, due - free[machine[place]]) * core.speeds[machine[place]])
    rows.append(np.repeat(1.0 / core.efficiencies[machine], width.shape[1]))
    bounds = [(0.0, each) for each in width.ravel()]
    limits.append(core.energy_budget)
    slope = (rise / width).ravel()
    truth = linprog(-slope, A_ub=np.array(rows), b_ub=limits, bounds=bounds).x
    value = slope @ truth
    curves = zip(core.work[known.waiting], core.accuracy[known.waiting], strict=True)
    gained = sum(np.interp(w, f, a) - a[0] for w, (f, a) in zip(works, curves, strict=True))
    assert gained == pytest.approx(value, rel=1e-9)
