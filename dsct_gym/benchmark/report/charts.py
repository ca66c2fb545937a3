"""The charts of a report."""

from __future__ import annotations

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.benchmark.record import Record
from dsct_gym.benchmark.report.results import Results
from dsct_gym.benchmark.report.svg import (
    RIGHT,
    TOP,
    WIDTH,
    Labels,
    Scale,
    axes,
    dot,
    line,
    linear_scale,
    log_scale,
    mark,
    path,
    series,
    stairs,
    svg,
    text,
    x_range,
    y_range,
)
from dsct_gym.benchmark.scoring import Score
from dsct_gym.benchmark.statistics import best_so_far, profile
from dsct_gym.gaps import shortfall

FLOOR = 1e-5
"""Gaps below this are drawn as this: 0.001 %."""

_FASTEST = 1e-5
_ROW = 24.0
_MOST_DOTS = 3000


def quality_against_time(results: Results) -> str:
    """Mean gap to the best known against mean seconds, with the Pareto front."""
    scores = results.scores
    x = log_scale([row.seconds for row in scores], *x_range(), floor=_FASTEST, margin=1.7)
    gaps = [row.gap_to_best for row in scores]
    shown = [end for gap in gaps for end in (max(gap.low, gap.mean / 4.0), gap.high)]
    y = _gap_scale(shown, *reversed(y_range()), margin=1.6)
    spots = [(x(row.seconds), y(row.gap_to_best.mean)) for row in scores]
    labels = Labels(spots)
    front = [(x(row.seconds), y(row.gap_to_best.mean)) for row in pareto_front(scores)]
    front_line = path([*stairs(front), (x.end, front[-1][1])], "front", "Pareto front")
    marks = []
    for index, (row, (at_x, at_y)) in enumerate(zip(scores, spots, strict=True)):
        interval = row.gap_to_best
        marks.append(line(at_x, y(interval.low), at_x, y(interval.high), f"{series(index)} bar"))
        told = f"{row.solver}: gap {_percent(interval.mean)}, {row.seconds:.3g} s"
        marks.append(mark(at_x, at_y, index, told))
    names = [
        labels.place(*spot, index, row.solver)
        for index, (row, spot) in enumerate(zip(scores, spots, strict=True))
    ]
    body = axes(x, y, "mean time (s)", "mean gap to best known")
    return svg(
        body + front_line + "".join(marks) + "".join(names),
        "Mean gap to the best known against mean time of each solver",
    )


def pareto_front(scores: list[Score]) -> list[Score]:
    """The solvers that none beats in both time and gap, fastest first."""
    front: list[Score] = []
    for row in sorted(scores, key=lambda row: (row.seconds, row.gap_to_best.mean)):
        if not front or row.gap_to_best.mean < front[-1].gap_to_best.mean:
            front.append(row)
    return front


