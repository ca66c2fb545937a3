"""Bounds on changes from the prices: never below the exact change, and tight enough to help."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsct_gym import allocate, generate, make_solver
from dsct_gym.allocation import Packed
from dsct_gym.arrays import Ints
from dsct_gym.incremental import CURRENT, Curves, IncrementalAllocation, place_all, try_above
from dsct_gym.instance import Instance
from dsct_gym.jit import kernel
from dsct_gym.plan import Prices, begin_prices, change_bound, touch
from strategies import assigned


@kernel
def _bounds(
    packed: Packed, curves: Curves, prices: Prices, change: Ints, enough: float
) -> tuple[float, float]:
    """Quick and shifted bound on the change of the total by (task, machine, other)."""
    task, machine, other = change[0], change[1], change[2]
    there = touch(packed, curves, prices, machine, task, other)
    quick = there.gain + there.loss
    shifted = change_bound(packed, curves, prices, there, enough)
    source = curves.machine[task]
    if source >= 0:
        here = touch(packed, curves, prices, source, other, task)
        quick += here.gain + here.loss
        shifted += change_bound(packed, curves, prices, here, enough)
    return quick, shifted


@kernel
def _try_above(packed: Packed, curves: Curves, change: Ints, least: float) -> float:
    return try_above(packed, curves, change[0], change[1], change[2], least, np.inf)


@kernel
def _price(packed: Packed, curves: Curves, prices: Prices, machine: Ints) -> None:
    place_all(packed, curves, machine)
    begin_prices(packed, curves, prices)


class _Priced:
    """An assignment with the prices of its optimum."""

    def __init__(self, instance: Instance, machine_of: Ints) -> None:
        self.packed = Packed.of(instance)
        size = (instance.num_tasks, instance.num_machines, self.packed.task.size)
        self.curves, self.prices = Curves.empty(*size), Prices.empty(*size)
        _price(self.packed, self.curves, self.prices, machine_of[instance.edf_order])


def _changes(instance: Instance, machine_of: Ints) -> list[tuple[int, int, int, Ints]]:
    """All moves and swaps (task, machine, other) and the assignments they lead to."""
    found = []
    for task in range(instance.num_tasks):
        for machine in range(instance.num_machines):
            for other in [-1, *np.flatnonzero(machine_of == machine).tolist()]:
                if machine == machine_of[task] or (other >= 0 and machine_of[task] < 0):
                    continue
                changed = machine_of.copy()
                changed[task] = machine
                if other >= 0:
                    changed[other] = machine_of[task]
                found.append((task, machine, other, changed))
    return found


@settings(max_examples=80, deadline=None)
@given(case=assigned(max_tasks=7), enough=st.sampled_from([-np.inf, -0.3, -1e-3, 0.0]))
def test_bounds_hold_for_every_move_and_swap(
    case: tuple[Instance, np.ndarray], enough: float
) -> None:
    # Whatever a bound rejects, full evaluation rejects: the bound is never below the exact change.
    instance, machine_of = case
    if Packed.of(instance).task.size == 0:
        return
    state = _Priced(instance, machine_of)
    before = allocate(instance, machine_of).total_accuracy
    rank = instance.edf_rank
    for task, machine, other, changed in _changes(instance, machine_of):
        exact = allocate(instance, changed).total_accuracy - before
        change = np.array([rank[task], machine, rank[other] if other >= 0 else -1])
        quick, shifted = _bounds(state.packed, state.curves, state.prices, change, enough)
        assert shifted >= exact - 1e-12
        assert quick >= shifted - 1e-12
        least = float(state.curves.total[CURRENT]) + exact
        assert _try_above(state.packed, state.curves, change, least - 1e-12) == pytest.approx(
            least, abs=1e-12
        )
        given_up = _try_above(state.packed, state.curves, change, least + 1e-9)
        assert given_up == -np.inf or given_up == pytest.approx(least, abs=1e-12)


def test_bounds_hold_between_neighbouring_blocks() -> None:
    # More tasks a machine than above: here blocks of different prices lie side by side.
    for seed in range(40):
        rng = np.random.default_rng(seed)
        n, m = int(rng.integers(5, 25)), int(rng.integers(1, 4))
        instance = generate(
            n,
            m,
            mu=rng.uniform(1, 20),
            rho=rng.uniform(0.05, 1),
            beta=float(rng.choice([0.05, 0.3, 1.0, 3.0])),
            segments=int(rng.integers(1, 7)),
            seed=seed,
        )
        machine_of = rng.integers(-1, m, n)
        state, trials = _Priced(instance, machine_of), IncrementalAllocation(instance, machine_of)
        rank = instance.edf_rank
        for task, machine, other, _ in _changes(instance, machine_of):
            total = trials.swap(task, other) if other >= 0 else trials.move(task, machine)
            exact = total - trials.total_accuracy
            change = np.array([rank[task], machine, rank[other] if other >= 0 else -1])
            quick, shifted = _bounds(state.packed, state.curves, state.prices, change, -np.inf)
            assert quick + 1e-12 >= shifted >= exact - 1e-12


def test_shifting_prices_rejects_more() -> None:
    # Without the shift, three quarters of the losses in this state would have to be evaluated.
    instance = generate(60, 4, seed=1)
    machine_of = make_solver("greedy").solve(instance).schedule.machine
    state, trials = _Priced(instance, machine_of), IncrementalAllocation(instance, machine_of)
    rank, lost, quickly, shifted = instance.edf_rank, 0, 0, 0
    for task, machine in itertools.product(range(60), range(4)):
        if machine == machine_of[task]:
            continue
        change = np.array([rank[task], machine, -1])
        loss = trials.total_accuracy - trials.move(task, machine)
        bounds = _bounds(state.packed, state.curves, state.prices, change, -np.inf)
        lost += loss > 1e-3
        quickly += bounds[0] < -1e-3
        shifted += bounds[1] < -1e-3
    assert quickly < shifted <= lost
    assert shifted > 0.6 * lost
