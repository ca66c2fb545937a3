"""Kernels on increments: kept up to date, they are the allocation from scratch; bounds hold."""

import numpy as np
import pytest

from dsct_gym.allocation import Packed, allocate, pack
from dsct_gym.incremental import Curves, IncrementalAllocation, try_above
from dsct_gym.jit import kernel
from dsct_gym.plan import Prices, begin_prices, screen
from points_truth import SPECIAL, at_one_clock, draw_problem
from shapes import EDGE_CASES

PROBLEMS = SPECIAL | {f"seed {seed}": draw_problem(seed, n=10, most=6) for seed in range(60, 72)}


@kernel
def _begin(packed: Packed, curves: Curves, prices: Prices) -> None:
    begin_prices(packed, curves, prices)


@kernel
def _screen(packed, curves, prices, task: int, machine: int, other: int, least: float) -> float:
    return screen(packed, curves, prices, task, machine, other, least)


@kernel
def _try_above(packed, curves, task: int, machine: int, other: int, least: float, here: float):
    return try_above(packed, curves, task, machine, other, least, here)


def changes(core, rng, count):
    """Random moves and swaps: task, machine, partner."""
    n, m = core.num_tasks, core.num_machines
    for _ in range(count):
        if n > 1 and rng.random() < 0.5:
            one, other = (int(task) for task in rng.choice(n, 2, replace=False))
            yield one, None, other
        else:
            yield int(rng.integers(n)), int(rng.integers(-1, m)), None


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_it_is_the_allocation_from_scratch(name):
    problem, rng = PROBLEMS[name], np.random.default_rng(1)
    state = IncrementalAllocation(
        problem, rng.integers(-1, problem.core.num_machines, problem.core.num_tasks)
    )
    for task, machine, other in changes(problem.core, rng, 30):
        told = state.move(task, machine) if other is None else state.swap(task, other)
        state.accept()
        assert told == state.total_accuracy
        truth = allocate(problem, state.machine_of).total_accuracy
        assert told == pytest.approx(truth, rel=1e-12)
    assert state.schedule().verify()


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_bounds_never_rule_out_what_can_be_reached(name):
    problem, rng = PROBLEMS[name], np.random.default_rng(2)
    core = problem.core
    state = IncrementalAllocation(problem, rng.integers(0, core.num_machines, core.num_tasks))
    packed, curves, prices = state.packed, state.curves, Prices.of(state.packed)
    if packed.task.size == 0:
        return
    rank, base = core.edf_rank, float(core.base_accuracy.sum())
    for task, machine, other in changes(core, rng, 60):
        where = state.machine_of
        machine = int(where[other]) if machine is None else machine
        if machine in (-1, int(where[task])):
            continue
        _begin(packed, curves, prices)
        total = state.move(task, machine) if other is None else state.swap(task, other)
        partner = -1 if other is None else int(rank[other])
        least = total - base - 1e-11 * max(1.0, total)
        here = _screen(packed, curves, prices, int(rank[task]), machine, partner, least)
        assert here > -np.inf
        again = _try_above(packed, curves, int(rank[task]), machine, partner, least, here)
        assert again == pytest.approx(total - base, rel=1e-12, abs=1e-15)
        if rng.random() < 0.5:
            if other is None:
                state.move(task, machine)
            else:
                state.swap(task, other)
            state.accept()


@pytest.mark.parametrize("name", ["plain", "equal machines", "ragged curves", "zero budget"])
def test_one_clock_is_an_instance_to_the_kernels(name):
    problem = at_one_clock(EDGE_CASES[name])
    mine, theirs = pack(problem), pack(problem.core)
    assert mine.several is None
    for one, other in zip(mine, theirs, strict=True):
        assert one is other is None or np.array_equal(one, other)
