"""Instances with soft deadlines, as the stepping kernels read them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.envs.bank import copy_into
from dsct_gym.envs.observation import Layout
from dsct_gym.envs.shelf import Given, Shelf
from dsct_gym.envs.workers import Workers
from dsct_gym.jit import kernel
from dsct_gym.levels import fill_levels, work_for
from dsct_gym.soft.penalties import cap_of
from dsct_gym.soft.softened import softened
from dsct_gym.soft.value import idle_penalties

if TYPE_CHECKING:
    from dsct_gym.problem import Problem

LEAST = 1e-9
"""Work of a task that must not be refused and gets next to none, as a share of all its work."""


class SoftBank(NamedTuple):
    """Rows of instances; P rows, up to n tasks by deadline, m machines, K+1 breakpoints, L levels.

    Attributes:
        tasks: Number of tasks (P,).
        machines: Number of machines (P,).
        budget: Energy budget (P,), J; infinity for none.
        deadline: (P, n), s.
        weight: Of the penalty (P, n).
        whole: Which tasks are not compressible (P, n).
        idle: What each task pays where nothing is done (P, n).
        reserve: Energy that the tasks from each on take at least (P, n+1), J.
        reach: Work at the breakpoints (P, n, K+1), GFLOP.
        value: Accuracy at the breakpoints (P, n, K+1).
        level: Work of each compression level (P, n, L), GFLOP; 0 where it is not to be had.
        half: Work at which half of the gain is reached / f_j^max (P, n).
        speed: (P, m), GFLOP/s.
        efficiency: (P, m), GFLOP/J.
        best: The most efficient machine (P,).
        shape: Of the penalty (P,), a `dsct_gym.soft.penalties.Shape`.
        scale: Of the penalty (P,), s.
        cap: Of the penalty (P,); infinity for none: no task may then be refused.
        price: Of a joule (P,).
        rho: ln of the deadline tolerance (P,).
        mean_work: Work that all machines do by the latest deadline, per task (P,), GFLOP.
        base: Total accuracy without work (P,).
    """

    tasks: Ints
    machines: Ints
    budget: Floats
    deadline: Floats
    weight: Floats
    whole: Bools
    idle: Floats
    reserve: Floats
    reach: Floats
    value: Floats
    level: Floats
    half: Floats
    speed: Floats
    efficiency: Floats
    best: Ints
    shape: Ints
    scale: Floats
    cap: Floats
    price: Floats
    rho: Floats
    mean_work: Floats
    base: Floats

    @classmethod
    def empty(cls, rows: int, tasks: int, machines: int, breakpoints: int, levels: int) -> SoftBank:
        """A bank without instances, with room for so many."""
        by_task, by_machine = (rows, tasks), (rows, machines)
        return cls(
            tasks=np.zeros(rows, dtype=np.int64),
            machines=np.zeros(rows, dtype=np.int64),
            budget=np.zeros(rows),
            deadline=np.zeros(by_task),
            weight=np.zeros(by_task),
            whole=np.zeros(by_task, dtype=np.bool_),
            idle=np.zeros(by_task),
            reserve=np.zeros((rows, tasks + 1)),
            reach=np.zeros((rows, tasks, breakpoints)),
            value=np.zeros((rows, tasks, breakpoints)),
            level=np.zeros((rows, tasks, levels)),
            half=np.zeros(by_task),
            speed=np.zeros(by_machine),
            efficiency=np.zeros(by_machine),
            best=np.zeros(rows, dtype=np.int64),
            shape=np.zeros(rows, dtype=np.int64),
            scale=np.zeros(rows),
            cap=np.zeros(rows),
            price=np.zeros(rows),
            rho=np.zeros(rows),
            mean_work=np.zeros(rows),
            base=np.zeros(rows),
        )


class SoftLibrary(Shelf):
    """The instances of a batch in a `SoftBank`; an `Instance` is played `softened`.

    Args:
        count: Number of environments.
        prepared: Instances known in advance, which all environments share.
        layout: Sizes of the observations.
        levels: Number of compression levels.
        workers: The threads of the batch.

    Raises:
        InputError: If an instance is larger than the layout.
    """

    bank: SoftBank

    def __init__(
        self,
        count: int,
        prepared: Sequence[Problem],
        layout: Layout,
        levels: int,
        *,
        workers: Workers,
    ) -> None:
        rows = count + len(prepared)
        self.bank = SoftBank.empty(rows, layout.max_tasks, layout.max_machines, 2, levels)
        super().__init__(count, prepared, layout, workers)

    def load(self, row: int, problem: Problem) -> None:
        """Writes an instance into a row.

        Raises:
            InputError: If it is larger than the environment.
        """
        soft = softened(problem)
        core, order = soft.core, soft.core.edf_order
        self.check_tasks(core)
        self.check_machines(core)
        n, m, k = core.num_tasks, core.num_machines, core.work.shape[1]
        self._widen(k)
        self.recipes[row] = Given(soft)
        bank = self.bank
        bank.tasks[row], bank.machines[row] = n, m
        bank.budget[row] = np.inf if soft.budget is None else soft.budget
        for into, column in (
            (bank.deadline, core.deadlines),
            (bank.weight, soft.weights),
            (bank.whole, soft.whole),
            (bank.idle, idle_penalties(soft)),
        ):
            into[row, :n] = column[order]
        for into, curves in ((bank.reach, core.work), (bank.value, core.accuracy)):
            into[row, :n, :k] = curves[order]
            into[row, :n, k:] = curves[order, -1:]
        least = np.zeros(n) if soft.may_refuse else soft.least_energy[order]
        bank.reserve[row, :n] = np.cumsum(least[::-1])[::-1]
        bank.reserve[row, n:] = 0.0
        bank.speed[row, :m], bank.efficiency[row, :m] = core.speeds, core.efficiencies
        bank.best[row] = int(np.argmax(core.efficiencies))
        bank.shape[row], bank.scale[row] = int(soft.penalty.shape), soft.penalty.scale
        bank.cap[row], bank.price[row] = cap_of(soft.penalty), soft.energy_price
        able = core.horizon * float(core.speeds.sum())
        bank.rho[row] = math.log(able) - math.log(float(core.max_work.sum()))
        bank.mean_work[row] = able / n
        bank.base[row] = float(core.base_accuracy.sum())
        prepare_row(bank, row)

    def _widen(self, breakpoints: int) -> None:
        """Makes room for curves of more breakpoints than so far."""
        old = self.bank
        rows, tasks, known = old.reach.shape
        if breakpoints <= known:
            return
        machines, levels = old.speed.shape[1], old.level.shape[2]
        wide = SoftBank.empty(rows, tasks, machines, breakpoints, levels)
        copy_into(wide, old)
        for into in (wide.reach, wide.value):
            into[:, :, known:] = into[:, :, known - 1 : known]
        self.bank = wide


@kernel
def prepare_row(bank: SoftBank, row: int) -> None:
    """Derives the levels of a row, of whole tasks all of the work alone, and where half is won."""
    last, levels = bank.reach.shape[2] - 1, bank.level.shape[2]
    for j in range(bank.tasks[row]):
        reach, value = bank.reach[row, j], bank.value[row, j]
        fill_levels(reach, value, bank.level[row, j])
        if bank.whole[row, j]:
            for level in range(levels):
                bank.level[row, j, level] = 0.0
            bank.level[row, j, levels - 1] = reach[last]
        half = value[0] + 0.5 * (value[last] - value[0])
        bank.half[row, j] = work_for(reach, value, half) / reach[last]
