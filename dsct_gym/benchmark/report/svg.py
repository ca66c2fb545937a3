"""Charts as inline SVG whose colours are the page's own, so that they follow light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from dsct_gym.benchmark.report.scales import Scale

WIDTH: Final = 440.0
HEIGHT: Final = 300.0
LEFT: Final = 74.0
RIGHT: Final = 20.0
TOP: Final = 12.0
BOTTOM: Final = 50.0
LETTER: Final = 7.4
"""Mean width of a letter where text is largest, on a phone."""
LINE: Final = 14.0
"""Height of a line of text there."""
_TICK: Final = 54.0
"""Room for the label of a tick."""


def svg(body: str, label: str, *, width: float = WIDTH, height: float = HEIGHT) -> str:
    """A drawing that fills the width it is given; ``label`` is read to those who cannot see it."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}">'
        f"{body}</svg>"
    )


def axes(x: Scale, y: Scale, x_label: str, y_label: str) -> str:
    """Grid, ticks and titles of both axes."""
    bottom, top = max(y.start, y.end), min(y.start, y.end)
    parts = [x_axis(x, x_label, top, bottom)]
    for value in y.ticks():
        at = y(value)
        parts.append(line(x.start, at, x.end, at, "grid"))
        parts.append(text(x.start - 6, at + 4, y.label(value), "tick", anchor="end"))
    middle = (y.start + y.end) / 2
    parts.append(
        f'<text class="title" text-anchor="middle" '
        f'transform="translate(13 {middle:.1f}) rotate(-90)">{escape(y_label)}</text>'
    )
    return "".join(parts)


def x_axis(x: Scale, label: str, top: float, bottom: float) -> str:
    """The grid of the axis below, its ticks and its title."""
    parts = []
    for value in x.ticks(max(2, int((x.end - x.start) / _TICK))):
        at = x(value)
        parts.append(line(at, bottom, at, top, "grid"))
        parts.append(text(at, bottom + 18, x.label(value), "tick", anchor="middle"))
    parts.append(line(x.start, bottom, x.end, bottom, "axis"))
    parts.append(text((x.start + x.end) / 2, bottom + 38, label, "title", anchor="middle"))
    return "".join(parts)


def x_range(right: float = RIGHT) -> tuple[float, float]:
    """Pixels from the left to the right edge of a chart that leaves so much beside it."""
    return LEFT, WIDTH - right


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
