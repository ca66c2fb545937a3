"""Schedules as tables, against their own numbers."""

import csv
import io

import numpy as np
import pytest

from dsct_gym import Instance, Schedule, allocate
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.points.operating_points import OperatingPoints
from dsct_gym.schedule_table import as_csv, inert, machine_use

HAND = Instance(
    speeds=[10.0, 20.0],
    efficiencies=[2.0, 1.0],
    deadlines=[4.0, 2.0, 4.0],
    work=[[0, 40], [0, 40], [0, 40]],
    accuracy=[[0, 0.4], [0, 0.8], [0.1, 0.2]],
    energy_budget=1e3,
    machine_names=("slow", None),
    task_names=("a", None, "=c"),
)
SCHEDULE = Schedule.from_work(HAND, np.array([0, 0, -1]), np.array([10.0, 20.0, 0.0]))


def test_columns_by_hand():
    columns = SCHEDULE.to_columns()
    assert columns["name"] == ["a", None, "=c"]
    assert columns["machine"] == [0, 0, None]
    assert columns["machine_name"] == ["slow", "slow", None]
    assert columns["start"] == [2.0, 0.0, None]
    assert columns["end"] == [3.0, 2.0, None]
    assert columns["clock"] == ["10", "10", None]
    assert columns["work"] == [10.0, 20.0, 0.0]
    assert columns["full_work"] == [40.0] * 3
    assert columns["accuracy"] == pytest.approx([0.1, 0.4, 0.1])
    assert columns["energy"] == [5.0, 10.0, 0.0]


def test_csv_reads_back():
    rows = list(csv.DictReader(io.StringIO(as_csv(SCHEDULE))))
    assert [row["machine_name"] for row in rows] == ["slow", "slow", ""]
    assert [float(row["energy"]) for row in rows] == [5.0, 10.0, 0.0]


def test_names_are_no_formulas_of_a_spreadsheet():
    rows = list(csv.DictReader(io.StringIO(as_csv(SCHEDULE))))
    assert [row["name"] for row in rows] == ["a", "", "'=c"]
    assert [inert(name) for name in ("@SUM(A1)", "-2+3", "+1", "\tx", "a=b", "")] == [
        "'@SUM(A1)",
        "'-2+3",
        "'+1",
        "'\tx",
        "a=b",
        "",
    ]


def test_use_of_machines_by_hand():
    slow, idle = machine_use(SCHEDULE)
    assert (slow.name, slow.tasks, slow.busy, slow.work, slow.energy) == (
        "slow",
        2,
        3.0,
        30.0,
        15.0,
    )
    assert slow.utilisation == 0.75
    assert (idle.name, idle.tasks, idle.busy, idle.energy) == ("machine 1", 0, 0.0, 0.0)


def test_clocks_are_told_in_their_order():
    points = [OperatingPoints([5.0, 10.0], [1.0, 5.0])] * 2
    problem = DvfsInstance.of(HAND, points)
    schedule = allocate(problem, np.array([0, 0, 1]))
    told = schedule.to_columns()["clock"]
    for task in range(3):
        mine = schedule.pieces.task == task
        order = np.argsort(schedule.pieces.start[mine])
        assert told[task] == ";".join(f"{s:g}" for s in schedule.pieces.speed[mine][order])
    use = machine_use(schedule)
    assert sum(each.energy for each in use) == pytest.approx(schedule.energy)
