"""Schedules against hand-computed ones, and a verifier that catches every kind of tampering."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.schedule import Schedule, check_assignment, idle, measures, value
from dsct_gym.verifier import Claims, Rows, verify
from strategies import instances


def small(**changes: Any) -> Instance:
    """Speeds 10 and 20, efficiencies 5 and 2; deadlines 3, 1, 2 and 4."""
    return Instance(
        **{
            "speeds": [10.0, 20.0],
            "efficiencies": [5.0, 2.0],
            "deadlines": [3.0, 1.0, 2.0, 4.0],
            "work": [[0, 10, 30]] * 4,
            "accuracy": [[0.1, 0.5, 0.7]] * 4,
            "energy_budget": 14.0,
            **changes,
        }
    )


def by_hand() -> Schedule:
    """Machine 0 runs tasks 1 then 0, machine 1 runs task 2; task 3 has no work."""
    return Schedule.from_work(
        small(), np.array([0, 0, 1, -1]), np.array([20.0, 5.0, 16.0, 99.0]), solver="hand"
    )


def test_from_work_by_hand() -> None:
    schedule = by_hand()
    assert schedule.machine.tolist() == [0, 0, 1, -1]
    assert schedule.work.tolist() == [20.0, 5.0, 16.0, 0.0]
    assert schedule.duration.tolist() == [2.0, 0.5, 0.8, 0.0]
    assert schedule.start.tolist() == [0.5, 0.0, 0.0, 0.0]
    assert schedule.finish.tolist() == [2.5, 0.5, 0.8, 0.0]
    assert schedule.makespan == 2.5
    # 0.5 + 10 · 0.01, 0.1 + 5 · 0.04, 0.5 + 6 · 0.01, and a guess.
    np.testing.assert_allclose(schedule.accuracy, [0.6, 0.3, 0.56, 0.1], rtol=1e-14)
    assert schedule.total_accuracy == pytest.approx(1.56, rel=1e-14)
    assert schedule.mean_accuracy == pytest.approx(0.39, rel=1e-14)
    np.testing.assert_allclose(schedule.task_energy, [4.0, 1.0, 8.0, 0.0])
    assert schedule.energy == pytest.approx(13.0)
    assert schedule.solver == "hand"
    assert schedule.verify().reasons == ()


def test_equal_deadlines_run_in_order_of_index() -> None:
    instance = small(deadlines=[2.0, 2.0, 2.0, 2.0], energy_budget=100.0)
    schedule = Schedule.from_work(instance, np.array([1, 1, 1, 1]), np.full(4, 10.0))
    assert schedule.start.tolist() == [0.0, 0.5, 1.0, 1.5]
    assert schedule.verify()


def test_a_task_without_work_has_no_machine() -> None:
    schedule = Schedule.from_work(small(), np.array([0, 0, 1, 1]), np.array([0.0, -1e-9, 5, 0]))
    assert schedule.machine.tolist() == [-1, -1, 1, -1]
    assert schedule.work.tolist() == [0.0, 0.0, 5.0, 0.0]
    assert schedule.verify()


def test_nothing_scheduled_is_a_schedule_even_without_a_budget() -> None:
    idle = Schedule.from_work(small(energy_budget=0.0), np.full(4, -1), np.zeros(4))
    assert idle.verify()
    assert idle.total_accuracy == pytest.approx(0.4)
    assert idle.energy == 0.0
    busy = Schedule.from_work(small(energy_budget=0.0), np.zeros(4, int), np.full(4, 1e-12))
    assert "exceeds the budget" in busy.verify().reasons[0]


@pytest.mark.parametrize(
    ("machine_of", "message"),
    [
        ([0, 0, 2, 0], r"machine_of\[2\]: 2 is not in -1..1"),
        ([0, -2, 0, 0], r"machine_of\[1\]: -2 is not in -1..1"),
        ([0, 0, 0], "machine_of: shape"),
        ([0.0, 1.0, 0.0, 0.0], "machine_of: must be integers, got float64"),
        ([True, False, True, True], "machine_of: must be integers, got bool"),
    ],
)
def test_assignments_are_checked(machine_of: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_assignment(small(), machine_of)


def test_work_is_checked() -> None:
    with pytest.raises(InputError, match="work: shape"):
        Schedule.from_work(small(), np.zeros(4, int), np.zeros(3))
    with pytest.raises(InputError, match=r"work\[1\]: must be finite, got nan"):
        Schedule.from_work(small(), np.zeros(4, int), np.array([0.0, np.nan, 0.0, 0.0]))


def feasible_work(instance: Instance, machine: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Work that fits by construction: an equal part of each deadline's time and of the budget."""
    n = instance.num_tasks
    fits = np.minimum(
        instance.speeds[machine] * instance.deadlines.min() / n,
        instance.energy_budget * instance.efficiencies[machine] / n,
    )
    return np.where(machine >= 0, shares * np.minimum(fits, instance.max_work), 0.0)


