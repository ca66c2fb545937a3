"""Schedules of tasks that arrive: when each starts has to be told, for machines wait for tasks."""

from __future__ import annotations

import numpy as np

from dsct_gym.accuracy import evaluate_curves
from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError
from dsct_gym.online.instance import OnlineInstance
from dsct_gym.problem import Problem
from dsct_gym.schedule import Schedule, check_works, releases
from dsct_gym.verifier import Rows


@releases.register
def _(problem: OnlineInstance) -> Floats:
    return problem.arrivals


def started_at(
    problem: Problem,
    machine_of: Ints,
    start: Floats,
    work: Floats,
    *,
    solver: str | None = None,
) -> Schedule:
    """A schedule from what was decided of each task.

    Args:
        problem: The problem; of an `Instance`, all tasks are there from the start.
        machine_of: Machine of each task (n,), −1 for none.
        start: When its machine begins with it (n,), s; ignored where there is no machine.
        work: Work spent on each task (n,), GFLOP; a task without any is given no machine.
        solver: Name to record.

    Returns:
        The schedule. It is not verified here.

    Raises:
        InputError: If shapes or machine indices do not fit the problem, or work is not finite.
    """
    core = problem.core
    machine, work = check_works(core, machine_of, work)
    if np.shape(start) != machine.shape:
        raise InputError(f"start: shape {np.shape(start)} for {core.num_tasks} tasks")
    runs = machine >= 0
    rows = Rows(
        task=np.arange(core.num_tasks),
        machine=machine,
        start=np.where(runs, start, 0.0),
        duration=np.where(runs, work / core.speeds[machine], 0.0),
        work=work,
        accuracy=evaluate_curves(core.work, core.accuracy, work),
        energy=np.where(runs, work / core.efficiencies[machine], 0.0),
    )
    return Schedule.from_rows(problem, rows, solver=solver)
