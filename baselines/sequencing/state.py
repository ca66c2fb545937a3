"""The sequences of all machines with what each task pays, for kernels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.accuracy import curve_lengths
from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.jit import helper, kernel
from dsct_gym.soft import SoftInstance
from dsct_gym.soft.penalties import cap_of, of_refusal, penalty_at
from dsct_gym.tolerances import ROUNDING

LEAST = 1e-9
"""Work of a task that gets next to none, as a share of all its work: none would refuse it."""

IN_TIME = 1.0 - ROUNDING
"""Where a task ends that is made to end at its deadline, as a share of it: rounding keeps it."""


class Data(NamedTuple):
    """A `SoftInstance` as kernels read it.

    Attributes:
        deadline: In s (n,).
        weight: Of the penalty (n,).
        whole: Which tasks are not compressible (n,).
        work: Breakpoints (n, K+1), GFLOP.
        accuracy: At the breakpoints (n, K+1).
        last: Index of each curve's last breakpoint (n,).
        refused: What a task is worth when refused (n,); −∞ where none may be.
        speed: GFLOP/s (m,).
        efficiency: GFLOP/J (m,).
        shape: Of the penalty, a `dsct_gym.soft.penalties.Shape`.
        scale: Of the penalty, s.
        cap: Of the penalty; infinity for none.
        price: Of a joule.
        budget: J; infinity for none.
    """

    deadline: Floats
    weight: Floats
    whole: Bools
    work: Floats
    accuracy: Floats
    last: Ints
    refused: Floats
    speed: Floats
    efficiency: Floats
    shape: int
    scale: float
    cap: float
    price: float
    budget: float

    @classmethod
    def of(cls, problem: SoftInstance) -> Data:
        """The data of a problem."""
        core, penalty = problem.core, problem.penalty
        refused = np.full(core.num_tasks, -np.inf)
        if problem.may_refuse:
            refused = core.base_accuracy - problem.weights * of_refusal(penalty)
        return cls(
            deadline=core.deadlines,
            weight=problem.weights,
            whole=problem.whole,
            work=core.work,
            accuracy=core.accuracy,
            last=(curve_lengths(core.work) - 1).astype(np.int64),
            refused=refused,
            speed=core.speeds,
            efficiency=core.efficiencies,
            shape=int(penalty.shape),
            scale=float(penalty.scale),
            cap=float(cap_of(penalty)),
            price=problem.energy_price,
            budget=np.inf if problem.budget is None else problem.budget,
        )


class Sequences(NamedTuple):
    """Who runs what, in which order, and what it comes to; all by task but the first two.

    Attributes:
        order: Tasks of each machine in the order in which it runs them (m, n).
        length: How many those are (m,).
        machine: Machine (n,), −1 for none.
        place: Place in the machine's order (n,).
        work: GFLOP (n,); kept for a task that is refused.
        duration: In s (n,).
        end: In s (n,).
        worth: Accuracy less the price of energy, or what refusal is worth (n,).
        paid: Penalty (n,); 0 for a task that is refused.
        total: Value of all (1,).
        energy: J in total (1,).
    """

    order: Ints
    length: Ints
    machine: Ints
    place: Ints
    work: Floats
    duration: Floats
    end: Floats
    worth: Floats
    paid: Floats
    total: Floats
    energy: Floats

    @classmethod
    def empty(cls, problem: SoftInstance) -> Sequences:
        """Nothing placed; `place_all` begins."""
        n, m = problem.core.num_tasks, problem.core.num_machines
        # Where none may be refused, what is not placed yet counts for nothing.
        worth = np.zeros(n)
        if problem.may_refuse:
            worth = Data.of(problem).refused.copy()
        return cls(
            order=np.zeros((m, n), np.int64),
            length=np.zeros(m, np.int64),
            machine=np.full(n, -1, np.int64),
            place=np.zeros(n, np.int64),
            work=problem.core.max_work.copy(),
            duration=np.zeros(n),
            end=np.zeros(n),
            worth=worth,
            paid=np.zeros(n),
            total=np.array([worth.sum()]),
            energy=np.zeros(1),
        )


@kernel
def place_all(data: Data, lines: Sequences, machine: Ints, order: Ints, work: Floats) -> float:
    """Puts the state on given sequences.

    Args:
        data: The problem.
        lines: The state.
        machine: Machine of each task (n,), −1 for none.
        order: All tasks, those of one machine in its order (n,).
        work: Work of each task (n,), GFLOP.

    Returns:
        The value.
    """
    for r in range(lines.length.size):
        lines.length[r] = 0
    for index in range(order.size):
        task = order[index]
        lines.work[task] = work[task]
        r = machine[task]
        lines.machine[task] = r
        if r >= 0:
            lines.order[r, lines.length[r]] = task
            lines.length[r] += 1
    return settle_all(data, lines)


@helper
def settle_all(data: Data, lines: Sequences) -> float:
    """Works out the whole state anew from machines, orders and works, free of rounding so far."""
    lines.energy[0] = 0.0
    lines.total[0] = 0.0
    for task in range(lines.machine.size):
        r = lines.machine[task]
        if r < 0:
            lines.duration[task] = 0.0
            lines.end[task] = 0.0
            lines.paid[task] = 0.0
            lines.worth[task] = data.refused[task]
        else:
            lines.duration[task] = lines.work[task] / data.speed[r]
            lines.worth[task] = worth_of(data, task, r, lines.work[task])
            lines.energy[0] += lines.work[task] / data.efficiency[r]
        lines.total[0] += lines.worth[task]
    for r in range(lines.length.size):
        settle(data, lines, r, 0)
        for index in range(lines.length[r]):
            lines.total[0] -= lines.paid[lines.order[r, index]]
    total: float = lines.total[0]
    return total


@helper
def settle(data: Data, lines: Sequences, r: int, first: int) -> None:
    """Works out places, ends and penalties of a machine's tasks from a place on."""
    now = lines.end[lines.order[r, first - 1]] if first > 0 else 0.0
    for index in range(first, lines.length[r]):
        task = lines.order[r, index]
        now += lines.duration[task]
        lines.place[task] = index
        lines.end[task] = now
        lines.paid[task] = pays(data, task, now)


@helper
def pays(data: Data, task: int, end: float) -> float:
    """Penalty of a task that ends then."""
    late = end - data.deadline[task]
    if late <= ROUNDING * data.deadline[task]:
        return 0.0
    paid: float = data.weight[task] * penalty_at(data.shape, data.scale, data.cap, late)
    return paid


@helper
def worth_of(data: Data, task: int, r: int, work: float) -> float:
    """Accuracy for work on a machine, less the price of its energy."""
    worth: float = accuracy_at(data, task, work) - data.price * work / data.efficiency[r]
    return worth


@helper
def accuracy_at(data: Data, task: int, work: float) -> float:
    """The accuracy that a task's curve gives."""
    last = data.last[task]
    if work >= data.work[task, last]:
        top: float = data.accuracy[task, last]
        return top
    index = 1
    while data.work[task, index] < work:
        index += 1
    left, low = data.work[task, index - 1], data.accuracy[task, index - 1]
    slope = (data.accuracy[task, index] - low) / (data.work[task, index] - left)
    reached: float = low + slope * (work - left)
    return reached


@helper
def shifted(data: Data, lines: Sequences, r: int, first: int, behind: int, by: float) -> float:
    """What more the tasks of a machine in places ``first..behind-1`` pay when they end later."""
    more = 0.0
    for index in range(first, behind):
        task = lines.order[r, index]
        more += pays(data, task, lines.end[task] + by) - lines.paid[task]
    return more
