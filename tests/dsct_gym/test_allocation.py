import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsct_gym.allocation import allocate
from dsct_gym.errors import InputError
from dsct_gym.incremental import IncrementalAllocation
from dsct_gym.instance import Instance
from strategies import assigned
from truth import assignment_lp


@settings(max_examples=150, deadline=None)
@given(assigned())
def test_allocation_equals_the_linear_programme(case: tuple[Instance, np.ndarray]) -> None:
    instance, machine_of = case
    schedule = allocate(instance, machine_of)
    assert schedule.verify().reasons == ()
    expected = assignment_lp(instance, machine_of)
    assert schedule.total_accuracy == pytest.approx(expected, rel=1e-9, abs=1e-9)
    idle = machine_of < 0
    assert (schedule.machine[idle] == -1).all()
    placed = schedule.machine >= 0
    assert (schedule.machine[placed] == machine_of[placed]).all()


@settings(max_examples=80, deadline=None)
@given(assigned(max_tasks=12), st.data())
def test_moves_and_swaps_equal_a_fresh_allocation(
    case: tuple[Instance, np.ndarray], data: st.DataObject
) -> None:
    instance, machine_of = case
    n, m = instance.num_tasks, instance.num_machines
    state = IncrementalAllocation(instance, machine_of)
    for _ in range(12):
        one, other = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, n - 1))
        changed = state.machine_of
        if data.draw(st.booleans()):
            changed[[one, other]] = changed[[other, one]]
            value = state.swap(one, other)
        else:
            changed[one] = data.draw(st.integers(-1, m - 1))
            value = state.move(one, int(changed[one]))
        fresh = allocate(instance, changed).total_accuracy
        assert value == pytest.approx(fresh, rel=1e-12)
        if data.draw(st.booleans()):
            state.accept()
            assert (state.machine_of == changed).all()
            assert state.total_accuracy == pytest.approx(fresh, rel=1e-12)
    assert state.schedule().total_accuracy == pytest.approx(state.total_accuracy, rel=1e-12)


def test_allocation_by_hand() -> None:
    # Machine 0 (4 GFLOP/s, 2 GFLOP/J) does task 0 in full, its first segment earning 0.2 per GFLOP
    # (0.4 per J), its second 0.05 (0.1 per J). Machine 1 (10 GFLOP/s, 1 GFLOP/J) earns 0.15 per J
    # on task 1. The budget of 4 J buys 2 GFLOP for 1 J, then 3 GFLOP for 3 J; nothing is left.
    instance = Instance(
        speeds=[4.0, 10.0],
        efficiencies=[2.0, 1.0],
        deadlines=[1.0, 1.0],
        work=[[0.0, 2.0, 4.0], [0.0, 4.0, 4.0]],
        accuracy=[[0.0, 0.4, 0.5], [0.1, 0.7, 0.7]],
        energy_budget=4.0,
    )
    schedule = allocate(instance, np.array([0, 1]))
    assert schedule.work == pytest.approx([2.0, 3.0])
    assert schedule.accuracy == pytest.approx([0.4, 0.55])
    assert schedule.energy == pytest.approx(4.0)


def test_equal_deadlines_share_the_time() -> None:
    # 10 GFLOP of time for two tasks due together: the steeper curve is served first.
    instance = Instance(
        speeds=[10.0],
        efficiencies=[1.0],
        deadlines=[1.0, 1.0],
        work=[[0.0, 8.0], [0.0, 8.0]],
        accuracy=[[0.0, 0.4], [0.0, 0.8]],
        energy_budget=100.0,
    )
    assert allocate(instance, np.array([0, 0])).work == pytest.approx([2.0, 8.0])


def test_accept_needs_a_trial() -> None:
    instance = Instance([1.0], [1.0], [1.0], [[0.0, 1.0]], [[0.0, 1.0]], 1.0)
    state = IncrementalAllocation(instance)
    with pytest.raises(RuntimeError, match="no trial"):
        state.accept()
    state.move(0, 0)
    state.accept()
    with pytest.raises(RuntimeError, match="no trial"):
        state.accept()


@pytest.mark.parametrize(
    ("machine_of", "message"),
    [
        ([0], r"machine_of: shape \(1,\) for 2 tasks"),
        ([0, 2], r"machine_of\[1\]: 2 is not in -1\.\.1"),
        ([-2, 0], r"machine_of\[0\]: -2"),
        ([0.0, 1.0], "machine_of: must be integers"),
    ],
)
def test_bad_assignments_are_named(machine_of: list[float], message: str) -> None:
    instance = Instance([1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [[0.0, 1.0]] * 2, [[0.0, 1.0]] * 2, 1.0)
    with pytest.raises(InputError, match=message):
        allocate(instance, np.array(machine_of))