@settings(max_examples=120, deadline=None)
@given(instances(), st.integers(0, 2**32 - 1))
def test_what_fits_by_construction_verifies(instance: Instance, seed: int) -> None:
    rng = np.random.default_rng(seed)
    machine = rng.integers(-1, instance.num_machines, instance.num_tasks)
    work = feasible_work(instance, machine, rng.random(instance.num_tasks))
    assert Schedule.from_work(instance, machine, work).verify().reasons == ()


def changed(schedule: Schedule, field: str, task: int, value: float) -> Schedule:
    values = getattr(schedule, field).copy()
    values[task] = value
    return replace(schedule, **{field: values})


TAMPERING: list[tuple[Callable[[Schedule], Schedule], str]] = [
    (lambda s: changed(s, "start", 0, 0.25), "starts before its machine is free: task 0"),
    (lambda s: changed(s, "start", 0, 1.5), "ends after its deadline: task 0"),
    (lambda s: changed(s, "start", 1, -0.1), "starts before time 0: task 1"),
    (lambda s: changed(s, "duration", 2, 0.7), "duration is not work / speed: task 2"),
    (lambda s: changed(s, "work", 2, 15.0), "duration is not work / speed: task 2"),
    (lambda s: changed(s, "work", 2, 31.0), "work outside the curve: task 2"),
    (lambda s: changed(s, "work", 2, -1.0), "work outside the curve: task 2"),
    (lambda s: changed(s, "accuracy", 2, 0.57), "accuracy is not the curve's: task 2"),
    (lambda s: changed(s, "accuracy", 3, 0.9), "accuracy is not the curve's: task 3"),
    (lambda s: changed(s, "task_energy", 2, 7.9), "energy is not work / efficiency: task 2"),
    (lambda s: changed(s, "task_energy", 3, 0.1), "energy is not work / efficiency: task 3"),
    (lambda s: changed(s, "machine", 2, -1), "works without a machine: task 2"),
    (lambda s: changed(s, "machine", 2, 0), "starts before its machine is free: task 0, 2"),
    (lambda s: changed(s, "machine", 2, 7), "machine is not one of 2: task 2"),
    (lambda s: changed(s, "machine", 2, -2), "machine is not one of 2: task 2"),
    (lambda s: changed(s, "work", 2, float("nan")), "number not finite: task 2"),
    (lambda s: changed(s, "start", 2, float("inf")), "number not finite: task 2"),
    (lambda s: replace(s, total_accuracy=1.57), "total_accuracy is 1.56, not 1.57"),
    (lambda s: replace(s, total_accuracy=float("nan")), "total_accuracy is 1.56, not nan"),
    (lambda s: replace(s, energy=12.0), "energy is 13, not 12"),
    (lambda s: replace(s, upper_bound=1.55), "upper_bound 1.55 is below the total 1.56"),
    (lambda s: replace(s, upper_bound=float("nan")), "upper_bound nan is below the total"),
    (lambda s: replace(s, instance=small(energy_budget=12.9)), "energy 13 J exceeds the budget"),
    (lambda s: replace(s, instance=small(deadlines=[2.4, 1, 2, 4])), "ends after its deadline"),
]


