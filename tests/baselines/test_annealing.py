import itertools
import json
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsct_gym import allocate, generate, make_solver, upper_bound
from dsct_gym.allocation import Packed
from dsct_gym.arrays import Ints
from dsct_gym.baselines.annealing import Annealing
from dsct_gym.baselines.local_search.metropolis import Walk, begin
from dsct_gym.baselines.local_search.prices import Prices, change_bound, touch
from dsct_gym.errors import InputError
from dsct_gym.incremental import Curves, IncrementalAllocation, try_above
from dsct_gym.instance import Instance
from dsct_gym.jit import kernel
from dsct_gym.solver import Progress
from shapes import EDGE_CASES
from strategies import assigned, instances


@kernel
def _bounds(
    packed: Packed, curves: Curves, prices: Prices, change: Ints, enough: float
) -> tuple[float, float]:
    """Quick and shifted bound on the change of the total by (task, machine, other)."""
    task, machine, other = change[0], change[1], change[2]
    there = touch(packed, curves, prices, machine, task, other)
    quick = there.gain + there.loss
    shifted = change_bound(packed, curves, prices, machine, task, other, there, enough)
    source = curves.machine[task]
    if source >= 0:
        here = touch(packed, curves, prices, source, other, task)
        quick += here.gain + here.loss
        shifted += change_bound(packed, curves, prices, source, other, task, here, enough)
    return quick, shifted


@kernel
def _try_above(packed: Packed, curves: Curves, change: Ints, least: float) -> float:
    return try_above(packed, curves, change[0], change[1], change[2], least, np.inf)


class _Priced:
    """An assignment with the prices of its optimum."""

    def __init__(self, instance: Instance, machine_of: Ints) -> None:
        self.packed = Packed.of(instance)
        self.curves = Curves.empty(instance.num_tasks, instance.num_machines, self.packed.task.size)
        self.prices = Prices.empty(self.packed)
        self.walk = Walk.seeded(instance.num_tasks, 0)
        begin(self.packed, self.curves, self.prices, self.walk, machine_of[instance.edf_order])


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
        least = float(state.curves.total[0]) + exact
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


@settings(max_examples=25, deadline=None)
@given(instance=instances(max_tasks=5))
def test_tiny_instances_are_solved_to_the_optimum(instance: Instance) -> None:
    machines = range(instance.num_machines)
    optimum = max(
        allocate(instance, np.array(choice)).total_accuracy
        for choice in itertools.product(machines, repeat=instance.num_tasks)
    )
    solutions = [Annealing().solve(instance, seed=seed) for seed in range(3)]
    totals = [solution.schedule.total_accuracy for solution in solutions]
    assert max(totals) == pytest.approx(optimum, rel=1e-9)
    assert min(totals) >= 0.95 * optimum
    assert {solution.upper_bound for solution in solutions} == {upper_bound(instance)}


@pytest.mark.parametrize("case", EDGE_CASES)
def test_every_shape_is_solved(case: str) -> None:
    # `solve` verifies the schedule.
    instance = EDGE_CASES[case]
    start = make_solver("approx-refined").solve(instance).schedule.total_accuracy
    found = Annealing(moves=500).solve(instance).schedule.total_accuracy
    assert found >= start * (1 - 1e-12)


_PRINT_ASSIGNMENT = """
import json
from dsct_gym import generate, make_solver
solution = make_solver("annealing", moves=5_000).solve(generate(30, 4, seed=3), seed=5)
print(json.dumps([solution.schedule.machine.tolist(), solution.schedule.work.tolist()]))
"""


def test_a_seed_gives_one_schedule_in_every_process() -> None:
    runs = [
        json.loads(subprocess.check_output([sys.executable, "-c", _PRINT_ASSIGNMENT], text=True))
        for _ in range(2)
    ]
    here = Annealing(moves=5_000).solve(generate(30, 4, seed=3), seed=5).schedule
    assert runs == [[here.machine.tolist(), here.work.tolist()]] * 2


def test_seeds_differ_and_more_moves_find_more() -> None:
    instance = generate(60, 5, mu=10, seed=2)
    short = [Annealing(moves=300).solve(instance, seed=s).schedule for s in range(2)]
    assert not np.array_equal(short[0].machine, short[1].machine)
    long = Annealing(moves=60_000).solve(instance, seed=0).schedule
    assert long.total_accuracy > max(s.total_accuracy for s in short) + 1e-3


def test_without_moves_it_is_approx_refined() -> None:
    instance = generate(40, 4, seed=7)
    start = make_solver("approx-refined").solve(instance).schedule
    assert np.array_equal(Annealing(moves=0).solve(instance).schedule.machine, start.machine)


@pytest.mark.parametrize("moves", [None, 10**9])
def test_the_time_limit_is_kept(moves: int | None) -> None:
    instance = generate(100, 5, seed=1)
    Annealing(moves=10).solve(instance)
    started = time.perf_counter()
    solution = Annealing(moves=moves).solve(instance, time_limit=0.3)
    assert solution.seconds > 0.25
    assert time.perf_counter() - started < 0.6


def test_interruption_returns_the_best_so_far() -> None:
    instance = generate(60, 5, mu=10, seed=2)
    solver, told = Annealing(), []

    def interrupt(progress: Progress) -> None:
        told.append(progress)
        if len(told) == 2:
            raise KeyboardInterrupt

    solver.progress = interrupt
    solution = solver.solve(instance, time_limit=60.0)
    assert solution.interrupted
    assert solution.seconds < 10.0
    assert told[1].best is not None
    assert solution.schedule.total_accuracy == pytest.approx(told[1].best, rel=1e-12)
    assert 0.0 <= told[0].done <= told[1].done < 1.0


@pytest.mark.parametrize("moves", [-1, 2.5, True, "many"])
def test_bad_options_are_named(moves: object) -> None:
    with pytest.raises(InputError, match="moves: must be"):
        make_solver("annealing", moves=moves)
