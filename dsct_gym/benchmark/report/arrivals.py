"""The chapter on instances whose tasks arrive over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.benchmark.panel import Panel, panel
from dsct_gym.benchmark.record import Record
from dsct_gym.benchmark.report.arrival_charts import (
    Traits,
    against,
    energy_over_time,
    queue_over_time,
)
from dsct_gym.benchmark.report.figures import legend
from dsct_gym.benchmark.report.html import Cell, Figure, figures, note, row, section, sortable
from dsct_gym.benchmark.report.results import Results
from dsct_gym.errors import InputError
from dsct_gym.online.instance import OnlineInstance
from dsct_gym.schedule import Schedule

_MOST_LINES = 6
"""Solvers in a chart over time; of more, the queues cannot be told apart."""


@dataclass(frozen=True)
class Played:
    """Numbers of a schedule of tasks that arrive.

    Attributes:
        served: Share of the tasks that are given work.
        wait: Mean over these of the time from arrival to start, as a share of that to the deadline.
    """

    served: float
    wait: float


def arrivals_chapter(results: Results) -> str:
    """Ratios to bound and hindsight, by load and burstiness, and one instance over time."""
    problems = {
        label: problem
        for label in results.with_need("arrivals")
        if isinstance(problem := results.problems[label], OnlineInstance)
    }
    if not problems:
        return ""
    records = [record for record in results.records if record.instance in problems]
    told = (
        "Share of bound: value over the proven bound, which may split and move tasks. Share of "
        "hindsight: value over that of the best schedule known, made with full knowledge of what "
        "arrives."
    )
    if len(problems) > 1:
        told += " Below them: the least over instances."
    shown = {record.solver for record in records}
    drawn = [*_across(results, problems, records), *_over_time(results, problems)]
    body = _table(results, records) + note(told) + legend(results.solvers, shown) + figures(drawn)
    return section("arrivals", "Arrivals", body)


def played(problem: OnlineInstance, schedule: Schedule) -> Played:
    """How many tasks run, and how long they wait for it."""
    runs = schedule.work > 0.0
    if not runs.any():
        return Played(0.0, 0.0)
    waited = schedule.start[runs] - problem.arrivals[runs]
    patience = problem.core.deadlines[runs] - problem.arrivals[runs]
    return Played(float(runs.mean()), float(np.mean(waited / patience)))


def _table(results: Results, records: Sequence[Record]) -> str:
    known = results.known
    bound = panel(records, lambda r: 1.0 - r.short_of(known[r.instance].bound))
    best = panel(records, lambda r: 1.0 - r.short_of(known[r.instance].best))
    energy = panel(records, lambda r: r.energy_share)
    heads = [
        ("Solver", ""),
        ("Share of bound", "value over the least proven bound"),
        ("Share of hindsight", "value over the best known"),
        ("Energy used", "share of the budget spent"),
        ("Tasks run", "share of the tasks that are given work"),
        ("Wait", "time from arrival to start, as a share of that to the deadline"),
    ]
    rows = []
    for rank, solver in enumerate(results.solvers):
        if solver not in bound.solvers:
            continue
        spent = float(np.nanmean(energy.row(solver)))
        cells = [_ratio(bound.row(solver)), _ratio(best.row(solver)), _share(spent)]
        rows.append(row(solver, [*cells, *_of_schedules(results, records, solver)], rank))
    return sortable(heads, rows)


def _ratio(values: Floats) -> Cell:
    mean, least = float(np.nanmean(values)), float(np.nanmin(values))
    small = f"least {least:.2%}" if values.size > 1 else ""
    return Cell(f"{mean:.2%}", mean, small, bar=mean)


def _share(value: float) -> Cell:
    return Cell(f"{value:.1%}", value)


def _of_schedules(results: Results, records: Sequence[Record], solver: str) -> list[Cell]:
    """What only schedules tell, mean over a solver's runs that have one."""
    labels = {record.instance for record in records}
    found = []
    for run in results.runs_of(solver):
        problem = results.problems[run.record.instance]
        if run.record.instance in labels and run.record.ok and isinstance(problem, OnlineInstance):
            try:
                found.append(played(problem, results.schedule_of(run)))
            except InputError:
                continue
    if not found:
        return [Cell("–", ""), Cell("–", "")]
    served = float(np.mean([each.served for each in found]))
    wait = float(np.mean([each.wait for each in found]))
    return [_share(served), _share(wait)]


def _across(
    results: Results, problems: dict[str, OnlineInstance], records: Sequence[Record]
) -> list[Figure]:
    """How solvers do as instances get harder; nothing of one instance."""
    if len(problems) < 2:
        return []
    known = results.known
    ratios = panel(records, lambda r: 1.0 - r.short_of(known[r.instance].bound))
    traits = {label: Traits.of(problem) for label, problem in problems.items()}
    grouped = "" if len(problems) <= 4 else " Marks: means over groups of instances."
    return [
        _against(ratios, results, {k: t.load for k, t in traits.items()}, "load", grouped),
        _against(
            ratios, results, {k: t.burstiness for k, t in traits.items()}, "burstiness", grouped
        ),
    ]


_TOLD = {
    "load": (
        "Accuracy against load",
        "load: work that arrives / what machines can do",
        "1 is as much work as all machines could do until the horizon.",
    ),
    "burstiness": (
        "Accuracy against burstiness",
        "burstiness: deviation / mean of times between arrivals",
        "1 is a steady rate at random, more is in bursts.",
    ),
}


def _against(
    ratios: Panel, results: Results, trait: dict[str, float], name: str, grouped: str
) -> Figure:
    heading, axis, told = _TOLD[name]
    drawing = against(ratios, results.solvers, trait, axis, heading)
    return Figure(heading, drawing, f"{told} Higher is better.{grouped}")


def _over_time(results: Results, problems: dict[str, OnlineInstance]) -> list[Figure]:
    """Energy and queue on the instance of the highest load."""
    label = max(problems, key=lambda each: (Traits.of(problems[each]).load, each))
    shown = _best_schedules(results, label)
    if not shown:
        return []
    on = f"On {label}, the instance of the highest load. " if len(problems) > 1 else ""
    most = f"The best {_MOST_LINES} solvers. " if len(results.solvers) > _MOST_LINES else ""
    draw: list[tuple[str, Callable[..., str], str]] = [
        (
            "Energy over time",
            energy_over_time,
            "Dashed: the budget spent evenly until the horizon.",
        ),
        (
            "Queue over time",
            queue_over_time,
            "Tasks that have arrived and wait for their start; those that are never run are not "
            "counted.",
        ),
    ]
    problem = problems[label]
    return [Figure(name, chart(problem, shown), f"{on}{most}{told}") for name, chart, told in draw]


def _best_schedules(results: Results, label: str) -> list[tuple[int, str, Schedule]]:
    """Rank, name and first schedule of the best solvers on an instance."""
    found: list[tuple[int, str, Schedule]] = []
    for rank, solver in enumerate(results.solvers):
        run = next(
            (r for r in results.runs_of(solver) if r.record.instance == label and r.record.ok), None
        )
        if run is None or len(found) == _MOST_LINES:
            continue
        try:
            found.append((rank, solver, results.schedule_of(run)))
        except InputError:
            continue
    return found
