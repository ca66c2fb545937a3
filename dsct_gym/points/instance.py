"""A DSCT-EA problem on machines with several clocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError
from dsct_gym.instance import LARGEST, SMALLEST, Instance
from dsct_gym.points.operating_points import FIELD, OperatingPoints


class Increments(NamedTuple):
    """The hull edges of all machines, machine after machine, each machine's cheapest first.

    Attributes:
        speed: Δs, by which a machine is faster at the end of the edge (V,), GFLOP/s.
        efficiency: Δs/ΔP of that work (V,), GFLOP/J; within a machine decreasing.
        owner: Machine of each (V,).
        first: Where those of each machine start (m+1,).
    """

    speed: Floats
    efficiency: Floats
    owner: Ints
    first: Ints


@dataclass(frozen=True, eq=False)
class DvfsInstance:
    """A DSCT-EA problem whose machines have operating points; immutable.

    A machine may run each part of a task at another of its points, and stands still at no power.

    Attributes:
        core: Tasks, budget, and every machine at its fastest point: a schedule for the core is one
            here, feasible and seldom optimal. `of` makes it from any instance's tasks.
        points: Operating points of each machine (m,).

    Raises:
        InputError: If ``points`` does not fit the machines of ``core``.
    """

    core: Instance
    points: tuple[OperatingPoints, ...]
    needs: ClassVar[frozenset[str]] = frozenset({"points"})
    """What whoever is given it must know."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", tuple(self.points))
        if len(self.points) != self.core.num_machines:
            raise InputError(f"points: {len(self.points)} for {self.core.num_machines} machines")
        speeds, efficiencies = _at_full_clock(self.points)
        wrong = (speeds != self.core.speeds) | (efficiencies != self.core.efficiencies)
        if wrong.any():
            raise InputError(f"machines[{int(np.argmax(wrong))}]: not at its fastest point")
        efficiency = self.increments.efficiency
        strange = ~((efficiency >= SMALLEST) & (efficiency <= LARGEST))
        if strange.any():
            first = int(np.argmax(strange))
            raise InputError(
                f"machines[{self.increments.owner[first]}].{FIELD}: two points are"
                f" {efficiency[first]:g} GFLOP/J apart, out of range"
            )

    @classmethod
    def of(cls, tasks: Instance, points: Sequence[OperatingPoints]) -> DvfsInstance:
        """The problem of an instance's tasks, budget and machine names on machines with points.

        Args:
            tasks: Any instance of as many machines; their speeds and efficiencies do not matter.
            points: Operating points of each machine (m,).

        Raises:
            InputError: If the numbers of machines differ.
        """
        if len(points) != tasks.num_machines:
            raise InputError(f"points: {len(points)} for {tasks.num_machines} machines")
        speeds, efficiencies = _at_full_clock(points)
        return cls(_on_machines(tasks, speeds, efficiencies, tasks.machine_names), tuple(points))

    @property
    def name(self) -> str | None:
        """Name of the problem."""
        return self.core.name

    @cached_property
    def increments(self) -> Increments:
        """The hull edges of all machines."""
        speed, efficiency, counts = [], [], []
        for points in self.points:
            speeds, powers = points.speeds[points.hull], points.powers[points.hull]
            speed.append(np.diff(speeds, prepend=0.0))
            efficiency.append(speed[-1] / np.diff(powers, prepend=0.0))
            counts.append(points.hull.size)
        return Increments(
            speed=np.concatenate(speed),
            efficiency=np.concatenate(efficiency),
            owner=np.repeat(np.arange(len(counts)), counts),
            first=np.concatenate(([0], np.cumsum(counts))),
        )

    @cached_property
    def virtual(self) -> Instance:
        """The same tasks on the increments of all machines, each as a machine of its own.

        Without the assignment to machines the two problems are one (`dsct_gym.relaxation`).
        """
        return _on_machines(self.core, self.increments.speed, self.increments.efficiency, None)

    @cached_property
    def _contents(self) -> tuple[object, ...]:
        return self.core, self.points

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DvfsInstance):
            return NotImplemented
        return self._contents == other._contents

    def __hash__(self) -> int:
        return hash(self._contents)

    def __repr__(self) -> str:
        clocks = sum(points.size for points in self.points)
        return f"Dvfs{repr(self.core)[:-1]}, {clocks} operating points)"

    def _repr_html_(self) -> str:
        from dsct_gym.notebook import instance_html

        clocks = [f"{points.size}" for points in self.points]
        slowest = [points.speeds.min() for points in self.points]
        return instance_html(
            self.core,
            told=["machines at their fastest clock"],
            columns={"clocks": clocks, "slowest, GFLOP/s": [f"{each:.5g}" for each in slowest]},
        )

    def __reduce__(self) -> tuple[type[DvfsInstance], tuple[object, ...]]:
        return DvfsInstance, (self.core, self.points)


def _at_full_clock(points: Sequence[OperatingPoints]) -> tuple[Floats, Floats]:
    """Speeds and efficiencies of the fastest points (m,) each."""
    speeds = np.array([each.speeds[each.fastest] for each in points])
    return speeds, speeds / np.array([each.powers[each.fastest] for each in points])


def _on_machines(
    tasks: Instance,
    speeds: Floats,
    efficiencies: Floats,
    names: tuple[str | None, ...] | None,
) -> Instance:
    """The tasks and the budget of an instance on other machines."""
    return Instance(
        speeds=speeds,
        efficiencies=efficiencies,
        deadlines=tasks.deadlines,
        work=tasks.work,
        accuracy=tasks.accuracy,
        energy_budget=tasks.energy_budget,
        name=tasks.name,
        machine_names=names,
        task_names=tasks.task_names,
    )
