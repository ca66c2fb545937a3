"""Schedules of sequences: each machine runs its tasks one after the other, in a given order.

A penalty never falls with time, so no machine of an optimal schedule stands idle before its last
task: sequences and works say all.
"""

from __future__ import annotations

import numpy as np

from dsct_gym.accuracy import evaluate_curves
from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError
from dsct_gym.schedule import Schedule, check_works
from dsct_gym.soft.instance import SoftInstance
from dsct_gym.verifier import Rows


def run_in_order(
    problem: SoftInstance, machine_of: Ints, place: Floats | Ints, work: Floats | None = None
) -> Schedule:
    """Runs each machine's tasks in the order of their places, without idling.

    Args:
        problem: The problem.
        machine_of: Machine of each task (n,), −1 for a task that is refused.
        place: What tasks of one machine are put in order by (n,), ties by index.
        work: Work spent on each task (n,), GFLOP; None for all of it.

    Returns:
        The schedule. It is not verified here.

    Raises:
        InputError: If shapes or machine indices do not fit the problem, or work is not finite.
    """
    core = problem.core
    machine, work = check_works(core, machine_of, core.max_work if work is None else work)
    if np.shape(place) != machine.shape:
        raise InputError(f"place: shape {np.shape(place)} for {core.num_tasks} tasks")
    runs = machine >= 0
    duration = np.where(runs, work / core.speeds[machine], 0.0)
    start = np.zeros(core.num_tasks)
    order = np.argsort(place, kind="stable")
    for r in range(core.num_machines):
        queue = order[machine[order] == r]
        ends = np.cumsum(duration[queue])
        start[queue[1:]] = ends[:-1]
    rows = Rows(
        task=np.arange(core.num_tasks),
        machine=machine,
        start=start,
        duration=duration,
        work=work,
        accuracy=evaluate_curves(core.work, core.accuracy, work),
        energy=np.where(runs, work / core.efficiencies[machine], 0.0),
    )
    return Schedule.from_rows(problem, rows)
