"""What a notebook shows of instances and schedules."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from dsct_gym import allocate, generate, make_solver
from dsct_gym.figures import LATE
from dsct_gym.notebook import MOST_BARS, MOST_MACHINES
from dsct_gym.online.toy import toy_with_arrivals
from dsct_gym.points.toy import toy_with_points
from dsct_gym.soft.toy import soft_toy, whole_toy
from dsct_gym.units import TIME

HOSTILE = "<script>alert(1)</script>&\"'"


def _tree(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<all>{html.replace('<br>', '<br/>')}</all>")


def test_hostile_names_stay_text():
    instance = replace(
        generate(2, 2, seed=0),
        name=HOSTILE,
        machine_names=(HOSTILE, "b"),
        task_names=(HOSTILE, "t"),
    )
    schedule = replace(allocate(instance, [0, 1]), solver=HOSTILE)
    for shown in (instance, schedule):
        tree = _tree(shown._repr_html_())
        assert tree.find(".//script") is None
        assert HOSTILE in tree.find(".//b").text


def test_bars_lie_where_tasks_run():
    instance = generate(6, 2, beta=1.0, seed=1)
    schedule = allocate(instance, [0, 1, 0, 1, 0, -1])
    boxes = _tree(schedule._repr_html_()).findall(".//rect")
    ran = [task for task in range(6) if schedule.duration[task] > 0.0]
    assert len(boxes) == len(ran)
    for box, task in zip(boxes, ran, strict=True):
        share = float(box.get("width")) / 640.0
        assert abs(share - schedule.duration[task] / instance.horizon) < 1e-3
        assert float(box.get("y")) == 18.0 * schedule.machine[task] + 2.0


def test_machines_stand_in_the_table():
    instance = generate(3, 2, seed=2)
    cells = [cell.text for cell in _tree(instance._repr_html_()).findall(".//td")]
    assert cells[1::4] == [f"{speed:.5g}" for speed in instance.speeds]
    assert cells[3::4] == [f"{power:.5g}" for power in instance.powers]


def test_what_is_large_is_cut():
    instance = generate(MOST_BARS + 100, MOST_MACHINES + 5, beta=1.0, rho=1.0, seed=3)
    html = instance._repr_html_()
    assert html.count("<tr>") == MOST_MACHINES + 1
    assert "and 5 more machines" in html
    one = allocate(instance, [0] * instance.num_tasks)
    assert len(re.findall("<rect", one._repr_html_())) <= MOST_BARS


def test_variants_tell_what_they_have():
    """Clocks in the table; arrivals, horizon and the price of energy in the line."""
    cells = [cell.text for cell in _tree(toy_with_points()._repr_html_()).findall(".//td")]
    count = len(toy_with_points().points)
    assert cells[4::6] == [f"{points.size}" for points in toy_with_points().points]
    assert len(cells) == 6 * count
    online, soft = toy_with_arrivals(), soft_toy()
    assert f"horizon {TIME.show(online.horizon)}, budget" in online._repr_html_()
    assert f"energy price {soft.energy_price:.4g} per J" in soft._repr_html_()
    assert "budget" in soft._repr_html_()
    assert "budget" not in whole_toy()._repr_html_()


def test_pieces_are_as_high_as_their_clocks():
    problem = toy_with_points()
    schedule = make_solver("approx-refined").solve(problem).schedule
    boxes = _tree(schedule._repr_html_()).findall(".//rect")
    fastest = problem.core.speeds[schedule.machine[schedule.pieces.task]]
    assert len(boxes) == len(fastest)
    assert min(schedule.pieces.speed / fastest) < 1.0
    for box, share in zip(boxes, schedule.pieces.speed / fastest, strict=True):
        assert float(box.get("height")) == pytest.approx(14.0 * share, abs=1e-3)


def test_late_work_is_red():
    """A task that ends at its deadline has one bar, one that ends later a second."""
    problem = soft_toy()
    schedule = make_solver("edf").solve(problem).schedule
    late = (schedule.work > 0.0) & (schedule.finish > problem.core.deadlines * (1.0 + 1e-9))
    boxes = _tree(schedule._repr_html_()).findall(".//rect")
    assert late.any()
    assert sum(box.get("fill") == LATE for box in boxes) == late.sum()
    assert f"late {late.sum()}" in schedule._repr_html_()


def test_arrivals_are_told():
    schedule = make_solver("price").solve(toy_with_arrivals()).schedule
    titles = [title.text for title in _tree(schedule._repr_html_()).findall(".//title")]
    assert titles
    assert all("arrived at" in title for title in titles)
