"""A problem as branch and price reads it: tasks in EDF order, machines by kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from dsct_gym.allocation import Packed, optimal_work
from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.baselines.branch_and_price.pricing import Offer
from dsct_gym.instance import Instance


@dataclass(frozen=True)
class PackedProblem(ABC):
    """What pricing and master need, whatever the machines; tasks in EDF order.

    Accuracy counts from that without work, in units of the largest rise of a curve, so that
    absolute tolerances mean the same on every instance.

    Attributes:
        slope: Slopes of the curve segments (n, K), units per GFLOP.
        width: Widths of the segments (n, K), GFLOP.
        kind: Kind of each machine (m,); machines of one kind are equal.
        base: Total accuracy without work.
        unit: Accuracy of one unit.
        kernels: The problem as the kernels of the local search read it.
    """

    slope: Floats
    width: Floats
    kind: Ints
    base: float
    unit: float
    kernels: Packed

    @property
    def tasks(self) -> int:
        """Number of tasks n."""
        return int(self.slope.shape[0])

    @property
    def machines(self) -> int:
        """Number of machines m."""
        return int(self.kind.size)

    def gain(self, works: Floats) -> float:
        """What works (n,) earn, in units; entries below 0 count as none."""
        left = np.maximum(works, 0.0)[:, None] - (np.cumsum(self.width, axis=1) - self.width)
        return float((self.slope * np.clip(left, 0.0, self.width)).sum())

    def total(self, gain: float) -> float:
        """Total accuracy of a gain in units."""
        return self.base + self.unit * gain

    @abstractmethod
    def offer(self, kind: int, energy_price: float, fee: Floats, allowed: Bools) -> Offer:
        """What a machine of a kind may choose from.

        Args:
            kind: The kind.
            energy_price: Price of the whole energy budget, in units.
            fee: Price of each task (n,), in units.
            allowed: Which tasks it may take (n,).
        """

    @abstractmethod
    def works(self, kind: int, energy_price: float, amounts: Floats) -> Floats:
        """Works (n,), GFLOP, of what pricing found, below 0 where a task is not taken."""

    @abstractmethod
    def energy(self, kind: int, works: Floats) -> float:
        """Least energy of a machine for works (n,), as a share of the budget."""

    @abstractmethod
    def best_works(self, machine: Ints) -> Floats:
        """Exact works for an assignment, both in EDF order (n,)."""


@dataclass(frozen=True)
class PackedInstance(PackedProblem):
    """An `Instance`: pricing shares out a machine's work.

    Attributes:
        capacity: Work until each deadline, for each kind of machine (kinds, n), GFLOP.
        energy_rate: Energy per work of each kind (kinds,), as a share of the budget per GFLOP.
    """

    capacity: Floats
    energy_rate: Floats

    @classmethod
    def of(cls, instance: Instance) -> PackedInstance:
        """Prepares an instance with a positive energy budget and a curve that rises."""
        order = instance.edf_order
        machines = np.stack([instance.speeds, instance.efficiencies], axis=1)
        kinds, kind = np.unique(machines, axis=0, return_inverse=True)
        unit = largest_rise(instance)
        return cls(
            slope=np.ascontiguousarray(instance.slopes[order]) / unit,
            width=np.ascontiguousarray(np.diff(instance.work, axis=1)[order]),
            kind=kind.astype(np.int64).reshape(-1),
            base=float(instance.base_accuracy.sum()),
            unit=unit,
            kernels=Packed.of(instance),
            capacity=kinds[:, :1] * instance.deadlines[order][None, :],
            energy_rate=1.0 / (kinds[:, 1] * instance.energy_budget),
        )

    def offer(self, kind: int, energy_price: float, fee: Floats, allowed: Bools) -> Offer:
        """As the base class says: the curves, in work."""
        return Offer(
            capacity=self.capacity[kind],
            slope=self.slope,
            width=self.width,
            energy_rate=energy_price * self.energy_rate[kind],
            fee=fee,
            allowed=allowed,
        )

    def works(self, kind: int, energy_price: float, amounts: Floats) -> Floats:
        """As the base class says: pricing shares out work."""
        return amounts

    def energy(self, kind: int, works: Floats) -> float:
        """As the base class says: in proportion to the work."""
        return float(np.maximum(works, 0.0).sum() * self.energy_rate[kind])

    def best_works(self, machine: Ints) -> Floats:
        """As the base class says."""
        return optimal_work(self.kernels, machine)


def largest_rise(instance: Instance) -> float:
    """The most that one task can gain: the unit of accuracy."""
    return float((instance.top_accuracy - instance.base_accuracy).max())
