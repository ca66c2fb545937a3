"""Rules as schedules: what appending or inserting one task after the other gives."""

from __future__ import annotations

from collections.abc import Callable

from dsct_gym.baselines.sequencing.dispatching import (
    append_by_urgency,
    append_in_order,
    insert_in_order,
)
from dsct_gym.baselines.sequencing.state import Data, Sequences
from dsct_gym.schedule import Schedule
from dsct_gym.soft import SoftInstance
from dsct_gym.soft.sequences import run_in_order

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


def _schedule(problem: SoftInstance, lines: Sequences) -> Schedule:
    return run_in_order(problem, lines.machine, lines.place, lines.work)
