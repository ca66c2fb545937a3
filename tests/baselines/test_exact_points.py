"""`exact` on machines with operating points, against enumeration and linear programmes."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy.optimize import linprog

from dsct_gym import generate, make_solver, upper_bound
from dsct_gym.allocation import allocate
from dsct_gym.baselines.branch_and_price.packed_points import PackedPoints
from dsct_gym.baselines.branch_and_price.pricing import SKIPPED, price
from dsct_gym.baselines.exact import Exact
from dsct_gym.points import DvfsInstance
from points_truth import SPECIAL, draw_points, draw_problem, points_lp

GO_ON = np.zeros(1, dtype=np.bool_)
PROBLEMS = SPECIAL | {
    f"seed {seed}": draw_problem(seed, n=4 + seed % 3, m=2 + seed % 2) for seed in range(40, 50)
}


def best_of_all(problem: DvfsInstance) -> float:
    choices = product(range(problem.core.num_machines), repeat=problem.core.num_tasks)
    return max(allocate(problem, np.array(choice)).total_accuracy for choice in choices)


@pytest.mark.parametrize("name", PROBLEMS)
def test_equals_brute_force(name: str) -> None:
    problem = PROBLEMS[name]
    best = best_of_all(problem)
    solution = Exact(tolerance=1e-6).solve(problem)
    assert solution.schedule.total_accuracy >= best * (1 - 1e-6) - 1e-15
    assert best * (1 - 1e-9) <= solution.upper_bound <= best * (1 + 1.01e-6) + 1e-15


def test_equal_machines_are_one_kind() -> None:
    rng = np.random.default_rng(3)
    tasks = generate(6, 3, mu=8, rho=0.4, beta=0.3, segments=3, seed=4)
    twin, other = (draw_points(rng, 3, 5000.0, power) for power in (200.0, 100.0))
    problem = DvfsInstance.of(tasks, [twin, other, twin])
    assert PackedPoints.of(problem).kind.tolist() == [0, 1, 0]
    best = best_of_all(problem)
    solution = Exact(tolerance=1e-6).solve(problem)
    assert solution.schedule.total_accuracy == pytest.approx(best, rel=1e-6)
    assert best * (1 - 1e-9) <= solution.upper_bound <= best * (1 + 1.01e-6)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_mip(seed: int) -> None:
    pytest.importorskip("pyomo")
    problem = draw_problem(seed, n=9, m=3)
    mine, theirs = (make_solver(name).solve(problem, time_limit=30) for name in ("exact", "mip"))
    assert mine.schedule.total_accuracy == pytest.approx(theirs.schedule.total_accuracy, rel=1.1e-5)
    assert theirs.schedule.total_accuracy * (1 - 1e-9) <= mine.upper_bound
    assert mine.upper_bound == pytest.approx(mine.schedule.total_accuracy, rel=1.1e-5)


def test_bounds_hold_wherever_it_stops_and_are_below_the_fractional_one() -> None:
    problem = draw_problem(11, n=25, m=4, beta=0.3, rho=0.4)
    best = Exact().solve(problem, time_limit=20).schedule.total_accuracy
    bounds = [Exact().solve(problem, time_limit=limit).upper_bound for limit in (0.1, 0.5, 2.0)]
    assert all(best * (1 - 1e-9) <= bound <= upper_bound(problem) * (1 + 1e-9) for bound in bounds)
    assert bounds[-1] < upper_bound(problem) * (1 - 1e-4)


def worth(data: PackedPoints, task: int, energy_price: float, time: float) -> float:
    """The most that a task is worth in so much time, by a linear programme."""
    speeds, powers = data.speed[0][1:], data.power[0][1:]
    slope, width = data.slope[task], data.width[task]
    solved = linprog(
        np.concatenate([-slope, energy_price * powers]),
        A_ub=[
            np.concatenate([np.ones(slope.size), -speeds]),
            np.concatenate([np.zeros(slope.size), np.ones(speeds.size)]),
        ],
        b_ub=[0.0, time],
        bounds=[(0.0, most) for most in width] + [(0.0, None)] * speeds.size,
    )
    return float(-solved.fun)


@pytest.mark.parametrize("name", [name for name in PROBLEMS if name != "no energy"])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.7, 1.5])
def test_what_time_is_worth_is_what_a_linear_programme_says(name: str, share: float) -> None:
    data = PackedPoints.of(PROBLEMS[name])
    # A share of the price at which the steepest segment is not worth the dearest increment.
    dearest = (np.diff(data.power[0]) / np.diff(data.speed[0])).max()
    energy_price = share * data.slope.max() / dearest
    curves = data.curves(0, energy_price)
    assert (np.diff(curves.slope, axis=1) <= 0.0).all()
    for task in range(data.tasks):
        longest = 1.2 * max(curves.width[task].sum(), 1e-3 * data.deadline[task])
        for time in np.linspace(0.0, longest, 9):
            left = time - (np.cumsum(curves.width[task]) - curves.width[task])
            found = float(curves.slope[task] @ np.clip(left, 0.0, curves.width[task]))
            truth = worth(data, task, energy_price, float(time))
            assert found == pytest.approx(truth, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_pricing_equals_enumeration(seed: int) -> None:
    """The value of a set of tasks on one machine is a linear programme with free energy priced."""
    rng = np.random.default_rng(seed)
    problem = draw_problem(seed, n=4, m=1, beta=0.6)
    data, n = PackedPoints.of(problem), 4
    fee = rng.choice([0.0, 0.1, 0.4, 0.8], n) * rng.random()
    energy_price = float(rng.choice([0.0, 0.3, 1.0, 3.0]))
    values = {
        tasks: priced_lp(data, list(tasks), energy_price) - fee[list(tasks)].sum()
        for size in range(n + 1)
        for tasks in combinations(range(n), size)
    }
    best = max(values.values())
    offer = data.offer(0, energy_price, fee, np.ones(n, dtype=np.bool_))
    found, times, points = price(offer, 0.0, 0.0, GO_ON)
    assert found == pytest.approx(max(best, 0.0), abs=1e-7)
    if points > 0:
        works = data.works(0, energy_price, times)
        taken = times != SKIPPED
        spent = energy_price * data.energy(0, works) + fee[taken].sum()
        assert data.gain(works) - spent == pytest.approx(found, abs=1e-7)


def priced_lp(data: PackedPoints, tasks: list[int], energy_price: float) -> float:
    """Best value of a set of tasks on machine 0: work of each segment, time of each point."""
    if not tasks:
        return 0.0
    speeds, powers = data.speed[0][1:], data.power[0][1:]
    segments, clocks = data.slope.shape[1], speeds.size
    count, each = len(tasks), segments + clocks
    objective = np.concatenate(
        [np.concatenate([-data.slope[j], energy_price * powers]) for j in tasks]
    )
    rows, limits = [], []
    for i, j in enumerate(tasks):
        row = np.zeros(count * each)
        row[i * each : i * each + segments] = 1.0
        row[i * each + segments : (i + 1) * each] = -speeds
        rows.append(row)
        limits.append(0.0)
        row = np.zeros(count * each)
        for k in range(i + 1):
            row[k * each + segments : (k + 1) * each] = 1.0
        rows.append(row)
        limits.append(data.deadline[j])
    bounds = [
        bound for j in tasks for bound in [(0, w) for w in data.width[j]] + [(0, None)] * clocks
    ]
    scale = np.array([np.abs(row).max() for row in rows])
    solved = linprog(
        objective,
        A_ub=np.array(rows) / scale[:, None],
        b_ub=np.array(limits) / scale,
        bounds=bounds,
    )
    return float(-solved.fun)


def test_works_of_an_assignment_take_the_energy_that_its_schedule_takes() -> None:
    problem = draw_problem(8, n=8, m=2)
    data, core = PackedPoints.of(problem), problem.core
    machine = np.arange(8) % 2
    works = data.best_works(machine)
    schedule = allocate(problem, machine[core.edf_rank])
    assert points_lp(problem, machine[core.edf_rank]) == pytest.approx(
        data.total(data.gain(works)), rel=1e-8
    )
    energy = sum(
        data.energy(int(data.kind[r]), np.where(machine == r, works, -1.0)) for r in range(2)
    )
    assert energy * core.energy_budget == pytest.approx(schedule.energy, rel=1e-9)
