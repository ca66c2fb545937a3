"""What an instance holds, as someone who runs the machines wants to hear it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, Final

import numpy as np

from dsct_gym.catalog import Device, known_device
from dsct_gym.instance import Instance
from dsct_gym.operator.changes import machine_names, with_ample_budget
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.relaxation import has_relaxation, relax
from dsct_gym.units import ENERGY, POWER, SPEED, TIME, WORK

if TYPE_CHECKING:
    from dsct_gym.arrays import Floats
    from dsct_gym.problem import Problem

POWERS: Final = (0.5, 5_000.0)
"""Powers of a machine that pass without a doubt, W: from a small board to a server."""
SPEEDS: Final = (5.0, 1e6)
"""Speeds that do, GFLOP/s: from a small board to a server of ten cards."""
WORKS: Final = (1e-4, 1e9)
"""Median works of the tasks that do, GFLOP."""
TOLERANCES: Final = (1e-3, 1e3)
"""Deadline tolerances rho that do: beyond, deadlines and works are in different units."""
BUDGETS: Final = (1e-3, 1e3)
"""Budgets that do, as multiples of the energy that all work takes at least."""
MEETS_DEADLINES: Final = frozenset({"points", "arrivals"})
"""The variants in which tasks that work end by their deadlines."""
_FASTER: Final = 10.0
_HUNGRIER: Final = 3.0
"""How far a machine that is called as a device may be from its entry in the catalogue."""


@dataclass(frozen=True)
class MachineOverview:
    """A machine.

    Attributes:
        name: Its name.
        speed: s_r, GFLOP/s; of its fastest clock where it has several.
        efficiency: E_r, GFLOP/J, likewise.
        power: P_r while busy, W, likewise.
    """

    name: str
    speed: float
    efficiency: float
    power: float


@dataclass(frozen=True)
class Overview:
    """What an instance holds.

    Attributes:
        name: Name of the instance.
        needs: What a solver must know beyond DSCT-EA, sorted.
        tasks: Number of tasks n.
        machines: The machines.
        horizon: Latest deadline d_max, s.
        first_deadline: Earliest deadline, s.
        budget: B, J; infinite where there is none.
        mu: Largest over smallest full work of a task; of exponential curves it is the scenario's
            θ_max / θ_min.
        rho: Deadline tolerance ``d_max Σ s_r / Σ f_j^max``.
        beta: Energy budget ratio ``B / (d_max Σ P_r)``.
        full_work: Σ f_j^max, GFLOP.
        least_energy: Energy of all that work on the most efficient machine, at its most efficient
            clock where it has several, J.
        mean_accuracy_range: Mean accuracy without any work and with all of it.
        too_late: Share of the tasks that cannot be done in full by their deadlines, each alone on
            the fastest machine.
        unlimited_energy: Energy that the relaxation spends where energy is no limit, J; None where
            problems of this type have no relaxation, or deadlines may be missed.
        cut_by_deadlines: Share of the tasks that even then are not done in full; None likewise.
        doubts: One line for each number that looks as if its unit were another.
    """

    name: str | None
    needs: tuple[str, ...]
    tasks: int
    machines: tuple[MachineOverview, ...]
    horizon: float
    first_deadline: float
    budget: float
    mu: float
    rho: float
    beta: float
    full_work: float
    least_energy: float
    mean_accuracy_range: tuple[float, float]
    too_late: float
    unlimited_energy: float | None
    cut_by_deadlines: float | None
    doubts: tuple[str, ...]


def describe(problem: Problem) -> Overview:
    """Describes a problem.

    Args:
        problem: An `Instance`, or a variant around one, of which the core is described.
    """
    core = problem.core
    work = full_works(core)
    worked = work[work > 0.0]
    full, power = float(work.sum()), float(core.powers.sum())
    unlimited, cut = _without_budget(problem, work)
    # A variant may have no budget; its core then has one that nothing can exceed.
    limited = getattr(problem, "budget", core.energy_budget) is not None
    budget = core.energy_budget if limited else np.inf
    columns = zip(
        machine_names(core),
        core.speeds.tolist(),
        core.efficiencies.tolist(),
        core.powers.tolist(),
        strict=True,
    )
    return Overview(
        name=problem.name,
        needs=tuple(sorted(problem.needs)),
        tasks=core.num_tasks,
        machines=tuple(MachineOverview(*machine) for machine in columns),
        horizon=core.horizon,
        first_deadline=float(core.deadlines.min()),
        budget=budget,
        mu=float(worked.max() / worked.min()) if worked.size else 1.0,
        rho=core.horizon * float(core.speeds.sum()) / full if full > 0.0 else np.inf,
        beta=budget / (core.horizon * power),
        full_work=full,
        least_energy=full / best_efficiency(problem),
        mean_accuracy_range=(float(core.base_accuracy.mean()), float(core.top_accuracy.mean())),
        too_late=float(np.mean(work > core.deadlines * core.speeds.max() * (1.0 + 1e-9))),
        unlimited_energy=unlimited,
        cut_by_deadlines=cut,
        doubts=tuple(doubts(problem)),
    )


@singledispatch
def best_efficiency(problem: Problem) -> float:
    """The most work that a joule does on any machine, GFLOP/J."""
    return float(problem.core.efficiencies.max())


@best_efficiency.register
def _(problem: DvfsInstance) -> float:
    return float(problem.increments.efficiency.max())


def full_works(core: Instance) -> Floats:
    """Work at which each task reaches its best accuracy (n,), GFLOP: no more is of use."""
    rising = np.diff(core.accuracy, axis=1) > 0.0
    last = np.where(rising.any(axis=1), rising.shape[1] - np.argmax(rising[:, ::-1], axis=1), 0)
    return np.take_along_axis(core.work, last[:, None], axis=1)[:, 0]


def _without_budget(problem: Problem, full: Floats) -> tuple[float | None, float | None]:
    """Energy that the relaxation spends where it is no limit, and the share of tasks then cut."""
    if not problem.needs <= MEETS_DEADLINES or not has_relaxation(problem):
        return None, None
    relaxed = relax(with_ample_budget(problem))
    return float(relaxed.energy.sum()), float(np.mean(relaxed.work < full * (1.0 - 1e-9)))


def doubts(problem: Problem) -> Iterator[str]:
    """One line for each number that looks as if its unit were another."""
    core = problem.core
    full = float(full_works(core).sum())
    for index, name in enumerate(machine_names(core)):
        yield from _doubts_of_machine(
            f"machines[{index}] ({name})",
            name,
            float(core.speeds[index]),
            float(core.powers[index]),
        )
    if full == 0.0:
        yield "tasks: none gains anything from work"
        return
    typical = float(np.median(core.max_work))
    if not WORKS[0] <= typical <= WORKS[1]:
        yield f"tasks: the median of their works is {WORK.show(typical)}; work is in GFLOP"
    rho = core.horizon * float(core.speeds.sum()) / full
    if not TOLERANCES[0] <= rho <= TOLERANCES[1]:
        alone = full / float(core.speeds.sum())
        yield (
            f"deadlines: the last is at {TIME.show(core.horizon)}, all work takes all machines"
            f" {TIME.show(alone)}; deadlines are in s, work is in GFLOP"
        )
    least = full / best_efficiency(problem)
    multiple = core.energy_budget / least
    if 0.0 < core.energy_budget < np.inf and not BUDGETS[0] <= multiple <= BUDGETS[1]:
        yield (
            f"energy_budget: {ENERGY.show(core.energy_budget)}, and all work takes at least"
            f" {ENERGY.show(least)}; it is in J (1 Wh = 3600 J)"
        )


def _doubts_of_machine(place: str, name: str, speed: float, power: float) -> Iterator[str]:
    known = _device_called(name)
    if not POWERS[0] <= power <= POWERS[1]:
        yield (
            f"{place}: draws {POWER.show(power)} (speed / efficiency); speed is in GFLOP/s,"
            " efficiency in GFLOP/J"
        )
    elif known is not None and not 1 / _HUNGRIER <= power / known.tdp_watts <= _HUNGRIER:
        yield (
            f"{place}: draws {POWER.show(power)} (speed / efficiency), and the {known.product}"
            f" is listed with {POWER.show(known.tdp_watts)}"
        )
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        yield f"{place}: {SPEED.show(speed)}; speed is in GFLOP/s"
    elif known is not None and not 1 / _FASTER <= speed / known.speed <= _FASTER:
        yield (
            f"{place}: {SPEED.show(speed)}, and the {known.product} is listed with"
            f" {SPEED.show(known.speed)}"
        )


def _device_called(name: str) -> Device | None:
    """The device of the catalogue that a machine is called after, with a number perhaps."""
    return known_device(name) or known_device(name.rpartition("-")[0])
