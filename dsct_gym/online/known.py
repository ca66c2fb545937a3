"""What whoever decides knows: the tasks that have arrived, the machines, the clock, the energy.

It holds copies of what has arrived so far and nothing else: neither what comes later nor how much,
so a rule that is given it cannot look ahead.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from dsct_gym.arrays import Floats, Ints
from dsct_gym.jit import helper
from dsct_gym.tolerances import ROUNDING


class Known(NamedTuple):
    """What is known when something is to be decided; k tasks have arrived, w of them wait.

    Tasks are counted from 0 in the order of their arrival, those that arrive together in the order
    of the instance. What a rule counts or averages over the past it finds in the k rows.

    Attributes:
        clock: Now, s.
        horizon: End of the period that the budget is for, s; no task arrives later.
        budget: Energy budget, J.
        spent: Energy that what was decided so far takes, J.
        left: Energy that may be spent now, J: what is left of the budget, or of that part of it
            that pacing has released (see `dsct_gym.online.policy.DispatchPolicy`).
        machine: The idle machine that is to be given a task; −1 where a task that has just arrived
            is to be given a machine.
        speed: Of each machine (m,), GFLOP/s.
        efficiency: Of each machine (m,), GFLOP/J.
        free: When each machine has done what was given to it (m,), s; in the past if it is idle.
        waiting: Tasks not yet decided (w,), most urgent first; of equal deadlines the first to have
            arrived. At an arrival only the task that has arrived.
        arrival: When each task arrived (k,), s.
        deadline: (k,), s.
        reach: Work at the breakpoints of its curve (k, K+1), GFLOP; padded by the last.
        value: Accuracy at the breakpoints (k, K+1).
        level: Work of each of L compression levels (k, L), GFLOP: the least with l/L of what the
            task can gain, l = 1..L; 0 for a curve that gains nothing.
        gain: Accuracy that each level gains over no work (k, L).
    """

    clock: float
    horizon: float
    budget: float
    spent: float
    left: float
    machine: int
    speed: Floats
    efficiency: Floats
    free: Floats
    waiting: Ints
    arrival: Floats
    deadline: Floats
    reach: Floats
    value: Floats
    level: Floats
    gain: Floats


class Choice(NamedTuple):
    """What is decided: a task, its machine and its work; or `NOTHING`.

    Attributes:
        task: One of `Known.waiting`.
        machine: Where it runs: `Known.machine`, where one is asked for.
        work: Positive, at most the `room`, GFLOP.
    """

    task: int
    machine: int
    work: float


NOTHING: Final = Choice(-1, -1, 0.0)
"""At an arrival: skip the task. For an idle machine: wait until something happens."""


@helper
def room(known: Known, task: int, machine: int) -> float:
    """Largest work on a task that a machine can do by its deadline within the energy left, GFLOP.

    The machine begins when it has done what was given to it. Of limits that are met exactly,
    rounding is forgiven.
    """
    start = max(known.clock, known.free[machine])
    return room_from(
        start,
        known.deadline[task],
        known.left,
        known.speed[machine],
        known.efficiency[machine],
    )


@helper
def room_from(start: float, deadline: float, left: float, speed: float, efficiency: float) -> float:
    """Largest work from a start to a deadline within an energy, on one machine, GFLOP."""
    in_time = (deadline * (1.0 + ROUNDING) - start) * speed
    return max(0.0, min(in_time, left * efficiency))
