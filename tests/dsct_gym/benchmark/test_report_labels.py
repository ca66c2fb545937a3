import re
from xml.etree import ElementTree

import numpy as np
import pytest

from dsct_gym.benchmark.report.labels import LONGEST, End, Labels, line_ends, short
from dsct_gym.benchmark.report.svg import LETTER, LINE


def _drawn(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<g>{markup}</g>")


def _boxes(drawn: ElementTree.Element) -> list[tuple[float, float, float, float]]:
    """Where texts lie, from how they are anchored."""
    boxes = []
    for text in drawn.iter("text"):
        width = LETTER * len(text.text)
        share = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.get("text-anchor")]
        left, base = float(text.get("x")) - share * width, float(text.get("y"))
        boxes.append((left, base - LINE + 4, left + width, base + 3))
    return boxes


def test_every_point_of_a_crowd_is_named_or_numbered_and_no_label_covers_another():
    rng = np.random.default_rng(0)
    spots = [(100.0 + 90.0 * x, 200.0 + 40.0 * y) for x, y in rng.random((20, 2)).tolist()]
    labels = Labels(spots)
    drawn = _drawn("".join(labels.place(*spot, k, f"solver-{k}") for k, spot in enumerate(spots)))
    texts = [text.text for text in drawn.iter("text")]
    assert len(texts) == 20
    for rank, text in enumerate(texts):
        assert text in (f"solver-{rank}", str(rank + 1))
    assert any(text.isdigit() for text in texts)
    boxes = _boxes(drawn)
    for k, a in enumerate(boxes):
        for b in boxes[k + 1 :]:
            wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            assert min(wide, high) <= 0.0


def test_a_point_by_itself_has_its_whole_name():
    assert ">approx-refined</text>" in Labels([(200.0, 100.0)]).place(
        200.0, 100.0, 3, "approx-refined"
    )


def test_names_that_are_cut_alike_are_told_apart():
    names = [f"solver[threads=1,start=greedy,tolerance={k}]" for k in range(12)]
    shown = [short(name, rank) for rank, name in enumerate(names)]
    assert len(set(shown)) == 12
    assert {len(each) for each in shown} == {LONGEST}
    assert shown[11].endswith("… 12")


def test_names_at_the_ends_of_lines_keep_their_order_and_their_distance():
    ends = [
        End(200.0, y, rank, f"s{rank}") for rank, y in enumerate([50.0, 50.0, 52.0, 120.0, 30.0])
    ]
    drawn = _drawn(line_ends(ends, 12.0, 250.0))
    places = {text.text: float(text.get("y")) for text in drawn.iter("text")}
    assert sorted(places, key=places.get) == ["s4", "s0", "s1", "s2", "s3"]
    assert np.diff(sorted(places.values())).min() >= LINE
    for end in ends:
        leader = next(each for each in drawn.iter("line") if f" n{end.rank} " in each.get("class"))
        assert (float(leader.get("x1")), float(leader.get("y1"))) == (end.x, end.y)
        assert float(leader.get("y2")) == pytest.approx(places[end.name] - 4.0, abs=0.1)


def test_names_stay_within_the_column_when_all_lines_end_at_its_foot():
    drawn = _drawn(line_ends([End(9.0, 240.0, rank, "x") for rank in range(12)], 12.0, 240.0))
    places = sorted(float(text.get("y")) - 4.0 for text in drawn.iter("text"))
    assert places[-1] == 240.0
    assert np.diff(places) == pytest.approx(LINE)


def test_nothing_hostile_gets_out_of_a_label():
    hostile = "<b>&'\""
    markup = Labels([(200.0, 100.0)]).place(200.0, 100.0, 0, hostile)
    markup += line_ends([End(100.0, 100.0, 0, hostile)], 12.0, 200.0)
    assert "<b>" not in markup
    assert re.sub("&(amp|lt|gt|quot|#x27);", "", markup).count("&") == 0
