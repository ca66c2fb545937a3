"""Exact processing times for a fixed assignment (greedy over a laminar family).

Measured in joules, the deadline prefixes of each machine and the one budget form a laminar family,
so a greedy algorithm is exact: take the segments of all curves by accuracy per joule
(slope × E_r) and give each as much work as the deadline prefixes that it belongs to and the budget
allow. It is done in two steps. On each machine alone, segments in order of slope fill the time
before their deadline from the latest free moment backwards (a union-find over the deadlines finds
it), which leaves the free time of every prefix as large as can be. Then the machines' accepted
pieces, each list in order of accuracy per joule, are merged until the budget is spent.
"""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.jit import helper, kernel
from dsct_gym.schedule import Schedule, check_assignment

if TYPE_CHECKING:
    from dsct_gym.problem import Problem


class Levels(NamedTuple):
    """Machines with several increments as the kernels read them, machine after machine.

    Attributes:
        first: Where the increments of each machine start (m+1,).
        speed: Speed of its machine with the increments up to each (V,), GFLOP/s.
        efficiency: Efficiency of each increment alone (V,), GFLOP/J, decreasing on a machine.
    """

    first: Ints
    speed: Floats
    efficiency: Floats

    @property
    def depth(self) -> int:
        """Most increments of a machine."""
        return int(np.diff(self.first).max())


class Packed(NamedTuple):
    """An instance as the allocation kernels read it: tasks in EDF order, segments by slope.

    Attributes:
        deadline: Deadlines (n,), s, non-decreasing.
        speed: Machine speeds (m,), GFLOP/s.
        efficiency: Machine efficiencies (m,), GFLOP/J.
        budget: Energy budget (1,), J.
        task: Task of each rising segment (S,), segments steepest first.
        slope: Accuracy per GFLOP (S,), positive, non-increasing.
        width: GFLOP (S,).
        first: Where each task's segments start in ``own`` (n+1,).
        own: Segments of each task along its curve (S,), ascending within a task.
        several: True where machines have several increments, else None: kernels are then compiled
            without what it takes, so that it costs nothing.
        levels: What these increments are; None where ``several`` is.
    """

    deadline: Floats
    speed: Floats
    efficiency: Floats
    budget: Floats
    task: Ints
    slope: Floats
    width: Floats
    first: Ints
    own: Ints
    several: bool | None = None
    levels: Levels = cast("Levels", None)  # types are for those who have looked at `several`

    @classmethod
    def of(cls, instance: Instance) -> Packed:
        """Prepares an instance for the kernels."""
        segments = instance.segments
        counts = np.bincount(segments.task, minlength=instance.num_tasks)
        return cls(
            deadline=instance.deadlines[instance.edf_order],
            speed=np.array(instance.speeds),
            efficiency=np.array(instance.efficiencies),
            budget=np.array([instance.energy_budget]),
            task=segments.task,
            slope=segments.slope,
            width=segments.width,
            first=np.concatenate(([0], np.cumsum(counts))),
            own=np.argsort(segments.task, kind="stable"),
        )


@singledispatch
def pack(problem: Problem) -> Packed:
    """A problem as the kernels read it, those that keep an optimum up to date among them.

    Raises:
        InputError: If they do not take problems of this type.
    """
    raise InputError(f"instance: there is no allocation for {type(problem).__name__}")


@pack.register
def _(problem: Instance) -> Packed:
    return Packed.of(problem)


@singledispatch
def allocate(instance: Problem, machine_of: Ints) -> Schedule:
    """The best schedule for a fixed assignment, exactly.

    Args:
        instance: The problem: an `Instance`, or a variant that has registered its own allocation.
        machine_of: Machine of each task (n,), integers; −1 for none.

    Returns:
        The schedule of maximum total accuracy among those that place every task on its machine.

    Raises:
        InputError: If shape, type or a machine index is wrong, or there is no exact allocation for
            problems of this type.
    """
    raise InputError(f"instance: there is no allocation for {type(instance).__name__}")


def has_allocation(problem: Problem) -> bool:
    """Whether `allocate` takes the problem: an assignment then says all of its best schedule."""
    return allocate.dispatch(type(problem)) is not allocate.dispatch(object)


@allocate.register
def _(instance: Instance, machine_of: Ints) -> Schedule:
    machine = check_assignment(instance, machine_of)
    work = optimal_work(Packed.of(instance), machine[instance.edf_order])
    return Schedule.from_work(instance, machine, work[instance.edf_rank])


@kernel
def optimal_work(packed: Packed, machine: Ints) -> Floats:
    """Optimal works for an assignment, tasks in EDF order.

    Args:
        packed: The prepared instance.
        machine: Machine of each task in EDF order (n,), −1 for none.

    Returns:
        Work of each task in EDF order (n,), GFLOP.
    """
    accepted = accept_by_deadlines(packed, machine)
    cut_to_budget(packed, machine, accepted)
    work = np.zeros(machine.size)
    for segment in range(accepted.size):
        work[packed.task[segment]] += accepted[segment]
    return work


