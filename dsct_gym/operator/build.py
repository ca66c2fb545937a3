"""An instance from one's own machines and requests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dsct_gym.accuracy import pad_curves
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.online.instance import OnlineInstance
from dsct_gym.operator.columns import Columns, as_columns
from dsct_gym.operator.machines import (
    MOST,
    Lookup,
    Machine,
    check_number,
    make_machine,
    numbered,
    read_machines,
)
from dsct_gym.operator.measured import (
    Measured,
    looked_up,
    power_column,
    read_rates,
    read_works,
)
from dsct_gym.operator.requests import Curve, Tasks, read_curves, read_requests
from dsct_gym.units import EFFICIENCY, ENERGY, POWER, SHARE, SPEED, Dimension

if TYPE_CHECKING:
    from dsct_gym.problem import Problem

MACHINE_COLUMNS: Final[Mapping[str, Dimension | None]] = {
    "name": None,
    "speed": SPEED,
    "watt": POWER,
    "power": POWER,
    "efficiency": EFFICIENCY,
    "count": None,
}
"""The columns of a table of machines."""

UNLIMITED: Final = "none"


def build(
    machines: object,
    requests: object,
    *,
    budget: float | str = UNLIMITED,
    curves: object = None,
    rates: object = None,
    horizon: float | None = None,
    name: str | None = None,
) -> Problem:
    """Builds a problem from tables.

    A table is a data frame of whatever library, a mapping of columns, a list of rows as mappings,
    or what `dsct_gym.operator.columns.read_csv` reads.

    Args:
        machines: Text such as ``L4:2,A100,mybox:speed=5000:watt=90``, or a table with the columns
            `MACHINE_COLUMNS`: a name of the catalogue, or any with two of speed, watt and
            efficiency; ``count`` of each.
        requests: A table with the columns of `dsct_gym.operator.requests`.
        budget: Energy budget, J; text may have another unit (``5Wh``), be a share of what all
            machines would draw until the last deadline (``60%``), or ``none`` for so much that it
            is no limit.
        curves: A table of curves of one's own: ``model``, ``network``, ``work``, ``accuracy``.
        rates: A table of measured rates: ``machine``, ``network``, ``images_per_second``, ``watt``.
        horizon: Where requests arrive over time, the end of the period that the budget is for, s;
            by default the last deadline.
        name: Name of the instance.

    Returns:
        An `Instance`, or an `OnlineInstance` where requests have arrivals.

    Raises:
        InputError: One line naming the table, the row and the column at fault.
    """
    own, works = _own_curves(curves)
    tasks = read_requests(as_columns(requests, "requests"), own)
    known = lookup({} if rates is None else read_rates(as_columns(rates, "rates"), works), tasks)
    return assemble(as_machines(machines, known), tasks, budget, horizon=horizon, name=name)


def lookup(rates: Mapping[str, Measured], tasks: Tasks) -> Lookup:
    """What is known of machines by name, for what the tasks run."""
    return partial(looked_up, rates=rates, models=tasks.models)


def as_machines(machines: object, known: Lookup, field: str = "machines") -> list[Machine]:
    """Machines of a text or a table, copies numbered.

    Raises:
        InputError: One line naming what is at fault.
    """
    if isinstance(machines, str):
        return read_machines(machines, field, known)
    table = as_columns(machines, field)
    table = table.named(MACHINE_COLUMNS, ("name",))
    power_column(table)
    counts, kinds = table.counts("count", MOST), []
    check_number(sum(counts), field)
    told: dict[str, list[float]] = {}
    for column, dimension in MACHINE_COLUMNS.items():
        if dimension is not None and table.has(column, dimension):
            told[column] = table.quantities(column, dimension, math.nan)
    for row, name in enumerate(table.texts("name")):
        if name is None:
            raise InputError(f"{table.place(row, 'name')}: missing")
        cells = {column: values[row] for column, values in told.items()}
        given = {column: value for column, value in cells.items() if not math.isnan(value)}
        for column, value in given.items():
            if value <= 0.0:
                raise InputError(f"{table.place(row, column)}: must be positive, got {value:g}")
        kinds += [make_machine(name, given, known, table.place(row, "name"))] * counts[row]
    return numbered(kinds)


def assemble(
    machines: Sequence[Machine],
    tasks: Tasks,
    budget: float | str,
    *,
    horizon: float | None = None,
    name: str | None = None,
) -> Problem:
    """The problem of tasks on machines.

    Raises:
        InputError: If a number is out of range.
    """
    work, accuracy = pad_curves(tasks.curves)
    core = Instance(
        speeds=np.array([machine.speed for machine in machines]),
        efficiencies=np.array([machine.efficiency for machine in machines]),
        deadlines=tasks.deadlines,
        work=work,
        accuracy=accuracy,
        energy_budget=_budget(budget, machines, tasks),
        name=name,
        machine_names=tuple(machine.name for machine in machines),
        task_names=tasks.names,
    )
    if tasks.arrivals is None:
        if horizon is not None:
            raise InputError("horizon: only where requests have arrivals")
        return core
    return OnlineInstance(core, tasks.arrivals, core.horizon if horizon is None else horizon)


def from_frames(machines: object, requests: object, **options: Any) -> Instance:
    """As `build`, for requests that are all there at time 0.

    Raises:
        InputError: As `build`; or if requests have arrivals.
    """
    problem = build(machines, requests, **options)
    if not isinstance(problem, Instance):
        raise InputError(
            "requests: have arrivals, so make no Instance; dsct_gym.operator.build.build takes them"
        )
    return problem


def _own_curves(curves: object) -> tuple[dict[str, Curve], dict[str, float]]:
    """Curves of one's own, and the work an image of their networks."""
    if curves is None:
        return {}, {}
    table: Columns = as_columns(curves, "curves")
    return read_curves(table), read_works(table)


def _budget(budget: float | str, machines: Sequence[Machine], tasks: Tasks) -> float:
    """The energy budget, J."""
    if not isinstance(budget, str):
        return budget
    if budget.strip() == UNLIMITED:
        full = sum(float(work[-1]) for work, _ in tasks.curves)
        return 2.0 * full / min(machine.efficiency for machine in machines)
    if budget.strip().endswith("%"):
        power = sum(machine.power for machine in machines)
        return SHARE.read(budget, "budget") * power * float(tasks.deadlines.max())
    return ENERGY.read(budget, "budget")
