"""What machines do under each solver, where instances are few enough to look at each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import fmean

from dsct_gym.benchmark.report.html import Cell, note, row, section, sortable
from dsct_gym.benchmark.report.results import Results
from dsct_gym.errors import InputError
from dsct_gym.schedule_table import MachineUse, machine_use
from dsct_gym.units import ENERGY

_MOST_MACHINES = 16


@dataclass(frozen=True)
class Use:
    """What a machine does, mean over the seeds of a solver.

    Attributes:
        utilisation: Share of the time until the last deadline that it works.
        energy: J.
    """

    utilisation: float
    energy: float


def machines_chapter(results: Results) -> str:
    """One table an instance: utilisation and joules of each machine under each solver."""
    if not results.few:
        return ""
    parts = "".join(_instance(results, label) for label in results.instances)
    told = (
        "Utilisation: time that a machine works, as a share of the time until the last deadline; "
        "below it the energy that it spends. Means over seeds."
    )
    return section("machines", "Machines", parts + note(told))


def uses_of(results: Results, solver: str, label: str) -> list[Use]:
    """What each machine of an instance does under a solver; nothing without a schedule.

    Raises:
        InputError: If a schedule is not there or damaged.
    """
    found = [
        machine_use(results.schedule_of(run))
        for run in results.runs_of(solver)
        if run.record.instance == label and run.record.ok
    ]
    return [_mean(uses) for uses in zip(*found, strict=True)]


def _mean(uses: Sequence[MachineUse]) -> Use:
    return Use(fmean(use.utilisation for use in uses), fmean(use.energy for use in uses))


def _instance(results: Results, label: str) -> str:
    core = results.problems[label].core
    names = core.machine_names or (None,) * core.num_machines
    shown = [name or f"machine {r}" for r, name in enumerate(names)][:_MOST_MACHINES]
    rows = [
        row(solver, cells, rank)
        for rank, solver in enumerate(results.solvers)
        if (cells := _cells(results, solver, label))
    ]
    left_out = core.num_machines - len(shown)
    more = f" The table leaves out {left_out} more machines." if left_out else ""
    budget = f", budget {ENERGY.show(core.energy_budget)}" if results.has_budget(label) else ""
    heading = (
        f"<h3>{escape(label)}: {core.num_tasks} tasks, {core.num_machines} machines{budget}</h3>"
    )
    heads = [("Solver", ""), ("Energy", "of all machines"), ("Utilisation", "mean over machines")]
    table = sortable([*heads, *((name, "") for name in shown)], rows)
    return f"{heading}{table}{note(more.strip()) if more else ''}"


def _cells(results: Results, solver: str, label: str) -> list[Cell]:
    try:
        uses = uses_of(results, solver, label)
    except InputError as error:
        return [Cell(str(error))]
    if not uses:
        return []
    total = sum(use.energy for use in uses)
    mean = fmean(use.utilisation for use in uses)
    unit = ENERGY.fitting(max(use.energy for use in uses))
    each = [
        Cell(
            _percent(use.utilisation),
            use.utilisation,
            f"{ENERGY.number(use.energy, unit)} {unit}",
            bar=use.utilisation,
        )
        for use in uses[:_MOST_MACHINES]
    ]
    return [Cell(ENERGY.show(total), total), Cell(_percent(mean), mean, bar=mean), *each]


def _percent(share: float) -> str:
    return f"{share:.0%}"
