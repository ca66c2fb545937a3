"""Rules as schedules: what appending or inserting one task after the other gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.sequencing.dispatching import (
    append_by_urgency,
    append_in_order,
    insert_in_order,
    polish_works,
)
from dsct_gym.baselines.sequencing.state import LEAST, Data, Sequences, place_all
from dsct_gym.baselines.sequencing.walk import Walk, begin_walk, step_walk
from dsct_gym.schedule import Schedule
from dsct_gym.soft import SoftInstance
from dsct_gym.soft.sequences import run_in_order

_PASSES = 100
_STEPS = 1000  # proposals for each task
_BATCH = 16  # insertions between two looks at the clock


def by_deadline(problem: SoftInstance) -> Schedule:
    """Earliest deadline first, each task in full on the machine that finishes it first."""
    lines = Sequences.empty(problem)
    append_in_order(Data.of(problem), lines, problem.core.edf_order)
    return _schedule(problem, lines)


def by_urgency(problem: SoftInstance, lookahead: float) -> Schedule:
    """By apparent tardiness cost, each task where and with what work it is worth most."""
    lines = Sequences.empty(problem)
    append_by_urgency(Data.of(problem), lines, lookahead)
    return _schedule(problem, lines)


def by_insertion(problem: SoftInstance, carry_on: Callable[[float], bool]) -> tuple[Schedule, bool]:
    """By deadline, each task inserted where and with what work the value gains most.

    Args:
        problem: The problem.
        carry_on: Told now and then how much is done, in [0, 1]; once it says no, the tasks left are
            appended by deadline, as they are on Ctrl-C.

    Returns:
        The schedule, and whether Ctrl-C cut it short.
    """
    data, lines = Data.of(problem), Sequences.empty(problem)
    order, done, interrupted = problem.core.edf_order, 0, False
    try:
        while done < order.size and carry_on(done / order.size):
            first, done = done, min(done + _BATCH, order.size)
            insert_in_order(data, lines, order, first, done)
    except KeyboardInterrupt:
        interrupted = True
    append_in_order(data, lines, order[done:])
    return _schedule(problem, lines), interrupted


def improved(problem: SoftInstance, machine: Ints, place: Floats, work: Floats) -> Schedule:
    """A schedule near given sequences: as good, and made as good as single changes make it.

    Args:
        problem: The problem.
        machine: Machine of each task (n,), −1 for none; a task that must not be refused goes to
            some machine's end.
        place: What tasks of one machine are put in order by (n,).
        work: Work of each task (n,), GFLOP; brought into what the problem allows.
    """
    core, data, lines = problem.core, Data.of(problem), Sequences.empty(problem)
    if not problem.may_refuse:
        machine = np.where(machine < 0, int(np.argmax(core.efficiencies)), machine)
    work = np.clip(work, LEAST * core.max_work, core.max_work)
    work = np.where(problem.whole, core.max_work, work)
    walk = Walk.seeded(data, 0)
    order = np.argsort(place, kind="stable").astype(np.int64)
    begin_walk(data, lines, walk, machine.astype(np.int64), order, work)
    step_walk(data, lines, walk, 0.0, _STEPS * core.num_tasks)
    if walk.best_total[0] == -np.inf:
        return by_urgency(problem, 1.0)
    return finished(problem, lines, walk)


def finished(problem: SoftInstance, lines: Sequences, walk: Walk) -> Schedule:
    """The best of a walk, its works made as good as single changes make them."""
    data = Data.of(problem)
    order = np.argsort(walk.place, kind="stable").astype(np.int64)
    place_all(data, lines, walk.machine, order, walk.work)
    for _ in range(_PASSES):
        if polish_works(data, lines) == 0:
            break
    return _schedule(problem, lines)


def _schedule(problem: SoftInstance, lines: Sequences) -> Schedule:
    return run_in_order(problem, lines.machine, lines.place, lines.work)
