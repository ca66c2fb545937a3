"""``dsct-gym build``: an instance from one's own machines and requests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsct_gym.cli.arguments import InstanceName, InstanceOutput, Json, check_writable
from dsct_gym.cli.console import Heading, err, out, print_json, print_table, warn
from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from dsct_gym.operator.machines import Machine
    from dsct_gym.operator.measured import Measured
    from dsct_gym.operator.requests import Tasks
    from dsct_gym.problem import Problem

EXAMPLE = """
dsct-gym build --machines L4:2,A100 --requests requests.csv --budget 5Wh -o i.json
dsct-gym build --machines 'box:speed=5000:watt=90' --requests requests.csv -o i.json
dsct-gym build --machines T4:2 --requests requests.csv --rates rates.csv -o i.json
"""

MACHINES_SHOWN = 20


def build(
    machines: Annotated[
        str,
        typer.Option(
            "--machines",
            metavar="LIST",
            help="name\\[:count]\\[:speed=S]\\[:watt=W],... or a CSV file with such columns.",
        ),
    ],
    requests: Annotated[
        Path, typer.Option("--requests", metavar="FILE.csv", help="Requests, a row each.")
    ],
    budget: Annotated[
        str,
        typer.Option(
            "--budget",
            metavar="ENERGY",
            help="5Wh, 20kJ, ... ; 60% of what all machines can draw; or none.",
        ),
    ] = "none",
    curves: Annotated[
        Path | None,
        typer.Option(
            "--curves", metavar="FILE.csv", help="Models of your own: model, work, accuracy."
        ),
    ] = None,
    rates: Annotated[
        Path | None,
        typer.Option(
            "--rates",
            metavar="FILE.csv",
            help="Measured: machine, network, images_per_second, watt.",
        ),
    ] = None,
    horizon: Annotated[
        str | None,
        typer.Option(
            "--horizon",
            metavar="TIME",
            help="With arrivals: the period that the budget is for.",
            show_default="the last deadline",
        ),
    ] = None,
    name: InstanceName = None,
    output: InstanceOutput = None,
    json: Json = False,
) -> None:
    """Build an instance from your own machines and requests.

    Columns of the requests: deadline, or latency (from arrival, if there is
    one); model, or work and accuracy; and perhaps images, weight, count, name.
    Times may have units (80ms), or columns (latency_ms).
    """
    from dsct_gym.files import instance_text, write_instance

    check_writable("--output", output)
    if json and output is None:
        raise InputError("--json: tells of the file that --output names")
    with err().status("reading tables"):
        built = _build(machines, requests, budget, curves, rates, horizon, name)
    problem, kinds, tasks, measured, unread = built
    if output is None:
        sys.stdout.write(instance_text(problem))
    else:
        write_instance(problem, output)
        if json:
            print_json(_document(output, problem, kinds, tasks))
        else:
            _print(output, problem, kinds, tasks, measured)
    if unread:
        warn(f"{requests}: not read: {', '.join(unread)}")
    _warn(problem)
    for found in _unused(measured, kinds):
        warn(f"--rates: no machine is called {found}")


def _build(
    machines: str,
    requests: Path,
    budget: str,
    curves: Path | None,
    rates: Path | None,
    horizon: str | None,
    name: str | None,
) -> tuple[Problem, list[Machine], Tasks, dict[str, Measured], list[str]]:
    """The problem, what it is made of, and the columns of the requests that nobody reads."""
    from dsct_gym.operator.build import as_machines, assemble, lookup
    from dsct_gym.operator.columns import read_csv
    from dsct_gym.operator.measured import read_rates, read_works
    from dsct_gym.operator.requests import COLUMNS, read_curves, read_requests
    from dsct_gym.refusals import shown_key
    from dsct_gym.units import TIME

    table = None if curves is None else read_csv(curves)
    own = {} if table is None else read_curves(table)
    works = {} if table is None else read_works(table)
    listed_requests = read_csv(requests)
    unread = listed_requests.unread(COLUMNS)
    tasks = read_requests(listed_requests.without(unread), own)
    measured = {} if rates is None else read_rates(read_csv(rates), works)
    listed = read_csv(machines) if machines.lower().endswith(".csv") else machines
    kinds = as_machines(listed, lookup(measured, tasks), "--machines")
    until = None if horizon is None else TIME.read(horizon, "--horizon")
    problem = assemble(kinds, tasks, budget, horizon=until, name=name)
    return problem, kinds, tasks, measured, [shown_key(column) for column in unread]


def _document(
    path: Path, problem: Problem, machines: list[Machine], tasks: Tasks
) -> dict[str, object]:
    from dataclasses import asdict

    from dsct_gym.catalog import prediction_interval

    return {
        "file": str(path),
        "tasks": problem.core.num_tasks,
        "energy_budget": problem.core.energy_budget,
        "machines": [asdict(machine) for machine in machines],
        "predicted_over_measured": list(prediction_interval()),
        "accuracy_scaled_by": 1.0 / tasks.heaviest if tasks.weighted else 1.0,
    }


def _print(
    path: Path,
    problem: Problem,
    machines: list[Machine],
    tasks: Tasks,
    measured: dict[str, Measured],
) -> None:
    from dsct_gym.catalog import prediction_interval
    from dsct_gym.operator.machines import Origin
    from dsct_gym.units import ENERGY, TIME

    core = problem.core
    columns = (
        Heading("machine"),
        Heading("GFLOP/s", "number"),
        Heading("speed is", "prose"),
        Heading("W", "number"),
        Heading("power is", "prose"),
    )
    rows = [
        (
            machine.name,
            f"{machine.speed:.5g}",
            str(machine.speed_from),
            f"{machine.power:.4g}",
            str(machine.power_from),
        )
        for machine in machines[:MACHINES_SHOWN]
    ]
    left = len(machines) - MACHINES_SHOWN
    notes = [f"and {left} more machines (--json has all)"] if left > 0 else []
    if any(machine.speed_from == Origin.PREDICTED for machine in machines):
        low, high = prediction_interval()
        notes.append(f"predicted speeds: {low:.2f} to {high:.2f} of what was measured elsewhere")
    for found in measured.values():
        low, high = found.spread
        notes.append(
            f"{found.name}: {found.networks} networks at {low:.2f} to {high:.2f} of its speed"
        )
    if tasks.weighted:
        notes.append(f"accuracies are times weight / {tasks.heaviest:g}, in schedules as well")
    title = (
        f"{path}: {core.num_tasks} requests due until {TIME.show(core.horizon)},"
        f" {ENERGY.show(core.energy_budget)}"
    )
    out().print(title)
    print_table(columns, rows)
    for note in notes:
        out().print(f"  {note}")


def _unused(measured: dict[str, Measured], machines: list[Machine]) -> list[str]:
    """What was measured and is not among the machines: a slip of the name, perhaps."""
    from dsct_gym.catalog.tables import normalised

    called = {normalised(machine.name) for machine in machines}
    called |= {normalised(machine.name.rpartition("-")[0]) for machine in machines}
    return [found.name for key, found in measured.items() if key not in called]


def _warn(problem: Problem) -> None:
    """What looks like a slip of the unit."""
    from dsct_gym.operator.overview import doubts

    for doubt in doubts(problem):
        warn(doubt)
