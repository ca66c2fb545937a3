"""What an agent sees where tasks arrive over time: columns, their bounds, the observation space.

Nothing here tells of what has not arrived, nor how much of it there is: what other ids measure by
n, d_max or all tasks is measured by the horizon and by the tasks that have arrived.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from dsct_gym.envs.observation import (
    LOG_LIMIT,
    Column,
    Layout,
    Observation,
    box,
    flags,
    log_ratio,
    share,
)


class TaskPlace(IntEnum):
    """Places of the columns of a task that waits."""

    DUE = 0
    SLACK = 1
    WORK = 2
    GAIN = 3
    HALF = 4
    ROOM = 5
    TIME = 6
    ENERGY = 7


class MachinePlace(IntEnum):
    """Places of the columns of a machine; those from LOAD on are about the task at hand."""

    SPEED = 0
    EFFICIENCY = 1
    SPENT = 2
    WAIT = 3
    LOAD = 4
    ROOM = 5
    TIME = 6
    ENERGY = 7


class QueuePlace(IntEnum):
    """Place of a machine's last column where tasks wait, instead of those about one task."""

    ASKED = 4


class StatePlace(IntEnum):
    """Places of the columns of the episode as a whole."""

    TIME = 0
    ENERGY_LEFT = 1
    PACE = 2
    BETA = 3
    ACCURACY = 4
    DEMAND = 5
    RECENT = 6
    ARRIVED = 7
    MACHINES = 8
    WAITING = 9


TASK: Final = (
    share(TaskPlace.DUE, "(d_j − t) / T, at most 1"),
    log_ratio(TaskPlace.SLACK, "(d_j − t) / mean time from arrival to deadline so far"),
    log_ratio(TaskPlace.WORK, "f_j^max / mean f^max so far"),
    share(TaskPlace.GAIN, "a_j(f_j^max) − a_j(0)"),
    share(
        TaskPlace.HALF, "work at which half of the gain is reached / f_j^max; 0 for a flat curve"
    ),
)
"""Columns of a task."""

FITS: Final = (
    share(TaskPlace.ROOM, "largest work on j that fits the machine / f_j^max"),
    log_ratio(TaskPlace.TIME, "f_j^max / s_r / (d_j − t)"),
    Column(
        TaskPlace.ENERGY,
        -LOG_LIMIT,
        LOG_LIMIT,
        "ln(f_j^max / E_r / (B (d_j − t) / T)); 5 when B is 0",
    ),
)
"""Columns of a task that waits, on the machine r that is asked."""

MACHINE: Final = (
    log_ratio(MachinePlace.SPEED, "s_r / mean speed"),
    log_ratio(MachinePlace.EFFICIENCY, "E_r / mean efficiency"),
    share(MachinePlace.SPENT, "energy spent on the machine / B; 0 when B is 0"),
    Column(
        MachinePlace.WAIT,
        0.0,
        LOG_LIMIT,
        "time until it is free / mean time from arrival to deadline so far",
    ),
)
"""Columns of a machine."""

ABOUT_TASK: Final = (
    share(MachinePlace.LOAD, "time until it is free / (d_j − t)"),
    share(MachinePlace.ROOM, "largest work on j that fits / f_j^max"),
    log_ratio(MachinePlace.TIME, "f_j^max / s_r / (d_j − t)"),
    Column(
        MachinePlace.ENERGY,
        -LOG_LIMIT,
        LOG_LIMIT,
        "ln(f_j^max / E_r / (B (d_j − t) / T)); 5 when B is 0",
    ),
)
"""Columns of a machine as it looks for the task at hand j."""


STATE: Final = (
    share(StatePlace.TIME, "t / T, at most 1"),
    share(StatePlace.ENERGY_LEFT, "(B − energy spent) / B; 0 when B is 0"),
    Column(StatePlace.PACE, -1.0, 1.0, "energy spent / B − t / T, t / T at most 1; 0 when B is 0"),
    Column(StatePlace.BETA, -LOG_LIMIT, LOG_LIMIT, "ln(B / (T Σ_r P_r)); −5 when B is 0"),
    share(StatePlace.ACCURACY, "Σ of rewards so far / tasks so far"),
    Column(
        StatePlace.DEMAND,
        -LOG_LIMIT,
        LOG_LIMIT,
        "ln(Σ f^max so far / (Σ_r s_r t)); 5 when t is 0",
    ),
    log_ratio(
        StatePlace.RECENT, "recent f^max / (Σ_r s_r T/20), a task's share falling by e in T/20"
    ),
    Column(StatePlace.ARRIVED, 0.0, LOG_LIMIT, "log10(1 + tasks so far)"),
    Column(StatePlace.MACHINES, 0.0, LOG_LIMIT, "log10(m)"),
    Column(StatePlace.WAITING, 0.0, LOG_LIMIT, "log10(1 + tasks that wait)"),
)
"""Columns of the episode as a whole."""


@dataclass(frozen=True)
class ArrivalLayout(Layout):
    """Sizes of an observation of the task that has just arrived, and what its columns are."""

    @property
    def task(self) -> tuple[Column, ...]:
        """Columns of ``task``."""
        return TASK

    @property
    def machine(self) -> tuple[Column, ...]:
        """Columns of each row of ``machines``."""
        return MACHINE + ABOUT_TASK

    @property
    def budget(self) -> tuple[Column, ...]:
        """Columns of ``budget``."""
        return STATE[: StatePlace.WAITING]

    def space(self) -> spaces.Dict:
        """The observation space; rows of padding, and what is about a task at the end, are 0."""
        return spaces.Dict(
            {
                "budget": box(self.budget, 1),
                "machines": box(self.machine, self.max_machines, padded=True),
                "machines_mask": flags(self.max_machines),
                "task": box(self.task, 1, padded=True),
            }
        )


@dataclass(frozen=True)
class QueueLayout(ArrivalLayout):
    """Sizes of an observation of the tasks that wait, and what its columns are.

    Attributes:
        window: Rows of the table of tasks.
    """

    window: int = 8

    @property
    def task(self) -> tuple[Column, ...]:
        """Columns of each row of ``tasks``."""
        return TASK + FITS

    @property
    def machine(self) -> tuple[Column, ...]:
        """Columns of each row of ``machines``."""
        return (*MACHINE, share(QueuePlace.ASKED, "1 for the machine that is asked"))

    @property
    def budget(self) -> tuple[Column, ...]:
        """Columns of ``budget``."""
        return STATE

    def space(self) -> spaces.Dict:
        """The observation space; rows of padding, and tasks that are not there, are 0."""
        return spaces.Dict(
            {
                "budget": box(self.budget, 1),
                "machines": box(self.machine, self.max_machines, padded=True),
                "machines_mask": flags(self.max_machines),
                "tasks": box(self.task, self.window, padded=True),
                "tasks_mask": flags(self.window),
            }
        )

    def tables(self, observation: Mapping[str, npt.NDArray[np.float32]]) -> Observation:
        """Views of an observation, or of a batch of them, with tables as (…, rows, columns)."""
        tasks = observation["tasks"]
        rest = {key: array for key, array in observation.items() if key != "tasks"}
        shaped = super().tables(rest)
        return {**shaped, "tasks": tasks.reshape(*tasks.shape[:-1], self.window, len(self.task))}
