"""The schedules of each solver, on its best and its worst instance."""

from __future__ import annotations

from html import escape

from dsct_gym.benchmark.report.gantt import gantt_svg
from dsct_gym.benchmark.report.html import folded, note, section
from dsct_gym.benchmark.report.results import Results
from dsct_gym.benchmark.store import StoredRun
from dsct_gym.benchmark.wording import show_share
from dsct_gym.errors import InputError
from dsct_gym.units import ENERGY


def schedules_chapter(results: Results) -> str:
    """One chart or two for each solver."""
    parts = "".join(_best_and_worst(results, solver) for solver in results.solvers)
    told = (
        "Machines as rows, tasks coloured by accuracy (dark to bright), ticks above a row at its "
        "tasks' deadlines. Point at a task for its numbers."
    )
    if results.with_need("soft"):
        told += " Struck out in red: what runs after its deadline."
    if results.with_need("arrivals"):
        told += " Lines below a row: when its tasks arrived, and how long they wait."
    return section("schedules", "Schedules", note(told) + parts)


def _best_and_worst(results: Results, solver: str) -> str:
    runs = sorted(
        (run for run in results.runs_of(solver) if run.record.ok),
        key=lambda run: _gap(results, run),
    )
    if not runs:
        return ""
    chosen = {runs[0].path: ("best: ", runs[0]), runs[-1].path: ("worst: ", runs[-1])}
    if len(chosen) == 1:
        chosen = {runs[0].path: ("", runs[0])}
    drawn = "".join(_drawn(results, name, run) for name, run in chosen.values())
    heading = solver
    if len(chosen) > 1:
        heading += f": best and worst {'instance' if len(results.instances) > 1 else 'seed'}"
    return folded(heading, drawn, css="gantts")


def _drawn(results: Results, name: str, run: StoredRun) -> str:
    record = run.record
    seed = "" if record.seed is None else f", seed {record.seed}"
    energy = ENERGY.show(record.energy)
    if record.energy_budget and results.has_budget(record.instance):
        energy += f", {record.energy_share:.1%} of the budget"
    told = (
        f"{name}{record.instance}{seed}, gap {show_share(_gap(results, run))}, "
        f"mean accuracy {record.mean_accuracy:.5f}, energy {energy}"
    )
    try:
        drawing = gantt_svg(results.schedule_of(run), f"{record.solver} on {told}")
    except InputError as error:
        drawing = f"<p class='note'>{escape(str(error))}</p>"
    return (
        f"<figure class='gantt'><figcaption>{escape(told)}</figcaption>"
        f"<div class='scroll'>{drawing}</div></figure>"
    )


def _gap(results: Results, run: StoredRun) -> float:
    return run.record.short_of(results.known[run.record.instance].best)
