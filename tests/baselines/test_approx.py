import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsct_gym import generate, make_solver
from dsct_gym.instance import Instance
from strategies import instances


def solved(name: str, instance: Instance) -> tuple[float, float]:
    solution = make_solver(name).solve(instance)
    assert solution.upper_bound is not None
    return solution.schedule.total_accuracy, solution.upper_bound


@settings(max_examples=200, deadline=None)
@given(instances(max_tasks=12, max_machines=4))
def test_refined_is_never_worse(instance: Instance) -> None:
    approx, bound = solved("approx", instance)
    refined, same_bound = solved("approx-refined", instance)
    assert refined >= approx * (1 - 1e-12)
    assert refined <= bound * (1 + 1e-9)
    assert bound == same_bound


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 40),
    m=st.integers(1, 6),
    mu=st.floats(1.0, 20.0),
    rho=st.floats(0.02, 1.5),
    seed=st.integers(0, 1000),
)
def test_guarantee_of_the_parent_problem(n: int, m: int, mu: float, rho: float, seed: int) -> None:
    # Equal machines and energy for all of them to work until the last deadline.
    instance = generate(
        n, m, mu=mu, rho=rho, beta=1.0, segments=8, seed=seed, speed=1000.0, efficiency=10.0
    )
    approx, bound = solved("approx", instance)
    efficiency = 1.0 / instance.max_work  # theta up to a factor that is the same for all
    rise = float((instance.top_accuracy - instance.base_accuracy).max())
    heterogeneity = math.log(efficiency.max() / efficiency.min())
    guarantee = m * rise * (1.0 + heterogeneity / math.e)
    assert bound - approx <= guarantee * (1 + 1e-9)


def test_guarantee_on_machines_of_different_speed() -> None:
    for seed in range(30):
        instance = generate(25, 5, mu=10, rho=0.3, beta=1.0, seed=seed)
        approx, bound = solved("approx", instance)
        rise = float((instance.top_accuracy - instance.base_accuracy).max())
        assert bound - approx <= 5 * rise * (1.0 + math.log(10) / math.e)


def test_by_hand() -> None:
    # Two machines of 1 GFLOP/s, all due at 2 s: 4 GFLOP for three tasks of 2 GFLOP. The steepest
    # two are done in full by the relaxation, so the third is left out: its price is above its
    # slope. List scheduling puts one of the two on each machine.
    instance = Instance(
        speeds=[1.0, 1.0],
        efficiencies=[1.0, 1.0],
        deadlines=[2.0, 2.0, 2.0],
        work=[[0.0, 2.0]] * 3,
        accuracy=[[0.0, 0.8], [0.0, 0.2], [0.0, 0.6]],
        energy_budget=100.0,
    )
    schedule = make_solver("approx").solve(instance).schedule
    assert schedule.work == pytest.approx([2.0, 0.0, 2.0])
    assert schedule.machine[0] != schedule.machine[2]
    assert schedule.total_accuracy == pytest.approx(1.4)


def test_what_passes_a_deadline_is_cut_and_followers_start_earlier() -> None:
    # Fractional: 6 GFLOP of time on two machines until 3 s; tasks of 2, 2 and 2 GFLOP fit exactly
    # when the last is split. Whole, the third starts at 2 s behind one of the others and loses 1.
    instance = Instance(
        speeds=[1.0, 1.0],
        efficiencies=[1.0, 1.0],
        deadlines=[3.0, 3.0, 3.0],
        work=[[0.0, 2.0]] * 3,
        accuracy=[[0.0, 0.8], [0.0, 0.8], [0.0, 0.8]],
        energy_budget=100.0,
    )
    schedule = make_solver("approx").solve(instance).schedule
    assert sorted(schedule.work) == pytest.approx([1.0, 2.0, 2.0])
    assert schedule.makespan == pytest.approx(3.0)


def test_no_machine_spends_more_than_its_share() -> None:
    from dsct_gym.relaxation import relax

    for seed in range(10):
        instance = generate(40, 4, beta=0.3, seed=seed)
        schedule = make_solver("approx").solve(instance).schedule
        spent = np.bincount(
            schedule.machine[schedule.machine >= 0],
            weights=schedule.task_energy[schedule.machine >= 0],
            minlength=4,
        )
        assert (spent <= relax(instance).energy * (1 + 1e-9)).all()


@pytest.mark.parametrize("name", ["approx", "approx-refined"])
def test_a_hundred_thousand_tasks_in_seconds(name: str) -> None:
    instance = generate(100_000, 10, seed=1)
    solver = make_solver(name)
    solver.solve(generate(10, 2))  # compiles
    solution = solver.solve(instance)
    assert solution.seconds < 30.0
    assert solution.upper_bound is not None
    assert solution.schedule.total_accuracy > 0.999 * solution.upper_bound