def gap_distributions(results: Results) -> str:
    """A box and a dot for each instance, one row a solver."""
    gaps = results.gaps
    height = TOP + _ROW * len(gaps.solvers) + 44.0
    left = 16.0 + 6.0 * max(map(len, map(_short, gaps.solvers)))
    x = _gap_scale(gaps.values[~np.isnan(gaps.values)].tolist(), left, WIDTH - RIGHT)
    bottom = TOP + _ROW * len(gaps.solvers)
    parts = []
    for value in x.ticks():
        parts.append(line(x(value), TOP, x(value), bottom, "grid"))
        parts.append(text(x(value), bottom + 15, x.label(value), "tick", anchor="middle"))
    every = max(1, gaps.values.size // _MOST_DOTS)
    for index, solver in enumerate(gaps.solvers):
        middle = TOP + _ROW * (index + 0.5)
        parts.append(text(left - 8, middle + 4, _short(solver), "label", anchor="end"))
        values = gaps.values[index]
        parts.append(_box(np.sort(values[~np.isnan(values)]), x, middle, index))
        for place in np.flatnonzero(~np.isnan(values))[::every].tolist():
            shift = (place * 7 % 11 - 5) * 0.9
            told = f"{solver} on {gaps.instances[place]}: {_percent(values[place])}"
            parts.append(dot(x(values[place]), middle + shift, f"{series(index)} speck", 2, told))
    parts.append(
        text((left + x.end) / 2, bottom + 34, "gap to best known", "title", anchor="middle")
    )
    return svg("".join(parts), "Distribution of gaps over instances", height=height)


def performance_profiles(results: Results) -> str:
    """Share of instances within a gap, one line a solver."""
    gaps = results.gaps
    x = _gap_scale(gaps.values[~np.isnan(gaps.values)].tolist(), *x_range())
    y = Scale(0.0, 1.0, *y_range(), percent=True)
    levels = np.geomspace(x.low, x.high, 160)
    lines = []
    for index, solver in enumerate(gaps.solvers):
        shares = profile(gaps.values[index], levels)
        points = [(x(a), y(b)) for a, b in zip(levels.tolist(), shares.tolist(), strict=True)]
        lines.append(path(stairs(points), f"{series(index)} curve", solver))
    body = axes(x, y, "gap to best known, at most", "share of instances")
    return svg(body + "".join(reversed(lines)), "Performance profiles")


def accuracy_against_energy(results: Results) -> str:
    """Gap to the best known, on a scale that tells good solvers apart, against energy."""
    shares = [(record, *_energy_and_gap(record, results)) for record in results.records]
    means = {}
    for solver in results.solvers:
        own = np.array([(e, a) for record, e, a in shares if record.solver == solver])
        means[solver] = own.mean(axis=0)
    x = _share_scale([energy for _, energy, _ in shares], *x_range())
    y = _gap_scale([gap for _, _, gap in shares], *reversed(y_range()))
    every = max(1, len(shares) // _MOST_DOTS)
    marks = [
        dot(x(e), y(a), f"{series(results.solvers.index(record.solver))} speck", 2)
        for record, e, a in shares[::every]
    ]
    spots = {solver: (x(e), y(a)) for solver, (e, a) in means.items()}
    labels = Labels(list(spots.values()))
    for index, (solver, spot) in enumerate(spots.items()):
        energy, short = means[solver]
        told = f"{solver}: gap {_percent(short)} with {energy:.1%} of the budget"
        marks.append(mark(*spot, index, told))
    names = [
        labels.place(*spot, index, solver, optional=True)
        for index, (solver, spot) in enumerate(spots.items())
    ]
    body = axes(x, y, "energy used, share of the budget", "gap to best known")
    return svg(body + "".join(marks) + "".join(names), "Accuracy against energy")


def anytime_curves(results: Results) -> str | None:
    """Mean gap of the best so far against time; None when no solver tells how it went on."""
    searching = [
        solver
        for solver in results.solvers
        if any(len(run.trace) > 1 for run in results.runs_of(solver))
    ]
    ends = [
        run.trace[-1][0] for solver in searching for run in results.runs_of(solver) if run.trace
    ]
    if not ends:
        return None
    x = log_scale([1e-3, *ends], *x_range(), floor=1e-3)
    times = np.geomspace(x.low, x.high, 120)
    curves = {solver: mean_gap_over_time(results, solver, times) for solver in searching}
    y = _gap_scale([v for curve in curves.values() for v in curve.tolist()], *reversed(y_range()))
    lines = []
    for solver, curve in curves.items():
        points = [(x(a), y(b)) for a, b in zip(times.tolist(), curve.tolist(), strict=True)]
        css = f"{series(results.solvers.index(solver))} curve"
        lines.append(path(stairs(points), css, solver))
    body = axes(x, y, "time (s)", "mean gap to best known")
    return svg(body + "".join(lines), "Anytime curves")


def mean_gap_over_time(results: Results, solver: str, times: Floats) -> Floats:
    """Gap to the best known of the best so far at given times (k,), mean over a solver's runs."""
    curves = []
    for run in results.runs_of(solver):
        label = run.record.instance
        best, floor = results.known[label].best, run.record.floor
        found = best_so_far(run.trace, times, results.idle[label])
        curves.append([shortfall(value, best, floor) for value in found.tolist()])
    return np.asarray(np.mean(curves, axis=0))


def _energy_and_gap(record: Record, results: Results) -> tuple[float, float]:
    return record.energy_share, record.short_of(results.known[record.instance].best)


def _box(values: Floats, x: Scale, middle: float, index: int) -> str:
    """Quartiles as a box, median as a line, whiskers from the 5th to the 95th percentile."""
    low, first, median, third, high = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]).tolist()
    css = series(index)
    top, tall = middle - 7, 14.0
    wide = max(1.0, x(third) - x(first))
    return (
        line(x(low), middle, x(high), middle, f"{css} whisker")
        + f'<rect class="{css} box" x="{x(first):.1f}" y="{top:.1f}" width="{wide:.1f}" '
        f'height="{tall:g}" rx="2"/>' + line(x(median), top, x(median), top + tall, f"{css} median")
    )


def _share_scale(values: list[float], start: float, end: float) -> Scale:
    """A linear scale of shares up to 100 %."""
    scale = linear_scale([*values, 1.0], start, end, percent=True)
    return Scale(max(0.0, scale.low), max(1.03, max(values)), start, end, percent=True)


def _gap_scale(values: list[float], start: float, end: float, *, margin: float = 1.0) -> Scale:
    scale = log_scale(values, start, end, floor=FLOOR, margin=margin)
    return Scale(min(scale.low, 0.1), min(scale.high, 1.0), start, end, log=True, percent=True)


def _percent(value: float) -> str:
    return f"{100.0 * value:.4g} %"


def _short(name: str) -> str:
    return name if len(name) <= 22 else name[:21] + "…"
