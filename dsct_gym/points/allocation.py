"""Exact allocation for a fixed assignment of tasks to machines with operating points.

On each machine, for k = 1, 2, …, the deadline greedy of `dsct_gym.allocation` runs with the speed
of the first k increments. What a segment gets with k, less what it gets with k − 1, is its piece on
increment k: more speed never takes anything from a segment. Pieces of all machines, in order of
accuracy per joule on their increments, are taken until the budget is spent. That is exact for every
budget. The works so found take at their least energy (`dsct_gym.points.schedule`) what their pieces
take.
"""

from __future__ import annotations

import numpy as np

from dsct_gym.allocation import (
    Levels,
    Packed,
    accept_by_deadlines,
    allocate,
    cut_to_budget,
    pack,
)
from dsct_gym.arrays import Floats, Ints
from dsct_gym.list_schedule import assign
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.relaxation import relax
from dsct_gym.running import found_at_once
from dsct_gym.schedule import Schedule, check_assignment, schedule_of


@allocate.register
def _(problem: DvfsInstance, machine_of: Ints) -> Schedule:
    machine = check_assignment(problem.core, machine_of)
    work = optimal_work(problem, machine[problem.core.edf_order])
    return schedule_of(problem, machine, work[problem.core.edf_rank])


@found_at_once.register
def _(problem: DvfsInstance) -> float:
    return allocate(problem, assign(problem, relax(problem))).total_accuracy


@pack.register
def _(problem: DvfsInstance) -> Packed:
    increments = problem.increments
    packed = Packed.of(problem.core)
    if increments.owner.size == problem.core.num_machines:
        return packed
    speeds = [points.speeds[points.hull] for points in problem.points]
    return packed._replace(
        levels=Levels(
            first=increments.first,
            speed=np.concatenate(speeds),
            efficiency=increments.efficiency,
        ),
        several=True,
    )


def optimal_work(problem: DvfsInstance, machine: Ints) -> Floats:
    """Optimal works for an assignment, tasks in EDF order.

    Args:
        problem: The problem.
        machine: Machine of each task in EDF order (n,), −1 for none.

    Returns:
        Work of each task in EDF order (n,), GFLOP.
    """
    packed = Packed.of(problem.core)
    layers = layer_speeds(problem)
    accepted = [accept_by_deadlines(packed._replace(speed=speed), machine) for speed in layers]
    pieces = np.maximum(np.diff(accepted, axis=0, prepend=0.0), 0.0)
    # To the budget an increment is a machine, and a task's pieces on several are several tasks.
    depth = len(layers)
    increment = problem.increments.first[machine][:, None] + np.arange(depth)
    virtual = packed._replace(
        efficiency=problem.increments.efficiency,
        speed=problem.increments.speed,
        task=(packed.task[:, None] * depth + np.arange(depth)).ravel(),
        slope=np.repeat(packed.slope, depth),
        width=np.repeat(packed.width, depth),
    )
    flat = np.ascontiguousarray(pieces.T).ravel()
    cut_to_budget(virtual, np.where(machine[:, None] >= 0, increment, -1).ravel(), flat)
    work = np.zeros(machine.size)
    for layer in flat.reshape(-1, depth).T:
        np.add.at(work, packed.task, layer)
    return work


def layer_speeds(problem: DvfsInstance) -> list[Floats]:
    """Speed of each machine (m,) with its first k increments, for k = 1, 2, … up to the most."""
    first = problem.increments.first
    summed = [points.speeds[points.hull] for points in problem.points]
    depth = int(np.diff(first).max())
    return [np.array([each[min(k, each.size - 1)] for each in summed]) for k in range(depth)]
