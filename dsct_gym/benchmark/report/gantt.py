"""Gantt charts that follow the page's colours and tell each task on touch."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np
from matplotlib.colors import to_hex

from dsct_gym.benchmark.report.svg import Scale, line, svg, text
from dsct_gym.gantt import accuracy_colours, accuracy_norm, machine_labels, time_scale
from dsct_gym.instance import Instance
from dsct_gym.schedule import Schedule, releases

_WIDTH: Final = 900.0
_ROW: Final = 26.0
_TOP: Final = 6.0
_BOTTOM: Final = 40.0
_SWATCHES: Final = 5
_MOST_ROWS: Final = 60
_MOST_BARS: Final = 1500
"""Beyond this the tasks are too thin to tell apart, and the page too heavy."""


def gantt_svg(schedule: Schedule, label: str) -> str:
    """Machines as rows, tasks coloured by accuracy, ticks above a row at its tasks' deadlines.

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
    factor, unit = time_scale(instance.horizon)
    left = 12.0 + 6.2 * max(map(len, names))
    x = Scale(0.0, instance.horizon * factor * 1.005, left, _WIDTH - 8.0)
    bottom = _TOP + _ROW * instance.num_machines
    parts = _rows(names, x, bottom, unit)
    colours = accuracy_colours(instance, schedule.accuracy[placed]).tolist()
    parts += [
        _bar(schedule, task, x, factor, unit, to_hex(colour))
        for task, colour in zip(placed, colours, strict=True)
    ]
    parts += [_deadline(schedule, task, x, factor) for task in placed]
    parts.append(_colour_scale(instance, bottom + 24.0))
    return svg("".join(parts), label, width=_WIDTH, height=bottom + _BOTTOM)


def _colour_scale(instance: Instance, top: float) -> str:
    """Swatches at even steps of colour with their accuracies, and whether these are even too."""
    norm = accuracy_norm(instance)
    marks = [float(norm.inverse(step)) for step in np.linspace(0.0, 1.0, _SWATCHES)]
    steps = np.diff(marks)
    even = bool(np.allclose(steps, steps.mean(), rtol=0.05))
    left = _WIDTH - 8.0 - 54.0 * _SWATCHES
    told = "accuracy" if even else "accuracy (uneven steps)"
    parts = [text(left - 8, top + 10, told, "title", anchor="end")]
    colours = accuracy_colours(instance, np.array(marks)).tolist()
    for place, (value, colour) in enumerate(zip(marks, colours, strict=True)):
        at = left + 54.0 * place
        parts.append(
            f'<rect x="{at:.1f}" y="{top:.1f}" width="11" height="11" fill="{to_hex(colour)}"/>'
        )
        parts.append(text(at + 14, top + 10, f"{value:.3f}", "tick"))
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
    parts.append(
        text((x.start + x.end) / 2, bottom + 33, f"time ({unit})", "title", anchor="middle")
    )
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
    return line(at, top + 0.02 * _ROW, at, top + 0.17 * _ROW, "deadline")