@helper
def find_free(parent: Ints, slot: int) -> int:
    """Latest slot at or before ``slot`` with free time, 0 when there is none (path halving)."""
    while parent[slot] != slot:
        parent[slot] = parent[parent[slot]]
        slot = parent[slot]
    return slot


@kernel
def accept_by_deadlines(packed: Packed, machine: Ints) -> Floats:
    """Work that each segment gets on its machine when energy is free (S,), GFLOP.

    Slot ``j + 1`` is the time of task j's machine since the task ahead of it there; slot 0 stands
    for "nothing free".
    """
    n, m = machine.size, packed.speed.size
    last = np.zeros(m, dtype=np.int64)
    ahead = np.zeros(n + 1, dtype=np.int64)
    free = np.zeros(n + 1)
    parent = np.arange(n + 1)
    for task in range(n):
        r = machine[task]
        if r < 0:
            continue
        before = last[r]
        since = packed.deadline[before - 1] if before > 0 else 0.0
        free[task + 1] = packed.speed[r] * (packed.deadline[task] - since)
        ahead[task + 1] = before
        if free[task + 1] <= 0.0:
            parent[task + 1] = before
        last[r] = task + 1
    accepted = np.zeros(packed.task.size)
    for segment in range(accepted.size):
        task = packed.task[segment]
        if machine[task] < 0:
            continue
        wanted = packed.width[segment]
        # Summed rather than subtracted: what is accepted may be far smaller than the segment.
        worked = 0.0
        slot = find_free(parent, task + 1)
        while slot > 0:
            if free[slot] > wanted:
                free[slot] -= wanted
                worked = packed.width[segment]
                break
            worked += free[slot]
            wanted -= free[slot]
            parent[slot] = ahead[slot]
            slot = find_free(parent, slot)
        accepted[segment] = worked
    return accepted


@kernel
def cut_to_budget(packed: Packed, machine: Ints, accepted: Floats) -> None:
    """Cuts the accepted works, least accuracy per joule first, down to the energy budget."""
    left = packed.budget[0]
    needed = 0.0
    for segment in range(accepted.size):
        if accepted[segment] > 0.0:
            needed += accepted[segment] / packed.efficiency[machine[packed.task[segment]]]
    if needed <= left:
        return
    head, following = _chains(packed, machine, accepted)
    heap, size = _heap_of_heads(packed, head)
    while size > 0:
        r = heap[0]
        segment = head[r]
        energy = accepted[segment] / packed.efficiency[r]
        if energy > left:
            accepted[segment] = left * packed.efficiency[r]
            left = 0.0
        else:
            left -= energy
        head[r] = following[segment]
        if head[r] < 0:
            size -= 1
            heap[0] = heap[size]
        _sift_down(packed, head, heap, size, 0)


@kernel
def _chains(packed: Packed, machine: Ints, accepted: Floats) -> tuple[Ints, Ints]:
    """First accepted segment of each machine (m,) and the next on the same machine (S,)."""
    head = np.full(packed.speed.size, -1, dtype=np.int64)
    following = np.full(accepted.size, -1, dtype=np.int64)
    for segment in range(accepted.size - 1, -1, -1):
        if accepted[segment] > 0.0:
            r = machine[packed.task[segment]]
            following[segment] = head[r]
            head[r] = segment
    return head, following


@kernel
def _heap_of_heads(packed: Packed, head: Ints) -> tuple[Ints, int]:
    """Machines that have segments, as a heap by accuracy per joule of their first."""
    heap = np.empty(head.size, dtype=np.int64)
    size = 0
    for r in range(head.size):
        if head[r] >= 0:
            heap[size] = r
            size += 1
    for position in range(size // 2 - 1, -1, -1):
        _sift_down(packed, head, heap, size, position)
    return heap, size


@kernel
def _sift_down(packed: Packed, head: Ints, heap: Ints, size: int, position: int) -> None:
    """Restores the heap below ``position``."""
    while 2 * position + 1 < size:
        child = 2 * position + 1
        if child + 1 < size and _is_dearer(packed, head, heap[child + 1], heap[child]):
            child += 1
        if not _is_dearer(packed, head, heap[child], heap[position]):
            return
        heap[position], heap[child] = heap[child], heap[position]
        position = child


@kernel
def _is_dearer(packed: Packed, head: Ints, one: int, other: int) -> bool:
    """Whether the first segment of machine ``one`` earns more accuracy per joule."""
    return bool(
        packed.slope[head[one]] * packed.efficiency[one]
        > packed.slope[head[other]] * packed.efficiency[other]
    )
