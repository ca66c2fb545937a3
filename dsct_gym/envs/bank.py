"""Instances as the stepping kernels read them: one row of every array an instance.

A row is written once, when an instance is loaded: its tasks in EDF order, the work of every
compression level, the static columns of the observation and, for the Assign environment, its
segments as `dsct_gym.allocation.Packed` has them. Episodes only refer to rows, so a pool of
instances is prepared once and shared by all environments of a batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from dsct_gym.allocation import Levels, pack
from dsct_gym.arrays import Floats, Ints
from dsct_gym.envs.observation import LOG_LIMIT, Layout, TaskColumn
from dsct_gym.envs.shelf import Given, Shelf
from dsct_gym.envs.workers import Workers
from dsct_gym.jit import helper, kernel
from dsct_gym.levels import fill_levels, work_for
from dsct_gym.relaxation import relax

if TYPE_CHECKING:
    from dsct_gym.problem import Problem


class Bank(NamedTuple):
    """Rows of instances; P rows, up to n tasks, m machines, K+1 breakpoints, L levels, S segments.

    Attributes:
        tasks: Number of tasks (P,).
        machines: Number of machines (P,).
        budget: Energy budget (P, 1), J.
        deadline: Deadlines in EDF order (P, n), s.
        speed: (P, m), GFLOP/s.
        efficiency: (P, m), GFLOP/J.
        reach: Work at the breakpoints (P, n, K+1), GFLOP, tasks in EDF order.
        value: Accuracy at the breakpoints (P, n, K+1).
        level: Work of each compression level (P, n, L), GFLOP.
        columns: Columns of the table of tasks (P, n, columns).
        log_work: ln f_j^max (P, n).
        log_deadline: ln d_j (P, n).
        log_speed: ln s_r (P, m).
        log_efficiency: ln E_r (P, m).
        log_ration: ln(B / n) (P,); −inf when B is 0.
        rho: ln of the deadline tolerance (P,).
        beta: ln of the energy budget ratio (P,); −5 when B is 0.
        base: Total accuracy without work (P,).
        guided: Whether the rows hold the relaxation of their instances.
        energy_price: λ of the relaxation (P,); 0 without guidance, like the three below.
        work_price: π_j of the relaxation (P, n).
        fraction: Work in the relaxation (P, n), GFLOP.
        profile: Energy of each machine in the relaxation (P, m), J.
        segments: Number of rising segments (P,); filled for the Assign environment only.
        task: Task of each segment (P, S), steepest first.
        slope: (P, S).
        width: (P, S).
        first: (P, n+1).
        own: (P, S).
        several: As in `Packed`: True once a machine of any row has several increments.
        levels: What these are, row by row (P, …); None where ``several`` is.
    """

    tasks: Ints
    machines: Ints
    budget: Floats
    deadline: Floats
    speed: Floats
    efficiency: Floats
    reach: Floats
    value: Floats
    level: Floats
    columns: npt.NDArray[np.float32]
    log_work: Floats
    log_deadline: Floats
    log_speed: Floats
    log_efficiency: Floats
    log_ration: Floats
    rho: Floats
    beta: Floats
    base: Floats
    guided: bool
    energy_price: Floats
    work_price: Floats
    fraction: Floats
    profile: Floats
    segments: Ints
    task: Ints
    slope: Floats
    width: Floats
    first: Ints
    own: Ints
    several: bool | None = None
    levels: Levels = cast("Levels", None)

    @classmethod
    def empty(
        cls,
        rows: int,
        layout: Layout,
        breakpoints: int,
        levels: int,
        *,
        segmented: bool,
        depth: int = 1,
    ) -> Bank:
        """A bank without instances.

        Args:
            rows: P.
            layout: Says the most tasks and machines.
            breakpoints: K+1.
            levels: L.
            segmented: Whether there is room for segments.
            depth: Most increments of a machine.
        """
        n, m = layout.max_tasks, layout.max_machines
        most = n * (breakpoints - 1) if segmented else 0
        return cls(
            tasks=np.zeros(rows, dtype=np.int64),
            machines=np.zeros(rows, dtype=np.int64),
            budget=np.zeros((rows, 1)),
            deadline=np.zeros((rows, n)),
            speed=np.zeros((rows, m)),
            efficiency=np.zeros((rows, m)),
            reach=np.zeros((rows, n, breakpoints)),
            value=np.zeros((rows, n, breakpoints)),
            level=np.zeros((rows, n, levels)),
            columns=np.zeros((rows, n, len(layout.task)), dtype=np.float32),
            log_work=np.zeros((rows, n)),
            log_deadline=np.zeros((rows, n)),
            log_speed=np.zeros((rows, m)),
            log_efficiency=np.zeros((rows, m)),
            log_ration=np.zeros(rows),
            rho=np.zeros(rows),
            beta=np.zeros(rows),
            base=np.zeros(rows),
            guided=layout.guidance,
            energy_price=np.zeros(rows),
            work_price=np.zeros((rows, n)),
            fraction=np.zeros((rows, n)),
            profile=np.zeros((rows, m)),
            segments=np.zeros(rows, dtype=np.int64),
            task=np.zeros((rows, most), dtype=np.int64),
            slope=np.zeros((rows, most)),
            width=np.zeros((rows, most)),
            first=np.zeros((rows, n + 1), dtype=np.int64),
            own=np.zeros((rows, most), dtype=np.int64),
            several=True if depth > 1 else None,
            levels=_empty_levels(rows, m, depth) if depth > 1 else cast("Levels", None),
        )

    @property
    def depth(self) -> int:
        """Most increments of a machine that there is room for."""
        return 1 if self.several is None else self.levels.speed.shape[1] // self.speed.shape[1]


def _empty_levels(rows: int, machines: int, depth: int) -> Levels:
    """Room for the increments of P rows."""
    return Levels(
        first=np.zeros((rows, machines + 1), dtype=np.int64),
        speed=np.zeros((rows, machines * depth)),
        efficiency=np.zeros((rows, machines * depth)),
    )


class Library(Shelf):
    """The instances of a batch of environments in a `Bank`.

    Args:
        count: Number of environments.
        prepared: Instances known in advance, which all environments share.
        layout: Sizes of the observations.
        levels: Number of compression levels.
        segmented: Whether the allocation kernels will read the rows.
        workers: The threads of the batch.

    Raises:
        InputError: If an instance is larger than the layout.
    """

    bank: Bank

    def __init__(
        self,
        count: int,
        prepared: Sequence[Problem],
        layout: Layout,
        levels: int,
        *,
        segmented: bool,
        workers: Workers,
    ) -> None:
        self._levels, self._segmented = levels, segmented
        rows = count + len(prepared)
        self.bank = Bank.empty(rows, layout, 2, levels, segmented=segmented)
        super().__init__(count, prepared, layout, workers)

    @property
    def several(self) -> bool:
        """Whether a machine of any row may have several clocks."""
        return self.bank.several is not None

    def load(self, row: int, problem: Problem) -> None:
        """Writes an instance into a row, or one with operating points.

        Raises:
            InputError: If it is larger than the environment.
        """
        instance = problem.core
        self.check_tasks(instance)
        self.check_machines(instance)
        levels = pack(problem).levels if problem.needs else None
        self.widen(instance.work.shape[1], 1 if levels is None else levels.depth)
        self.recipes[row] = Given(problem)
        bank, order = self.bank, instance.edf_order
        n, m, k = instance.num_tasks, instance.num_machines, instance.work.shape[1]
        bank.tasks[row], bank.machines[row] = n, m
        bank.budget[row, 0] = instance.energy_budget
        bank.deadline[row, :n] = instance.deadlines[order]
        bank.speed[row, :m], bank.efficiency[row, :m] = instance.speeds, instance.efficiencies
        for into, curves in ((bank.reach, instance.work), (bank.value, instance.accuracy)):
            into[row, :n, :k] = curves[order]
            into[row, :n, k:] = curves[order, -1:]
        if self.bank.guided:
            self._load_guidance(row, problem)
        prepare(bank, row)
        if levels is not None:
            for name, given in levels._asdict().items():
                getattr(bank.levels, name)[row, : given.size] = given

    def widen(self, breakpoints: int, depth: int = 1) -> None:
        """Makes room for curves of more breakpoints and machines of more increments than so far."""
        old = self.bank
        known = old.reach.shape[2]
        if breakpoints <= known and depth <= old.depth:
            return
        wide = Bank.empty(
            old.tasks.size,
            self._layout,
            max(breakpoints, known),
            self._levels,
            segmented=self._segmented,
            depth=max(depth, old.depth),
        )
        copy_into(wide, old)
        for into in (wide.reach, wide.value):
            into[:, :, known:] = into[:, :, known - 1 : known]
        self.bank = wide
        if old.several is None and wide.several is not None:
            for row, recipe in enumerate(self.recipes):
                if recipe is not None:
                    prepare(wide, row)

    def _load_guidance(self, row: int, problem: Problem) -> None:
        relaxation, instance = relax(problem), problem.core
        order = instance.edf_order
        n, m = instance.num_tasks, instance.num_machines
        self.bank.energy_price[row] = relaxation.energy_price
        self.bank.work_price[row, :n] = relaxation.marginal_prices[order]
        self.bank.fraction[row, :n] = relaxation.work[order]
        self.bank.profile[row, :m] = relaxation.energy


def copy_into(wide: Iterable[Any], arrays: Iterable[Any]) -> None:
    """Copies arrays into the corners of others that are at least as large; leaves the rest.

    Tuples of arrays among them likewise, where both have them.
    """
    for into, array in zip(wide, arrays, strict=True):
        if isinstance(into, np.ndarray):
            into[tuple(slice(size) for size in array.shape)] = array
        elif isinstance(into, tuple) and array is not None:
            copy_into(into, array)


@helper
def clip(value: float, low: float, high: float) -> float:
    """``value`` within [low, high]."""
    return min(max(value, low), high)


@helper
def clip_log(value: float) -> float:
    """A logarithm within the bounds of its column."""
    return min(max(value, -LOG_LIMIT), LOG_LIMIT)


@kernel
def prepare(bank: Bank, row: int) -> None:
    """Derives levels, logarithms and static columns of a row from its instance."""
    n, m = bank.tasks[row], bank.machines[row]
    last = bank.reach.shape[2] - 1
    horizon = bank.deadline[row, n - 1]
    speed, power, work = 0.0, 0.0, 0.0
    for r in range(m):
        speed += bank.speed[row, r]
        power += bank.speed[row, r] / bank.efficiency[row, r]
        bank.log_speed[row, r] = math.log(bank.speed[row, r])
        bank.log_efficiency[row, r] = math.log(bank.efficiency[row, r])
    for j in range(n):
        work += bank.reach[row, j, last]
    log_share = math.log(horizon * speed / n)
    bank.log_ration[row] = math.log(bank.budget[row, 0] / n)
    bank.rho[row] = clip_log(math.log(horizon * speed / work))
    bank.beta[row] = clip_log(math.log(bank.budget[row, 0] / (horizon * power)))
    base = 0.0
    for j in range(n):
        base += bank.value[row, j, 0]
        full, gain = bank.reach[row, j, last], bank.value[row, j, last] - bank.value[row, j, 0]
        reach, value = bank.reach[row, j], bank.value[row, j]
        fill_levels(reach, value, bank.level[row, j])
        bank.log_work[row, j] = math.log(full)
        bank.log_deadline[row, j] = math.log(bank.deadline[row, j])
        columns = bank.columns[row, j]
        columns[TaskColumn.DEADLINE] = bank.deadline[row, j] / horizon
        columns[TaskColumn.WORK] = clip_log(bank.log_work[row, j] - log_share)
        columns[TaskColumn.GAIN] = gain
        columns[TaskColumn.HALF] = work_for(reach, value, value[0] + 0.5 * gain) / full
        if bank.guided:
            columns[TaskColumn.FRACTION] = clip(bank.fraction[row, j] / full, 0.0, 1.0)
            columns[TaskColumn.PRICE] = _log_price(bank.work_price[row, j] * full, gain)
    bank.base[row] = base
    _prepare_levels(bank, bank.several, row)
    if bank.task.shape[1] > 0:
        _fill_segments(bank, row)


@helper
def _prepare_levels(bank: Bank, several: bool | None, row: int) -> None:
    """Gives each machine of a row one increment: all of its speed."""
    if several is not None:
        for r in range(bank.machines[row]):
            bank.levels.first[row, r] = r
            bank.levels.speed[row, r] = bank.speed[row, r]
            bank.levels.efficiency[row, r] = bank.efficiency[row, r]
        bank.levels.first[row, bank.machines[row]] = bank.machines[row]


@kernel
def _fill_segments(bank: Bank, row: int) -> None:
    """Writes the rising segments as `Instance.segments` orders them: steepest first, stable."""
    n, count = bank.tasks[row], 0
    most = bank.task.shape[1]
    task, slope, width = (
        np.empty(most, dtype=np.int64),
        np.empty(most),
        np.empty(most),
    )
    for j in range(n):
        bank.first[row, j] = count
        least = np.inf
        for k in range(bank.reach.shape[2] - 1):
            reach = bank.reach[row, j, k + 1] - bank.reach[row, j, k]
            if reach > 0.0:
                least = min(least, (bank.value[row, j, k + 1] - bank.value[row, j, k]) / reach)
                if least > 0.0:
                    task[count], slope[count], width[count] = j, least, reach
                    count += 1
    bank.first[row, n] = count
    bank.segments[row] = count
    steepest = np.argsort(-slope[:count], kind="mergesort")
    for place in range(count):
        segment = steepest[place]
        bank.task[row, place] = task[segment]
        bank.slope[row, place] = slope[segment]
        bank.width[row, place] = width[segment]
        bank.own[row, segment] = place


@helper
def _log_price(paid: float, gained: float) -> float:
    """Logarithm of a price over what it buys, within bounds where either is 0."""
    if paid <= 0.0:
        return -LOG_LIMIT
    if gained <= 0.0:
        return LOG_LIMIT
    return clip_log(math.log(paid / gained))
