"""What one network costs on one GPU: time and power of each unit, by batch and clock."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError


class Table(NamedTuple):
    """One network on one GPU: the truth, or what a predictor says of it.

    Attributes:
        clocks: Clocks, MHz, ascending (C,).
        batches: Every batch size from 1 to the largest (S,).
        time: Time of each unit for a whole batch at each clock, s (U, S, C).
        power: Power while it runs, W (U, S, C); where the power cap would be passed, that of the
            clock to which the card falls.
        idle_power: Power with nothing running at each clock, W (C,).
    """

    clocks: Floats
    batches: Ints
    time: Floats
    power: Floats
    idle_power: Floats

    @property
    def num_units(self) -> int:
        """Number of units U that a clock can be chosen for."""
        return int(self.time.shape[0])

    @property
    def largest_batch(self) -> int:
        """The largest batch S."""
        return int(self.batches.size)

    @property
    def num_clocks(self) -> int:
        """Number of clocks C."""
        return int(self.clocks.size)


def batch_time(table: Table) -> Floats:
    """Time of a whole batch at one clock throughout, s (S, C)."""
    return np.asarray(table.time.sum(axis=0))


def batch_energy(table: Table) -> Floats:
    """Energy of a whole batch at one clock throughout, J (S, C)."""
    return np.asarray((table.time * table.power).sum(axis=0))


def as_network(table: Table) -> Table:
    """The same network as one unit: a single clock for all of it."""
    time = batch_time(table)
    return table._replace(time=time[None], power=(batch_energy(table) / time)[None])


def check_table(table: Table) -> Table:
    """The table itself, if it is one.

    Raises:
        InputError: One line that names the column at fault.
    """
    shape = (table.time.shape[0], table.largest_batch, table.num_clocks)
    for name, array, wanted in (
        ("time", table.time, shape),
        ("power", table.power, shape),
        ("idle_power", table.idle_power, shape[2:]),
    ):
        if array.shape != wanted:
            raise InputError(f"table.{name}: has shape {array.shape}, not {wanted}")
        if not (np.isfinite(array).all() and (array > 0.0).all()):
            raise InputError(f"table.{name}: must be positive and finite")
    if not np.array_equal(table.batches, np.arange(1, table.largest_batch + 1)):
        raise InputError("table.batches: must be every size from 1 on")
    if table.num_clocks < 1 or not (np.diff(table.clocks) > 0.0).all():
        raise InputError("table.clocks: must ascend")
    return table
