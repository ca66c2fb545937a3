"""``dsct-gym describe``: what an instance holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsct_gym.cli.arguments import InstanceArgument, Json, load_instance
from dsct_gym.cli.console import Heading, print_fields, print_json, print_table, warn
from dsct_gym.streams import stdout_to_stderr

if TYPE_CHECKING:
    from dsct_gym.operator.overview import Overview

EXAMPLE = """
dsct-gym describe dc5-ofa60
dsct-gym describe instance.json --json
"""


def describe(instance: InstanceArgument, json: Json = False) -> None:
    """Describe an instance: tasks, machines, deadlines, energy.

    Numbers that look as if they were in another unit are told as warnings.
    """
    from dsct_gym.operator.overview import describe as overview_of

    problem = load_instance(instance)
    with stdout_to_stderr():
        overview = overview_of(problem)
    if json:
        print_json(_document(overview))
    else:
        _print(instance, overview)
        for doubt in overview.doubts:
            warn(doubt)


def _document(overview: Overview) -> dict[str, object]:
    from dataclasses import asdict
    from math import isfinite

    return {
        key: None if isinstance(value, float) and not isfinite(value) else value
        for key, value in asdict(overview).items()
    }


def _print(argument: str, overview: Overview) -> None:
    from math import isfinite

    from dsct_gym.units import ENERGY, POWER, TIME, WORK, show_share

    beta = f", beta {overview.beta:.4g}" if isfinite(overview.beta) else ""
    low, high = overview.mean_accuracy_range
    power = sum(machine.power for machine in overview.machines)
    fields = {
        "tasks": f"{overview.tasks}, due from {TIME.show(overview.first_deadline)}"
        f" to {TIME.show(overview.horizon)}",
        "machines": f"{len(overview.machines)}, {POWER.show(power)} when all are busy",
        "mean accuracy": f"{low:.4f} without work, {high:.4f} with all of it",
        "full work": f"{WORK.show(overview.full_work)}, at least"
        f" {ENERGY.show(overview.least_energy)}",
        "energy budget": f"{ENERGY.show(overview.budget)}{beta}",
        "deadlines": f"rho {overview.rho:.4g}; {show_share(overview.too_late)} of the tasks are"
        " too late to be done in full alone",
        "sizes": f"mu {overview.mu:.4g}",
    }
    if overview.unlimited_energy is not None and overview.cut_by_deadlines is not None:
        fields["energy no limit"] = (
            f"{ENERGY.show(overview.unlimited_energy)} spent,"
            f" {show_share(overview.cut_by_deadlines)} of the tasks cut by deadlines"
        )
    if overview.needs:
        fields["needs"] = f"{', '.join(overview.needs)} (dsct-gym solvers)"
    print_fields(overview.name or argument, fields)
    _print_machines(overview)


def _print_machines(overview: Overview) -> None:
    columns = (
        Heading("machine"),
        Heading("GFLOP/s", "number"),
        Heading("GFLOP/J", "number"),
        Heading("W", "number"),
    )
    rows = [
        (
            machine.name,
            f"{machine.speed:.5g}",
            f"{machine.efficiency:.4g}",
            f"{machine.power:.4g}",
        )
        for machine in overview.machines
    ]
    clocks = "at the fastest clock" if "points" in overview.needs else None
    print_table(columns, rows, caption=clocks)
