"""Names beside marks and at the ends of lines, where they do not cover each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from dsct_gym.benchmark.report.marks import mark, series
from dsct_gym.benchmark.report.svg import BOTTOM, HEIGHT, LEFT, LETTER, LINE, TOP, WIDTH, line, text

LONGEST: Final = 20
"""Letters of a name in a chart; longer ones are cut."""
_AFTER_MARK: Final = 9.0
_GAP: Final = 2.5
"""Room on both sides of a label, so that two do not read as one."""


class End(NamedTuple):
    """Where a line ends.

    Attributes:
        x: Pixel.
        y: Pixel.
        rank: Of its solver.
        name: What stands there.
    """

    x: float
    y: float
    rank: int
    name: str


class Labels:
    """Places names beside points; where there is no room for a name, the number of its rank.

    Args:
        taken: Centres of what must not be covered.
        height: Of the chart.
    """

    def __init__(self, taken: Sequence[tuple[float, float]], height: float = HEIGHT) -> None:
        self._boxes = [(x - 6, y - 6, x + 6, y + 6) for x, y in taken]
        self._bottom = height - BOTTOM

    def place(self, x: float, y: float, index: int, name: str) -> str:
        """The label of a point in the colour of the solver of that rank.

        Args:
            x: Pixel of the point.
            y: Pixel of the point.
            index: Rank of the solver.
            name: What it says.
        """
        near = _near(x, y)
        for content in (short(name, index), str(index + 1)):
            width = LETTER * len(content)
            boxes = [_box(*candidate, width) for candidate in near]
            best = min(range(len(near)), key=lambda k: (self._cost(boxes[k]), k))
            if self._cost(boxes[best]) <= 0.0:
                return self._put(boxes[best], near[best], index, content)
        return self._place_far(x, y, index, str(index + 1))

    def _place_far(self, x: float, y: float, index: int, content: str) -> str:
        """A label that a line leads to."""
        width = LETTER * len(content)
        far = [
            (x + across * step, y + 4 + down * step, "middle")
            for step in (24.0, 34.0, 46.0, 60.0, 76.0, 94.0)
            for across, down in _AROUND
        ]
        boxes = [_box(*candidate, width) for candidate in far]
        best = min(range(len(far)), key=lambda k: (self._cost(boxes[k]), k))
        at_x, at_y, _ = far[best]
        leader = line(x, y, at_x, at_y - 4, "leader")
        return leader + self._put(boxes[best], far[best], index, content)

    def _put(
        self,
        box: tuple[float, float, float, float],
        at: tuple[float, float, str],
        index: int,
        content: str,
    ) -> str:
        self._boxes.append(box)
        return text(at[0], at[1], content, f"{series(index)} name", anchor=at[2])

    def _cost(self, box: tuple[float, float, float, float]) -> float:
        """Area that is covered twice, and far more for what leaves the chart."""
        outside = max(0.0, LEFT - box[0]) + max(0.0, box[2] - WIDTH) + max(0.0, TOP - 6 - box[1])
        outside += max(0.0, box[3] - self._bottom)
        return 100.0 * outside + sum(_overlap(box, other) for other in self._boxes)


def line_ends(ends: Sequence[End], top: float, bottom: float) -> str:
    """Marks at the ends of lines, and names in a column on the right that lines lead to.

    Args:
        ends: Where lines end.
        top: Pixel of the upper end of the column.
        bottom: Pixel of its lower end; the names need `room_for` them.
    """
    ordered = sorted(ends, key=lambda end: (end.y, end.rank))
    column = WIDTH - margin_for([end.name for end in ends]) + 2 * _AFTER_MARK
    parts = []
    for end, at in zip(ordered, _spread([end.y for end in ordered], top, bottom), strict=True):
        leader = f"{series(end.rank)} leader"
        parts.append(line(end.x, end.y, column - 4, at, leader))
        parts.append(mark(end.x, end.y, end.rank, end.name))
        parts.append(text(column, at + 4, short(end.name, end.rank), f"{series(end.rank)} name"))
    return "".join(parts)


def margin_for(names: Sequence[str]) -> float:
    """What a chart must leave on the right for a column of names, at most."""
    return 2 * _AFTER_MARK + 4.0 + LETTER * longest(names)


def longest(names: Iterable[str]) -> int:
    """Letters of the longest of names, as a chart has them."""
    return min(LONGEST, max(map(len, names), default=0))


def room_for(names: Sequence[str]) -> float:
    """Height that a column of names takes."""
    return LINE * len(names)


def short(name: str, rank: int) -> str:
    """A name that is not too long for a chart; one that is cut ends in the number of its rank."""
    if len(name) <= LONGEST:
        return name
    number = f"… {rank + 1}"
    return name[: LONGEST - len(number)] + number


def _spread(wanted: Sequence[float], top: float, bottom: float) -> list[float]:
    """Places as near to those wanted, which ascend, as a line of text between them allows."""
    places: list[float] = []
    for at in wanted:
        places.append(max(at, top, places[-1] + LINE if places else top))
    limit = bottom
    for rank in reversed(range(len(places))):
        places[rank] = min(places[rank], limit)
        limit = places[rank] - LINE
    return places


_AROUND: Final = tuple(
    (math.sin(turn * math.pi / 8.0), -math.cos(turn * math.pi / 8.0)) for turn in range(16)
)
"""Directions, from upwards on."""


def _near(x: float, y: float) -> list[tuple[float, float, str]]:
    """Places right beside a mark, the best first."""
    return [
        (x + 9, y + 4, "start"),
        (x - 9, y + 4, "end"),
        (x, y - 9, "middle"),
        (x, y + 18, "middle"),
        (x + 6, y - 8, "start"),
        (x + 6, y + 17, "start"),
        (x - 6, y - 8, "end"),
        (x - 6, y + 17, "end"),
    ]


def _box(x: float, y: float, anchor: str, width: float) -> tuple[float, float, float, float]:
    left = {"start": x, "middle": x - width / 2, "end": x - width}[anchor]
    return left - _GAP, y - LINE + 4, left + width + _GAP, y + 3


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height)
