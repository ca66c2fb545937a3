"""An instance as branch and price reads it: tasks in EDF order, machines by kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.instance import Instance


@dataclass(frozen=True)
class PackedInstance:
    """What pricing and master need; tasks in EDF order.

    Accuracy counts from that without work, in units of the largest rise of a curve, so that
    absolute tolerances mean the same on every instance.

    Attributes:
        slope: Slopes of the curve segments (n, K), units per GFLOP.
        width: Widths of the segments (n, K), GFLOP.
        capacity: Work until each deadline, for each kind of machine (kinds, n), GFLOP.
        energy_rate: Energy per work of each kind (kinds,), as a share of the budget per GFLOP.
        kind: Kind of each machine (m,); machines of one kind are equal.
        base: Total accuracy without work.
        unit: Accuracy of one unit.
    """

    slope: Floats
    width: Floats
    capacity: Floats
    energy_rate: Floats
    kind: Ints
    base: float
    unit: float

    @property
    def tasks(self) -> int:
        """Number of tasks n."""
        return int(self.slope.shape[0])

    @property
    def machines(self) -> int:
        """Number of machines m."""
        return int(self.kind.size)

    @classmethod
    def of(cls, instance: Instance) -> PackedInstance:
        """Prepares an instance with a positive energy budget and a curve that rises."""
        order = instance.edf_order
        machines = np.stack([instance.speeds, instance.efficiencies], axis=1)
        kinds, kind = np.unique(machines, axis=0, return_inverse=True)
        unit = float((instance.top_accuracy - instance.base_accuracy).max())
        return cls(
            slope=np.ascontiguousarray(instance.slopes[order]) / unit,
            width=np.ascontiguousarray(np.diff(instance.work, axis=1)[order]),
            capacity=kinds[:, :1] * instance.deadlines[order][None, :],
            energy_rate=1.0 / (kinds[:, 1] * instance.energy_budget),
            kind=kind.astype(np.int64).reshape(-1),
            base=float(instance.base_accuracy.sum()),
            unit=unit,
        )

    def gain(self, works: Floats) -> float:
        """What works (n,) earn, in units; entries below 0 count as none."""
        left = np.maximum(works, 0.0)[:, None] - (np.cumsum(self.width, axis=1) - self.width)
        return float((self.slope * np.clip(left, 0.0, self.width)).sum())

    def total(self, gain: float) -> float:
        """Total accuracy of a gain in units."""
        return self.base + self.unit * gain
