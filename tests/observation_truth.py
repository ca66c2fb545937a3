"""What environments show, worked out anew from the definitions in their docstrings, by name.

The state is told by the machine and the work of the tasks decided so far; nothing here is
incremental, and logarithms are those of the ratios themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property

import numpy as np

from dsct_gym import Instance, allocate
from dsct_gym.arrays import Floats, Ints
from dsct_gym.envs.observation import BudgetColumn, MachineColumn, TaskColumn
from dsct_gym.points import DvfsInstance, OperatingPoints
from dsct_gym.problem import Problem
from dsct_gym.relaxation import Relaxation, relax
from dsct_gym.verifier import Pieces

LIMIT = 5.0
_LITTLE = 1e-7

Columns = Mapping[IntEnum, Floats]


@dataclass(frozen=True)
class Moment:
    """An episode after some decisions.

    Attributes:
        instance: What is played, tasks in EDF order.
        machine: Machine of each task (n,), −1 for none and for those to come.
        work: Work of each task (n,), GFLOP; 0 for those to come.
        decided: Number of decided tasks; the next is the task at hand.
        shared: Whether energy is shared out anew at every decision, as in Assign.
    """

    instance: Instance
    machine: Ints
    work: Floats
    decided: int
    shared: bool

    @cached_property
    def relaxed(self) -> Relaxation:
        """The fractional relaxation."""
        return relax(self.instance)

    @cached_property
    def time(self) -> Floats:
        """Time used on each machine (m,), s."""
        return self.on_machines(self.work) / self.instance.speeds

    @cached_property
    def energy(self) -> Floats:
        """Energy spent on each machine (m,), J."""
        return self.on_machines(self.work) / self.instance.efficiencies

    @property
    def gained(self) -> float:
        """Accuracy gained so far."""
        gains = [
            np.interp(work, *_curve(self.instance, task)) - self.instance.accuracy[task, 0]
            for task, work in enumerate(self.work)
        ]
        return float(np.sum(gains))

    @property
    def price(self) -> float:
        """λ of the optimum so far: what a little more of the budget brings.

        NaN at a corner of the optimum, where a little less of it costs more than that.
        """
        budget = self.instance.energy_budget
        if budget == 0.0:
            return 0.0
        less, now, more = (
            allocate(self._with_budget(share * budget), self.machine)
            for share in (1.0 - _LITTLE, 1.0, 1.0 + _LITTLE)
        )
        loses = (now.total_accuracy - less.total_accuracy) / (_LITTLE * budget)
        brings = (more.total_accuracy - now.total_accuracy) / (_LITTLE * budget)
        scale = float(self.instance.slopes.max() * self.best_efficiency)
        if max(loses, brings) < 1e-6 * scale:
            return 0.0
        return brings if abs(loses - brings) < 1e-6 * scale else np.nan

    @property
    def best_efficiency(self) -> float:
        """GFLOP/J of the cheapest work."""
        return float(self.instance.efficiencies.max())

    def _with_budget(self, budget: float) -> Problem:
        return replace(self.instance, energy_budget=budget)

    def on_machines(self, values: Floats) -> Floats:
        """Values of tasks (n,) added up on each machine (m,)."""
        machines = np.arange(self.instance.num_machines)
        return ((self.machine[:, None] == machines) * values[:, None]).sum(axis=0)


@dataclass(frozen=True)
class ClockedMoment(Moment):
    """The same where machines have operating points; ``instance`` has them at the fastest.

    Attributes:
        points: Operating points of each machine (m,).
    """

    points: tuple[OperatingPoints, ...]

    @cached_property
    def problem(self) -> DvfsInstance:
        """What is played."""
        return DvfsInstance.of(self.instance, self.points)

    @cached_property
    def relaxed(self) -> Relaxation:
        return relax(self.problem)

    @cached_property
    def pieces(self) -> Pieces:
        """Those of the optimum, which the verifier has checked."""
        schedule = allocate(self.problem, self.machine)
        assert schedule.verify()
        assert schedule.pieces is not None
        return schedule.pieces

    @cached_property
    def time(self) -> Floats:
        return self._of_pieces(self.pieces.duration)

    @cached_property
    def energy(self) -> Floats:
        return self._of_pieces(self.pieces.duration * self.pieces.power)

    @property
    def best_efficiency(self) -> float:
        return float(self.problem.increments.efficiency.max())

    def _with_budget(self, budget: float) -> Problem:
        return DvfsInstance.of(replace(self.instance, energy_budget=budget), self.points)

    def _of_pieces(self, values: Floats) -> Floats:
        of_tasks = np.zeros(self.instance.num_tasks)
        np.add.at(of_tasks, self.pieces.task, values)
        return self.on_machines(of_tasks)


def task_columns(moment: Moment) -> Columns:
    """Columns of all tasks (n,)."""
    instance, relaxed = moment.instance, moment.relaxed
    full, gain = instance.max_work, instance.top_accuracy - instance.base_accuracy
    share = instance.deadlines.max() * instance.speeds.sum() / instance.num_tasks
    paid = relaxed.marginal_prices * full
    return {
        TaskColumn.DEADLINE: instance.deadlines / instance.deadlines.max(),
        TaskColumn.WORK: _log(full / share),
        TaskColumn.GAIN: gain,
        TaskColumn.HALF: np.array([_half(instance, task) for task in range(instance.num_tasks)]),
        TaskColumn.FRACTION: np.clip(relaxed.work / full, 0.0, 1.0),
        TaskColumn.PRICE: np.where(
            paid == 0.0, -LIMIT, np.where(gain == 0.0, LIMIT, _log(_over(paid, gain)))
        ),
    }


def machine_columns(moment: Moment) -> Columns:
    """Columns of all machines (m,), as they look for the task at hand."""
    instance, relaxed = moment.instance, moment.relaxed
    budget, horizon = instance.energy_budget, instance.deadlines.max()
    none = np.zeros(instance.num_machines)
    spent = moment.energy / budget if budget > 0.0 else none
    profile = relaxed.energy / budget if budget > 0.0 else none
    steady = {
        MachineColumn.SPEED: _log(instance.speeds / instance.speeds.mean()),
        MachineColumn.EFFICIENCY: _log(instance.efficiencies / instance.efficiencies.mean()),
        MachineColumn.USED: moment.time / horizon,
        MachineColumn.SPENT: spent,
        MachineColumn.PROFILE: profile,
        MachineColumn.PROFILE_LEFT: profile - spent,
    }
    return steady | (
        dict.fromkeys(set(MachineColumn) - set(steady), none)
        if moment.decided == instance.num_tasks
        else _for_task(moment, moment.decided)
    )


def _for_task(moment: Moment, task: int) -> Columns:
    """Columns of machines about the task at hand."""
    instance, relaxed = moment.instance, moment.relaxed
    full, deadline = instance.max_work[task], instance.deadlines[task]
    budget, ones = instance.energy_budget, np.ones(instance.num_machines)
    fits = np.maximum(instance.speeds * deadline - moment.on_machines(moment.work), 0.0)
    if not moment.shared:
        left = max(budget - moment.energy.sum(), 0.0)
        fits = np.minimum(fits, instance.efficiencies * left)
    needs = full / instance.efficiencies
    priced = relaxed.energy_price / instance.efficiencies
    work_price = float(relaxed.marginal_prices[task])
    return {
        MachineColumn.LOAD: np.clip(moment.time / deadline, 0.0, 1.0),
        MachineColumn.ROOM: np.clip(fits / full, 0.0, 1.0),
        MachineColumn.TIME: _log(full / instance.speeds / deadline),
        MachineColumn.ENERGY: (
            _log(needs / (budget / instance.num_tasks)) if budget > 0.0 else LIMIT * ones
        ),
        MachineColumn.PRICE: np.where(
            priced == 0.0,
            -LIMIT,
            _log(priced / work_price) if work_price > 0.0 else LIMIT * ones,
        ),
        MachineColumn.FRACTION_TIME: np.clip(
            relaxed.work[task] / instance.speeds / deadline, 0.0, LIMIT
        ),
    }


def budget_columns(moment: Moment) -> Columns:
    """Columns of the episode as a whole, one number each."""
    instance, relaxed, n = moment.instance, moment.relaxed, moment.instance.num_tasks
    budget, horizon = instance.energy_budget, instance.deadlines.max()
    able = float(instance.speeds @ (horizon - moment.time))
    waiting = float(np.maximum(relaxed.work[moment.decided :], 0.0).sum())
    most = horizon * instance.powers.sum()
    single = {
        BudgetColumn.ENERGY_LEFT: 1.0 - moment.energy.sum() / budget if budget > 0.0 else 0.0,
        BudgetColumn.TASKS_LEFT: 1.0 - moment.decided / n,
        BudgetColumn.ACCURACY: moment.gained / n,
        BudgetColumn.RHO: _log(horizon * instance.speeds.sum() / instance.max_work.sum()),
        BudgetColumn.BETA: _log(budget / most),
        BudgetColumn.TASKS: np.log10(n),
        BudgetColumn.MACHINES: np.log10(instance.num_machines),
        BudgetColumn.PRICE: _log(moment.price * budget / n) if moment.shared else 0.0,
        BudgetColumn.RELAXED_PRICE: _log(relaxed.energy_price * budget / n),
        BudgetColumn.SLACK: _log(able / waiting) if waiting > 0.0 else LIMIT,
    }
    return {place: np.array([value]) for place, value in single.items()}


def _log(ratio: Floats | float) -> Floats:
    """Its logarithm, clipped; the lower bound for 0."""
    with np.errstate(divide="ignore"):
        return np.clip(np.log(ratio), -LIMIT, LIMIT)


def _over(one: Floats, other: Floats) -> Floats:
    """Their ratio, 1 where it has none."""
    return np.divide(one, other, out=np.ones_like(one), where=other > 0.0)


def _curve(instance: Instance, task: int) -> tuple[Floats, Floats]:
    """Breakpoints of a task without padding."""
    kept = np.append(True, np.diff(instance.work[task]) > 0.0)
    return instance.work[task][kept], instance.accuracy[task][kept]


def _half(instance: Instance, task: int) -> float:
    """Share of the work at which half of the gain is reached; 0 for a flat curve."""
    work, accuracy = _curve(instance, task)
    if accuracy[-1] == accuracy[0]:
        return 0.0
    rising = np.append(True, np.diff(accuracy) > 0.0)
    middle = (accuracy[0] + accuracy[-1]) / 2
    return float(np.interp(middle, accuracy[rising], work[rising]) / work[-1])
