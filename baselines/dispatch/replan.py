"""`replan`: at each event the tasks that wait are planned anew, exactly but for their machines."""

from __future__ import annotations

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from dsct_gym.arguments import as_number
from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.dispatch.queue_plan import Prices, Queue, plan_queue
from dsct_gym.jit import helper, kernel
from dsct_gym.online.known import NOTHING, Choice, Known, room
from dsct_gym.online.policy import CompiledPolicy, when_idle
from dsct_gym.solver import practises
from dsct_gym.tolerances import ROUNDING

_LARGEST = 1e6
_ROUNDS = 5


class _Parameter(IntEnum):
    """Places of its options."""

    ENERGY = 0
    CORRECTION = 1
    QUEUE = 2
    SHAPE = 3


class _Sum(IntEnum):
    """Places of what is kept in mind: sums over the tasks looked at so far, and their number."""

    SEEN = 0
    GAIN = 1
    WORK = 2
    PATIENCE = 3


class _Plan(NamedTuple):
    """A plan for the tasks that wait.

    Attributes:
        machine: Machine of each waiting task (w,), −1 for none.
        worth: What the queue of each machine is worth beyond its prices (m,).
        queue: Room to plan one of the queues.
    """

    machine: Ints
    worth: Floats
    queue: Queue


@kernel
def _decide(known: Known, memory: Floats, parameters: Floats) -> Choice:
    """The most urgent task that the plan gives the machine, with the work that it has there."""
    _look_at_new(known, memory)
    if memory[_Sum.GAIN] <= 0.0 or known.budget <= 0.0:
        return NOTHING
    prices, waiting = _prices(known, memory, parameters), known.waiting.size
    queue = Queue(
        mine=np.zeros(waiting, dtype=np.int64),
        piece=np.zeros(waiting, dtype=np.int64),
        work=np.zeros(waiting),
    )
    plan = _Plan(
        machine=np.full(waiting, -1),
        worth=np.zeros(known.speed.size),
        queue=queue,
    )
    for _ in range(_ROUNDS):
        if not _improve(known, prices, plan):
            break
    plan_queue(known, prices, known.machine, plan.machine, queue)
    return _first(known, plan)


@helper
def _first(known: Known, plan: _Plan) -> Choice:
    """The most urgent task of the queue planned last that has work, if there is any."""
    place = 0  # in the queue, which holds the machine's tasks in the order in which they wait
    for waiting in range(plan.machine.size):
        if plan.machine[waiting] == known.machine:
            task = known.waiting[waiting]
            work = min(plan.queue.work[place], room(known, task, known.machine))
            if work > 0.0:
                return Choice(task=task, machine=known.machine, work=work)
            place += 1
    return NOTHING


@helper
def _look_at_new(known: Known, memory: Floats) -> None:
    """Adds the tasks that have arrived since the last decision to the sums."""
    last = known.level.shape[1] - 1
    for task in range(int(memory[_Sum.SEEN]), known.arrival.size):
        memory[_Sum.GAIN] += known.gain[task, last]
        memory[_Sum.WORK] += known.reach[task, known.reach.shape[1] - 1]
        memory[_Sum.PATIENCE] += known.deadline[task] - known.arrival[task]
    memory[_Sum.SEEN] = known.arrival.size


@helper
def _prices(known: Known, memory: Floats, parameters: Floats) -> Prices:
    """What energy and time cost now; as `price` has it."""
    unit = memory[_Sum.GAIN] / memory[_Sum.WORK]  # accuracy per GFLOP
    ahead = known.spent / known.budget - known.clock / known.horizon
    joule = parameters[_Parameter.ENERGY] * math.exp(parameters[_Parameter.CORRECTION] * ahead)
    return Prices(
        joule=joule * unit * known.efficiency.mean(),
        queue=parameters[_Parameter.QUEUE] * unit,
        shape=parameters[_Parameter.SHAPE],
        patience=memory[_Sum.PATIENCE] / memory[_Sum.SEEN],
    )


@helper
def _improve(known: Known, prices: Prices, plan: _Plan) -> bool:
    """Gives each task in turn the machine where it adds most; whether any has changed."""
    changed = False
    for place in range(known.waiting.size):
        own = plan.machine[place]
        least, without = 0.0, 0.0
        plan.machine[place] = -1
        if own >= 0:
            without = plan_queue(known, prices, own, plan.machine, plan.queue)
            least = plan.worth[own] - without
        best = own
        for machine in range(known.speed.size):
            if machine == own:
                continue
            plan.machine[place] = machine
            added = plan_queue(known, prices, machine, plan.machine, plan.queue)
            added -= plan.worth[machine]
            if added > least * (1.0 + ROUNDING) + ROUNDING:
                best, least = machine, added
        plan.machine[place] = best
        if best != own:
            changed = True
            plan.worth[best] += least
            if own >= 0:
                plan.worth[own] = without
    return changed


@practises()
class Replan(CompiledPolicy):
    """Late binding: nothing is settled before a machine begins with it.

    Whenever a machine is idle, the tasks that wait are planned anew on all machines, from when each
    is free: every task in turn goes where it adds most until none wants to move, and what a
    machine's tasks are worth is worked out exactly (`plan_queue`), with energy at the price that
    spending has brought it to and time at what it may be worth to tasks yet to come, the same
    prices as those of `price`. The machine begins with the most urgent task of its own, with the
    work that the plan has for it; the rest is forgotten.

    Source: this project's own; after the re-planning of what is known at each arrival by DES (Du et
    al., IPDPS 2013), with prices in place of a share of power.

    Args:
        energy: Price of energy while spending is on time, in units of what the tasks that have
            arrived gain in full over the energy for it on a machine of mean efficiency.
        correction: How fast it rises with spending ahead of time: by ``exp(correction)`` for all of
            the budget.
        queue: Price of a machine's time as far ahead as tasks can wait on average, in units of
            what they gain in full over the work for it.
        shape: The power of how far ahead the time is with which its price rises.
        levels: As for `DispatchPolicy`; it uses none, works are any.
        pace: As for `DispatchPolicy`.

    Raises:
        InputError: If an option is out of range.
    """

    name = "replan"
    play = when_idle(_decide)

    def __init__(
        self,
        *,
        energy: float = 0.87,
        correction: float = 5.6,
        queue: float = 0.2,
        shape: float = 0.4,
        levels: int = 10,
        pace: float | None = None,
    ) -> None:
        super().__init__(levels=levels, pace=pace)
        self.energy = as_number(energy, "energy", 0.0, _LARGEST)
        self.correction = as_number(correction, "correction", 0.0, _LARGEST)
        self.queue = as_number(queue, "queue", 0.0, _LARGEST)
        self.shape = as_number(shape, "shape", 0.0, _LARGEST)

    def memory(self, machines: int) -> int:
        """Three sums and what they are over."""
        return len(_Sum)

    @property
    def parameters(self) -> Floats:
        """By `_Parameter` (4,)."""
        return np.array([self.energy, self.correction, self.queue, self.shape])
