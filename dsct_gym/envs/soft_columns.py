"""What an agent sees where deadlines are soft: columns, their bounds, the observation space."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from gymnasium import spaces

from dsct_gym.envs.observation import LOG_LIMIT, Column, Layout, box, flags, log_ratio, share


class TaskPlace(IntEnum):
    """Places of the columns of the task at hand."""

    DEADLINE = 0
    WORK = 1
    GAIN = 2
    HALF = 3
    WEIGHT = 4
    WHOLE = 5


class MachinePlace(IntEnum):
    """Places of the columns of a machine; those from LOAD on are about the task at hand."""

    SPEED = 0
    EFFICIENCY = 1
    USED = 2
    LOAD = 3
    ROOM = 4
    TIME = 5
    LATE = 6
    PENALTY = 7
    ENERGY = 8


class StatePlace(IntEnum):
    """Places of the columns of the episode as a whole."""

    ENERGY_LEFT = 0
    TASKS_LEFT = 1
    VALUE = 2
    RHO = 3
    TASKS = 4
    MACHINES = 5
    STEP = 6
    LINEAR = 7
    EXPONENTIAL = 8
    SCALE = 9
    CAP = 10


def _some(place: IntEnum, meaning: str) -> Column:
    return Column(place, 0.0, LOG_LIMIT, meaning)


TASK: Final = (
    share(TaskPlace.DEADLINE, "d_j / d_max"),
    log_ratio(TaskPlace.WORK, "f_j^max / (d_max Σ_r s_r / n)"),
    share(TaskPlace.GAIN, "a_j(f_j^max) − a_j(0)"),
    share(
        TaskPlace.HALF, "work at which half of the gain is reached / f_j^max; 0 for a flat curve"
    ),
    _some(TaskPlace.WEIGHT, "w_j, at most 5"),
    share(TaskPlace.WHOLE, "1 for a task that is not compressible"),
)
"""Columns of the task at hand."""

MACHINE: Final = (
    log_ratio(MachinePlace.SPEED, "s_r / mean speed"),
    log_ratio(MachinePlace.EFFICIENCY, "E_r / mean efficiency"),
    _some(MachinePlace.USED, "t_r / d_max, at most 5"),
    _some(MachinePlace.LOAD, "t_r / d_j, at most 5"),
    share(MachinePlace.ROOM, "largest work on j that the budget allows / f_j^max"),
    log_ratio(MachinePlace.TIME, "f_j^max / s_r / d_j"),
    _some(MachinePlace.LATE, "lateness of j with all of its work / d_max, at most 5"),
    _some(MachinePlace.PENALTY, "what j then pays, at most 5"),
    _some(MachinePlace.ENERGY, "what the energy of all of its work costs, at most 5"),
)
"""Columns of a machine as it looks for the task at hand j."""

STATE: Final = (
    share(StatePlace.ENERGY_LEFT, "(B − energy spent) / B; 1 without a budget"),
    share(StatePlace.TASKS_LEFT, "tasks not yet decided / n"),
    Column(StatePlace.VALUE, -LOG_LIMIT, LOG_LIMIT, "Σ of rewards so far / n, within ±5"),
    log_ratio(StatePlace.RHO, "d_max Σ_r s_r / Σ_j f_j^max"),
    _some(StatePlace.TASKS, "log10(n)"),
    _some(StatePlace.MACHINES, "log10(m)"),
    share(StatePlace.STEP, "1 where the penalty is a step"),
    share(StatePlace.LINEAR, "1 where it is linear"),
    share(StatePlace.EXPONENTIAL, "1 where it is exponential"),
    log_ratio(StatePlace.SCALE, "scale / d_max", "0 for a step"),
    _some(StatePlace.CAP, "the cap, at most 5; 5 without one"),
)
"""Columns of the episode as a whole."""


@dataclass(frozen=True)
class SoftLayout(Layout):
    """Sizes of an observation, and what its columns are."""

    @property
    def task(self) -> tuple[Column, ...]:
        """Columns of ``task``."""
        return TASK

    @property
    def machine(self) -> tuple[Column, ...]:
        """Columns of each row of ``machines``."""
        return MACHINE

    @property
    def budget(self) -> tuple[Column, ...]:
        """Columns of ``budget``."""
        return STATE

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
