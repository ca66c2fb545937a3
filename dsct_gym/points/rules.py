"""What the verifier looks for where machines have operating points, from first principles.

A task on a machine runs in one or two pieces, one after the other without a break, each at one of
the machine's points: any of them, on the hull or not. Time, work and energy of a task are those of
its pieces. It shares no code with what makes schedules.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.tolerances import FEASIBILITY
from dsct_gym.verifier import (
    Case,
    Pieces,
    Rows,
    Rule,
    Truth,
    adds_up,
    differs,
    ends_by_deadlines,
    reaches_its_accuracy,
    recompute,
    recompute_accuracy,
    rules,
    starts_in_time,
    stays_below_its_bound,
    stays_within_budget,
    waits_for_machines,
    works_on_machines,
    works_within_curves,
)

MOST_PIECES: Final = 2
"""In how many pieces a task may run."""


class _Clocks(NamedTuple):
    """The operating point that each piece means: of its machine's, the one nearest in speed.

    Attributes:
        row: Row that each piece belongs to (p,).
        speed: Speed of the point (p,), GFLOP/s.
        power: Power of the point (p,), W.
    """

    row: Ints
    speed: Floats
    power: Floats


def runs_at_operating_points(case: Case) -> Iterator[str]:
    """Every piece runs at a point of its machine."""
    pieces, clocks = _pieces(case.pieces), _clocks(_problem(case), case.rows, case.pieces)
    wrong = differs(pieces.speed, clocks.speed) | differs(pieces.power, clocks.power)
    yield from case.named_pieces("runs at no operating point of its machine", wrong)


def runs_in_few_pieces(case: Case) -> Iterator[str]:
    """Whatever works has a piece, and no more than two."""
    row = _clocks(_problem(case), case.rows, case.pieces).row
    count = np.bincount(row, minlength=case.rows.task.size)
    works = case.runs & (case.rows.work > 0.0)
    yield from case.named("has no pieces that say at which clock it runs", works & (count == 0))
    yield from case.named(f"has more than {MOST_PIECES} pieces", count > MOST_PIECES)


def does_its_work_in_pieces(case: Case) -> Iterator[str]:
    """A piece does speed × duration, and those of a task its work."""
    pieces, clocks = _pieces(case.pieces), _clocks(_problem(case), case.rows, case.pieces)
    work = clocks.speed * pieces.duration
    wrong = differs(pieces.work, work) | (pieces.duration < 0.0)
    yield from case.named_pieces("work of a piece is not speed × duration", wrong)
    done = _summed(case.rows, clocks.row, work)
    yield from case.named("work is not that of its pieces", differs(case.rows.work, done))


def runs_without_breaks(case: Case) -> Iterator[str]:
    """The pieces of a task follow each other from its start."""
    pieces, row = _pieces(case.pieces), _clocks(_problem(case), case.rows, case.pieces).row
    order = np.lexsort((pieces.duration, pieces.start, row))
    row, start, duration = row[order], pieces.start[order], pieces.duration[order]
    first = np.diff(row, prepend=-1) != 0
    due = np.where(first, case.rows.start[row], np.roll(start + duration, 1))
    wrong = np.zeros(case.rows.task.size, dtype=np.bool_)
    wrong[row[np.abs(start - due) > FEASIBILITY * np.maximum(np.abs(start), np.abs(due))]] = True
    yield from case.named("its pieces do not follow each other from its start", wrong)


def takes_the_time_of_its_pieces(case: Case) -> Iterator[str]:
    """A task takes the time of its pieces."""
    wrong = differs(case.rows.duration, case.truth.duration)
    yield from case.named("duration is not that of its pieces", wrong)


def spends_the_energy_of_its_pieces(case: Case) -> Iterator[str]:
    """A task spends what its machine draws at the points of its pieces."""
    wrong = differs(case.rows.energy, case.truth.energy)
    yield from case.named("energy is not power × duration of its pieces", wrong)


RULES: Final[tuple[Rule, ...]] = (
    starts_in_time,
    works_on_machines,
    works_within_curves,
    runs_in_few_pieces,
    runs_at_operating_points,
    does_its_work_in_pieces,
    runs_without_breaks,
    takes_the_time_of_its_pieces,
    ends_by_deadlines,
    waits_for_machines,
    spends_the_energy_of_its_pieces,
    stays_within_budget,
    reaches_its_accuracy,
    adds_up,
    stays_below_its_bound,
)
"""The rules of a `DvfsInstance`."""


@rules.register
def _(problem: DvfsInstance) -> tuple[Rule, ...]:
    return RULES


@recompute.register
def _(problem: DvfsInstance, rows: Rows, pieces: Pieces | None = None) -> Truth:
    clocks, told = _clocks(problem, rows, pieces), _pieces(pieces)
    reached, total = recompute_accuracy(problem.core, rows)
    return Truth(
        duration=_summed(rows, clocks.row, told.duration),
        accuracy=reached,
        energy=_summed(rows, clocks.row, clocks.power * told.duration),
        total_accuracy=total,
        value=total,
    )


def _problem(case: Case) -> DvfsInstance:
    assert isinstance(case.problem, DvfsInstance)
    return case.problem


def _pieces(pieces: Pieces | None) -> Pieces:
    """The pieces, none where nothing is told."""
    return Pieces(np.zeros(0, np.int64), *np.zeros((5, 0))) if pieces is None else pieces


def _clocks(problem: DvfsInstance, rows: Rows, pieces: Pieces | None) -> _Clocks:
    """Where each piece belongs and what its point is; the verifier has placed its task."""
    told = _pieces(pieces)
    row_of = np.zeros(problem.core.num_tasks, dtype=np.int64)
    row_of[rows.task] = np.arange(rows.task.size)
    row = row_of[told.task]
    machine = rows.machine[row]
    speed, power = np.ones((2, row.size))
    for r, points in enumerate(problem.points):
        here = np.flatnonzero(machine == r)
        rising = np.argsort(points.speeds)
        speeds = points.speeds[rising]
        after = np.clip(np.searchsorted(speeds, told.speed[here]), 1, max(1, speeds.size - 1))
        before = after - 1
        after = np.minimum(after, speeds.size - 1)
        nearer = np.abs(told.speed[here] - speeds[before]) <= np.abs(
            told.speed[here] - speeds[after]
        )
        chosen = rising[np.where(nearer, before, after)]
        speed[here], power[here] = points.speeds[chosen], points.powers[chosen]
    return _Clocks(row, speed, power)


def _summed(rows: Rows, row: Ints, values: Floats) -> Floats:
    """Values of pieces added up by row (k,)."""
    total = np.zeros(rows.task.size)
    np.add.at(total, row, values)
    return total
