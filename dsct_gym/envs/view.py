"""The view that all tasks of an instance are known in: what it shows, written by kernels."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsct_gym.arrays import Ints
from dsct_gym.envs.bank import Bank, clip, clip_log
from dsct_gym.envs.observation import LOG_LIMIT, BudgetColumn, Layout, MachineColumn
from dsct_gym.envs.state import Play
from dsct_gym.jit import helper


class View(NamedTuple):
    """What the agents are shown: the arrays of `Layout.space`, one row an environment.

    The tables have a row for each machine, or task, and a place for each column.
    """

    budget: npt.NDArray[np.float32]
    machines: npt.NDArray[np.float32]
    machines_mask: npt.NDArray[np.float32]
    task: npt.NDArray[np.float32]
    tasks: npt.NDArray[np.float32]
    tasks_mask: npt.NDArray[np.float32]

    @classmethod
    def empty(cls, count: int, layout: Layout) -> View:
        """Arrays for N environments."""

        def shown(*shape: int) -> npt.NDArray[np.float32]:
            return np.zeros((count, *shape), dtype=np.float32)

        n, m = layout.max_tasks, layout.max_machines
        return cls(
            budget=shown(len(layout.budget)),
            machines=shown(m, len(layout.machine)),
            machines_mask=shown(m),
            task=shown(len(layout.task)),
            tasks=shown(n, len(layout.task)),
            tasks_mask=shown(n),
        )


# At the start of an episode.


@helper
def begin_view(bank: Bank, view: View, envs: Ints, rows: Ints) -> None:
    """Writes what stays the same for a whole episode, and the rows of all its tasks."""
    columns = bank.columns.shape[2]
    for index in range(envs.size):
        env, row = envs[index], rows[index]
        n, m = bank.tasks[row], bank.machines[row]
        for task in range(n):
            for column in range(columns):
                view.tasks[env, task, column] = bank.columns[row, task, column]
        view.tasks[env, n:] = 0.0
        view.tasks_mask[env, :n] = 1.0
        view.tasks_mask[env, n:] = 0.0
        view.machines_mask[env, :m] = 1.0
        view.machines_mask[env, m:] = 0.0
        shown = view.budget[env]
        shown[BudgetColumn.RHO] = bank.rho[row]
        shown[BudgetColumn.BETA] = bank.beta[row]
        shown[BudgetColumn.TASKS] = clip(math.log10(n), 0.0, LOG_LIMIT)
        shown[BudgetColumn.MACHINES] = clip(math.log10(m), 0.0, LOG_LIMIT)
        if bank.guided:
            price = log_ratio(bank.energy_price[row], -bank.log_ration[row])
            shown[BudgetColumn.RELAXED_PRICE] = price
        _begin_machines(bank, view, env, row)


@helper
def _begin_machines(bank: Bank, view: View, env: int, row: int) -> None:
    """Writes the columns of machines that stay the same for a whole episode."""
    m = bank.machines[row]
    view.machines[env] = 0.0
    speed, efficiency = 0.0, 0.0
    for r in range(m):
        speed += bank.speed[row, r]
        efficiency += bank.efficiency[row, r]
    speed, efficiency = math.log(speed / m), math.log(efficiency / m)
    for r in range(m):
        shown = view.machines[env, r]
        shown[MachineColumn.SPEED] = clip_log(bank.log_speed[row, r] - speed)
        shown[MachineColumn.EFFICIENCY] = clip_log(bank.log_efficiency[row, r] - efficiency)
        if bank.guided:
            shown[MachineColumn.PROFILE] = _part(bank.profile[row, r], bank.budget[row, 0])


# At every step.


@helper
def observe(bank: Bank, play: Play, view: View, first: int, last: int) -> None:
    """Writes what environments show now; `Play.room` must have been found."""
    _observe_tasks(bank, play, view, first, last)
    _observe_machines(bank, play, view, first, last)
    if bank.guided:
        _observe_guidance(bank, play, view, first, last)


@helper
def _observe_tasks(bank: Bank, play: Play, view: View, first: int, last: int) -> None:
    """Writes the episode as a whole and the task at hand; empties the row of the one decided."""
    width = bank.columns.shape[2]
    for env in range(first, last):
        row, j = play.row[env], play.position[env]
        n, budget = bank.tasks[row], bank.budget[row, 0]
        shown = view.budget[env]
        shown[BudgetColumn.ENERGY_LEFT] = _part(budget - play.spent[env], budget)
        shown[BudgetColumn.TASKS_LEFT] = (n - j) / n
        shown[BudgetColumn.ACCURACY] = clip(play.gained[env] / n, 0.0, 1.0)
        for column in range(width):
            view.task[env, column] = bank.columns[row, j, column] if j < n else 0.0
        if j > 0:
            view.tasks[env, j - 1] = 0.0
            view.tasks_mask[env, j - 1] = 0.0


@helper
def _observe_machines(bank: Bank, play: Play, view: View, first: int, last: int) -> None:
    """Writes the columns of machines that change; at the end those about a task are 0."""
    top = bank.reach.shape[2] - 1
    for env in range(first, last):
        row, j = play.row[env], play.position[env]
        n, budget = bank.tasks[row], bank.budget[row, 0]
        horizon = bank.deadline[row, n - 1]
        for r in range(bank.machines[row]):
            shown = view.machines[env, r]
            shown[MachineColumn.USED] = clip(play.time[env, r] / horizon, 0.0, 1.0)
            shown[MachineColumn.SPENT] = _part(play.energy[env, r], budget)
        if j == n:
            for r in range(bank.machines[row]):
                shown = view.machines[env, r]
                shown[MachineColumn.LOAD] = 0.0
                shown[MachineColumn.ROOM] = 0.0
                shown[MachineColumn.TIME] = 0.0
                shown[MachineColumn.ENERGY] = 0.0
            continue
        deadline, full = bank.deadline[row, j], bank.reach[row, j, top]
        log_time = bank.log_work[row, j] - bank.log_deadline[row, j]
        log_energy = bank.log_work[row, j] - bank.log_ration[row]
        for r in range(bank.machines[row]):
            shown = view.machines[env, r]
            shown[MachineColumn.LOAD] = clip(play.time[env, r] / deadline, 0.0, 1.0)
            shown[MachineColumn.ROOM] = clip(play.room[env, r] / full, 0.0, 1.0)
            shown[MachineColumn.TIME] = clip_log(log_time - bank.log_speed[row, r])
            shown[MachineColumn.ENERGY] = clip_log(log_energy - bank.log_efficiency[row, r])


@helper
def _observe_guidance(bank: Bank, play: Play, view: View, first: int, last: int) -> None:
    """Writes the columns of the relaxation that change."""
    for env in range(first, last):
        row, j = play.row[env], play.position[env]
        n = bank.tasks[row]
        horizon = bank.deadline[row, n - 1]
        able = 0.0
        for r in range(bank.machines[row]):
            able += bank.speed[row, r] * (horizon - play.time[env, r])
            shown = view.machines[env, r]
            left = shown[MachineColumn.PROFILE] - shown[MachineColumn.SPENT]
            shown[MachineColumn.PROFILE_LEFT] = left
            shown[MachineColumn.PRICE] = 0.0
            shown[MachineColumn.FRACTION_TIME] = 0.0
            if j < n:
                shown[MachineColumn.PRICE] = _log_prices(
                    bank.energy_price[row], bank.efficiency[row, r], bank.work_price[row, j]
                )
                time = bank.fraction[row, j] / bank.speed[row, r]
                time_share = time / bank.deadline[row, j]
                shown[MachineColumn.FRACTION_TIME] = clip(time_share, 0.0, LOG_LIMIT)
        waiting = 0.0
        for task in range(j, n):
            waiting += bank.fraction[row, task]
        slack = log_ratio(able, math.log(waiting)) if waiting > 0.0 else LOG_LIMIT
        view.budget[env, BudgetColumn.SLACK] = slack


@helper
def log_ratio(value: float, log_unit: float) -> float:
    """Logarithm of ``value`` in a unit given by its own, the lower bound when not positive."""
    return clip_log(math.log(value) - log_unit) if value > 0.0 else -LOG_LIMIT


@helper
def _part(value: float, whole: float) -> float:
    """Share of a whole in [0, 1]; 0 when there is no whole."""
    return clip(value / whole, 0.0, 1.0) if whole > 0.0 else 0.0


@helper
def _log_prices(energy_price: float, efficiency: float, work_price: float) -> float:
    """Logarithm of the price of a machine's energy over the price of work."""
    if energy_price <= 0.0:
        return -LOG_LIMIT
    if work_price <= 0.0:
        return LOG_LIMIT
    return clip_log(math.log(energy_price / efficiency / work_price))
