"""What an agent sees: the documented columns, their bounds and the observation space.

Every value is scaled so that a network can use it as it is: shares lie in [0, 1] and ratios that
may span orders of magnitude are natural logarithms clipped to [−5, 5]. Tables are flat vectors,
row after row, because stock policies flatten them anyway and warn about anything else;
`Layout.tables` gives them back their shape.

The place of a column is a member of `TaskColumn`, `MachineColumn` or `BudgetColumn`. Kernels write
by these members, and the tables of columns are in their order, so ``MACHINE[MachineColumn.LOAD]``
tells bounds and meaning of what a kernel leaves at ``machines[env, r, MachineColumn.LOAD]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

LOG_LIMIT: Final = 5.0
"""Logarithms of ratios are clipped to this on either side."""


class TaskColumn(IntEnum):
    """Places of the columns of a task; the relaxation's come last."""

    DEADLINE = 0
    WORK = 1
    GAIN = 2
    HALF = 3
    FRACTION = 4
    PRICE = 5


class MachineColumn(IntEnum):
    """Places of the columns of a machine; the relaxation's come last."""

    SPEED = 0
    EFFICIENCY = 1
    USED = 2
    LOAD = 3
    ROOM = 4
    TIME = 5
    ENERGY = 6
    SPENT = 7
    PROFILE = 8
    PROFILE_LEFT = 9
    PRICE = 10
    FRACTION_TIME = 11


class BudgetColumn(IntEnum):
    """Places of the columns of the episode as a whole; the relaxation's come last."""

    ENERGY_LEFT = 0
    TASKS_LEFT = 1
    ACCURACY = 2
    RHO = 3
    BETA = 4
    TASKS = 5
    MACHINES = 6
    PRICE = 7
    RELAXED_PRICE = 8
    SLACK = 9


@dataclass(frozen=True)
class Column:
    """One number of an observation.

    Attributes:
        place: Where it stands in its row.
        low: Lower bound.
        high: Upper bound.
        meaning: What it tells; j is the task of the row (of the task at hand, in a machine's row).
    """

    place: IntEnum
    low: float
    high: float
    meaning: str

    @property
    def name(self) -> str:
        """Its name."""
        return self.place.name.lower()


def share(place: IntEnum, meaning: str) -> Column:
    """A column from 0 to 1."""
    return Column(place, 0.0, 1.0, meaning)


def log_ratio(place: IntEnum, ratio: str, otherwise: str | None = None) -> Column:
    """The logarithm of a ratio, clipped; ``otherwise`` tells what stands where there is none."""
    meaning = f"ln({ratio})" if otherwise is None else f"ln({ratio}); {otherwise}"
    return Column(place, -LOG_LIMIT, LOG_LIMIT, meaning)


TASK: Final = (
    share(TaskColumn.DEADLINE, "d_j / d_max"),
    log_ratio(TaskColumn.WORK, "f_j^max / (d_max Σ_r s_r / n)"),
    share(TaskColumn.GAIN, "a_j(f_j^max) − a_j(0)"),
    share(
        TaskColumn.HALF, "work at which half of the gain is reached / f_j^max; 0 for a flat curve"
    ),
)
"""Columns of a task: of the task at hand, and of each row of the table of tasks."""

TASK_GUIDANCE: Final = (
    share(TaskColumn.FRACTION, "work in the fractional relaxation / f_j^max"),
    log_ratio(
        TaskColumn.PRICE,
        "π_j f_j^max / gain",
        "−5 when π_j is 0, else 5 for a flat curve",
    ),
)
"""Columns of a task that the relaxation adds."""

MACHINE: Final = (
    log_ratio(MachineColumn.SPEED, "s_r / mean speed"),
    log_ratio(MachineColumn.EFFICIENCY, "E_r / mean efficiency"),
    share(MachineColumn.USED, "time used t_r / d_max"),
    share(MachineColumn.LOAD, "t_r / d_j"),
    share(MachineColumn.ROOM, "largest work on j that fits now / f_j^max"),
    log_ratio(MachineColumn.TIME, "f_j^max / s_r / d_j"),
    log_ratio(MachineColumn.ENERGY, "f_j^max / E_r / (B / n)", "5 when B is 0"),
    share(MachineColumn.SPENT, "energy spent on the machine / B; 0 when B is 0"),
)
"""Columns of a machine, as it looks for the task at hand j."""

