import numpy as np
import pytest

from dsct_gym import make_solver
from dsct_gym.baselines.edf import three_levels, work_for_accuracy
from dsct_gym.instance import Instance


def instance(**fields: object) -> Instance:
    values: dict[str, object] = {
        "speeds": [1.0, 2.0],
        "efficiencies": [1.0, 4.0],
        "deadlines": [4.0, 2.0, 4.0, 3.0],
        "work": [[0.0, 4.0]] * 4,
        "accuracy": [[0.0, 0.82]] * 4,
        "energy_budget": 100.0,
    }
    return Instance(**{**values, **fields})  # type: ignore[arg-type]


def test_no_compression_by_hand() -> None:
    # By deadline: task 1 (due 2 s) ends first on machine 1, at 2 s. Task 3 (due 3 s) would end at
    # 4 s on either: dropped. Task 0 (due 4 s) ends at 4 s on both: the first machine. Task 2 goes
    # to machine 1, from 2 s to 4 s.
    schedule = make_solver("edf-no-compression").solve(instance()).schedule
    assert schedule.machine.tolist() == [0, 1, 1, -1]
    assert schedule.start.tolist() == [0.0, 0.0, 2.0, 0.0]
    assert schedule.finish.tolist() == [4.0, 2.0, 4.0, 0.0]
    assert schedule.energy == pytest.approx(4.0 + 1.0 + 1.0)
    assert schedule.total_accuracy == pytest.approx(3 * 0.82)


def test_budget_decides_among_machines_that_meet_the_deadline() -> None:
    # 1.5 J: task 1 costs 1 J on machine 1; then only 0.5 J is left, too little for any other.
    schedule = make_solver("edf-no-compression").solve(instance(energy_budget=1.5)).schedule
    assert schedule.machine.tolist() == [-1, 1, -1, -1]
    # 2 J: task 0 would be first to end on machine 0, but only machine 1 is within the 1 J left.
    schedule = make_solver("edf-no-compression").solve(instance(energy_budget=2.0)).schedule
    assert schedule.machine.tolist() == [1, 1, -1, -1]


def test_three_levels_by_hand() -> None:
    # Straight curves: level 27 % takes 4 * 27/82 GFLOP, 55 % takes 4 * 55/82, 82 % takes 4.
    # Task 1 (due 2 s): in full on machine 1 until 2 s. Task 3 (due 3 s): in full ends at 4 s on
    # both; at 55 % (2.683 GFLOP) at 2.683 s on machine 0. Task 0 (due 4 s): in full at 4 s on
    # machine 1. Task 2 (due 4 s): at 27 % (1.317 GFLOP) exactly at 4 s on machine 0.
    schedule = make_solver("edf-3-levels").solve(instance()).schedule
    assert schedule.machine.tolist() == [1, 1, 0, 0]
    assert schedule.accuracy == pytest.approx([0.82, 0.82, 0.27, 0.55])
    assert schedule.finish == pytest.approx([4.0, 2.0, 4.0, 4 * 55 / 82])


def test_tasks_that_fit_exactly_are_placed_in_spite_of_rounding() -> None:
    # 0.1 + 0.2 is more than 0.3 in floating point.
    tight = Instance(
        speeds=[1.0],
        efficiencies=[1.0],
        deadlines=[0.1, 0.3],
        work=[[0.0, 0.1], [0.0, 0.2]],
        accuracy=[[0.0, 0.5], [0.0, 0.5]],
        energy_budget=0.3,
    )
    schedule = make_solver("edf-no-compression").solve(tight).schedule
    assert schedule.total_accuracy == pytest.approx(1.0)


def test_levels_are_thirds_where_the_greatest_accuracy_is_not_82_percent() -> None:
    mixed = instance(accuracy=[[0.0, 0.82], [0.0, 0.82], [0.0, 0.9], [0.3, 0.6]])
    levels = three_levels(mixed)
    assert levels[0] == pytest.approx([0.27, 0.55, 0.82])
    assert levels[2] == pytest.approx([0.3, 0.6, 0.9])
    assert levels[3] == pytest.approx([0.2, 0.4, 0.6])
    # A level below the accuracy without work takes none; one in between a share of the curve.
    assert work_for_accuracy(mixed, levels)[3] == pytest.approx([0.0, 4.0 / 3.0, 4.0])


def test_least_work_for_an_accuracy_on_bent_and_flat_curves() -> None:
    bent = instance(
        work=[[0.0, 1.0, 3.0], [0.0, 1.0, 3.0], [0.0, 2.0, 2.0], [0.0, 1.0, 3.0]],
        accuracy=[[0.0, 0.6, 0.8], [0.2, 0.9, 0.9], [0.1, 0.5, 0.5], [0.4, 0.4, 0.4]],
    )
    levels = np.array([[0.3, 0.7, 0.8], [0.1, 0.9, 0.9], [0.3, 0.5, 0.9], [0.1, 0.2, 0.4]])
    assert work_for_accuracy(bent, levels) == pytest.approx(
        np.array([[0.5, 2.0, 3.0], [0.0, 1.0, 1.0], [1.0, 2.0, 2.0], [0.0, 0.0, 0.0]])
    )
