"""Instances whose tasks arrive over time, as the stepping kernels read them.

A row is written once, when an instance is loaded: its tasks in the order of their arrival, the work
of every compression level, logarithms and the static columns of the observation. What a row holds
of tasks that have not arrived is read by nobody but the simulator.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.envs.bank import clip_log, copy_into
from dsct_gym.envs.observation import Layout
from dsct_gym.envs.shelf import Given, Shelf
from dsct_gym.envs.workers import Workers
from dsct_gym.jit import kernel
from dsct_gym.levels import fill_levels, work_for
from dsct_gym.online.instance import as_online

if TYPE_CHECKING:
    from dsct_gym.problem import Problem


class ArrivalBank(NamedTuple):
    """Rows of instances; P rows, up to n tasks, m machines, K+1 breakpoints, L levels.

    Attributes:
        tasks: Number of tasks (P,).
        machines: Number of machines (P,).
        budget: Energy budget (P,), J.
        horizon: End of the period that the budget is for (P,), s.
        arrival: In ascending order (P, n), s; the tasks of all columns are in this order.
        deadline: (P, n), s.
        reach: Work at the breakpoints (P, n, K+1), GFLOP.
        value: Accuracy at the breakpoints (P, n, K+1).
        level: Work of each compression level (P, n, L), GFLOP.
        gain: Accuracy that each level gains (P, n, L).
        speed: (P, m), GFLOP/s.
        efficiency: (P, m), GFLOP/J.
        log_work: ln f_j^max (P, n).
        half: Work at which half of the gain is reached / f_j^max (P, n).
        log_speed: ln s_r (P, m).
        log_efficiency: ln E_r (P, m).
        log_power: ln of the power that the budget is for, B / horizon (P,); −inf when B is 0.
        total_speed: Of all machines (P,), GFLOP/s.
        beta: ln(B / (horizon Σ_r P_r)), clipped (P,).
        base: Total accuracy without work (P,).
    """

    tasks: Ints
    machines: Ints
    budget: Floats
    horizon: Floats
    arrival: Floats
    deadline: Floats
    reach: Floats
    value: Floats
    level: Floats
    gain: Floats
    speed: Floats
    efficiency: Floats
    log_work: Floats
    half: Floats
    log_speed: Floats
    log_efficiency: Floats
    log_power: Floats
    total_speed: Floats
    beta: Floats
    base: Floats

    @classmethod
    def empty(
        cls, rows: int, tasks: int, machines: int, breakpoints: int, levels: int
    ) -> ArrivalBank:
        """A bank without instances, with room for so many."""
        return cls(
            tasks=np.zeros(rows, dtype=np.int64),
            machines=np.zeros(rows, dtype=np.int64),
            budget=np.zeros(rows),
            horizon=np.zeros(rows),
            arrival=np.zeros((rows, tasks)),
            deadline=np.zeros((rows, tasks)),
            reach=np.zeros((rows, tasks, breakpoints)),
            value=np.zeros((rows, tasks, breakpoints)),
            level=np.zeros((rows, tasks, levels)),
            gain=np.zeros((rows, tasks, levels)),
            speed=np.zeros((rows, machines)),
            efficiency=np.zeros((rows, machines)),
            log_work=np.zeros((rows, tasks)),
            half=np.zeros((rows, tasks)),
            log_speed=np.zeros((rows, machines)),
            log_efficiency=np.zeros((rows, machines)),
            log_power=np.zeros(rows),
            total_speed=np.zeros(rows),
            beta=np.zeros(rows),
            base=np.zeros(rows),
        )

    @property
    def room(self) -> int:
        """How many tasks there is room for."""
        return int(self.arrival.shape[1])


class ArrivalLibrary(Shelf):
    """The instances of a batch in an `ArrivalBank`; one with many tasks makes it larger.

    An `Instance` is played as one whose tasks are all there from the start.

    Args:
        count: Number of environments.
        prepared: Instances known in advance, which all environments share.
        layout: Sizes of the observations.
        levels: Number of compression levels.
        workers: The threads of the batch.

    Raises:
        InputError: If an instance has more machines than the layout.
    """

    bank: ArrivalBank

    def __init__(
        self,
        count: int,
        prepared: Sequence[Problem],
        layout: Layout,
        levels: int,
        *,
        workers: Workers,
    ) -> None:
        self._levels = levels
        rows, most = count + len(prepared), layout.max_machines
        self.bank = ArrivalBank.empty(rows, layout.max_tasks, most, 2, levels)
        super().__init__(count, prepared, layout, workers)

    def load(self, row: int, problem: Problem) -> None:
        """Writes an instance into a row.

        Raises:
            InputError: If it has more machines than the environment.
        """
        online, core = as_online(problem), problem.core
        order = online.arrival_order
        self.check_machines(core)
        n, m, k = core.num_tasks, core.num_machines, core.work.shape[1]
        self.widen(n, k)
        self.recipes[row] = Given(problem)
        bank = self.bank
        bank.tasks[row], bank.machines[row] = n, m
        bank.budget[row], bank.horizon[row] = core.energy_budget, online.horizon
        bank.arrival[row, :n], bank.deadline[row, :n] = (
            online.arrivals[order],
            core.deadlines[order],
        )
        bank.speed[row, :m], bank.efficiency[row, :m] = core.speeds, core.efficiencies
        for into, curves in ((bank.reach, core.work), (bank.value, core.accuracy)):
            into[row, :n, :k] = curves[order]
            into[row, :n, k:] = curves[order, -1:]
        prepare_row(bank, row)

    def widen(self, tasks: int, breakpoints: int) -> None:
        """Makes room for more tasks, or curves of more breakpoints, than so far."""
        old = self.bank
        known = old.reach.shape[2]
        if tasks <= old.room and breakpoints <= known:
            return
        room = old.room if tasks <= old.room else max(tasks, 2 * old.room)
        rows, most = old.speed.shape
        wide = ArrivalBank.empty(rows, room, most, max(breakpoints, known), self._levels)
        copy_into(wide, old)
        for into in (wide.reach, wide.value):
            into[:, :, known:] = into[:, :, known - 1 : known]
        self.bank = wide


@kernel
def prepare_row(bank: ArrivalBank, row: int) -> None:
    """Derives levels, logarithms and static columns of a row from its instance."""
    last, levels = bank.reach.shape[2] - 1, bank.level.shape[2]
    speed, power = 0.0, 0.0
    for r in range(bank.machines[row]):
        speed += bank.speed[row, r]
        power += bank.speed[row, r] / bank.efficiency[row, r]
        bank.log_speed[row, r] = math.log(bank.speed[row, r])
        bank.log_efficiency[row, r] = math.log(bank.efficiency[row, r])
    bank.total_speed[row] = speed
    bank.log_power[row] = math.log(bank.budget[row] / bank.horizon[row])
    bank.beta[row] = clip_log(bank.log_power[row] - math.log(power))
    bank.base[row] = 0.0
    for j in range(bank.tasks[row]):
        reach, value = bank.reach[row, j], bank.value[row, j]
        full, gain = reach[last], value[last] - value[0]
        bank.base[row] += value[0]
        fill_levels(reach, value, bank.level[row, j])
        for level in range(levels):
            bank.gain[row, j, level] = gain * ((level + 1) / levels)
        bank.log_work[row, j] = math.log(full)
        bank.half[row, j] = work_for(reach, value, value[0] + 0.5 * gain) / full
