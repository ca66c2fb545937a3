"""Anytime curves: how good the best schedule so far is while a solver goes on searching."""

from __future__ import annotations

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.benchmark.report.charts import gap_scale
from dsct_gym.benchmark.report.labels import End, line_ends, margin_for, room_for
from dsct_gym.benchmark.report.marks import series
from dsct_gym.benchmark.report.results import Results
from dsct_gym.benchmark.report.scales import log_scale
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
from dsct_gym.benchmark.statistics import best_so_far
from dsct_gym.benchmark.store import StoredRun
from dsct_gym.gaps import shortfall

_SOONEST = 1e-4
_POINTS = 160


def anytime_curves(results: Results) -> str | None:
    """Mean gap of the best so far against time; None when no solver tells how it went on.

    A curve begins when all runs of its solver have a schedule, with the value of that, and ends
    with the last of them.
    """
    spans = {solver: span for solver in results.solvers if (span := _span(results, solver))}
    if not spans:
        return None
    names = list(spans)
    height = max(HEIGHT, room_for(names) + TOP + BOTTOM)
    bounds = [moment for span in spans.values() for moment in span]
    x = log_scale(bounds, *x_range(margin_for(names)), floor=_SOONEST, margin=1.15)
    curves = {}
    for solver, (begin, end) in spans.items():
        times = np.geomspace(max(begin, _SOONEST), max(end, begin, _SOONEST), _POINTS)
        curves[solver] = times, mean_gap_over_time(results, solver, times)
    shown = [gap for _, gaps in curves.values() for gap in gaps.tolist()]
    y = gap_scale(shown, *reversed(y_range(height)), margin=1.3)
    lines, ends = [], []
    for solver, (times, gaps) in curves.items():
        points = [(x(a), y(b)) for a, b in zip(times.tolist(), gaps.tolist(), strict=True)]
        index = results.solvers.index(solver)
        lines.append(path(stairs(points), f"{series(index)} curve", solver))
        ends.append(End(*points[-1], index, solver))
    body = axes(x, y, "time (s)", "mean gap to best known")
    labels = line_ends(ends, TOP, height - BOTTOM)
    return svg(body + "".join(lines) + labels, "Anytime curves", height=height)


def mean_gap_over_time(results: Results, solver: str, times: Floats) -> Floats:
    """Gap to the best known of the best so far at given times (k,), mean over a solver's runs."""
    curves = []
    for run in results.runs_of(solver):
        label = run.record.instance
        best, floor = results.known[label].best, run.record.floor
        found = best_so_far(run.trace, times, results.idle[label])
        curves.append([shortfall(value, best, floor) for value in found.tolist()])
    return np.asarray(np.mean(curves, axis=0))


def _span(results: Results, solver: str) -> tuple[float, float] | None:
    """When a solver's curve begins and ends, s; None where it does not tell how it went on."""
    runs = results.runs_of(solver)
    if not any(len(run.trace) > 1 for run in runs):
        return None
    begins = [found for run in runs if (found := _first_schedule(run)) is not None]
    if not begins:
        return None
    return max(begins), max(run.trace[-1][0] for run in runs if run.trace)


def _first_schedule(run: StoredRun) -> float | None:
    """When a run first tells of a schedule, s; None where it never does."""
    return next((seconds for seconds, best, _ in run.trace if best is not None), None)
