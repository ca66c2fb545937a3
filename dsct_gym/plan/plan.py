"""The complete plan: where the decided tasks are, where DSCT-APPROX puts the rest, its optimum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dsct_gym.allocation import Packed, pack
from dsct_gym.arrays import Floats, Ints
from dsct_gym.incremental import CURRENT, Curves, accept_trial, place_all, try_change
from dsct_gym.jit import helper, kernel
from dsct_gym.plan.options import Options
from dsct_gym.plan.outlook import Outlook
from dsct_gym.plan.prices import Prices, begin_prices, renew_prices
from dsct_gym.relaxation import Relaxation

if TYPE_CHECKING:
    from dsct_gym.problem import Problem


class Loads(NamedTuple):
    """Work of the relaxation where the plan has it.

    Attributes:
        decided: On each machine, of the tasks decided so far (m,), GFLOP.
        planned: On each machine, of all tasks (m,), GFLOP.
    """

    decided: Floats
    planned: Floats

    @classmethod
    def empty(cls, machines: int) -> Loads:
        """No work yet."""
        return cls(decided=np.zeros(machines), planned=np.zeros(machines))


class Plan(NamedTuple):
    """A plan, with what is known of its instance.

    It is complete before the first decision and after each of them. The parts are tuples of arrays,
    whose sizes depend on the numbers of tasks, machines and segments alone.

    Attributes:
        packed: The instance for the allocation kernels; it does not change.
        outlook: The instance for the view; it does not change.
        curves: The assignment and its optimum.
        prices: The prices of the optimum.
        loads: Work on each machine.
        options: What can be decided on the task at hand.
    """

    packed: Packed
    outlook: Outlook
    curves: Curves
    prices: Prices
    loads: Loads
    options: Options

    @classmethod
    def of(cls, problem: Problem, relaxation: Relaxation | None = None) -> Plan:
        """Prepares a problem for `begin`; its relaxation may be given."""
        packed = pack(problem)
        m = problem.core.num_machines
        return cls(
            packed=packed,
            outlook=Outlook.of(problem, relaxation),
            curves=Curves.of(packed),
            prices=Prices.of(packed),
            loads=Loads.empty(m),
            options=Options.empty(m),
        )

    @property
    def gain(self) -> float:
        """Accuracy that the plan gains over no work at all."""
        return float(self.curves.total[CURRENT])

    @property
    def unit(self) -> float:
        """Accuracy that a task gains on average in the first plan, 1 where none does."""
        return float(self.options.unit[0])

    def copy(self) -> Plan:
        """A plan of its own: decisions on it leave this one as it is."""
        other = {}
        for field in _STATE:
            part = getattr(self, field)
            other[field] = _copy(part)
        return self._replace(**other)

    def take(self, other: Plan) -> None:
        """Takes over the state of a copy, what was seen of the task at hand included."""
        for field in _STATE:
            _take(getattr(self, field), getattr(other, field))


def _copy(part: Any) -> Any:
    """A named tuple of arrays, and of such tuples, with arrays of its own."""
    if part is None or isinstance(part, (bool, np.ndarray)):
        return part.copy() if isinstance(part, np.ndarray) else part
    return part._replace(**{name: _copy(each) for name, each in part._asdict().items()})


def _take(part: Any, other: Any) -> None:
    """Copies the arrays of one such tuple into those of another."""
    if isinstance(part, np.ndarray):
        np.copyto(part, other)
    elif isinstance(part, tuple):
        for mine, theirs in zip(part, other, strict=True):
            _take(mine, theirs)


_STATE = ("curves", "prices", "loads", "options")


@kernel
def begin(plan: Plan) -> None:
    """Puts the plan back to what DSCT-APPROX gives."""
    begin_at(plan, plan.outlook.start)
    total = plan.curves.total[CURRENT]
    plan.options.unit[0] = total / plan.outlook.start.size if total > 0.0 else 1.0


@kernel
def begin_at(plan: Plan, machine: Ints) -> None:
    """Puts the plan on a complete assignment, nothing of it decided.

    Args:
        plan: The plan; its unit stays what `begin` made it.
        machine: Machine of each task by EDF rank (n,).
    """
    loads = plan.loads
    place_all(plan.packed, plan.curves, machine)
    begin_prices(plan.packed, plan.curves, plan.prices)
    for r in range(loads.planned.size):
        loads.decided[r] = loads.planned[r] = 0.0
    for task in range(machine.size):
        loads.planned[machine[task]] += plan.outlook.work[task]


@kernel
def decide(plan: Plan, task: int, machine: int) -> None:
    """Puts a task where the policy wants it, −1 for none, by the better of move and swap.

    Call `dsct_gym.plan.look` for the task before.
    """
    options = plan.options
    if machine >= 0:
        plan.loads.decided[machine] += plan.outlook.work[task]
    if plan.curves.machine[task] == machine:
        return
    other = -1
    if machine >= 0 and options.swap[machine] > options.move[machine]:
        other = options.partner[machine]
    change(plan, task, machine, other)


@helper
def change(plan: Plan, task: int, machine: int, other: int) -> None:
    """Moves a task to another machine than it has, or exchanges it with a task there.

    Args:
        plan: The plan, begun.
        task: EDF rank of the task.
        machine: Where it goes, −1 for none.
        other: EDF rank of a task on ``machine`` that takes its place, −1 for a plain move.
    """
    packed, curves, prices = plan.packed, plan.curves, plan.prices
    loads, work = plan.loads, plan.outlook.work
    source = curves.machine[task]
    try_change(packed, curves, task, machine, other)
    accept_trial(curves, task, machine, other)
    moved = work[task] - (work[other] if other >= 0 else 0.0)
    if source >= 0:
        loads.planned[source] -= moved
    if machine >= 0:
        loads.planned[machine] += moved
    renew_prices(packed, curves, prices, source, machine)
