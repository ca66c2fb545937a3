"""One number for each solver on each instance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.benchmark.record import Record


@dataclass(frozen=True)
class Panel:
    """One number for each solver on each instance, the mean over seeds.

    Attributes:
        solvers: Names of the rows.
        instances: Names of the columns.
        values: The numbers (solvers, instances); NaN where there is no run.
    """

    solvers: tuple[str, ...]
    instances: tuple[str, ...]
    values: Floats

    def row(self, solver: str) -> Floats:
        """The numbers of one solver (instances,), NaN where there is no run."""
        return np.asarray(self.values[self.solvers.index(solver)])


def panel(records: Sequence[Record], value: Callable[[Record], float]) -> Panel:
    """Arranges a number of each record, in the order in which the records name solvers."""
    solvers = tuple(dict.fromkeys(record.solver for record in records))
    instances = tuple(dict.fromkeys(record.instance for record in records))
    cells: dict[tuple[str, str], list[float]] = {}
    for record in records:
        cells.setdefault((record.solver, record.instance), []).append(value(record))
    values = np.full((len(solvers), len(instances)), np.nan)
    for (solver, instance), numbers in cells.items():
        values[solvers.index(solver), instances.index(instance)] = fmean(numbers)
    return Panel(solvers, instances, values)