@pytest.mark.parametrize(("tamper", "reason"), TAMPERING, ids=[reason for _, reason in TAMPERING])
def test_tampering_is_caught(tamper: Callable[[Schedule], Schedule], reason: str) -> None:
    verification = tamper(by_hand()).verify()
    assert not verification
    assert any(found.startswith(reason) for found in verification.reasons), verification.reasons
    with pytest.raises(InputError, match="schedule: "):
        verification.raise_if_wrong()


def test_an_honest_schedule_raises_nothing() -> None:
    verification = by_hand().credited(upper_bound=1.56, seconds=0.1).verify()
    assert verification.ok
    verification.raise_if_wrong()


@settings(max_examples=100, deadline=None)
@given(instances(), st.integers(0, 2**32 - 1))
def test_any_changed_number_is_caught(instance: Instance, seed: int) -> None:
    rng = np.random.default_rng(seed)
    machine = rng.integers(-1, instance.num_machines, instance.num_tasks)
    work = feasible_work(instance, machine, rng.uniform(0.1, 1.0, instance.num_tasks))
    schedule = Schedule.from_work(instance, machine, work)
    placed = np.flatnonzero(schedule.machine >= 0)
    assume(placed.size)
    task = int(rng.choice(placed))
    for field in ("duration", "work", "task_energy"):
        value = float(getattr(schedule, field)[task])
        assert not changed(schedule, field, task, value * 1.00001).verify(), field
    for total in ("total_accuracy", "energy"):
        value = getattr(schedule, total)
        other = value * 1.00001 if value else 1e-5
        assert not replace(schedule, **{total: other}).verify(), total


def two_rows(**changes: Any) -> Rows:
    """Rows for tasks 1 and 0 of `by_hand`, in that order."""
    chosen = Rows(*(column[[1, 0]] for column in by_hand().rows))
    return chosen._replace(**changes)


TWO_CLAIMS = Claims(total_accuracy=1.1, mean_accuracy=0.275, energy=5.0)


def test_rows_may_leave_tasks_out() -> None:
    assert verify(small(), two_rows(), TWO_CLAIMS).reasons == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"task": np.array([1, 1])}, "placed more than once: task 1"),
        ({"task": np.array([1, 4])}, "no such task in the instance: task 4"),
        ({"task": np.array([-1, 0])}, "no such task in the instance: task -1"),
    ],
)
def test_faulty_rows_are_caught(changes: dict[str, Any], reason: str) -> None:
    assert verify(small(), two_rows(**changes), TWO_CLAIMS).reasons == (reason,)


def test_a_false_mean_is_caught() -> None:
    claims = TWO_CLAIMS._replace(mean_accuracy=0.3)
    assert verify(small(), two_rows(), claims).reasons == ("mean_accuracy is 0.275, not 0.3",)


def test_rows_become_a_schedule_in_any_order() -> None:
    schedule = Schedule.from_rows(small(), two_rows(), solver="rows")
    assert schedule.machine.tolist() == [0, 0, -1, -1]
    assert schedule.start.tolist() == [0.5, 0.0, 0.0, 0.0]
    assert schedule.total_accuracy == pytest.approx(1.1, rel=1e-14)
    assert schedule.energy == pytest.approx(5.0, rel=1e-14)
    assert schedule.solver == "rows"
    assert schedule.verify().reasons == ()


def test_rows_may_run_in_another_order_than_by_deadline() -> None:
    """Machine 0 runs task 0 (deadline 3) before task 1 (deadline 1), which is late for it."""
    swapped = two_rows(start=np.array([2.0, 0.0]))
    found = Schedule.from_rows(small(), swapped).verify().reasons
    assert found == ("ends after its deadline: task 1",)
    patient = Schedule.from_rows(small(deadlines=[3.0, 2.5, 2.0, 4.0]), swapped)
    assert patient.start.tolist() == [0.0, 2.0, 0.0, 0.0]
    assert patient.verify().reasons == ()


