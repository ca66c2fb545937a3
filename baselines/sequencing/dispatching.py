"""Rules that append or insert one task after the other, for kernels."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from dsct_gym.arrays import Ints
from dsct_gym.baselines.sequencing.moves import make_shift, try_shift
from dsct_gym.baselines.sequencing.state import LEAST, Data, Sequences, pays, worth_of
from dsct_gym.jit import helper, kernel
from dsct_gym.tolerances import ROUNDING


class Choice(IntEnum):
    """How a task that is next chooses its machine and its work."""

    FIRST_TO_FINISH = 0
    WORTH_MOST = 1


@kernel
def append_in_order(data: Data, lines: Sequences, order: Ints) -> None:
    """Appends tasks in a given order, each in full to the machine that finishes it first.

    Where the budget does not allow that a task gets less or, where it may be refused, nothing.

    Args:
        data: The problem.
        lines: The state; these tasks, and no others, are not placed.
        order: The tasks (k,).
    """
    left, reserve = data.budget - lines.energy[0], _reserve(data, order, 0)
    for task in order:
        reserve -= _least_energy(data, task)
        left -= _append(data, lines, task, Choice.FIRST_TO_FINISH, left - reserve)


@kernel
def append_by_urgency(data: Data, lines: Sequences, lookahead: float) -> None:
    """Appends the task of the highest apparent tardiness cost, where it is worth most.

    At the moment t at which a machine is free first, a task's index is
    ``w/p · exp(−max(0, d − p − t) / (lookahead · mean p))`` with p its time on the fastest machine.

    Args:
        data: The problem.
        lines: The state, nothing placed.
        lookahead: The rule's parameter.
    """
    n = data.deadline.size
    duration = np.empty(n)
    for task in range(n):
        duration[task] = data.work[task, data.last[task]] / data.speed.max()
    waiting = np.ones(n, dtype=np.bool_)
    left, reserve, mean = data.budget, _reserve(data, np.arange(n), 0), duration.mean()
    for _ in range(n):
        task, now = -1, _first_free(lines)
        highest = -1.0
        for other in range(n):
            if waiting[other]:
                slack = max(0.0, data.deadline[other] - duration[other] - now)
                index = data.weight[other] / duration[other] * np.exp(-slack / (lookahead * mean))
                if index > highest:
                    task, highest = other, index
        waiting[task] = False
        reserve -= _least_energy(data, task)
        left -= _append(data, lines, task, Choice.WORTH_MOST, left - reserve)


@kernel
def insert_in_order(data: Data, lines: Sequences, order: Ints, first: int, behind: int) -> None:
    """Inserts tasks one after the other, each where and with what work the value gains most.

    Args:
        data: The problem.
        lines: The state; the tasks from ``first`` on, and no others, are not placed.
        order: All tasks (n,).
        first: The first of them to insert.
        behind: Where to stop.
    """
    reserve = _reserve(data, order, first)
    for index in range(first, behind):
        task = order[index]
        reserve -= _least_energy(data, task)
        left = (data.budget - lines.energy[0] - reserve) * (1.0 + ROUNDING)
        machine, place, work, gain = _best_insertion(data, lines, task, left)
        if machine < 0 and data.refused[task] == -np.inf:
            machine = _most_efficient(data)
            place, work = lines.length[machine], _least_work(data, task)
            gain, _ = try_shift(data, lines, task, machine, place, work)
        if machine >= 0:
            make_shift(data, lines, task, machine, place, work, gain)


@helper
def _best_insertion(
    data: Data, lines: Sequences, task: int, left: float
) -> tuple[int, int, float, float]:
    """Machine, place, work and gain of the best insertion; machine −1 where refusal is better."""
    machine, at, work = -1, 0, 0.0
    most = 0.0 if data.refused[task] > -np.inf else -np.inf
    first = data.last[task] if data.whole[task] else 1
    for r in range(lines.length.size):
        for level in range(first, data.last[task] + 1):
            spent = data.work[task, level]
            if spent / data.efficiency[r] > left:
                break
            for place in range(lines.length[r] + 1):
                gain, _ = try_shift(data, lines, task, r, place, spent)
                if gain > most:
                    machine, at, work, most = r, place, spent, gain
    return machine, at, work, most


@helper
def _first_free(lines: Sequences) -> float:
    """When the first machine is done."""
    earliest = np.inf
    for r in range(lines.length.size):
        earliest = min(earliest, _free(lines, r))
    return earliest


@helper
def _free(lines: Sequences, r: int) -> float:
    """When a machine is done."""
    if lines.length[r] == 0:
        return 0.0
    end: float = lines.end[lines.order[r, lines.length[r] - 1]]
    return end


@helper
def _reserve(data: Data, order: Ints, first: int) -> float:
    """What the tasks from a place on take at least, J."""
    energy = 0.0
    for index in range(first, order.size):
        energy += _least_energy(data, order[index])
    return energy


@helper
def _least_energy(data: Data, task: int) -> float:
    """What a task takes at least, J: nothing where it may be refused."""
    if data.refused[task] > -np.inf:
        return 0.0
    least: float = _least_work(data, task) / data.efficiency[_most_efficient(data)]
    return least


@helper
def _least_work(data: Data, task: int) -> float:
    """The work of a task that must not be refused but may not have more."""
    most: float = data.work[task, data.last[task]]
    return most if data.whole[task] else LEAST * most


@helper
def _most_efficient(data: Data) -> int:
    """The machine that takes the least energy."""
    best = 0
    for r in range(data.efficiency.size):
        if data.efficiency[r] > data.efficiency[best]:
            best = r
    return best


@helper
def _append(data: Data, lines: Sequences, task: int, choice: int, left: float) -> float:
    """Appends a task to a machine within the energy left, or refuses it; the energy it takes."""
    machine, work = _choose(data, lines, task, choice, left * (1.0 + ROUNDING))
    if machine < 0:
        if data.refused[task] > -np.inf:
            return 0.0
        machine, work = _most_efficient(data), _least_work(data, task)
    gain, energy = try_shift(data, lines, task, machine, lines.length[machine], work)
    make_shift(data, lines, task, machine, lines.length[machine], work, gain)
    used: float = energy
    return used


@helper
def _choose(data: Data, lines: Sequences, task: int, choice: int, left: float) -> tuple[int, float]:
    """Machine and work of a task that is next; machine −1 where it is refused or nothing fits."""
    machine, work, best = -1, 0.0, -np.inf
    if choice == Choice.WORTH_MOST:
        best = data.refused[task]
    for level in range(data.last[task], 0, -1):
        if data.whole[task] and level < data.last[task]:
            break
        spent = data.work[task, level]
        for r in range(lines.length.size):
            end = _free(lines, r) + spent / data.speed[r]
            merit = -end
            if choice == Choice.WORTH_MOST:
                merit = worth_of(data, task, r, spent) - pays(data, task, end)
            if merit > best and spent / data.efficiency[r] <= left:
                machine, work, best = r, spent, merit
        if choice == Choice.FIRST_TO_FINISH and machine >= 0:
            break
    return machine, work


@kernel
def polish_works(data: Data, lines: Sequences) -> int:
    """Gives each compressible task the best of the works that a corner of the value is at.

    Those are the breakpoints of its curve, and the works with which a task behind it on the same
    machine, or itself, ends just in time.

    Returns:
        How many works changed.
    """
    changed = 0
    for task in range(lines.machine.size):
        r = lines.machine[task]
        if r < 0 or data.whole[task]:
            continue
        most = data.work[task, data.last[task]]
        behind = lines.length[r] - lines.place[task]
        for index in range(data.last[task] + behind):
            if index < data.last[task]:
                work = data.work[task, index + 1]
            else:
                due = lines.order[r, lines.place[task] + index - data.last[task]]
                slack = data.deadline[due] * (1.0 - ROUNDING) - lines.end[due]
                work = lines.work[task] + slack * data.speed[r]
            work = min(max(work, LEAST * most), most)
            gain, energy = try_shift(data, lines, task, r, lines.place[task], work)
            least = 1e-12 * max(1.0, abs(lines.total[0]))
            if gain > least and lines.energy[0] + energy <= data.budget:
                make_shift(data, lines, task, r, lines.place[task], work, gain)
                changed += 1
    return changed
