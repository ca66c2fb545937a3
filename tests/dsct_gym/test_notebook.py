"""What a notebook shows of instances and schedules."""

import re
from dataclasses import replace
from xml.etree import ElementTree

from dsct_gym import allocate, generate
from dsct_gym.notebook import MOST_BARS, MOST_MACHINES

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
    assert cells[1::4] == [f"{speed:.4g}" for speed in instance.speeds]
    assert cells[3::4] == [f"{power:.4g}" for power in instance.powers]


def test_what_is_large_is_cut():
    instance = generate(MOST_BARS + 100, MOST_MACHINES + 5, beta=1.0, rho=1.0, seed=3)
    html = instance._repr_html_()
    assert html.count("<tr>") == MOST_MACHINES + 1
    assert "and 5 more machines" in html
    one = allocate(instance, [0] * instance.num_tasks)
    assert len(re.findall("<rect", one._repr_html_())) <= MOST_BARS
