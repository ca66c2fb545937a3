"""Charts of tasks that arrive: ratios against load and burstiness, energy and queue over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.benchmark.panel import Panel
from dsct_gym.benchmark.report.labels import End, Labels, line_ends, margin_for, room_for
from dsct_gym.benchmark.report.marks import mark, series
from dsct_gym.benchmark.report.scales import Scale, linear_scale
from dsct_gym.benchmark.report.svg import (
    BOTTOM,
    HEIGHT,
    TOP,
    axes,
    path,
    stairs,
    svg,
    x_range,
    y_range,
)
from dsct_gym.gantt import time_scale
from dsct_gym.online.instance import OnlineInstance
from dsct_gym.schedule import Schedule

_GROUPS: Final = 4
_MOMENTS: Final = 300

Line = tuple[int, str, Sequence[tuple[float, float]]]
"""Rank and name of a solver, and the points of its line."""


@dataclass(frozen=True)
class Traits:
    """What makes an instance hard for whoever does not know what arrives.

    Attributes:
        load: Work of all tasks in full over what all machines can do until the horizon.
        burstiness: Coefficient of variation of the times between arrivals: 0 for a clock, 1 for a
            Poisson process.
    """

    load: float
    burstiness: float

    @classmethod
    def of(cls, problem: OnlineInstance) -> Traits:
        """The traits of an instance."""
        core = problem.core
        load = float(core.max_work.sum() / (core.speeds.sum() * problem.horizon))
        between = np.diff(np.sort(problem.arrivals))
        mean = float(between.mean()) if between.size else 0.0
        return cls(load, float(between.std()) / mean if mean > 0.0 else 0.0)


def against(
    ratios: Panel, solvers: Sequence[str], trait: Mapping[str, float], title: str, label: str
) -> str:
    """Mean ratio of each solver over groups of instances, against the mean of a trait there.

    Args:
        ratios: A ratio of each solver on each instance.
        solvers: All solvers in the order of their ranks.
        trait: A number of each instance.
        title: Of the axis below.
        label: Read to those who cannot see the chart.
    """
    values = np.array([trait[instance] for instance in ratios.instances])
    groups = np.array_split(np.argsort(values, kind="stable"), min(_GROUPS, values.size))
    centres = [float(values[group].mean()) for group in groups]
    lines: list[Line] = []
    for index, solver in enumerate(solvers):
        if solver in ratios.solvers:
            row = ratios.row(solver)
            points = [
                (centre, float(np.nanmean(row[group])))
                for centre, group in zip(centres, groups, strict=True)
                if not np.isnan(row[group]).all()
            ]
            lines.append((index, solver, points))
    heights = [share for _, _, points in lines for _, share in points]
    y = linear_scale(heights, 0.0, 1.0, percent=True)
    y = Scale(max(0.0, y.low), min(1.0, y.high), 0.0, 1.0, percent=True)
    x = linear_scale(centres, 0.0, 1.0, percent=False)
    return _lined(lines, x, y, title, "share of bound", label)


def energy_over_time(problem: OnlineInstance, shown: Sequence[tuple[int, str, Schedule]]) -> str:
    """Share of the budget that is spent until each moment."""
    factor, unit = time_scale(problem.horizon)
    times = _moments(problem, shown)
    budget = problem.core.energy_budget
    lines = [
        (index, name, _points(times * factor, spent_until(schedule, times) / (budget or 1.0)))
        for index, name, schedule in shown
    ]
    most = max(1.0, *(share for _, _, points in lines for _, share in points))
    y = Scale(0.0, most * 1.03, 0.0, 1.0, percent=True)
    x = Scale(0.0, float(times[-1]) * factor, 0.0, 1.0)
    # Where they have spent half of what they spend: at the end most have spent all.
    spots = [next(p for p in line[2] if p[1] >= 0.5 * line[2][-1][1]) for line in lines]
    even = [(0.0, 0.0), (problem.horizon * factor, 1.0), (float(times[-1]) * factor, 1.0)]
    title = f"time ({unit})"
    return _named(lines, x, y, title, "share of the budget spent", "Energy over time", spots, even)


def queue_over_time(problem: OnlineInstance, shown: Sequence[tuple[int, str, Schedule]]) -> str:
    """Number of tasks that wait for their start at each moment."""
    factor, unit = time_scale(problem.horizon)
    times = _moments(problem, shown)
    lines = [
        (index, name, stairs(_points(times * factor, waiting_at(problem, schedule, times))))
        for index, name, schedule in shown
    ]
    most = max(1.0, *(count for _, _, points in lines for _, count in points))
    y = Scale(0.0, most * 1.05, 0.0, 1.0)
    x = Scale(0.0, float(times[-1]) * factor, 0.0, 1.0)
    spots = [max(line[2], key=lambda p: p[1]) for line in lines]
    return _named(lines, x, y, f"time ({unit})", "tasks that wait", "Queue over time", spots)


def spent_until(schedule: Schedule, times: Floats) -> Floats:
    """Energy spent until given times (k,), J; a task spends evenly while it runs."""
    runs = schedule.duration > 0.0
    start, duration = schedule.start[runs], schedule.duration[runs]
    done = np.clip((times[:, None] - start) / duration, 0.0, 1.0)
    return np.asarray(done @ schedule.task_energy[runs])


def waiting_at(problem: OnlineInstance, schedule: Schedule, times: Floats) -> Floats:
    """How many tasks that will run have arrived and not started at given times (k,)."""
    runs = schedule.work > 0.0
    arrived = np.searchsorted(np.sort(problem.arrivals[runs]), times, side="right")
    started = np.searchsorted(np.sort(schedule.start[runs]), times, side="right")
    return np.asarray(arrived - started, dtype=np.float64)


def _moments(problem: OnlineInstance, shown: Sequence[tuple[int, str, Schedule]]) -> Floats:
    """Moments from the start until the horizon or the last end, s."""
    last = max(problem.horizon, *(schedule.makespan for _, _, schedule in shown))
    return np.linspace(0.0, last, _MOMENTS)


def _points(times: Floats, values: Floats) -> list[tuple[float, float]]:
    return list(zip(times.tolist(), values.tolist(), strict=True))


def _lined(
    lines: Sequence[Line], x: Scale, y: Scale, x_label: str, y_label: str, label: str
) -> str:
    """A chart of one line a solver, with marks at its points and its name at the end."""
    names = [name for _, name, _ in lines]
    height = max(HEIGHT, room_for(names) + TOP + BOTTOM)
    x = Scale(x.low, x.high, *x_range(margin_for(names)))
    y = Scale(y.low, y.high, *y_range(height), percent=y.percent)
    parts, ends = [axes(x, y, x_label, y_label)], []
    for rank, name, points in lines:
        spots = [(x(a), y(b)) for a, b in points]
        parts.append(path(spots, f"{series(rank)} curve", name))
        parts += [mark(*spot, rank, name) for spot in spots[:-1]]
        ends.append(End(*spots[-1], rank, name))
    parts.append(line_ends(ends, TOP, height - BOTTOM))
    return svg("".join(parts), label, height=height)


def _named(
    lines: Sequence[Line],
    x: Scale,
    y: Scale,
    x_label: str,
    y_label: str,
    label: str,
    at: Sequence[tuple[float, float]],
    even: Sequence[tuple[float, float]] = (),
) -> str:
    """A chart of one line a solver, marked and named at a point of it."""
    x = Scale(x.low, x.high, *x_range())
    y = Scale(y.low, y.high, *y_range(), percent=y.percent)
    parts = [axes(x, y, x_label, y_label), path([(x(a), y(b)) for a, b in even], "front")]
    for rank, name, points in lines:
        parts.append(path([(x(a), y(b)) for a, b in points], f"{series(rank)} curve", name))
    spots = [(x(a), y(b)) for a, b in at]
    labels = Labels(spots)
    parts += [mark(*spot, line[0], line[1]) for spot, line in zip(spots, lines, strict=True)]
    parts += [labels.place(*spot, *line[:2]) for spot, line in zip(spots, lines, strict=True)]
    return svg("".join(parts), label)
