"""What is told of an instance, against numbers worked out by hand."""

import json
from dataclasses import replace

import pytest

from dsct_gym.catalog import tables
from dsct_gym.cli import run
from dsct_gym.generator import generate
from dsct_gym.instance import Instance
from dsct_gym.operator.overview import describe
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.points.operating_points import OperatingPoints

# 30 + 40 GFLOP that count; the third curve gains nothing from its last 50.
HAND = Instance(
    speeds=[100.0, 300.0],
    efficiencies=[2.0, 1.0],
    deadlines=[0.1, 0.4, 0.2],
    work=[[0, 10, 30], [0, 20, 20], [0, 20, 70]],
    accuracy=[[0.1, 0.5, 0.7], [0.0, 0.9, 0.9], [0.2, 0.8, 0.8]],
    energy_budget=35.0,
    machine_names=("small", None),
)


def test_by_hand():
    told = describe(HAND)
    assert (told.tasks, told.needs, told.horizon, told.first_deadline) == (3, (), 0.4, 0.1)
    assert [(machine.name, machine.power) for machine in told.machines] == [
        ("small", 50.0),
        ("machine 1", 300.0),
    ]
    assert told.full_work == 70.0
    assert told.least_energy == 35.0
    assert told.mu == 1.5
    assert told.rho == pytest.approx(0.4 * 400 / 70)
    assert told.beta == pytest.approx(35.0 / (0.4 * 350))
    assert told.mean_accuracy_range == pytest.approx((0.1, 0.8))
    assert told.too_late == 0.0  # 30 GFLOP take the fast machine 0.1 s
    # All is done by the relaxation: 10 GFLOP by 0.1 s on small (5 J), 10 by 0.2 s (5 J), ...
    assert told.cut_by_deadlines == 0.0
    assert told.unlimited_energy is not None
    assert told.doubts == ()


def test_too_late_alone_and_cut_together():
    hurried = replace(HAND, deadlines=HAND.deadlines * 0.4)
    # 12, 48 and 24 GFLOP fit the fast machine alone; together 16, 64 and 32 by those deadlines.
    told = describe(hurried)
    assert told.too_late == pytest.approx(1 / 3)
    assert told.cut_by_deadlines == pytest.approx(1 / 3)


def test_the_scenario_is_read_back():
    told = describe(generate(30, 4, mu=7.0, rho=0.6, beta=0.3, seed=4))
    assert (told.mu, told.rho, told.beta) == pytest.approx((7.0, 0.6, 0.3), rel=1e-9)


def test_clocks_are_told_at_their_fastest_and_work_costs_least_at_the_best():
    points = [OperatingPoints([50.0, 100.0], [10.0, 50.0]), OperatingPoints([300.0], [300.0])]
    told = describe(DvfsInstance.of(HAND, points))
    assert told.machines[0].power == 50.0
    assert told.least_energy == 70.0 / 5.0
    assert told.needs == ("points",)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"efficiencies": [2000.0, 1.0]}, "machines[0] (small): draws 50 mW"),
        (
            {"speeds": [0.1, 300.0], "efficiencies": [0.002, 1.0]},
            "machines[0] (small): 100 MFLOP/s",
        ),
        ({"speeds": [100.0, 3e9], "efficiencies": [2.0, 1e7]}, "machines[1] (machine 1): 3000 PF"),
        ({"deadlines": [100.0, 400.0, 200.0]}, "deadlines: the last is at 400 s"),
        ({"energy_budget": 35_000_001.0}, "energy_budget: 35 MJ, and all work takes at least 35 J"),
        ({"energy_budget": 0.001}, "energy_budget: 1 mJ"),
        ({"accuracy": [[0.1] * 3] * 3}, "tasks: none gains anything"),
        ({"machine_names": ("T4", "x")}, "machines[0] (T4): 100 GFLOP/s, and the NVIDIA Tesla T4"),
        ({"machine_names": ("x", "T4-2")}, "machines[1] (T4-2): draws 300 W (speed / efficiency)"),
    ],
)
def test_doubts(fields, told):
    assert describe(replace(HAND, **fields)).doubts[0].startswith(told)


def test_work_in_another_unit_is_doubted():
    doubts = describe(replace(HAND, work=HAND.work * 1e9)).doubts
    assert doubts[0].startswith("tasks: the median of their works is 30000 PFLOP")


def test_devices_of_the_catalogue_are_not_doubted():
    drawn = generate(20, devices="T4,Jetson-Nano,B200", family="vit", m=6, seed=1)
    assert describe(drawn).doubts == ()


def test_command(tmp_path, capsys):
    path = str(tmp_path / "hand.json")
    replace(HAND, efficiencies=[2000.0, 1.0]).save(path)
    assert run(["describe", path]) == 0
    captured = capsys.readouterr()
    assert "3, due from 100 ms to 400 ms" in captured.out
    assert captured.err.startswith("Warning: machines[0] (small): draws 50 mW")
    assert run(["describe", path, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["full_work"] == 70.0
    assert len(told["doubts"]) == 1


def test_machines_are_not_compared_with_the_whole_catalogue(monkeypatch):
    """Names close to one are sought for an error alone: thousands of copies took half a minute."""
    instance = Instance.from_frames("T4:2", {"deadline": [1.0], "model": ["vit"]}, budget="50%")
    monkeypatch.setattr(tables, "get_close_matches", None)
    assert not any("listed with" in line for line in describe(instance).doubts)
