"""What a policy knows of an instance before it decides: its relaxation, start and fixed columns."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Floats32, Ints
from dsct_gym.instance import Instance
from dsct_gym.list_schedule import assign
from dsct_gym.plan.columns import LIMIT, Context, Machine
from dsct_gym.relaxation import Relaxation, relax

if TYPE_CHECKING:
    from dsct_gym.problem import Problem


class Scale(IntEnum):
    """Places in `Outlook.scale`."""

    WORK = 0
    ENERGY_PRICE = 1
    LOG_RATION = 2


class Outlook(NamedTuple):
    """An instance and its relaxation as the view's kernels read them, tasks in EDF order.

    Decisions change none of it. C and M columns are those of `dsct_gym.plan.columns`.

    Attributes:
        context: Columns of the tasks that do not change (n, C).
        machine: Columns of the machines that do not change (m, M).
        start: Machine of each task by DSCT-APPROX (n,).
        work: f_j, work in the relaxation (n,), GFLOP.
        gain: a_j(f_j^max) − a_j(0) (n,).
        log_price: ln π_j (n,), −∞ where π_j is 0.
        log_full: ln f_j^max (n,).
        log_deadline: ln d_j (n,).
        busy: b_r, busy time in the relaxation (m,), s.
        log_speed: ln s_r (m,).
        log_efficiency: ln E_r (m,).
        scale: Mean f, positive, GFLOP; λ of the relaxation; ln(B / n) (3,), by `Scale`.
    """

    context: Floats32
    machine: Floats32
    start: Ints
    work: Floats
    gain: Floats
    log_price: Floats
    log_full: Floats
    log_deadline: Floats
    busy: Floats
    log_speed: Floats
    log_efficiency: Floats
    scale: Floats

    @classmethod
    def of(cls, problem: Problem, relaxation: Relaxation | None = None) -> Outlook:
        """Prepares a problem; its columns know machines at the fastest of their clocks.

        Args:
            problem: The problem.
            relaxation: Its relaxation, if it is there already.
        """
        relaxation = relax(problem) if relaxation is None else relaxation
        instance = problem.core
        order = instance.edf_order
        work = np.maximum(relaxation.work[order], 0.0)
        mean = float(work.mean())
        mean = mean if mean > 0.0 else float(instance.max_work.mean())
        with np.errstate(divide="ignore"):
            log_price = np.log(relaxation.marginal_prices[order])
            log_ration = float(np.log(instance.energy_budget) - np.log(instance.num_tasks))
        scale = {
            Scale.WORK: mean,
            Scale.ENERGY_PRICE: relaxation.energy_price,
            Scale.LOG_RATION: log_ration,
        }
        return cls(
            context=_context(instance, relaxation, work, mean),
            machine=_machine(instance, relaxation),
            start=assign(problem, relaxation)[order],
            work=work,
            gain=(instance.top_accuracy - instance.base_accuracy)[order],
            log_price=log_price,
            log_full=np.log(instance.max_work[order]),
            log_deadline=np.log(instance.deadlines[order]),
            busy=np.array(relaxation.busy_time),
            log_speed=np.log(instance.speeds),
            log_efficiency=np.log(instance.efficiencies),
            scale=np.array([scale[place] for place in Scale]),
        )


def _context(instance: Instance, relaxation: Relaxation, work: Floats, mean: float) -> Floats32:
    """The columns of the tasks (n, C); the one that changes is left 0."""
    n, m, order = instance.num_tasks, instance.num_machines, instance.edf_order
    deadline, horizon = instance.deadlines[order], instance.horizon
    full = instance.max_work[order]
    gain = (instance.top_accuracy - instance.base_accuracy)[order]
    speed, power = instance.speeds.sum(), instance.powers.sum()
    following = np.minimum(np.arange(n) + m, n - 1)
    cumulated = np.cumsum(work)
    coming = cumulated[following] - cumulated
    ahead = np.maximum(following - np.arange(n), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = {
            Context.DEADLINE: deadline / horizon,
            Context.TASKS_LEFT: 1.0 - np.arange(n) / n,
            Context.TASKS: np.log(n) / 3.0,
            Context.MACHINES: np.log(m),
            Context.RHO: np.log(horizon * speed / full.sum()),
            Context.BETA: np.log(instance.energy_budget / (horizon * power)),
            Context.FRACTION: work / full,
            Context.WORK: np.log(work / mean),
            Context.PRICE: np.log(relaxation.marginal_prices[order] * full / gain),
            Context.GAIN: gain,
            Context.GAP: np.diff(deadline, append=deadline[-1]) * n / horizon,
            Context.NEXT: np.append(work[1:], 0.0) / mean,
            Context.SOON: coming / ahead / mean,
            Context.RUSH: np.log(coming / (speed * (deadline[following] - deadline))),
            Context.ENERGY_PRICE: 0.0,
        }
    return _clipped(np.column_stack([np.broadcast_to(columns[place], n) for place in Context]))


def _machine(instance: Instance, relaxation: Relaxation) -> Floats32:
    """The columns of the machines (m, M) that do not change; the others are 0."""
    columns = {
        Machine.SPEED: np.log(instance.speeds / instance.speeds.mean()),
        Machine.EFFICIENCY: np.log(instance.efficiencies / instance.efficiencies.mean()),
        Machine.BUSY: relaxation.busy_time / instance.horizon,
    }
    nothing = np.zeros(instance.num_machines)
    return _clipped(np.column_stack([columns.get(place, nothing) for place in Machine]))


def _clipped(table: Floats) -> Floats32:
    """Within the limits; what is undefined, a ratio of nothing to nothing, is 0."""
    return np.clip(np.nan_to_num(table, nan=0.0), -LIMIT, LIMIT).astype(np.float32)
