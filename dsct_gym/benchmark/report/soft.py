"""The chapter on instances whose deadlines may be missed at a price."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.benchmark.panel import panel
from dsct_gym.benchmark.record import Record
from dsct_gym.benchmark.report.figures import legend
from dsct_gym.benchmark.report.html import Cell, Figure, figures, note, row, section, sortable
from dsct_gym.benchmark.report.results import Results
from dsct_gym.benchmark.report.soft_charts import (
    Outcome,
    gap_against_punctuality,
    outcomes_of_tasks,
)
from dsct_gym.benchmark.wording import show_share
from dsct_gym.soft.instance import SoftInstance
from dsct_gym.soft.penalties import name_of
from dsct_gym.units import ENERGY, TIME


def soft_chapter(results: Results) -> str:
    """Value, lateness, tasks on time and refused, and how solvers do under each penalty."""
    problems = {
        label: problem
        for label in results.with_need("soft")
        if isinstance(problem := results.problems[label], SoftInstance)
    }
    records = [record for record in results.records if record.instance in problems]
    if not records:
        return ""
    found = outcomes(records, results.solvers)
    told = (
        "Value: accuracies less penalties of lateness less the price of energy. Lateness: of the "
        "tasks that are late, mean over instances."
    )
    body = _table(results, records, found) + note(told) + _by_penalty(results, problems, records)
    drawn = [
        Figure(
            "What becomes of tasks",
            outcomes_of_tasks(found),
            "Shares of the tasks, means over instances.",
        ),
        Figure(
            "Value against punctuality",
            gap_against_punctuality(results, records, found),
            "Better is up. What pays is not always to be in time.",
        ),
    ]
    return section("soft", "Soft deadlines", body + legend(results.solvers, found) + figures(drawn))


def outcomes(records: Sequence[Record], solvers: Sequence[str]) -> dict[str, Outcome]:
    """Shares of the tasks that are late and refused under each solver, means over instances."""
    late = panel(records, _late)
    refused = panel(records, _refused)
    return {
        solver: Outcome(
            index, float(np.nanmean(late.row(solver))), float(np.nanmean(refused.row(solver)))
        )
        for index, solver in enumerate(solvers)
        if solver in late.solvers
    }


def _late(record: Record) -> float:
    return record.measures.get("late", 0.0) / record.tasks


def _refused(record: Record) -> float:
    """Where there is no schedule, all are."""
    return record.measures.get("refused", record.tasks) / record.tasks


def _lateness(record: Record) -> float:
    """Mean lateness of the tasks that are late, s; NaN where none is."""
    late = record.measures.get("late", 0.0)
    return record.measures["lateness"] / late if late > 0.0 else np.nan


def _penalty(record: Record) -> float:
    return record.measures.get("penalty", np.nan) / record.tasks


def _table(results: Results, records: Sequence[Record], found: Mapping[str, Outcome]) -> str:
    heads = [
        ("Solver", ""),
        ("Value per task", "mean over instances"),
        ("Gap to best", "share missing to the best value known"),
        ("On time", "share of the tasks that end by their deadlines"),
        ("Late", "share of the tasks that end later"),
        ("Refused", "share of the tasks without work"),
        ("Lateness", "from the deadline to the end of a late task"),
        ("Penalty per task", "mean over instances"),
        ("Energy", "mean over instances"),
    ]
    known = results.known
    measured = [
        panel(records, lambda r: r.mean_value),
        panel(records, lambda r: r.short_of(known[r.instance].best)),
        panel(records, _lateness),
        panel(records, _penalty),
        panel(records, lambda r: r.energy),
    ]
    rows = []
    for solver, outcome in found.items():
        worth, gap, lateness, penalty, energy = (_mean(each.row(solver)) for each in measured)
        cells = [
            _cell(worth, lambda v: f"{v:.4f}"),
            _cell(gap, show_share),
            *(Cell(f"{share:.1%}", share) for share in outcome.shares),
            _cell(lateness, TIME.show),
            _cell(penalty, lambda v: f"{v:.4f}"),
            _cell(energy, ENERGY.show),
        ]
        rows.append(row(solver, cells, outcome.rank))
    return sortable(heads, rows)


def _by_penalty(
    results: Results, problems: Mapping[str, SoftInstance], records: Sequence[Record]
) -> str:
    """Gaps under each shape of penalty; nothing where there is one."""
    shapes: dict[str, list[str]] = {}
    for label, problem in problems.items():
        shapes.setdefault(name_of(problem.penalty), []).append(label)
    if len(shapes) < 2:
        return ""
    gaps = {
        shape: panel(
            [record for record in records if record.instance in labels],
            lambda r: r.short_of(results.known[r.instance].best),
        )
        for shape, labels in shapes.items()
    }
    rows = []
    for rank, solver in enumerate(results.solvers):
        if not any(solver in each.solvers for each in gaps.values()):
            continue
        cells = [
            _cell(_mean(each.row(solver)) if solver in each.solvers else np.nan, show_share)
            for each in gaps.values()
        ]
        rows.append(row(solver, cells, rank))
    heads = [("Solver", ""), *((f"{shape.capitalize()} penalty", "") for shape in shapes)]
    counts = ", ".join(f"{shape} on {len(labels)}" for shape, labels in shapes.items())
    return f"<h3>Gap to best by penalty</h3>{sortable(heads, rows)}{note(f'Instances: {counts}.')}"


def _mean(values: Floats) -> float:
    """NaN where there is no number."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else np.nan


def _cell(value: float, shown: Callable[[float], str]) -> Cell:
    return Cell("–", "") if np.isnan(value) else Cell(shown(value), value)
