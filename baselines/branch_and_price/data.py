"""An instance as branch and price reads it: tasks in EDF order, machines by kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.instance import Instance


@dataclass(frozen=True)
class Data:
    """What pricing and master need; tasks in EDF order.

    Attributes:
        slope: Slopes of the curve segments (n, K), accuracy per GFLOP.
        width: Widths of the segments (n, K), GFLOP.
        capacity: Work until each deadline, for each kind of machine (kinds, n), GFLOP.
        energy_rate: Energy per work of each kind (kinds,), as a share of the budget per GFLOP.
        kind: Kind of each machine (m,); machines of one kind are equal.
        base: Total accuracy without work.
    """

    slope: Floats
    width: Floats
    capacity: Floats
    energy_rate: Floats
    kind: Ints
    base: float

    @property
    def tasks(self) -> int:
        """Number of tasks n."""
        return int(self.slope.shape[0])

    @property
    def machines(self) -> int:
        """Number of machines m."""
        return int(self.kind.size)

    @classmethod
    def of(cls, instance: Instance) -> Data:
        """Prepares an instance whose energy budget is positive."""
        order = instance.edf_order
        machines = np.stack([instance.speeds, instance.efficiencies], axis=1)
        kinds, kind = np.unique(machines, axis=0, return_inverse=True)
        return cls(
            slope=np.ascontiguousarray(instance.slopes[order]),
            width=np.ascontiguousarray(np.diff(instance.work, axis=1)[order]),
            capacity=kinds[:, :1] * instance.deadlines[order][None, :],
            energy_rate=1.0 / (kinds[:, 1] * instance.energy_budget),
            kind=kind.astype(np.int64).reshape(-1),
            base=float(instance.base_accuracy.sum()),
        )

    def accuracy_gain(self, works: Floats) -> float:
        """Accuracy that works (n,) earn over no work; entries below 0 count as none."""
        left = np.maximum(works, 0.0)[:, None] - (np.cumsum(self.width, axis=1) - self.width)
        return float((self.slope * np.clip(left, 0.0, self.width)).sum())
