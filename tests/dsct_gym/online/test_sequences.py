"""Works for a fixed order on each machine are the optimum of the linear programme."""

import numpy as np
import pytest

from dsct_gym import allocate, generate
from dsct_gym.errors import InputError
from dsct_gym.online.sequences import allocate_in_order
from online_truth import SPECIAL, draw_arrivals, draw_online, order_lp


def drawn_order(problem, seed):
    """Machines and keys, with few tasks in each other's way."""
    rng = np.random.default_rng(seed)
    n, m = problem.core.num_tasks, problem.core.num_machines
    key = problem.arrivals + rng.random(n) * (problem.core.deadlines - problem.arrivals)
    return rng.integers(-1, m, n), key


@pytest.mark.parametrize("name", sorted(SPECIAL))
def test_extremes(name):
    compare(SPECIAL[name], seed=1, tries=3)


@pytest.mark.parametrize("seed", range(25))
def test_random(seed):
    compare(draw_online(seed, n=8, m=2, beta=0.1 + 0.04 * seed), seed, tries=1)


@pytest.mark.parametrize("seed", range(15))
def test_long_windows_in_each_others_way(seed):
    core = generate(8, 2, mu=8.0, rho=0.2 + 0.05 * seed, beta=0.5, segments=4, seed=seed)
    compare(draw_arrivals(core, seed), seed, tries=2)


def compare(problem, seed, tries):
    for attempt in range(tries):
        machine_of, key = drawn_order(problem, seed + 100 * attempt)
        schedule = allocate_in_order(problem, machine_of, key)
        assert schedule.verify()
        optimum = order_lp(problem, machine_of, key)
        if optimum is not None:
            assert schedule.total_accuracy == pytest.approx(optimum, rel=1e-9, abs=1e-9)


def test_most_orders_drawn_can_be_run():
    problems = [draw_online(seed, n=8, m=2) for seed in range(25)]
    lps = [order_lp(p, *drawn_order(p, seed)) for seed, p in enumerate(problems)]
    assert sum(lp is not None for lp in lps) >= 10


@pytest.mark.parametrize("seed", range(5))
def test_by_deadline_from_the_start_it_is_the_plain_allocation(seed):
    core = generate(40, 4, mu=10.0, rho=0.4, beta=0.4, seed=seed)
    machine_of = np.random.default_rng(seed).integers(-1, 4, 40)
    found = allocate_in_order(core, machine_of, core.deadlines)
    plain = allocate(core, machine_of)
    assert found.work == pytest.approx(plain.work, rel=1e-9, abs=1e-9)
    assert found.start == pytest.approx(plain.start, rel=1e-9, abs=1e-12)
    assert found.instance is core


def test_tasks_start_as_early_as_they_can():
    problem = draw_online(3, n=30, m=2)
    machine_of, key = drawn_order(problem, 3)
    schedule = allocate_in_order(problem, machine_of, key)
    for r in range(2):
        free = 0.0
        for j in sorted(np.flatnonzero(schedule.machine == r), key=lambda j: key[j]):
            assert schedule.start[j] == max(free, problem.arrivals[j])
            free = schedule.finish[j]


def test_keys_that_do_not_fit():
    problem = draw_online(1)
    for key in (np.zeros(3), np.full(8, np.nan)):
        with pytest.raises(InputError, match="key: needs 8 numbers"):
            allocate_in_order(problem, np.zeros(8, np.int64), key)