def test_all_rows_give_the_schedule_back() -> None:
    schedule = by_hand().credited(upper_bound=2.0)
    again = Schedule.from_rows(schedule.instance, schedule.rows, claims=schedule.claims)
    for field in ("machine", "start", "duration", "work", "accuracy", "task_energy"):
        assert np.array_equal(getattr(again, field), getattr(schedule, field)), field
    assert again.claims == schedule.claims


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": np.array([0, 4])}, r"rows\[1\].task: 4 of 4 tasks"),
        ({"task": np.array([-1, 0])}, r"rows\[0\].task: -1 of 4 tasks"),
        ({"task": np.array([0, 0])}, r"rows\[1\].task: 0 is placed twice"),
        ({"machine": np.array([0, 2])}, r"rows\[1\].machine: 2 of 2 machines"),
        ({"machine": np.array([-2, 0])}, r"rows\[0\].machine: -2 of 2 machines"),
        ({"task": np.array([0.0, 1.0])}, "rows: tasks and machines must be integers"),
        ({"work": np.zeros(3)}, "rows: columns of"),
    ],
)
def test_rows_that_no_schedule_has_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Schedule.from_rows(small(), two_rows(**changes))


def test_doing_nothing_is_worth_the_guesses() -> None:
    assert idle(small(accuracy=[[0.1, 0.5, 0.7], [0.2, 0.5, 0.7]] * 2)) == pytest.approx(0.6)
    assert value(by_hand()) == by_hand().total_accuracy
    assert measures(by_hand()) == {}


def test_arrays_are_read_only_and_its_own() -> None:
    schedule = by_hand()
    start = np.array([0.0, 0.5, 0.0, 0.0])
    changed_start = replace(schedule, start=start)
    start[0] = 9.0
    assert changed_start.start[0] == 0.0
    copies = (schedule, pickle.loads(pickle.dumps(schedule)), copy.deepcopy(schedule))
    for one in copies:
        for field in ("machine", "start", "duration", "work", "accuracy", "task_energy"):
            with pytest.raises(ValueError, match="read-only"):
                getattr(one, field)[0] = 1
        assert one.verify()


def test_many_tasks_are_listed_briefly() -> None:
    schedule = by_hand()
    assert "and" not in replace(schedule, start=schedule.start - 1.0).verify().reasons[0]
    n = 9
    instance = small(
        deadlines=[1.0] * n, work=[[0, 1.0]] * n, accuracy=[[0.0, 0.5]] * n, energy_budget=99.0
    )
    late = Schedule.from_work(instance, np.arange(n) % 2, np.full(n, 0.1))
    late = replace(late, start=late.start + 2.0)
    assert late.verify().reasons == ("ends after its deadline: task 0, 1, 2, 3, 4 and 4 more",)


def test_short_tasks_cannot_hide_in_the_tolerance() -> None:
    """A thousand tasks, each as short as the tolerance, all at the same moment."""
    n = 1000
    instance = Instance(
        [1.0], [1.0], np.ones(n), [[0.0, 5e-8]] * n, [[0.0, 0.5]] * n, energy_budget=1.0
    )
    honest = Schedule.from_work(instance, np.zeros(n, int), np.full(n, 5e-8))
    assert honest.verify()
    stacked = replace(honest, start=np.full(n, 1.0 - 5e-8))
    assert "starts before its machine is free" in stacked.verify().reasons[0]


def test_rounding_of_files_is_tolerated() -> None:
    schedule = by_hand()
    rounded = {
        field: np.array([float(f"{value:.9g}") for value in getattr(schedule, field)])
        for field in ("start", "duration", "work", "accuracy", "task_energy")
    }
    assert replace(schedule, **rounded).verify().reasons == ()


def test_idling_between_tasks_is_allowed() -> None:
    assert changed(by_hand(), "start", 0, 1.0).verify()
