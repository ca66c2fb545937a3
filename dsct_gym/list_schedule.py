"""Steps 1 and 2 of DSCT-APPROX: list scheduling of the fractional relaxation.

Source: Barros et al., "Deadline Scheduling with Compressible Tasks, Energy Aware", ICPP 2024.
"""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.jit import kernel
from dsct_gym.relaxation import Relaxation

if TYPE_CHECKING:
    from dsct_gym.problem import Problem


@singledispatch
def working_speeds(problem: Problem, relaxation: Relaxation) -> Floats:
    """Speed at which each machine would spend its energy of the relaxation in its busy time.

    Args:
        problem: The problem.
        relaxation: Its fractional relaxation.

    Returns:
        Speeds (m,), GFLOP/s.

    Raises:
        InputError: If machines of problems of this type have no such speed.
    """
    raise InputError(f"instance: there is no list schedule for {type(problem).__name__}")


@working_speeds.register
def _(problem: Instance, relaxation: Relaxation) -> Floats:
    return problem.speeds


def assign(problem: Problem, relaxation: Relaxation) -> Ints:
    """The machine of each task.

    In the fractional solution machine r may as well work without a break from time 0 until its
    busy time is over. Each task, by deadline, goes to the machine that would finish it first,
    among those that could start it within their busy time and before its deadline.

    Args:
        problem: The problem, of a type that `working_speeds` takes.
        relaxation: Its fractional relaxation.

    Returns:
        Machine of each task (n,); every task has one.
    """
    instance = problem.core
    order = instance.edf_order
    machine = _list_schedule(
        instance.deadlines[order],
        working_speeds(problem, relaxation),
        relaxation.busy_time,
        relaxation.work[order],
    )
    return machine[instance.edf_rank]


@kernel
def _list_schedule(deadline: Floats, speed: Floats, busy: Floats, work: Floats) -> Ints:
    """Machine of each task (n,), tasks in EDF order."""
    machine = np.zeros(deadline.size, dtype=np.int64)
    load = np.zeros(speed.size)
    for task in range(deadline.size):
        best, earliest = -1, np.inf
        for r in range(speed.size):
            finish = load[r] + work[task] / speed[r]
            if load[r] < min(busy[r], deadline[task]) and finish < earliest:
                best, earliest = r, finish
        if best < 0:  # Rounding has used up every share: the machine least beyond its own.
            best = int(np.argmin(load - busy))
        machine[task] = best
        load[best] += work[task] / speed[best]
    return machine
