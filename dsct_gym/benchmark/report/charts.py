"""The charts that every report has."""

from __future__ import annotations

from typing import Final

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.benchmark.record import Record
from dsct_gym.benchmark.report.labels import Labels, longest, short
from dsct_gym.benchmark.report.marks import mark, series
from dsct_gym.benchmark.report.results import FEWEST, Results
from dsct_gym.benchmark.report.scales import Scale, linear_scale, log_scale
from dsct_gym.benchmark.report.svg import (
    BOTTOM,
    HEIGHT,
    LETTER,
    RIGHT,
    TOP,
    WIDTH,
    axes,
    dot,
    line,
    path,
    stairs,
    svg,
    text,
    x_axis,
    x_range,
    y_range,
)
from dsct_gym.benchmark.scoring import Score
from dsct_gym.benchmark.statistics import profile
from dsct_gym.units import ENERGY

FLOOR: Final = 1e-5
"""Gaps below this are drawn as this: 0.001 %."""

_FASTEST: Final = 1e-5
_ROW: Final = 24.0
_MOST_DOTS: Final = 3000
_CROWD: Final = 12
"""Solvers from which charts grow higher, so that their labels find room."""


def quality_against_time(results: Results) -> str:
    """Mean gap to the best known against mean seconds, with the Pareto front."""
    scores = results.scores
    height = _height(len(scores))
    x = log_scale([row.seconds for row in scores], *x_range(), floor=_FASTEST, margin=1.7)
    shown = [end for row in scores for end in _ends(row)]
    y = gap_scale(shown, *reversed(y_range(height)), margin=1.6)
    spots = [(x(row.seconds), y(row.gap_to_best.mean)) for row in scores]
    labels = Labels(spots, height)
    front = [(x(row.seconds), y(row.gap_to_best.mean)) for row in pareto_front(scores)]
    parts = [path([*stairs(front), (x.end, front[-1][1])], "front", "Pareto front")]
    for index, (row, (at_x, at_y)) in enumerate(zip(scores, spots, strict=True)):
        interval = row.gap_to_best
        if row.instances >= FEWEST:
            bar = f"{series(index)} bar"
            parts.append(line(at_x, y(interval.low), at_x, y(interval.high), bar))
        told = f"{row.solver}: gap {percent(interval.mean)}, {row.seconds:.3g} s"
        parts.append(mark(at_x, at_y, index, told))
    parts += [labels.place(*spot, index, scores[index].solver) for index, spot in enumerate(spots)]
    return svg(
        axes(x, y, "mean time (s)", "mean gap to best known") + "".join(parts),
        "Mean gap to the best known against mean time of each solver",
        height=height,
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
    left = 16.0 + LETTER * longest(gaps.solvers)
    x = gap_scale(_numbers(gaps.values), left, WIDTH - RIGHT)
    bottom = TOP + _ROW * len(gaps.solvers)
    parts = [x_axis(x, "gap to best known", TOP, bottom)]
    every = max(1, gaps.values.size // _MOST_DOTS)
    for index, solver in enumerate(gaps.solvers):
        middle = TOP + _ROW * (index + 0.5)
        parts.append(text(left - 8, middle + 4, short(solver, index), "label", anchor="end"))
        values = gaps.values[index]
        parts.append(_box(np.sort(values[~np.isnan(values)]), x, middle, index))
        for place in np.flatnonzero(~np.isnan(values))[::every].tolist():
            shift = (place * 7 % 11 - 5) * 0.9
            told = f"{solver} on {gaps.instances[place]}: {percent(values[place])}"
            parts.append(dot(x(values[place]), middle + shift, f"{series(index)} speck", 2, told))
    return svg("".join(parts), "Distribution of gaps over instances", height=bottom + BOTTOM)


def performance_profiles(results: Results) -> str:
    """Share of instances within a gap, one line a solver, labelled where it passes the half."""
    gaps = results.gaps
    height = _height(len(gaps.solvers))
    x = gap_scale(_numbers(gaps.values), *x_range())
    y = Scale(0.0, 1.0, *y_range(height), percent=True)
    levels = np.geomspace(x.low, x.high, 160)
    lines, spots = [], []
    for index, solver in enumerate(gaps.solvers):
        shares = profile(gaps.values[index], levels)
        points = [(x(a), y(b)) for a, b in zip(levels.tolist(), shares.tolist(), strict=True)]
        lines.append(path(stairs(points), f"{series(index)} curve", solver))
        spots.append(points[int(np.argmax(shares >= 0.5))])
    labels = Labels(spots, height)
    marks = [mark(*spot, index, gaps.solvers[index]) for index, spot in enumerate(spots)]
    names = [labels.place(*spot, index, gaps.solvers[index]) for index, spot in enumerate(spots)]
    body = axes(x, y, "gap to best known, at most", "share of instances")
    drawn = "".join([*reversed(lines), *reversed(marks), *names])
    return svg(body + drawn, "Performance profiles", height=height)


def accuracy_against_energy(results: Results) -> str:
    """Gap to the best known, on a scale that tells good solvers apart, against energy.

    In joules where there is one instance, as shares of the budgets otherwise.
    """
    one = len(results.instances) == 1
    shares = [(record, _energy(record, one), _gap(record, results)) for record in results.records]
    means = {}
    for solver in results.solvers:
        own = np.array([(e, a) for record, e, a in shares if record.solver == solver])
        means[solver] = own.mean(axis=0).tolist()
    height = _height(len(means))
    used, gaps = [energy for _, energy, _ in shares], [gap for _, _, gap in shares]
    x = _joule_scale(used, results) if one else _share_scale(used, *x_range())
    y = gap_scale(gaps, *reversed(y_range(height)))
    every = max(1, len(shares) // _MOST_DOTS)
    parts = [axes(x, y, _energy_title(results), "gap to best known")]
    if len(shares) > len(means):
        parts += [
            dot(x(e), y(a), f"{series(results.solvers.index(record.solver))} speck", 2)
            for record, e, a in shares[::every]
        ]
    spots = {solver: (x(e), y(a)) for solver, (e, a) in means.items()}
    labels = Labels(list(spots.values()), height)
    for index, (solver, spot) in enumerate(spots.items()):
        energy, short_of = means[solver]
        spent = ENERGY.show(energy) if one else f"{energy:.1%} of the budget"
        parts.append(mark(*spot, index, f"{solver}: gap {percent(short_of)} with {spent}"))
    parts += [
        labels.place(*spot, index, solver) for index, (solver, spot) in enumerate(spots.items())
    ]
    return svg("".join(parts), "Accuracy against energy", height=height)


def gap_scale(values: list[float], start: float, end: float, *, margin: float = 1.0) -> Scale:
    """A logarithmic scale for gaps; those below `FLOOR` stand at it."""
    scale = log_scale(values, start, end, floor=FLOOR, margin=margin)
    low, high = max(FLOOR, min(scale.low, 0.1)), min(scale.high, 1.0)
    clipped = min(values, default=1.0) < low
    return Scale(low, high, start, end, log=True, percent=True, clipped=clipped)


def percent(value: float) -> str:
    """A share as a tooltip has it."""
    return f"{100.0 * value:.4g} %"


def _height(solvers: int) -> float:
    """Of a chart of so many marks."""
    return HEIGHT + 9.0 * max(0, solvers - _CROWD)


def _ends(row: Score) -> tuple[float, float]:
    """The least and the largest gap that a row of the chart against time shows."""
    gap = row.gap_to_best
    return (
        (gap.mean, gap.mean) if row.instances < FEWEST else (max(gap.low, gap.mean / 4.0), gap.high)
    )


def _gap(record: Record, results: Results) -> float:
    return record.short_of(results.known[record.instance].best)


def _energy(record: Record, one: bool) -> float:
    return record.energy if one else record.energy_share


def _energy_title(results: Results) -> str:
    if len(results.instances) > 1:
        most = "budget" if results.budgeted else "budget or most possible"
        return f"energy used, share of the {most}"
    budget = results.records[0].energy_budget
    if budget is None or not results.budgeted:
        return "energy used (J)"
    return f"energy used (J), of a budget of {ENERGY.show(budget)}"


def _numbers(values: Floats) -> list[float]:
    return list(values[~np.isnan(values)].tolist())


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


def _joule_scale(values: list[float], results: Results) -> Scale:
    """A linear scale of joules up to the budget, where there is one."""
    budget = results.records[0].energy_budget if results.budgeted else None
    scale = linear_scale([*values, budget or 0.0], *x_range(), percent=False)
    return Scale(max(0.0, scale.low), scale.high, scale.start, scale.end)
