"""The columns known so far: schedules of single machines."""

from __future__ import annotations

import numpy as np

from dsct_gym.arrays import Bools, Floats, Ints

_SAME = 1e-12


class Columns:
    """A growing table of columns.

    Args:
        tasks: Number of tasks n.
    """

    def __init__(self, tasks: int) -> None:
        self.size = 0
        self._kind = np.empty(256, dtype=np.int64)
        self._member = np.empty((256, tasks), dtype=np.bool_)
        self._weight = np.empty((256, tasks))  # the members as numbers: a fast product
        self._gain = np.empty(256)
        self._energy = np.empty(256)
        self._known: dict[tuple[int, bytes, float], int] = {}

    @property
    def kind(self) -> Ints:
        """Kind of machine of each column (size,)."""
        return self._kind[: self.size]

    @property
    def member(self) -> Bools:
        """Which tasks each column does (size, n)."""
        return self._member[: self.size]

    @property
    def gain(self) -> Floats:
        """Accuracy over no work of each column (size,)."""
        return self._gain[: self.size]

    @property
    def energy(self) -> Floats:
        """Energy of each column as a share of the budget (size,)."""
        return self._energy[: self.size]

    def add(self, kind: int, member: Bools, gain: float, energy: float) -> int:
        """Adds a column unless one as good is known; returns the index of the better one."""
        # Works may be shared out in better and worse ways among the same tasks at the same energy.
        key = (kind, np.packbits(member).tobytes(), round(energy, 12))
        known = self._known.get(key)
        if known is not None and gain <= self._gain[known] + _SAME:
            return known
        if self.size == self._kind.size:
            for name in ("_kind", "_member", "_weight", "_gain", "_energy"):
                table = getattr(self, name)
                setattr(self, name, np.concatenate([table, np.empty_like(table)]))
        index = self.size
        self._kind[index], self._member[index] = kind, member
        self._weight[index] = member
        self._gain[index], self._energy[index] = gain, energy
        self._known[key] = index
        self.size += 1
        return index

    def value(self, fee: Floats, energy_price: float) -> Floats:
        """Value of each column at given prices (size,)."""
        return np.asarray(self.gain - energy_price * self.energy - self._weight[: self.size] @ fee)
