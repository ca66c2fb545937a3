"""Rates and powers that were measured on one's own machines, in place of the catalogue's.

A row is a network on a machine: ``machine``, ``network``, ``images_per_second`` and perhaps
``watt``. The speed of the machine is the median over its networks of work times rate: a network
that runs at another share of it is done sooner or later than the instance says, by what
`Measured.spread` tells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from dsct_gym.catalog import families
from dsct_gym.catalog.tables import normalised
from dsct_gym.errors import InputError, similar_to
from dsct_gym.operator.columns import Columns
from dsct_gym.operator.machines import Machine, Origin, in_catalogue
from dsct_gym.operator.requests import CURVE_COLUMNS
from dsct_gym.units import FACTOR, POWER, WORK, Dimension

COLUMNS: Final[Mapping[str, Dimension | None]] = {
    "machine": None,
    "network": None,
    "images_per_second": FACTOR,
    "watt": POWER,
    "power": POWER,
}
"""The columns of a table of measured rates."""


@dataclass(frozen=True)
class Measured:
    """What was measured on a machine.

    Attributes:
        name: The machine, as the table calls it first.
        speed: Median over networks of work times rate, GFLOP/s.
        spread: Least and largest of them over the median.
        networks: How many there are.
        power: Mean power where it was measured, W; None elsewhere.
    """

    name: str
    speed: float
    spread: tuple[float, float]
    networks: int
    power: float | None


def read_works(table: Columns) -> dict[str, float]:
    """Work an image of the networks in a table of curves, by name, GFLOP."""
    table = table.named(CURVE_COLUMNS, ("work",))
    works = table.quantities("work", WORK)
    return {
        name: work
        for name, work in zip(table.texts("network"), works, strict=True)
        if name is not None
    }


def read_rates(table: Columns, works: Mapping[str, float] | None = None) -> dict[str, Measured]:
    """What was measured, by machine.

    Args:
        table: Columns `COLUMNS`.
        works: Work an image of networks of one's own, GFLOP; else those of the catalogue.

    Raises:
        InputError: One line naming the place at fault.
    """
    table = table.named(COLUMNS, ("machine", "network", "images_per_second"))
    known = _works_of_catalogue() | dict(works or {})
    rates = table.quantities("images_per_second", FACTOR)
    column = power_column(table)
    powers = table.quantities(column, POWER, math.nan)
    speeds: dict[str, list[float]] = {}
    drawn: dict[str, list[float]] = {}
    machines, networks = table.texts("machine"), table.texts("network")
    for row, (machine, network) in enumerate(zip(machines, networks, strict=True)):
        if machine is None:
            raise InputError(f"{table.place(row, 'machine')}: missing")
        if network is None:
            raise InputError(f"{table.place(row, 'network')}: missing")
        if network not in known:
            close = similar_to(network, known)
            meant = f"; did you mean {close[0]}" if close else ""
            raise InputError(f"{table.place(row, 'network')}: no network {network[:40]!r}{meant}")
        for name, value in (("images_per_second", rates[row]), (column, powers[row])):
            if value <= 0.0:
                raise InputError(f"{table.place(row, name)}: must be positive, got {value:g}")
        speeds.setdefault(normalised(machine), []).append(known[network] * rates[row])
        if not math.isnan(powers[row]):
            drawn.setdefault(normalised(machine), []).append(powers[row])
    called = {normalised(name): name for name in reversed(machines) if name is not None}
    return {key: _measured(called[key], found, drawn.get(key, [])) for key, found in speeds.items()}


def power_column(table: Columns) -> str:
    """The column that tells powers, which has two names.

    Raises:
        InputError: If it is there under both.
    """
    called = [column for column in ("watt", "power") if table.has(column, POWER)]
    if len(called) > 1:
        raise InputError(f"{table.where}: columns watt and power say the same")
    return called[0] if called else "watt"


def looked_up(
    name: str, rates: Mapping[str, Measured], models: Sequence[str] = ()
) -> Machine | None:
    """What is known of a machine: what was measured, else what stands in the catalogue.

    Args:
        name: Its name.
        rates: As `read_rates` gives them.
        models: Names of the model families that it is to run, for what stands in the catalogue.

    Returns:
        The machine, whose power may be NaN; None where nothing is known.
    """
    listed, found = in_catalogue(name, models), rates.get(normalised(name))
    if found is None:
        return listed
    if listed is None:
        listed = Machine(name, math.nan, math.nan)
    if found.power is not None:
        listed = replace(listed, power=found.power, power_from=Origin.MEASURED)
    return replace(listed, speed=found.speed, speed_from=Origin.MEASURED)


def _measured(name: str, speeds: list[float], powers: list[float]) -> Measured:
    middle = median(speeds)
    return Measured(
        name=name,
        speed=middle,
        spread=(min(speeds) / middle, max(speeds) / middle),
        networks=len(speeds),
        power=median(powers) if powers else None,
    )


def _works_of_catalogue() -> dict[str, float]:
    """Work an image of the catalogue's networks, GFLOP; at ``@resolution`` where there are several.

    A name that stands for several resolutions means none of them.
    """
    works: dict[str, set[float]] = {}
    for family in families():
        for model in family.models:
            works.setdefault(model.name, set()).add(model.work)
            if model.resolution is not None:
                works.setdefault(f"{model.name}@{model.resolution}", set()).add(model.work)
    return {name: found.pop() for name, found in works.items() if len(found) == 1}
