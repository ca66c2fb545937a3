"""What each solver amounts to, and what is known of each instance."""

from __future__ import annotations

from dsct_gym.benchmark.report.html import Cell, folded, note, row, section, sortable
from dsct_gym.benchmark.report.results import FEWEST, Results
from dsct_gym.benchmark.score_table import GAP_TO_BEST, PAGE, Column
from dsct_gym.benchmark.scoring import Score
from dsct_gym.benchmark.statistics import CONFIDENCE
from dsct_gym.benchmark.wording import show_share

_TIE = 1e-9


def summary_chapter(results: Results) -> str:
    """One row a solver, best first."""
    heads = [(column.heading.capitalize(), column.told) for column in PAGE]
    rows = [
        row(score.solver, [_cell(column, score) for column in PAGE[1:]], rank)
        for rank, score in enumerate(results.scores)
    ]
    intervals = f"Small print below a mean: {CONFIDENCE:.0%} bootstrap interval over instances. "
    told = (
        f"{'' if results.few else intervals}Seeds are averaged within an instance. A run without "
        "a feasible schedule counts as the empty one. Press a heading to sort."
    )
    table = sortable(heads, rows, PAGE.index(GAP_TO_BEST))
    return section("summary", "Summary", table + note(told))


def _cell(column: Column[Score], score: Score) -> Cell:
    assert column.value is not None
    small = column.small(score) if column.small and score.instances >= FEWEST else ""
    return Cell((column.page or column.shown)(score), column.value(score), small)


def instances_chapter(results: Results) -> str:
    """One row an instance."""
    heads = (
        "Instance",
        "Tasks",
        "Machines",
        "Best known",
        "Bound",
        "Open gap",
        "Closest here",
    )
    plain = all(not record.needs or record.floor == 0.0 for record in results.records)
    what = "mean accuracy" if plain else "value per task"
    count = len(results.instances)
    heading = f"{count} instance{'s' * (count > 1)}: best known and bound, as {what}"
    rows = [row(label, _instance(results, label)) for label in results.instances]
    table = sortable([(head, "") for head in heads], rows)
    return section("instances", "Instances", folded(heading, table))


def _instance(results: Results, label: str) -> list[Cell]:
    core, known = results.problems[label].core, results.known[label]
    tasks = core.num_tasks
    column = results.gaps.values[:, results.gaps.instances.index(label)].tolist()
    least = min(value for value in column if value == value)
    best = [
        solver for solver, gap in zip(results.solvers, column, strict=True) if gap <= least + _TIE
    ]
    return [
        Cell(str(tasks)),
        Cell(str(core.num_machines)),
        Cell(f"{known.best / tasks:.5f}", known.best / tasks),
        Cell(f"{known.bound / tasks:.5f}", known.bound / tasks),
        Cell(show_share(known.gap), known.gap),
        Cell(", ".join(best), css="names"),
    ]
