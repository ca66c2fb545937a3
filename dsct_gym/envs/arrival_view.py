"""What agents are shown where tasks arrive over time, written by kernels."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Floats32
from dsct_gym.envs.arrival_bank import ArrivalBank
from dsct_gym.envs.arrival_columns import (
    MachinePlace,
    QueueLayout,
    QueuePlace,
    StatePlace,
    TaskPlace,
)
from dsct_gym.envs.arrival_play import RECENT, ArrivalPlay, Tally
from dsct_gym.envs.bank import clip, clip_log
from dsct_gym.envs.observation import LOG_LIMIT, Layout
from dsct_gym.jit import helper
from dsct_gym.online.known import room_from
from dsct_gym.online.simulator import Counter, Meter
from dsct_gym.tolerances import ROUNDING


class ArrivalView(NamedTuple):
    """The arrays of `ArrivalLayout.space`, one row an environment.

    Attributes:
        budget: (N, columns).
        machines: (N, m, columns).
        machines_mask: (N, m).
        task: (N, columns).
    """

    budget: Floats32
    machines: Floats32
    machines_mask: Floats32
    task: Floats32

    @classmethod
    def empty(cls, count: int, layout: Layout) -> ArrivalView:
        """Arrays for N environments."""
        m = layout.max_machines
        return cls(
            budget=np.zeros((count, len(layout.budget)), dtype=np.float32),
            machines=np.zeros((count, m, len(layout.machine)), dtype=np.float32),
            machines_mask=np.zeros((count, m), dtype=np.float32),
            task=np.zeros((count, len(layout.task)), dtype=np.float32),
        )


class QueueView(NamedTuple):
    """The arrays of `QueueLayout.space`, one row an environment.

    Attributes:
        budget: (N, columns).
        machines: (N, m, columns).
        machines_mask: (N, m).
        tasks: (N, W, columns).
        tasks_mask: (N, W).
    """

    budget: Floats32
    machines: Floats32
    machines_mask: Floats32
    tasks: Floats32
    tasks_mask: Floats32

    @classmethod
    def empty(cls, count: int, layout: Layout) -> QueueView:
        """Arrays for N environments."""
        assert isinstance(layout, QueueLayout)
        m, rows = layout.max_machines, layout.window
        return cls(
            budget=np.zeros((count, len(layout.budget)), dtype=np.float32),
            machines=np.zeros((count, m, len(layout.machine)), dtype=np.float32),
            machines_mask=np.zeros((count, m), dtype=np.float32),
            tasks=np.zeros((count, rows, len(layout.task)), dtype=np.float32),
            tasks_mask=np.zeros((count, rows), dtype=np.float32),
        )


@helper
def begin_view(
    bank: ArrivalBank, env: int, row: int, budget: Floats32, machines: Floats32, mask: Floats32
) -> None:
    """Writes what stays the same for a whole episode; rows of padding are 0."""
    m, efficiency = bank.machines[row], 0.0
    budget[env, StatePlace.BETA] = bank.beta[row]
    budget[env, StatePlace.MACHINES] = clip(math.log10(m), 0.0, LOG_LIMIT)
    for r in range(m):
        efficiency += bank.efficiency[row, r]
    log_speed, log_efficiency = math.log(bank.total_speed[row] / m), math.log(efficiency / m)
    for r in range(mask.shape[1]):
        mask[env, r] = 1.0 if r < m else 0.0
        for column in range(machines.shape[2]):
            machines[env, r, column] = 0.0
        if r < m:
            shown = machines[env, r]
            shown[MachinePlace.SPEED] = clip_log(bank.log_speed[row, r] - log_speed)
            shown[MachinePlace.EFFICIENCY] = clip_log(bank.log_efficiency[row, r] - log_efficiency)


@helper
def show_state(bank: ArrivalBank, play: ArrivalPlay, env: int, shown: Floats32) -> None:
    """Writes the columns of the episode as a whole that change, but how many tasks wait."""
    row, sums, meters = play.row[env], play.tally[env], play.meters[env]
    clock, horizon, budget = meters[Meter.CLOCK], bank.horizon[row], bank.budget[row]
    time = min(clock / horizon, 1.0)
    shown[StatePlace.TIME] = time
    shown[StatePlace.ENERGY_LEFT] = 0.0
    shown[StatePlace.PACE] = 0.0
    if budget > 0.0:
        share = meters[Meter.SPENT] / budget
        shown[StatePlace.ENERGY_LEFT] = clip(1.0 - share, 0.0, 1.0)
        shown[StatePlace.PACE] = clip(share - time, -1.0, 1.0)
    shown[StatePlace.ACCURACY] = clip(play.gained[env] / sums[Tally.SEEN], 0.0, 1.0)
    able = bank.total_speed[row] * clock
    demand = clip_log(math.log(sums[Tally.WORK] / able)) if able > 0.0 else LOG_LIMIT
    shown[StatePlace.DEMAND] = demand
    older = (sums[Tally.SINCE] - clock) / (RECENT * horizon)
    recent = math.log(sums[Tally.RECENT] / (bank.total_speed[row] * RECENT * horizon)) + older
    shown[StatePlace.RECENT] = clip_log(recent)
    shown[StatePlace.ARRIVED] = clip(math.log10(1.0 + sums[Tally.SEEN]), 0.0, LOG_LIMIT)


@helper
def show_machines(bank: ArrivalBank, play: ArrivalPlay, env: int, shown: Floats32) -> None:
    """Writes the columns of machines (m, ·) that change whatever the task."""
    row, sums, meters = play.row[env], play.tally[env], play.meters[env]
    patience, budget = sums[Tally.PATIENCE] / sums[Tally.SEEN], bank.budget[row]
    for r in range(bank.machines[row]):
        wait = max(play.free[env, r] - meters[Meter.CLOCK], 0.0)
        spent = play.energy[env, r] / budget if budget > 0.0 else 0.0
        shown[r, MachinePlace.SPENT] = clip(spent, 0.0, 1.0)
        shown[r, MachinePlace.WAIT] = clip(wait / patience, 0.0, LOG_LIMIT)


@helper
def show_task(
    bank: ArrivalBank, play: ArrivalPlay, env: int, task: int, log_left: float, shown: Floats32
) -> None:
    """Writes the columns of a task that are there whatever the machine.

    Args:
        bank: The instances.
        play: The state.
        env: The environment.
        task: The task.
        log_left: Logarithm of the time until its deadline.
        shown: Where to write.
    """
    row, sums, last = play.row[env], play.tally[env], bank.reach.shape[2] - 1
    left = bank.deadline[row, task] - play.meters[env, Meter.CLOCK]
    log_patience = math.log(sums[Tally.PATIENCE] / sums[Tally.SEEN])
    log_mean = math.log(sums[Tally.WORK] / sums[Tally.SEEN])
    shown[TaskPlace.DUE] = min(left / bank.horizon[row], 1.0)
    shown[TaskPlace.SLACK] = clip_log(log_left - log_patience)
    shown[TaskPlace.WORK] = clip_log(bank.log_work[row, task] - log_mean)
    shown[TaskPlace.GAIN] = bank.value[row, task, last] - bank.value[row, task, 0]
    shown[TaskPlace.HALF] = bank.half[row, task]


@helper
def energy_left(bank: ArrivalBank, play: ArrivalPlay, env: int) -> float:
    """Energy that may be spent, as the simulator has it, J."""
    budget: float = bank.budget[play.row[env]]
    left: float = budget * (1.0 + ROUNDING) - play.meters[env, Meter.SPENT]
    return max(0.0, left)


@helper
def room_on(
    bank: ArrivalBank, play: ArrivalPlay, env: int, task: int, r: int, left: float
) -> float:
    """Largest work on a task that a machine can do, as the simulator has it, GFLOP."""
    row = play.row[env]
    start = max(play.meters[env, Meter.CLOCK], play.free[env, r])
    return room_from(
        start, bank.deadline[row, task], left, bank.speed[row, r], bank.efficiency[row, r]
    )


@helper
def log_time(bank: ArrivalBank, row: int, task: int, r: int, log_left: float) -> float:
    """Logarithm of the time that a task takes in full on a machine over that until it is due."""
    return clip_log(bank.log_work[row, task] - bank.log_speed[row, r] - log_left)


@helper
def log_energy(bank: ArrivalBank, row: int, task: int, r: int, log_left: float) -> float:
    """Logarithm of the energy of a task in full over what the budget has for the time it has."""
    energy = bank.log_work[row, task] - bank.log_efficiency[row, r]
    return clip_log(energy - bank.log_power[row] - log_left)


@helper
def show_asked(play: ArrivalPlay, env: int, machines: int, shown: Floats32) -> None:
    """Says which machine is asked, in the table of machines (m, ·)."""
    for r in range(machines):
        asked = r == play.counters[env, Counter.MACHINE]
        shown[r, QueuePlace.ASKED] = 1.0 if asked else 0.0
