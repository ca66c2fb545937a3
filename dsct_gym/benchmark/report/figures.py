"""The chapter of the charts that every report has, with their legend."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from html import escape

from dsct_gym.benchmark.report import charts
from dsct_gym.benchmark.report.anytime import anytime_curves
from dsct_gym.benchmark.report.html import Figure, figures, note, section
from dsct_gym.benchmark.report.marks import key
from dsct_gym.benchmark.report.results import Results

_MOST_STICKY = 12
"""Solvers in a legend that stays in sight; a larger one would cover too much."""


def charts_chapter(results: Results) -> str:
    """All charts that the results have something for."""
    told = (
        "A number in a chart stands for a name for which there was no room. Press names to pick "
        "their solvers out."
    )
    body = legend(results.solvers) + note(told) + figures(_figures(results))
    return section("charts", "Charts", body)


def legend(solvers: Sequence[str], shown: Container[str] | None = None) -> str:
    """The marks of solvers; a press on one picks it out in the charts.

    Args:
        solvers: All solvers in the order of their ranks.
        shown: Those that the charts below are about; None for all.
    """
    css = "legend sticky" if len(solvers) <= _MOST_STICKY else "legend"
    keys = "".join(
        f"<button type='button' class='entry' data-series='{index}'>"
        f"{key(index)}{escape(solver)}</button>"
        for index, solver in enumerate(solvers)
        if shown is None or solver in shown
    )
    return f"<div class='{css}' aria-label='Solvers'>{keys}</div>"


def _figures(results: Results) -> Iterator[Figure]:
    bars = "" if results.few else " Bars: intervals over instances."
    yield Figure(
        "Quality against time",
        charts.quality_against_time(results),
        "Better is up, faster is left. The line is the Pareto front: no solver beats those on "
        f"it in both.{bars}",
    )
    dots = "Small dots: runs; large marks: means. "
    most = "" if results.budgeted else " Without a budget: share of the most that tasks can take."
    yield Figure(
        "Accuracy against energy",
        charts.accuracy_against_energy(results),
        f"{dots if len(results.runs) > len(results.solvers) else ''}Better is up, less energy is "
        f"left.{most}",
    )
    if not results.few:
        yield Figure(
            "Gaps over instances",
            charts.gap_distributions(results),
            "Box: quartiles and median; line: 5th to 95th percentile; dots: instances. Gaps below "
            "0.001 % stand at 0.001 %.",
        )
        yield Figure(
            "Performance profiles",
            charts.performance_profiles(results),
            "Share of the instances that a solver brings within a gap of the best known. Higher "
            "is better. Marks: where a line passes the half.",
        )
    anytime = anytime_curves(results)
    if anytime is not None:
        yield Figure(
            "Anytime",
            anytime,
            "Mean gap of the best schedule so far, for solvers that report on the way: from when "
            "each of its runs has a schedule until the last of them ends.",
        )