MACHINE_GUIDANCE: Final = (
    share(
        MachineColumn.PROFILE,
        "energy of the machine in the fractional relaxation / B; 0 when B is 0",
    ),
    Column(MachineColumn.PROFILE_LEFT, -1.0, 1.0, "profile − spent"),
    log_ratio(MachineColumn.PRICE, "λ / E_r / π_j", "−5 when λ is 0, else 5 when π_j is 0"),
    Column(MachineColumn.FRACTION_TIME, 0.0, LOG_LIMIT, "fractional work of j / s_r / d_j"),
)
"""Columns of a machine that the relaxation adds."""

BUDGET: Final = (
    share(BudgetColumn.ENERGY_LEFT, "(B − energy spent) / B; 0 when B is 0"),
    share(BudgetColumn.TASKS_LEFT, "tasks not yet decided / n"),
    share(BudgetColumn.ACCURACY, "Σ of rewards so far / n"),
    log_ratio(BudgetColumn.RHO, "d_max Σ_r s_r / Σ_j f_j^max"),
    log_ratio(BudgetColumn.BETA, "B / (d_max Σ_r P_r)", "−5 when B is 0"),
    Column(BudgetColumn.TASKS, 0.0, LOG_LIMIT, "log10(n)"),
    Column(BudgetColumn.MACHINES, 0.0, LOG_LIMIT, "log10(m)"),
    log_ratio(
        BudgetColumn.PRICE,
        "λ B / n",
        "λ of the optimum so far, −5 when it is 0; in all ids but Assign 0",
    ),
)
"""Columns of the episode as a whole."""

BUDGET_GUIDANCE: Final = (
    log_ratio(
        BudgetColumn.RELAXED_PRICE,
        "λ B / n",
        "λ of the fractional relaxation, −5 when it is 0",
    ),
    log_ratio(
        BudgetColumn.SLACK,
        "Σ_r s_r (d_max − t_r) / fractional work of the tasks not yet decided",
        "5 when that work is 0",
    ),
)
"""Columns of the episode that the relaxation adds."""

Observation = dict[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Layout:
    """Sizes of an observation, and what its columns are.

    Attributes:
        max_tasks: Rows of the table of tasks.
        max_machines: Rows of the table of machines.
        guidance: Whether the columns of the relaxation are there.
    """

    max_tasks: int
    max_machines: int
    guidance: bool = False

    @property
    def task(self) -> tuple[Column, ...]:
        """Columns of ``task`` and of each row of ``tasks``."""
        return TASK + TASK_GUIDANCE if self.guidance else TASK

    @property
    def machine(self) -> tuple[Column, ...]:
        """Columns of each row of ``machines``."""
        return MACHINE + MACHINE_GUIDANCE if self.guidance else MACHINE

    @property
    def budget(self) -> tuple[Column, ...]:
        """Columns of ``budget``."""
        return BUDGET + BUDGET_GUIDANCE if self.guidance else BUDGET

    def space(self) -> spaces.Dict:
        """The observation space; rows of padding and of decided tasks are 0."""
        return spaces.Dict(
            {
                "budget": box(self.budget, 1),
                "machines": box(self.machine, self.max_machines, padded=True),
                "machines_mask": flags(self.max_machines),
                "task": box(self.task, 1, padded=True),
                "tasks": box(self.task, self.max_tasks, padded=True),
                "tasks_mask": flags(self.max_tasks),
            }
        )

    def tables(self, observation: Mapping[str, npt.NDArray[np.float32]]) -> Observation:
        """Views of an observation, or of a batch of them, with tables as (…, rows, columns)."""
        shaped = dict(observation)
        for key, rows, columns in (
            ("tasks", self.max_tasks, self.task),
            ("machines", self.max_machines, self.machine),
        ):
            if key not in observation:
                continue
            table = observation[key]
            shaped[key] = table.reshape(*table.shape[:-1], rows, len(columns))
        return shaped


def box(columns: tuple[Column, ...], rows: int, *, padded: bool = False) -> spaces.Box:
    """A flat box of ``rows`` repetitions of the columns; ``padded`` rows may be all 0."""
    low = np.array([column.low for column in columns], dtype=np.float32)
    high = np.array([column.high for column in columns], dtype=np.float32)
    if padded:
        low, high = np.minimum(low, 0.0), np.maximum(high, 0.0)
    return spaces.Box(np.tile(low, rows), np.tile(high, rows), dtype=np.float32)


def flags(rows: int) -> spaces.Box:
    """A flat box of ones where a row stands for something and zeros elsewhere."""
    return spaces.Box(0.0, 1.0, (rows,), dtype=np.float32)
