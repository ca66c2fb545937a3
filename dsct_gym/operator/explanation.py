"""Why an instance has the accuracy that it has: what binds, what another machine would bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from dsct_gym.arrays import Ints
from dsct_gym.operator.changes import machine_names, with_copy, with_machine, without_machine
from dsct_gym.operator.sensitivity import (
    Sensitivity,
    limits_of_schedule,
    sensitivity,
    supply_of,
)
from dsct_gym.relaxation import relax

if TYPE_CHECKING:
    from dsct_gym.operator.machines import Machine
    from dsct_gym.problem import Problem
    from dsct_gym.schedule import Schedule


@dataclass(frozen=True)
class MachineWorth:
    """What a machine is worth.

    Attributes:
        name: Its name.
        busy: Share of the time until the last deadline that it works in the relaxation.
        energy: What it spends there, J.
        first_second: What a second of it is worth at the beginning, total accuracy per s.
        last_second: The same before the last deadline.
        dearest_second: The most that one is worth at any moment.
        rent: What it earns at the prices, total accuracy.
        loss: By how much the bound falls without it, total accuracy; at least its rent.
        gain: By how much a second one raises the bound, total accuracy; at most its rent.
    """

    name: str
    busy: float
    energy: float
    first_second: float
    last_second: float
    dearest_second: float
    rent: float
    loss: float
    gain: float


@dataclass(frozen=True)
class BindingDeadline:
    """A deadline that is worth putting off.

    Attributes:
        deadline: The moment, s.
        tasks: The tasks due then.
        price: What putting it off brings, total accuracy per s.
    """

    deadline: float
    tasks: tuple[int, ...]
    price: float


@dataclass(frozen=True)
class Explanation:
    """What binds in an instance; accuracies are summed over its tasks.

    Attributes:
        sensitivity: All prices.
        machines: What each machine is worth.
        deadlines: The deadlines that bind, the dearest first.
        added: By how much other machines raise the bound, total accuracy by name.
        limits: What cuts each task of a given schedule, as `Limit` (n,); of the relaxation where
            none is given.
    """

    sensitivity: Sensitivity
    machines: tuple[MachineWorth, ...]
    deadlines: tuple[BindingDeadline, ...]
    added: Mapping[str, float]
    limits: Ints


def explain(
    problem: Problem,
    schedule: Schedule | None = None,
    added: Mapping[str, Sequence[Machine]] = MappingProxyType({}),
) -> Explanation:
    """Explains a problem.

    Args:
        problem: An `Instance`, or one with operating points or arrivals.
        schedule: One of it, whose tasks are to be explained.
        added: Machines to try, by what they are called together.

    Raises:
        InputError: If the problem is of another kind.
    """
    told = sensitivity(problem)
    bound = told.relaxation.bound
    return Explanation(
        sensitivity=told,
        machines=_machines(problem, told),
        deadlines=_deadlines(problem, told),
        added={
            name: relax(reduce(with_machine, machines, problem)).bound - bound
            for name, machines in added.items()
        },
        limits=told.limits if schedule is None else limits_of_schedule(schedule),
    )


def loss_of_machine(problem: Problem, machine: int, bound: float) -> float:
    """By how much the bound falls without one of the machines, total accuracy.

    Args:
        problem: A problem that has a relaxation.
        machine: Index of the machine.
        bound: The bound with it.
    """
    if problem.core.num_machines == 1:
        return bound - float(problem.core.base_accuracy.sum())
    return bound - relax(without_machine(problem, machine)).bound


def gain_of_copy(problem: Problem, machine: int, bound: float) -> float:
    """By how much a second machine of a kind raises the bound, total accuracy.

    Args:
        problem: A problem that has a relaxation.
        machine: Index of the machine.
        bound: The bound without it.
    """
    return relax(with_copy(problem, machine)).bound - bound


def _machines(problem: Problem, told: Sensitivity) -> tuple[MachineWorth, ...]:
    core, relaxed, supply = problem.core, told.relaxation, supply_of(problem)
    # Machines that are alike are asked about once.
    worth: dict[tuple[bytes, bytes], tuple[float, float]] = {}
    found = []
    for r, name in enumerate(machine_names(core)):
        offered = supply.owner == r
        kind = (supply.speed[offered].tobytes(), supply.efficiency[offered].tobytes())
        if kind not in worth:
            bound = relaxed.bound
            worth[kind] = loss_of_machine(problem, r, bound), gain_of_copy(problem, r, bound)
        loss, gain = worth[kind]
        found.append(
            MachineWorth(
                name=name,
                busy=float(relaxed.busy_time[r]) / core.horizon,
                energy=float(relaxed.energy[r]),
                first_second=float(told.first_seconds[r]),
                last_second=float(told.last_seconds[r]),
                dearest_second=float(told.dearest_seconds[r]),
                rent=float(told.rents[r]),
                loss=loss,
                gain=gain,
            )
        )
    return tuple(found)


def _deadlines(problem: Problem, told: Sensitivity) -> tuple[BindingDeadline, ...]:
    moments, place = np.unique(problem.core.deadlines, return_inverse=True)
    price = np.zeros(moments.size)
    price[place] = told.deadline_prices
    least = 1e-9 * float(price.max(initial=0.0))
    order = np.argsort(-price, kind="stable")
    by_moment = np.argsort(place, kind="stable")
    first = np.searchsorted(place[by_moment], np.arange(moments.size + 1))
    return tuple(
        BindingDeadline(
            float(moments[index]),
            tuple(by_moment[first[index] : first[index + 1]].tolist()),
            float(price[index]),
        )
        for index in order.tolist()
        if price[index] > least
    )
