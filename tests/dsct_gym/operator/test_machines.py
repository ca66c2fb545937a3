"""Machines in a line of text, and problems with and without them."""

import numpy as np
import pytest

from dsct_gym.catalog import device
from dsct_gym.errors import InputError
from dsct_gym.generator import generate
from dsct_gym.operator.changes import (
    find_machine,
    with_ample_budget,
    with_budget,
    with_deadlines,
    with_machine,
    without_machine,
)
from dsct_gym.operator.machines import Machine, Origin, read_machines
from dsct_gym.points.generator import draw_points


def test_devices_and_copies():
    machines = read_machines("L4:002, a100 ,T4", "--machines")
    assert [machine.name for machine in machines] == ["L4-1", "L4-2", "A100", "T4"]
    assert machines[0].speed == device("L4").speed
    assert machines[3].power == 70.0
    assert machines[3].efficiency == pytest.approx(device("T4").efficiency)
    assert machines[0].speed_from == Origin.PREDICTED
    assert machines[0].power_from == Origin.LIMIT


@pytest.mark.parametrize(
    ("text", "speed", "power"),
    [
        ("box:speed=5000:watt=90", 5000.0, 90.0),
        ("box:speed=5 TFLOP/s:power=0.09kW", 5000.0, 90.0),
        ("box:speed=5 TFLOPS:efficiency=50", 5000.0, 100.0),
        ("box:watt=100:efficiency=50 GFLOPS/W", 5000.0, 100.0),
    ],
)
def test_own(text, speed, power):
    (machine,) = read_machines(text, "--machines")
    assert (machine.name, machine.speed, machine.power) == ("box", speed, pytest.approx(power))
    assert {machine.speed_from, machine.power_from} == {Origin.GIVEN}


def test_what_is_given_replaces_the_catalogue():
    first, second = read_machines("T4:speed=3000,T4:efficiency=10", "--machines")
    assert (first.speed, first.power) == (3000.0, 70.0)
    assert (first.speed_from, first.power_from) == (Origin.GIVEN, Origin.LIMIT)
    assert (second.speed, second.efficiency) == (device("T4").speed, pytest.approx(10.0))
    assert [first.name, second.name] == ["T4-1", "T4-2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--machines: a name is empty"),
        ("T4,", "--machines: a name is empty"),
        ("T4:000000001999999999", "--machines: T4: expected how many (1 to 10000)"),
        ("T4:2:3", "--machines: T4 is told twice how many there are"),
        ("T4:speed=1:speed=2", "--machines: T4: speed is given twice"),
        ("T4:watt=1:power=2", "--machines: T4: power is given twice"),
        (",".join(["T4:10000"] * 11), "--machines: 110000 machines, of which at most 100000"),
        ("T44", "--machines: no device 'T44'; did you mean T4; or give its speed= and watt="),
        ("box:speed=5", "--machines: box is not in the catalogue: give its watt= as well"),
        ("T4:0", "--machines: T4: expected how many (1 to 10000), speed=, watt= or efficiency="),
        ("T4:99999999999999999999", "--machines: T4: expected how many"),
        ("T4:x", "--machines: T4: expected how many"),
        ("T4:sped=3", "--machines: T4 has no 'sped'; did you mean speed"),
        ("T4:speed=3 W", "--machines: T4: speed: 'W' is no unit of speed"),
        ("T4:speed=0", "--machines: T4: speed must be positive, got 0"),
        ("b:speed=1:watt=2:efficiency=3", "--machines: b: two of speed, watt and efficiency"),
        ("x" * 300, "--machines: the name "),
    ],
)
def test_refuses(text, message):
    with pytest.raises(InputError) as refusal:
        read_machines(text, "--machines")
    assert str(refusal.value).startswith(message)
    assert len(refusal.value.lines) == 1


BOX = Machine("box", 1000.0, 50.0)


@pytest.mark.parametrize("clocks", [False, True])
def test_a_machine_comes_and_goes(clocks):
    plain = generate(6, 2, seed=1)
    problem = draw_points(plain, 3) if clocks else plain
    larger = with_machine(with_machine(problem, BOX), BOX)
    assert larger.core.machine_names == (None, None, "box", "box-2")
    assert larger.core.speeds[2:].tolist() == [1000.0, 1000.0]
    assert larger.core.powers[2:] == pytest.approx([50.0, 50.0])
    assert larger.core.energy_budget == plain.energy_budget
    assert without_machine(without_machine(larger, 3), 2) == problem
    assert np.array_equal(without_machine(larger, 0).core.speeds, larger.core.speeds[1:])
    alone = without_machine(problem, 0)
    with pytest.raises(InputError, match="there is no other machine"):
        without_machine(alone, 0)


@pytest.mark.parametrize("clocks", [False, True])
def test_budgets_and_deadlines(clocks):
    plain = generate(6, 2, seed=1)
    problem = draw_points(plain, 3) if clocks else plain
    assert with_budget(problem, 7.0).core.energy_budget == 7.0
    later = with_deadlines(problem, 2.0)
    assert later.core.deadlines.tolist() == (2.0 * plain.deadlines).tolist()
    assert type(later) is type(problem)
    ample = with_ample_budget(problem).core.energy_budget
    assert ample >= float((plain.max_work.sum() / plain.efficiencies).max())


def test_machines_are_found_by_name_or_number():
    core = with_machine(generate(6, 2, seed=1), BOX)
    assert (find_machine(core, "box"), find_machine(core, "1")) == (2, 1)
    with pytest.raises(InputError, match="no machine 'bax'; did you mean box"):
        find_machine(core, "bax")
