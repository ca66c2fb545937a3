"""Exact works for machines that run their tasks in a given order, none before its arrival.

In a fixed order a task starts no earlier than those ahead of it have ended, so that the windows of
a machine's tasks may be narrowed to agree: arrivals to the latest so far, deadlines to the earliest
still to come. Works that fit into such windows are the same preempted or not, and form a
polymatroid whose tight sets are runs of consecutive tasks. Measured in joules and cut off at the
budget they still form one, so the greedy algorithm is exact, as without arrivals
(`dsct_gym.allocation`): segments by accuracy per joule each take what the least slack of the runs
they are in allows, until the budget is spent. What a task may still get is the time between the
earliest end of what is ahead of it and the latest start of what follows it.

A task without work has its place as well: it starts after its arrival and ends by its deadline.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsct_gym.allocation import Packed, cut_to_budget
from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError
from dsct_gym.jit import helper, kernel
from dsct_gym.online.schedule import started_at
from dsct_gym.problem import Problem
from dsct_gym.schedule import Schedule, check_assignment, releases

Rows = npt.NDArray[np.int32]
"""A row of tasks or segments for each slot."""


class Queues(NamedTuple):
    """Tasks and what is noted of those of one machine, by their place in its order.

    Attributes:
        arrival: When each task arrives (n,), s, tasks in EDF order.
        place: Place of each task in its machine's order (n,).
        ready: Earliest start (n,), s, at the works accepted so far.
        latest: Latest start (n,), s, at the same works.
        duration: Time that these works take (n,), s.
        accepted: Work of each segment of a machine, by its position there (S,), GFLOP.
    """

    arrival: Floats
    place: Ints
    ready: Floats
    latest: Floats
    duration: Floats
    accepted: Floats

    @classmethod
    def of(cls, packed: Packed, arrival: Floats) -> Queues:
        """Room for the tasks of a problem, with their arrivals in EDF order."""
        n = arrival.size
        return cls(
            arrival=arrival,
            place=np.zeros(n, dtype=np.int64),
            ready=np.zeros(n),
            latest=np.zeros(n),
            duration=np.zeros(n),
            accepted=np.zeros(packed.task.size),
        )


def arrivals_of(problem: Problem) -> Floats:
    """Arrivals in EDF order (n,), s; zeros where all tasks are there from the start."""
    known = releases(problem)
    if known is None:
        return np.zeros(problem.core.num_tasks)
    return known[problem.core.edf_order]


def allocate_in_order(
    problem: Problem, machine_of: Ints, key: Floats, *, solver: str | None = None
) -> Schedule:
    """The best schedule in which each machine runs its tasks in a given order, exactly.

    Args:
        problem: The problem; of an `Instance`, all tasks are there from the start.
        machine_of: Machine of each task (n,), −1 for none.
        key: Machines run their tasks by increasing key (n,), of equal ones the earlier deadline
            first.
        solver: Name to record.

    Returns:
        The schedule of most accuracy in this order, in which every task starts as early as it can.

    Raises:
        InputError: If machines or keys do not fit the problem.
    """
    core = problem.core
    machine = check_assignment(core, machine_of)
    if np.shape(key) != machine.shape or not np.isfinite(key).all():
        raise InputError(f"key: needs {core.num_tasks} numbers")
    rank, order = core.edf_rank, core.edf_order
    packed = Packed.of(core)
    sequence = np.argsort(np.asarray(key)[order], kind="stable")
    queues = Queues.of(packed, arrivals_of(problem))
    work, start = _optimum(packed, queues, machine[order], sequence)
    return started_at(problem, machine, start[rank], work[rank], solver=solver)


@kernel
def _optimum(
    packed: Packed, queues: Queues, machine: Ints, sequence: Ints
) -> tuple[Floats, Floats]:
    """Works and starts of all tasks (n,), tasks in EDF order.

    Args:
        packed: The prepared problem.
        queues: Arrivals and scratch.
        machine: Machine of each task (n,), −1 for none.
        sequence: Tasks in the order in which machines run theirs (n,).
    """
    n, m, segments = machine.size, packed.speed.size, packed.task.size
    tasks, load = np.empty((m, n), dtype=np.int32), np.zeros(m, dtype=np.int64)
    order, length = np.empty((m, segments), dtype=np.int32), np.zeros(m, dtype=np.int64)
    list_machines(packed, machine, sequence, tasks, load, order, length)
    accepted = np.zeros(segments)
    for r in range(m):
        accept_in_order(packed, queues, tasks, load, order, length, r, packed.speed[r])
        for position in range(length[r]):
            accepted[order[r, position]] = queues.accepted[position]
    cut_to_budget(packed, machine, accepted)
    work, start = np.zeros(n), np.zeros(n)
    for segment in range(segments):
        work[packed.task[segment]] += accepted[segment]
    for r in range(m):
        free = 0.0
        for position in range(load[r]):
            task = tasks[r, position]
            if work[task] > 0.0:
                start[task] = max(free, queues.arrival[task])
                free = start[task] + work[task] / packed.speed[r]
    return work, start


@helper
def list_machines(
    packed: Packed,
    machine: Ints,
    sequence: Ints,
    tasks: Rows,
    load: Ints,
    order: Rows,
    length: Ints,
) -> None:
    """Lists tasks in order and segments, steepest first, of each machine r in slot r."""
    for task in sequence:
        r = machine[task]
        if r >= 0:
            tasks[r, load[r]] = task
            load[r] += 1
    for segment in range(packed.task.size):
        r = machine[packed.task[segment]]
        if r >= 0:
            order[r, length[r]] = segment
            length[r] += 1


@helper
def accept_in_order(
    packed: Packed,
    queues: Queues,
    tasks: Rows,
    load: Ints,
    order: Rows,
    length: Ints,
    slot: int,
    speed: float,
) -> None:
    """Gives each segment of a machine what fits when energy is free, in ``queues.accepted``.

    Args:
        packed: The prepared problem.
        queues: Arrivals and scratch.
        tasks: Tasks of each slot in the order in which they run; the first ``load`` count.
        load: Number of tasks of each slot.
        order: Segments of these tasks, steepest first; the first ``length`` count.
        length: Number of segments of each slot.
        slot: The slot.
        speed: Of its machine, GFLOP/s.
    """
    ready, latest = 0.0, np.inf
    for place in range(load[slot]):
        task = tasks[slot, place]
        ready = max(ready, queues.arrival[task])
        queues.place[task] = place
        queues.ready[place] = ready
        queues.duration[place] = 0.0
    for place in range(load[slot] - 1, -1, -1):
        latest = min(latest, packed.deadline[tasks[slot, place]])
        queues.latest[place] = latest
    for position in range(length[slot]):
        segment = order[slot, position]
        place = queues.place[packed.task[segment]]
        room = (queues.latest[place] - queues.ready[place]) * speed
        queues.accepted[position] = max(0.0, min(room, packed.width[segment]))
        if room > 0.0:
            _lengthen(queues, load[slot], place, queues.accepted[position] / speed)


@helper
def _lengthen(queues: Queues, load: int, place: int, time: float) -> None:
    """Gives the task at a place more time, which moves those behind and those ahead of it."""
    queues.duration[place] += time
    queues.latest[place] -= time
    end = queues.ready[place] + queues.duration[place]
    behind = place + 1
    while behind < load and queues.ready[behind] < end:
        queues.ready[behind] = end
        end += queues.duration[behind]
        behind += 1
    latest = queues.latest[place]
    ahead = place - 1
    while ahead >= 0 and queues.latest[ahead] + queues.duration[ahead] > latest:
        latest -= queues.duration[ahead]
        queues.latest[ahead] = latest
        ahead -= 1
