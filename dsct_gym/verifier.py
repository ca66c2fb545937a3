"""The independent verifier: what a schedule claims, recomputed from the instance alone.

It shares no code with the solvers and kernels; every number that leaves a solver passes it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.tolerances import CLAIM, FEASIBILITY

_SHOWN = 5


@dataclass(frozen=True)
class Verification:
    """Outcome of a verification; true when the schedule is feasible and its numbers are right.

    Attributes:
        reasons: One line for each kind of violation found, empty when there is none.
    """

    reasons: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.reasons

    def __bool__(self) -> bool:
        return self.ok

    def raise_if_wrong(self) -> None:
        """Raises an `InputError` listing the reasons, if there are any."""
        if self.reasons:
            raise InputError("schedule: " + "; ".join(self.reasons))


def verify_rows(
    instance: Instance,
    *,
    task: Ints,
    machine: Ints,
    start: Floats,
    duration: Floats,
    work: Floats,
    accuracy: Floats,
    energy: Floats,
    total_accuracy: float,
    mean_accuracy: float,
    total_energy: float,
    upper_bound: float | None = None,
) -> Verification:
    """Verifies rows of a schedule; row i places ``task[i]`` on ``machine[i]`` (-1: none).

    Args:
        instance: The problem.
        task: Task of each row (k,).
        machine: Machine of each row (k,), -1 for none.
        start: Claimed start (k,), s.
        duration: Claimed time on the machine (k,), s.
        work: Work spent (k,), GFLOP.
        accuracy: Claimed accuracy (k,).
        energy: Claimed energy (k,), J.
        total_accuracy: Claimed total over all tasks; tasks without a row earn ``a_j(0)``.
        mean_accuracy: Claimed mean.
        total_energy: Claimed energy in total, J.
        upper_bound: Claimed upper bound on the total accuracy, if any.

    Returns:
        The verification, with one reason for each kind of violation.
    """
    found = _Findings()
    numbers = np.stack([start, duration, work, accuracy, energy])
    finite = np.asarray(np.isfinite(numbers).all(axis=0))
    found.add("number not finite", task, ~finite)
    known = (task >= 0) & (task < instance.num_tasks)
    found.add("no such task in the instance", task, ~known)
    fits = (machine >= -1) & (machine < instance.num_machines)
    found.add(f"machine is not one of {instance.num_machines}", task, ~fits)
    found.add("placed more than once", task, _repeated(task))
    if found.reasons:
        return Verification(tuple(found.reasons))

    runs = machine >= 0
    speed = np.where(runs, instance.speeds[machine], 1.0)
    efficiency = np.where(runs, instance.efficiencies[machine], 1.0)
    end = start + duration
    largest = instance.max_work[task]
    found.add("starts before time 0", task, start < 0.0)
    found.add("works without a machine", task, ~runs & ((work != 0.0) | (duration != 0.0)))
    found.add("work outside the curve", task, (work < 0.0) | _exceeds(work, largest))
    found.add("duration is not work / speed", task, _differs(duration, work / speed))
    late = (work > 0.0) & _exceeds(end, instance.deadlines[task])
    found.add("ends after its deadline", task, late)
    overlapping = _overlapping(runs & (work > 0.0), machine, start, work / speed)
    found.add("starts before its machine is free", task, overlapping)

    spent = np.where(runs, work / efficiency, 0.0)
    found.add("energy is not work / efficiency", task, _differs(energy, spent))
    if float(spent.sum()) > instance.energy_budget * (1.0 + FEASIBILITY):
        found.reasons.append(
            f"energy {spent.sum():.9g} J exceeds the budget of {instance.energy_budget:.9g} J"
        )
    reached = _reached(instance, task, work)
    found.add("accuracy is not the curve's", task, _differs(accuracy, reached))
    total = float(instance.base_accuracy.sum() + (reached - instance.base_accuracy[task]).sum())
    found.compare("total_accuracy", total_accuracy, total)
    found.compare("mean_accuracy", mean_accuracy, total / instance.num_tasks)
    found.compare("energy", total_energy, float(spent.sum()))
    if upper_bound is not None and not total <= upper_bound + CLAIM * max(1.0, abs(upper_bound)):
        found.reasons.append(f"upper_bound {upper_bound:.9g} is below the total {total:.9g}")
    return Verification(tuple(found.reasons))


class _Findings:
    """Collects one line a kind of violation."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def add(self, what: str, task: Ints, wrong: Bools) -> None:
        """Adds a line naming the tasks for which ``wrong`` holds."""
        tasks = task[wrong]
        if tasks.size:
            named = ", ".join(str(j) for j in tasks[:_SHOWN])
            more = f" and {tasks.size - _SHOWN} more" if tasks.size > _SHOWN else ""
            self.reasons.append(f"{what}: task {named}{more}")

    def compare(self, what: str, claimed: float, true: float) -> None:
        """Adds a line when a claimed total is wrong."""
        if not abs(claimed - true) <= CLAIM * max(abs(claimed), abs(true)):
            self.reasons.append(f"{what} is {true:.9g}, not {claimed:.9g}")


def _exceeds(value: Floats, limit: Floats) -> Bools:
    return np.asarray(value > limit * (1.0 + FEASIBILITY))


def _differs(claimed: Floats, true: Floats) -> Bools:
    return np.asarray(np.abs(claimed - true) > CLAIM * np.maximum(np.abs(claimed), np.abs(true)))


def _reached(instance: Instance, task: Ints, work: Floats) -> Floats:
    """Accuracy that the curves give for ``work``, segment by segment."""
    left, accuracy = instance.work[task, :-1], instance.accuracy[task]
    width = np.diff(instance.work[task], axis=1)
    share = np.clip((work[:, None] - left) / np.where(width > 0.0, width, 1.0), 0.0, 1.0)
    return np.asarray(accuracy[:, 0] + (np.diff(accuracy, axis=1) * share).sum(axis=1))


def _repeated(task: Ints) -> Bools:
    """Which rows name a task that an earlier row names."""
    first = np.zeros(task.size, dtype=np.bool_)
    first[np.unique(task, return_index=True)[1]] = True
    return ~first


def _overlapping(runs: Bools, machine: Ints, start: Floats, duration: Floats) -> Bools:
    """Which rows start before those ahead of them on the same machine can be done.

    Rows are queued by start: a row is free to run once the queue ahead, each from its start or
    later and for its whole duration, is done. What overlaps adds up along the queue, so many short
    tasks cannot each hide in the tolerance.
    """
    wrong = np.zeros(runs.size, dtype=np.bool_)
    rows = np.flatnonzero(runs)
    order = rows[np.lexsort((duration[rows], start[rows], machine[rows]))]
    for queue in np.split(order, np.flatnonzero(np.diff(machine[order])) + 1):
        ends = np.cumsum(duration[queue])
        ahead = ends - duration[queue]
        free = np.maximum.accumulate(start[queue] - ahead) + ahead
        tolerated = FEASIBILITY * (start[queue] + duration[queue])
        wrong[queue] = free - start[queue] > tolerated
    return wrong
