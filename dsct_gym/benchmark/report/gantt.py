"""Gantt charts that follow the page's colours and tell each task on touch."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np
from matplotlib.colors import to_hex

from dsct_gym.benchmark.report.scales import Scale
from dsct_gym.benchmark.report.svg import line, svg, text
from dsct_gym.gantt import accuracy_colours, accuracy_norm, is_linear, machine_labels, time_scale
from dsct_gym.instance import Instance
from dsct_gym.schedule import Schedule, releases
from dsct_gym.tolerances import FEASIBILITY

_WIDTH: Final = 900.0
_ROW: Final = 26.0
_TOP: Final = 6.0
_BOTTOM: Final = 92.0
_STRIP: Final = (280.0, 10.0)
"""Width and height of the scale of colours."""
_SHADES: Final = 40
_MARKS: Final = 5
_MOST_ROWS: Final = 60
_MOST_BARS: Final = 1500
"""Beyond this the tasks are too thin to tell apart, and the page too heavy."""


def gantt_svg(schedule: Schedule, label: str) -> str:
    """Machines as rows, tasks coloured by accuracy, ticks above a row at its tasks' deadlines.

    What tasks run for after their deadlines is struck out; where tasks arrive over time, a line
    below a row tells from when to when a task of it waits.

    Args:
        schedule: What to draw.
        label: Read to those who cannot see it.

    Returns:
        The drawing, or a line of text where there are too many tasks or machines to draw.
    """
    instance = schedule.instance.core
    placed = np.flatnonzero(schedule.duration > 0.0).tolist()
    if instance.num_machines > _MOST_ROWS or len(placed) > _MOST_BARS:
        size = f"{len(placed)} tasks on {instance.num_machines} machines"
        return f"<p class='note'>{size}: too many to draw here.</p>"
    names = machine_labels(instance)
    # Where deadlines may be missed, machines may work beyond the latest.
    last = max(instance.horizon, schedule.makespan)
    factor, unit = time_scale(last)
    left = 12.0 + 6.9 * max(map(len, names))
    x = Scale(0.0, last * factor * 1.005, left, _WIDTH - 12.0)
    bottom = _TOP + _ROW * instance.num_machines
    parts = _rows(names, x, bottom, unit)
    colours = accuracy_colours(instance, schedule.accuracy[placed]).tolist()
    for task, colour in zip(placed, colours, strict=True):
        parts.append(_bar(schedule, task, x, factor, unit, to_hex(colour)))
        parts.append(_late_part(schedule, task, x, factor))
    parts.append(_waits(schedule, placed, x, factor))
    parts.append(_strokes("deadline", [_deadline(schedule, task, x, factor) for task in placed]))
    parts.append(_colour_scale(instance, left, bottom + 62.0))
    return svg("".join(parts), label, width=_WIDTH, height=bottom + _BOTTOM)


def _colour_scale(instance: Instance, left: float, top: float) -> str:
    """A strip of the colours with accuracies at even steps of it, told where these are uneven."""
    norm = accuracy_norm(instance)
    marks = [float(norm.inverse(step)) for step in np.linspace(0.0, 1.0, _MARKS)]
    wide, tall = _STRIP
    middles = (np.arange(_SHADES) + 0.5) / _SHADES
    shades = accuracy_colours(instance, np.array([float(norm.inverse(s)) for s in middles]))
    each = wide / _SHADES
    parts = [
        f'<rect x="{left + each * place:.1f}" y="{top:.1f}" width="{each + 0.3:.1f}" '
        f'height="{tall:g}" fill="{to_hex(shade)}"/>'
        for place, shade in enumerate(shades.tolist())
    ]
    for place, value in enumerate(marks):
        at = left + wide * place / (_MARKS - 1)
        parts.append(line(at, top, at, top + tall + 3, "axis"))
        parts.append(text(at, top + tall + 15, f"{value:.3f}", "tick", anchor="middle"))
    told = "accuracy" if is_linear(norm) else "accuracy; the scale is not linear"
    parts.append(text(left, top - 5, told, "title"))
    return "".join(parts)


def _rows(names: Sequence[str], x: Scale, bottom: float, unit: str) -> list[str]:
    parts = []
    for value in x.ticks():
        parts.append(line(x(value), _TOP, x(value), bottom, "grid"))
        parts.append(text(x(value), bottom + 15, x.label(value), "tick", anchor="middle"))
    for row, name in enumerate(names):
        middle = _TOP + _ROW * (row + 0.55)
        parts.append(text(x.start - 6, middle + 4, name, "label", anchor="end"))
        parts.append(line(x.start, _TOP + _ROW * (row + 1), x.end, _TOP + _ROW * (row + 1), "grid"))
    # On a phone only the left of the chart is in sight.
    parts.append(text(x.start, bottom + 32, f"time ({unit})", "title"))
    return parts


def _bar(schedule: Schedule, task: int, x: Scale, factor: float, unit: str, colour: str) -> str:
    start, end = schedule.start[task] * factor, float(schedule.finish[task]) * factor
    top = _TOP + _ROW * int(schedule.machine[task]) + 0.22 * _ROW
    deadline = schedule.instance.core.deadlines[task] * factor
    names, arrivals = schedule.instance.core.task_names, releases(schedule.instance)
    arrived = "" if arrivals is None else f", arrived at {arrivals[task] * factor:.4g} {unit}"
    told = (
        f"{(names and names[task]) or f'task {task}'}: accuracy {schedule.accuracy[task]:.4f}, "
        f"work {schedule.work[task]:.4g} GFLOP, {schedule.task_energy[task]:.4g} J, "
        f"{start:.4g} to {end:.4g} {unit}, deadline {deadline:.4g} {unit}{arrived}"
    )
    return (
        f'<rect class="task" x="{x(start):.2f}" y="{top:.1f}" '
        f'width="{max(0.4, x(end) - x(start)):.2f}" height="{0.68 * _ROW:.1f}" fill="{colour}">'
        f"<title>{escape(told)}</title></rect>"
    )


def _deadline(schedule: Schedule, task: int, x: Scale, factor: float) -> str:
    at = x(float(schedule.instance.core.deadlines[task]) * factor)
    top = _TOP + _ROW * int(schedule.machine[task])
    return f"M{at:.1f} {top + 0.02 * _ROW:.1f}v{0.15 * _ROW:.1f}"


def _late_part(schedule: Schedule, task: int, x: Scale, factor: float) -> str:
    """A line through what a task runs for after its deadline."""
    due, end = float(schedule.instance.core.deadlines[task]), float(schedule.finish[task])
    if end <= due * (1.0 + FEASIBILITY):
        return ""
    middle = _TOP + _ROW * (int(schedule.machine[task]) + 0.56)
    start = max(due, float(schedule.start[task]))
    ends = x(start * factor), middle, x(end * factor), middle
    return line(*ends, "edge") + line(*ends, "late")  # in sight on bars of any colour


def _waits(schedule: Schedule, tasks: Sequence[int], x: Scale, factor: float) -> str:
    """Lines from when tasks arrived to when they start; nothing where all are there at once."""
    arrivals = releases(schedule.instance)
    if arrivals is None:
        return ""
    lines, ticks = [], []
    for task in tasks:
        at = _TOP + _ROW * (int(schedule.machine[task]) + 0.96)
        arrived = x(float(arrivals[task]) * factor)
        lines.append(f"M{arrived:.1f} {at:.1f}H{x(float(schedule.start[task]) * factor):.1f}")
        ticks.append(f"M{arrived:.1f} {at - 2.0:.1f}v3")
    return _strokes("waiting", lines) + _strokes("arrival", ticks)


def _strokes(css: str, steps: Sequence[str]) -> str:
    """Many strokes of one kind as one path, which is short."""
    return f'<path class="{css}" d="{"".join(steps)}"/>'
