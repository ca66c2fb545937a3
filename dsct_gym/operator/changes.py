"""The same problem with another budget, other deadlines or other machines.

A variant whose machines or budget are not those of its core registers for its type what changes
them.
"""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numpy as np

from dsct_gym.errors import InputError, instead_of
from dsct_gym.instance import Instance
from dsct_gym.online.instance import OnlineInstance
from dsct_gym.operator.machines import Machine
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.points.operating_points import OperatingPoints
from dsct_gym.soft.instance import SoftInstance

if TYPE_CHECKING:
    from dsct_gym.problem import Problem

Kind = TypeVar("Kind", bound="Problem")

_AMPLE: Final = 2.0


@singledispatch
def with_budget(problem: Any, budget: float) -> Any:
    """The problem with another energy budget.

    Args:
        problem: An `Instance`, or a variant around one.
        budget: J, at least 0.

    Raises:
        InputError: If the budget is out of range.
    """
    return _with_core(problem, energy_budget=budget)


@with_budget.register
def _(problem: SoftInstance, budget: float) -> SoftInstance:
    return replace(problem, budget=budget)


def with_ample_budget(problem: Kind) -> Kind:
    """The problem with more energy than all work takes on whatever machine: none that binds."""
    core = problem.core
    ample = _AMPLE * float(core.max_work.sum() / core.efficiencies.min())
    return cast("Kind", with_budget(problem, ample))


@singledispatch
def with_deadlines(problem: Any, factor: float) -> Any:
    """The problem with all deadlines later, or earlier, by a factor; the budget stays.

    Where tasks arrive, it is the time from their arrivals that is multiplied.

    Args:
        problem: An `Instance`, or a variant around one.
        factor: By which deadlines are multiplied, positive.

    Raises:
        InputError: If a deadline gets out of range.
    """
    return _with_core(problem, deadlines=problem.core.deadlines * factor)


@with_deadlines.register
def _(problem: OnlineInstance, factor: float) -> OnlineInstance:
    latency = problem.core.deadlines - problem.arrivals
    return _with_core(problem, deadlines=problem.arrivals + factor * latency)


def find_machine(core: Instance, name: str) -> int:
    """The machine of that name, or of that number.

    Raises:
        InputError: If there is none, naming those that there are.
    """
    names = machine_names(core)
    if name in names:
        return names.index(name)
    if name.isascii() and name.isdigit() and int(name) < core.num_machines:
        return int(name)
    raise InputError(f"no machine {name!r}; {instead_of(name, names)}")


def machine_names(core: Instance) -> list[str]:
    """Names of the machines, ``machine r`` where there is none."""
    given = core.machine_names or (None,) * core.num_machines
    return [name or f"machine {index}" for index, name in enumerate(given)]


@singledispatch
def with_machine(problem: Any, machine: Machine) -> Any:
    """The problem with another machine; the budget stays.

    Args:
        problem: An `Instance`, or a variant whose machines are those of its core.
        machine: The machine.
    """
    return replace(problem, core=with_machine(problem.core, machine))


@with_machine.register
def _(problem: Instance, machine: Machine) -> Instance:
    return replace(
        problem,
        speeds=np.append(problem.speeds, machine.speed),
        efficiencies=np.append(problem.efficiencies, machine.efficiency),
        machine_names=_names_with(problem, machine.name),
    )


@with_machine.register
def _(problem: DvfsInstance, machine: Machine) -> DvfsInstance:
    points = OperatingPoints(np.array([machine.speed]), np.array([machine.power]))
    core = with_machine(problem.core, machine)
    return DvfsInstance.of(core, (*problem.points, points))


@singledispatch
def with_copy(problem: Any, machine: int) -> Any:
    """The problem with a second machine like one of its own; the budget stays.

    Args:
        problem: An `Instance`, or a variant whose machines are those of its core.
        machine: Index of the machine.
    """
    return replace(problem, core=with_copy(problem.core, machine))


@with_copy.register
def _(problem: Instance, machine: int) -> Instance:
    return replace(
        problem,
        speeds=np.append(problem.speeds, problem.speeds[machine]),
        efficiencies=np.append(problem.efficiencies, problem.efficiencies[machine]),
        machine_names=_names_with(problem, machine_names(problem)[machine]),
    )


@with_copy.register
def _(problem: DvfsInstance, machine: int) -> DvfsInstance:
    points = (*problem.points, problem.points[machine])
    return DvfsInstance.of(with_copy(problem.core, machine), points)


@singledispatch
def without_machine(problem: Any, machine: int) -> Any:
    """The problem without one of its machines; the budget stays.

    Args:
        problem: An `Instance`, or a variant whose machines are those of its core.
        machine: Index of the machine.

    Raises:
        InputError: If it is the only one.
    """
    return replace(problem, core=without_machine(problem.core, machine))


@without_machine.register
def _(problem: Instance, machine: int) -> Instance:
    if problem.num_machines == 1:
        raise InputError("there is no other machine")
    names = problem.machine_names
    return replace(
        problem,
        speeds=np.delete(problem.speeds, machine),
        efficiencies=np.delete(problem.efficiencies, machine),
        machine_names=None if names is None else (*names[:machine], *names[machine + 1 :]),
    )


@without_machine.register
def _(problem: DvfsInstance, machine: int) -> DvfsInstance:
    core = without_machine(problem.core, machine)
    points = [*problem.points[:machine], *problem.points[machine + 1 :]]
    return DvfsInstance.of(core, points)


def _with_core(problem: Kind, **fields: Any) -> Kind:
    core = replace(problem.core, **fields)
    changed: Any = (
        core if isinstance(problem, Instance) else replace(cast("Any", problem), core=core)
    )
    return cast("Kind", changed)


def _names_with(core: Instance, name: str) -> tuple[str | None, ...]:
    """Names of the machines and of another, which is numbered until no other is called so."""
    names = core.machine_names or (None,) * core.num_machines
    free, number = name, 1
    while free in names:
        number += 1
        free = f"{name}-{number}"
    return (*names, free)
