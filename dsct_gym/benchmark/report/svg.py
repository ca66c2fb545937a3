"""Charts as inline SVG whose colours are the page's own, so that they follow light and dark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 440.0
HEIGHT: Final = 300.0
LEFT: Final = 68.0
RIGHT: Final = 20.0
TOP: Final = 12.0
BOTTOM: Final = 44.0
COLOURS: Final = 10
"""Number of colours that the page defines; the keys of further solvers are hollow."""
DASHES: Final = 4
"""Number of dashes that the page defines, so that neighbouring curves differ without colour."""

_LETTER = 5.9
_LINE = 13.0


@dataclass(frozen=True)
class Scale:
    """Maps values to pixels.

    Attributes:
        low: Value at ``start``; on a logarithmic scale also the least that is told apart.
        high: Value at ``end``.
        start: Pixel of ``low``.
        end: Pixel of ``high``.
        log: Whether it is logarithmic.
        percent: Whether values are shares, labelled in per cent.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    percent: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of a value; what lies outside is drawn on the edge."""
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values to label, at most about seven."""
        if self.log:
            first, last = math.ceil(_log10(self.low)), math.floor(_log10(self.high))
            every = max(1, -(-(last - first) // 6))
            return [10.0**power for power in range(first, last + 1, every)]
        step = nice_step((self.high - self.low) / 7.0)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [step * k for k in range(first, last + 1)]

    def label(self, value: float) -> str:
        """What a tick says."""
        if self.percent:
            return f"{100.0 * value:.10g}%"
        if self.log and not 1e-3 <= value < 1e4:
            return f"1e{round(_log10(value))}"
        return f"{value:.10g}"


def log_scale(
    values: Iterable[float], start: float, end: float, *, floor: float, margin: float = 1.0
) -> Scale:
    """A logarithmic scale of a decade or more around positive values.

    Args:
        values: What must fit; less than ``floor`` counts as that.
        start: Pixel of the least.
        end: Pixel of the largest.
        floor: Least value that is told apart.
        margin: Factor to leave free at both ends; 1 widens to whole decades instead.
    """
    positive = [max(value, floor) for value in values]
    low, high = min(positive, default=floor) / margin, max(positive, default=1.0) * margin
    first, last = _log10(low), _log10(high)
    if margin == 1.0:
        first, last = math.floor(first + 1e-9), math.ceil(last - 1e-9)
    lacking = max(0.0, 1.0 - (last - first)) / 2.0
    return Scale(10.0 ** (first - lacking), 10.0 ** (last + lacking), start, end, log=True)


def linear_scale(values: Iterable[float], start: float, end: float, *, percent: bool) -> Scale:
    """A linear scale over round values around the given ones."""
    numbers = list(values)
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    step = nice_step(max(high - low, 1e-6) / 5.0)
    low, high = step * math.floor(low / step - 0.2), step * math.ceil(high / step + 0.2)
    return Scale(low, high, start, end, percent=percent)


def nice_step(step: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is no less than ``step``."""
    power = 10.0 ** math.floor(_log10(step))
    return next(power * digit for digit in (1.0, 2.0, 5.0, 10.0) if power * digit >= step * 0.999)


def svg(body: str, label: str, *, width: float = WIDTH, height: float = HEIGHT) -> str:
    """A drawing that fills the width it is given; ``label`` is read to those who cannot see it."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}">'
        f"{body}</svg>"
    )


def axes(x: Scale, y: Scale, x_label: str, y_label: str) -> str:
    """Grid, ticks and titles of both axes."""
    parts = []
    bottom = max(y.start, y.end)
    for value in x.ticks():
        at = x(value)
        parts.append(line(at, y.start, at, y.end, "grid"))
        parts.append(text(at, bottom + 15, x.label(value), "tick", anchor="middle"))
    for value in y.ticks():
        at = y(value)
        parts.append(line(x.start, at, x.end, at, "grid"))
        parts.append(text(x.start - 6, at + 4, y.label(value), "tick", anchor="end"))
    parts.append(line(x.start, bottom, x.end, bottom, "axis"))
    parts.append(text((x.start + x.end) / 2, bottom + 34, x_label, "title", anchor="middle"))
    middle = (y.start + y.end) / 2
    parts.append(
        f'<text class="title" text-anchor="middle" '
        f'transform="translate(12 {middle:.1f}) rotate(-90)">{escape(y_label)}</text>'
    )
    return "".join(parts)


def x_range() -> tuple[float, float]:
    """Pixels from the left to the right edge of a chart."""
    return LEFT, WIDTH - RIGHT


def y_range(height: float = HEIGHT) -> tuple[float, float]:
    """Pixels from the bottom to the top edge of a chart."""
    return height - BOTTOM, TOP


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """A straight line."""
    return f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def text(x: float, y: float, content: str, css: str, *, anchor: str = "start") -> str:
    """A line of text."""
    return (
        f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(content)}</text>"
    )


def dot(x: float, y: float, css: str, radius: float, told: str = "") -> str:
    """A dot with a tooltip."""
    title = f"<title>{escape(told)}</title>" if told else ""
    return f'<circle class="{css}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}">{title}</circle>'


_SHAPES: Final = (
    "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0z",
    "M-4.5,-4.5h9v9h-9z",
    "M0,-6l6,6l-6,6l-6,-6z",
    "M0,-6l5.6,10h-11.2z",
    "M0,6l5.6,-10h-11.2z",
    "M-2,-6h4v4h4v4h-4v4h-4v-4h-4v-4h4z",
)
"""Circle, square, diamond, triangles up and down, cross: marks that differ without colour."""


def mark(x: float, y: float, index: int, told: str) -> str:
    """The mark of the solver of that rank, with a tooltip."""
    return (
        f'<path class="{series(index)} mark" transform="translate({x:.1f} {y:.1f})" '
        f'd="{_SHAPES[index % len(_SHAPES)]}"><title>{escape(told)}</title></path>'
    )


def path(points: Sequence[tuple[float, float]], css: str, told: str = "") -> str:
    """A line through points."""
    if not points:
        return ""
    steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    title = f"<title>{escape(told)}</title>" if told else ""
    return f'<polyline class="{css}" points="{steps}">{title}</polyline>'


def stairs(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points of a step function: each value holds until the next."""
    steps: list[tuple[float, float]] = []
    for x, y in points:
        if steps:
            steps.append((x, steps[-1][1]))
        steps.append((x, y))
    return steps


def series(index: int) -> str:
    """CSS classes of the solver of that rank."""
    dashed = " dashed" if (index // COLOURS) % 2 else ""
    return f"s s{index % COLOURS} n{index} d{index % DASHES}{dashed}"


class Labels:
    """Places labels beside points where they do not cover each other.

    Args:
        taken: Centres of what must not be covered.
    """

    def __init__(self, taken: Sequence[tuple[float, float]]) -> None:
        self._boxes = [(x - 5, y - 5, x + 5, y + 5) for x, y in taken]

    def place(self, x: float, y: float, index: int, content: str, *, optional: bool = False) -> str:
        """The label of a point in the colour of the solver of that rank.

        Args:
            x: Pixel of the point.
            y: Pixel of the point.
            index: Rank of the solver.
            content: What it says.
            optional: Whether to leave it out where there is no room.
        """
        width = _LETTER * len(content)
        candidates = [
            (x + 8, y + 4, "start"),
            (x - 8, y + 4, "end"),
            (x, y - 9, "middle"),
            (x, y + 17, "middle"),
            (x + 6, y - 8, "start"),
            (x + 6, y + 16, "start"),
            (x - 6, y - 8, "end"),
            (x - 6, y + 16, "end"),
            *((x, y + shift, "middle") for shift in (-22, 30, -35, 43, -48, 56)),
        ]
        boxes = [_box(*candidate, width) for candidate in candidates]
        best = min(range(len(boxes)), key=lambda k: (self._cost(boxes[k]), k))
        if optional and (best >= 8 or self._cost(boxes[best]) > 0.0):
            return ""
        self._boxes.append(boxes[best])
        at_x, at_y, anchor = candidates[best]
        leader = line(x, y, at_x, at_y - 4, "leader") if best >= 8 else ""
        return leader + text(at_x, at_y, content, f"{series(index)} name", anchor=anchor)

    def _cost(self, box: tuple[float, float, float, float]) -> float:
        """Area that is covered twice, and far more for what leaves the chart."""
        outside = max(0.0, LEFT - box[0]) + max(0.0, box[2] - WIDTH + 2) + max(0.0, TOP - box[1])
        outside += max(0.0, box[3] - HEIGHT + BOTTOM)
        return 100.0 * outside + sum(_overlap(box, other) for other in self._boxes)


def _box(x: float, y: float, anchor: str, width: float) -> tuple[float, float, float, float]:
    left = {"start": x, "middle": x - width / 2, "end": x - width}[anchor]
    return left, y - _LINE + 3, left + width, y + 3


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height)


def _log10(value: float) -> float:
    return math.log10(value)
