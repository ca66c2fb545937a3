"""What binds, and what machines are worth, against hand-made cases and problems solved anew."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from dsct_gym.allocation import allocate
from dsct_gym.cli import run
from dsct_gym.errors import InputError
from dsct_gym.generator import generate
from dsct_gym.instance import Instance
from dsct_gym.online import OnlineInstance
from dsct_gym.operator.explanation import explain
from dsct_gym.operator.machines import Machine, read_alternatives
from dsct_gym.points.generator import draw_points
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.relaxation import upper_bound
from dsct_gym.schedule import Schedule
from dsct_gym.soft.toy import soft_toy

# 10 GFLOP fit until 1 s and 50 until 5 s; the first of 40 GFLOP a task is worth 0.01.
HAND = Instance(
    speeds=[10.0],
    efficiencies=[1.0],
    deadlines=[1.0, 5.0, 1.0],
    work=[[0, 40], [0, 50], [0, 40]],
    accuracy=[[0, 0.4], [0, 0.25], [0, 0.4]],
    energy_budget=1e3,
    task_names=("a", "b", "c"),
)


def test_by_hand():
    told = explain(HAND)
    assert told.sensitivity.relaxation.bound == pytest.approx(0.1 + 0.2)
    (machine,) = told.machines
    assert machine.busy == pytest.approx(1.0)
    assert machine.energy == pytest.approx(50.0)
    assert (machine.first_second, machine.last_second) == pytest.approx((0.1, 0.05))
    # A second machine does 10 more of a and c until 1 s, and the last 10 of b.
    assert (machine.loss, machine.gain) == pytest.approx((0.3, 0.1 + 0.05))
    assert machine.rent == pytest.approx(0.1 + 4 * 0.05)
    assert [(each.deadline, each.tasks) for each in told.deadlines] == [
        (1.0, (0, 2)),
        (5.0, (1,)),
    ]
    assert [each.price for each in told.deadlines] == pytest.approx([0.1 - 0.05, 0.05])


@pytest.mark.parametrize("clocks", [False, True])
def test_machines_are_worth_what_it_takes_to_solve_without_them(clocks):
    plain = generate(12, 3, beta=0.4, seed=2)
    problem = draw_points(plain, 3) if clocks else plain
    added = {"box": [Machine("box", 4000.0, 100.0)]}
    told = explain(problem, added=added)
    bound = upper_bound(problem)

    def on(machines: list[int], extra: int = 0) -> float:
        core = Instance(
            np.append(plain.speeds[machines], [4000.0] * extra),
            np.append(plain.efficiencies[machines], [40.0] * extra),
            plain.deadlines,
            plain.work,
            plain.accuracy,
            plain.energy_budget,
        )
        return upper_bound(core)

    if clocks:
        for r, machine in enumerate(told.machines):
            points = list(problem.points)
            more = DvfsInstance.of(_with(plain, points[r]), [*points, points[r]])
            assert bound + machine.gain == pytest.approx(upper_bound(more), rel=1e-12)
    else:
        assert bound + told.added["box"] == pytest.approx(on([0, 1, 2], 1), rel=1e-12)
        for r, machine in enumerate(told.machines):
            others = [q for q in range(3) if q != r]
            assert bound - machine.loss == pytest.approx(on(others), rel=1e-12)
            assert bound + machine.gain == pytest.approx(on([0, 1, 2, r]), rel=1e-12)


def _with(plain, points) -> Instance:
    return Instance(
        np.append(plain.speeds, points.speeds[-1]),
        np.append(plain.efficiencies, 1.0),
        plain.deadlines,
        plain.work,
        plain.accuracy,
        plain.energy_budget,
    )


def test_alike_machines_are_told_alike():
    told = explain(generate(10, devices="T4,A100,T4", m=3, seed=1))
    first, _, third = told.machines
    assert (first.loss, first.gain) == (third.loss, third.gain)


def test_alternatives_are_called_by_what_they_are():
    named = read_alternatives(["L4", "T4:2", "box:speed=1 TFLOP/s:watt=5"], "--add-machine")
    assert {name: len(machines) for name, machines in named.items()} == {
        "L4": 1,
        "T4:2": 2,
        "box": 1,
    }


def test_tasks_that_arrive_at_once_are_explained_as_those_that_are_there():
    here, arriving = explain(HAND), explain(OnlineInstance(HAND, np.zeros(3), 5.0))
    assert arriving.limits.tolist() == here.limits.tolist()
    for one, other in zip(arriving.machines, here.machines, strict=True):
        found = [value for value in asdict(one).values() if isinstance(value, float)]
        expected = [value for value in asdict(other).values() if isinstance(value, float)]
        assert found == pytest.approx(expected, abs=1e-9)
    for moment, same in zip(arriving.deadlines, here.deadlines, strict=True):
        assert moment.price == pytest.approx(same.price, abs=1e-9)
        assert (moment.deadline, moment.tasks) == (same.deadline, same.tasks)


def test_soft_deadlines_are_refused():
    with pytest.raises(InputError, match="has soft, which 'explain' does not know"):
        explain(soft_toy())


class TestCommand:
    @pytest.fixture(autouse=True)
    def in_a_folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        HAND.save("hand.json")

    def test_tells_the_tasks_of_a_schedule(self, capsys):
        allocate(HAND, np.array([0, -1, 0])).save("s.json")
        assert run(["explain", "hand.json", "s.json", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["limits"].count("left_out") == 2
        assert told["limits"][1] == "left_out"
        assert told["energy_price"] == 0.0
        assert run(["explain", "hand.json", "s.json", "--add-machine", "L4"]) == 0
        out = capsys.readouterr().out
        assert "1 cut by deadlines, 2 left out" in out
        assert "0: there is energy enough" in out
        assert "a, c" in out

    def test_prices_are_those_of_the_hand(self, capsys):
        assert run(["explain", "hand.json", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["machines"][0]["first_second"] == pytest.approx(0.1)
        assert told["limits"] == ["deadline"] * 3

    def test_refuses_in_one_line(self, capsys):
        wrong = Schedule.from_work(HAND, np.array([0, 0, 0]), np.array([40.0, 50.0, 40.0]))
        wrong.save("s.json")
        for arguments, message in (
            (["hand.json", "s.json"], "s.json: schedule: ends after its deadline: task 0, 1, 2"),
            (["hand.json", "missing.json"], "missing.json: No such file"),
            (["hand.json", "--add-machine", "T44"], "--add-machine: no device 'T44'"),
        ):
            assert run(["explain", *arguments]) == 2
            err = capsys.readouterr().err
            assert err.startswith(f"Error: {message}")
            assert err.count("\n") == 1
