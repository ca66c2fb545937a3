"""The plan: what decisions do to it, and that it is worth what it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsct_gym import Instance, allocate, generate, make_solver
from dsct_gym.arrays import Ints
from dsct_gym.plan import FINE, LIMIT, Context, Machine, Plan, begin, decide, look
from dsct_gym.plan.options import MOVE, SWAP
from strategies import instances


def gained(instance: Instance, machine: Ints) -> float:
    """Accuracy that an assignment in EDF order gains, computed from scratch."""
    total = allocate(instance, machine[instance.edf_rank]).total_accuracy
    return float(total - instance.base_accuracy.sum())


def see(plan: Plan, task: int) -> np.ndarray:
    """The columns of the machines (m, M)."""
    machine = np.zeros((plan.loads.planned.size, len(Machine)), dtype=np.float32)
    look(plan, task, np.zeros(len(Context), dtype=np.float32), machine)
    return machine


def expand(value: float) -> float:
    """Undoes the compression of a column."""
    return float(np.sign(value) * np.expm1(abs(value)))


def test_it_begins_where_approx_refined_ends() -> None:
    instance = generate(40, 4, seed=3)
    plan = Plan.of(instance)
    begin(plan)
    refined = make_solver("approx-refined").solve(instance).schedule.total_accuracy
    assert plan.gain + instance.base_accuracy.sum() == pytest.approx(refined, rel=1e-12)
    assert plan.unit == pytest.approx(plan.gain / 40, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(instance=instances(), seed=st.integers(0, 2**32))
def test_it_is_worth_what_it_says_whatever_is_decided(instance: Instance, seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan = Plan.of(instance)
    begin(plan)
    for task in range(instance.num_tasks):
        see(plan, task)
        choice = int(rng.integers(-1, instance.num_machines))
        decide(plan, task, choice)
        assert plan.curves.machine[task] == choice
        expected = gained(instance, plan.curves.machine)
        assert plan.gain == pytest.approx(expected, rel=1e-9, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_changes_that_are_called_exact_are(seed: int) -> None:
    instance = generate(12, 3, seed=seed)
    plan = Plan.of(instance)
    begin(plan)
    for task in range(12):
        seen = see(plan, task)
        before, unit, known = plan.gain, plan.unit / FINE, plan.options.known
        machine = plan.curves.machine.copy()
        for r in range(3):
            assert seen[r, Machine.HERE] == (machine[task] == r)
            if seen[r, Machine.HERE]:
                assert seen[r, Machine.CHANGE] == 0.0
                continue
            moved = machine.copy()
            moved[task] = r
            true = gained(instance, moved) - before
            move, swap = seen[r, Machine.MOVE], seen[r, Machine.SWAP]
            # What is not computed is known to be no gain, or stands for one that is refused.
            assert known[MOVE, r] or true <= 1e-9 or move < 0.0
            if known[MOVE, r] and move < LIMIT:
                assert unit * expand(move) == pytest.approx(true, rel=1e-4, abs=1e-7)
            if known[SWAP, r] and swap < LIMIT:
                moved[plan.options.partner[r]] = machine[task]
                true = gained(instance, moved) - before
                assert unit * expand(swap) == pytest.approx(true, rel=1e-4, abs=1e-7)
        decide(plan, task, int(np.argmax(seen[:, Machine.CHANGE])))
        assert plan.gain >= before * (1 - 1e-12)


def test_a_copy_goes_its_own_way_and_can_be_taken_over() -> None:
    plan = Plan.of(generate(12, 3, seed=5))
    begin(plan)
    other = plan.copy()
    for task in range(6):
        see(other, task)
        decide(other, task, task % 3)
    start = plan.outlook.start
    assert np.array_equal(plan.curves.machine, start)
    assert not np.array_equal(other.curves.machine, start)
    plan.take(other)
    for task in range(6, 12):
        assert np.array_equal(see(plan, task), see(other, task))
        decide(plan, task, task % 3)
        decide(other, task, task % 3)
    assert plan.gain == other.gain
    begin(plan)
    assert np.array_equal(plan.curves.machine, start)
