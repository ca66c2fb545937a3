"""The independent verifier: what a schedule claims, recomputed from the problem alone.

It shares no code with the solvers and kernels; every number that leaves a solver passes it. A
problem is a set of `rules`, each of which looks for one kind of violation; a variant registers its
own for its type, made of those of an `Instance` and others, and what its rows must read in
`recompute`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, singledispatch
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.tolerances import CLAIM, FEASIBILITY

if TYPE_CHECKING:
    from dsct_gym.problem import Problem

_SHOWN = 5


class Rows(NamedTuple):
    """Rows of a schedule; row i places ``task[i]`` on ``machine[i]``. Tasks may be left out.

    Attributes:
        task: Task of each row (k,).
        machine: Machine of each row (k,), −1 for none.
        start: Start (k,), s.
        duration: Time on the machine (k,), s.
        work: Work spent (k,), GFLOP.
        accuracy: Accuracy reached (k,).
        energy: Energy spent (k,), J.
    """

    task: Ints
    machine: Ints
    start: Floats
    duration: Floats
    work: Floats
    accuracy: Floats
    energy: Floats


class Pieces(NamedTuple):
    """The clocks at which the tasks of a schedule run, for machines that have several.

    Attributes:
        task: Task of each piece (p,).
        speed: Speed of its machine meanwhile (p,), GFLOP/s.
        power: Power of its machine meanwhile (p,), W.
        start: Start (p,), s.
        duration: Time (p,), s.
        work: Work done (p,), GFLOP.
    """

    task: Ints
    speed: Floats
    power: Floats
    start: Floats
    duration: Floats
    work: Floats


class Claims(NamedTuple):
    """What a schedule claims as a whole.

    Attributes:
        total_accuracy: Over all tasks; a task without a row earns ``a_j(0)``.
        mean_accuracy: Per task.
        energy: Energy spent in total, J.
        upper_bound: Upper bound on the value of any schedule, which is the total accuracy but in
            variants; None where nothing is claimed.
        value: What the problem maximises; None where nothing is claimed.
        measures: What else is claimed, by the names that a variant gives it.
    """

    total_accuracy: float
    mean_accuracy: float
    energy: float
    upper_bound: float | None = None
    value: float | None = None
    measures: Mapping[str, float] = {}


class Truth(NamedTuple):
    """What rows must read and come to, recomputed.

    Attributes:
        duration: (k,), s.
        accuracy: (k,).
        energy: (k,), J.
        total_accuracy: Over all tasks.
        value: What the problem maximises.
        measures: What else a variant tells of a schedule, by name.
    """

    duration: Floats
    accuracy: Floats
    energy: Floats
    total_accuracy: float
    value: float
    measures: Mapping[str, float] = {}


@dataclass(frozen=True)
class Case:
    """What is verified; its rows name tasks and machines that exist, each task once.

    Attributes:
        problem: What the schedule claims to answer.
        rows: The rows.
        claims: The claims.
        pieces: The clocks of the rows, None where no row tells any.
    """

    problem: Problem
    rows: Rows
    claims: Claims
    pieces: Pieces | None = None

    @cached_property
    def truth(self) -> Truth:
        """What the rows must read."""
        if self.pieces is None:
            return recompute(self.problem, self.rows)
        return recompute(self.problem, self.rows, self.pieces)

    @property
    def runs(self) -> Bools:
        """Which rows have a machine (k,)."""
        return self.rows.machine >= 0

    def named(self, what: str, wrong: Bools) -> Iterator[str]:
        """One line naming the tasks of the rows for which ``wrong`` holds, if there are any."""
        yield from _named(what, self.rows.task, wrong)

    def named_pieces(self, what: str, wrong: Bools) -> Iterator[str]:
        """The same for its pieces; each task is named once."""
        if self.pieces is not None and wrong.any():
            tasks = np.unique(self.pieces.task[wrong])
            yield from _named(what, tasks, np.ones(tasks.size, dtype=np.bool_))


Rule = Callable[[Case], Iterator[str]]
"""Looks for one kind of violation; gives a line for what it finds."""


@dataclass(frozen=True)
class Verification:
    """Outcome of a verification; true when the schedule is feasible and its numbers are right.

    Attributes:
        reasons: One line for each kind of violation found, empty when there is none.
        unchecked: Claims that could be neither confirmed nor refuted, by name of the field.
    """

    reasons: tuple[str, ...]
    unchecked: tuple[str, ...] = ()

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


def verify(
    problem: Problem, rows: Rows, claims: Claims, pieces: Pieces | None = None
) -> Verification:
    """Verifies rows of a schedule, the clocks of their tasks and what it claims as a whole.

    Returns:
        The verification, with one reason for each kind of violation.

    Raises:
        InputError: If the verifier has no rules for problems of this type.
    """
    misplaced = (*_misplaced(problem.core, rows), *_strayed(problem, rows, pieces))
    if misplaced:
        return Verification(misplaced)
    case = Case(problem, rows, claims, pieces)
    reasons = tuple(reason for rule in rules(problem) for reason in rule(case))
    # Measures that the rules of a problem do not recompute may be right or wrong.
    return Verification(reasons, tuple(sorted(set(claims.measures) - set(case.truth.measures))))


@singledispatch
def rules(problem: Problem) -> tuple[Rule, ...]:
    """The rules that a schedule of a problem must keep, in the order of their reasons."""
    raise InputError(f"instance: the verifier has no rules for {type(problem).__name__}")


@rules.register
def _(problem: Instance) -> tuple[Rule, ...]:
    return RULES


@singledispatch
def recompute(problem: Problem, rows: Rows, pieces: Pieces | None = None) -> Truth:
    """What rows must read for a problem, from their machines, starts and works.

    Pieces are given only where machines have operating points, and where there are any.
    """
    raise InputError(f"instance: the verifier has no rules for {type(problem).__name__}")


@recompute.register
def _(problem: Instance, rows: Rows) -> Truth:
    runs = rows.machine >= 0
    speed = np.where(runs, problem.speeds[rows.machine], 1.0)
    efficiency = np.where(runs, problem.efficiencies[rows.machine], 1.0)
    reached, total = recompute_accuracy(problem, rows)
    return Truth(
        duration=rows.work / speed,
        accuracy=reached,
        energy=np.where(runs, rows.work / efficiency, 0.0),
        total_accuracy=total,
        value=total,
    )


def recompute_accuracy(core: Instance, rows: Rows) -> tuple[Floats, float]:
    """The accuracy that each row reaches (k,), and the total over all tasks."""
    reached, base = _reached(core, rows.task, rows.work), core.base_accuracy
    return reached, float(base.sum() + (reached - base[rows.task]).sum())


def starts_in_time(case: Case) -> Iterator[str]:
    """Nothing starts before time 0."""
    yield from case.named("starts before time 0", case.rows.start < 0.0)


def works_on_machines(case: Case) -> Iterator[str]:
    """What has no machine does no work."""
    busy = (case.rows.work != 0.0) | (case.rows.duration != 0.0)
    yield from case.named("works without a machine", ~case.runs & busy)


def works_within_curves(case: Case) -> Iterator[str]:
    """Work lies between nothing and the end of the task's curve."""
    work = case.rows.work
    largest = case.problem.core.max_work[case.rows.task]
    yield from case.named("work outside the curve", (work < 0.0) | exceeds(work, largest))


def takes_its_time(case: Case) -> Iterator[str]:
    """A task takes work / speed of its machine."""
    wrong = differs(case.rows.duration, case.truth.duration)
    yield from case.named("duration is not work / speed", wrong)


def ends_by_deadlines(case: Case) -> Iterator[str]:
    """Whatever works ends by its deadline."""
    end = case.rows.start + case.rows.duration
    late = (case.rows.work > 0.0) & exceeds(end, case.problem.core.deadlines[case.rows.task])
    yield from case.named("ends after its deadline", late)


def waits_for_machines(case: Case) -> Iterator[str]:
    """A machine does one task at a time."""
    working = case.runs & (case.rows.work > 0.0)
    overlapping = _overlapping(working, case.rows.machine, case.rows.start, case.truth.duration)
    yield from case.named("starts before its machine is free", overlapping)


def spends_its_energy(case: Case) -> Iterator[str]:
    """A task spends work / efficiency of its machine."""
    wrong = differs(case.rows.energy, case.truth.energy)
    yield from case.named("energy is not work / efficiency", wrong)


def stays_within_budget(case: Case) -> Iterator[str]:
    """All tasks together spend no more than the budget."""
    spent, budget = float(case.truth.energy.sum()), case.problem.core.energy_budget
    if spent > budget * (1.0 + FEASIBILITY):
        yield f"energy {spent:.9g} J exceeds the budget of {budget:.9g} J"


def reaches_its_accuracy(case: Case) -> Iterator[str]:
    """A task reaches what its curve gives for its work."""
    wrong = differs(case.rows.accuracy, case.truth.accuracy)
    yield from case.named("accuracy is not the curve's", wrong)


def adds_up(case: Case) -> Iterator[str]:
    """The totals are those of the rows."""
    claims, truth = case.claims, case.truth
    tasks = case.problem.core.num_tasks
    yield from _compared("total_accuracy", claims.total_accuracy, truth.total_accuracy)
    yield from _compared("mean_accuracy", claims.mean_accuracy, truth.total_accuracy / tasks)
    yield from _compared("energy", claims.energy, float(truth.energy.sum()))
    for what, claimed in (("value", claims.value), *claims.measures.items()):
        true = truth.value if what == "value" else truth.measures.get(what)
        if true is not None and claimed is not None:
            yield from _compared(what, claimed, true, least=1.0)


def stays_below_its_bound(case: Case) -> Iterator[str]:
    """No schedule is worth more than an upper bound, this one included."""
    bound, value = case.claims.upper_bound, case.truth.value
    if bound is not None and not value <= bound + CLAIM * max(1.0, abs(bound)):
        yield f"upper_bound {bound:.9g} is below the total {value:.9g}"


RULES: Final[tuple[Rule, ...]] = (
    starts_in_time,
    works_on_machines,
    works_within_curves,
    takes_its_time,
    ends_by_deadlines,
    waits_for_machines,
    spends_its_energy,
    stays_within_budget,
    reaches_its_accuracy,
    adds_up,
    stays_below_its_bound,
)
"""The rules of an `Instance`."""


def exceeds(value: Floats, limit: Floats) -> Bools:
    """Where a limit is passed by more than is tolerated."""
    return np.asarray(value > limit * (1.0 + FEASIBILITY))


def differs(claimed: Floats, true: Floats) -> Bools:
    """Where a claim misses the truth by more than is tolerated."""
    return np.asarray(np.abs(claimed - true) > CLAIM * np.maximum(np.abs(claimed), np.abs(true)))


def _misplaced(core: Instance, rows: Rows) -> Iterator[str]:
    """Rows that cannot even be recomputed."""
    finite = np.asarray(np.isfinite(np.stack(rows[2:])).all(axis=0))
    known = (rows.task >= 0) & (rows.task < core.num_tasks)
    fits = (rows.machine >= -1) & (rows.machine < core.num_machines)
    yield from _named("number not finite", rows.task, ~finite)
    yield from _named("no such task in the instance", rows.task, ~known)
    yield from _named(f"machine is not one of {core.num_machines}", rows.task, ~fits)
    yield from _named("placed more than once", rows.task, _repeated(rows.task))


def _strayed(problem: Problem, rows: Rows, pieces: Pieces | None) -> Iterator[str]:
    """Pieces that belong to no row, or cannot even be recomputed."""
    if pieces is not None and "points" not in problem.needs:
        anything = np.ones(pieces.task.size, dtype=np.bool_)
        yield from _named("has pieces, but machines here have one clock", pieces.task, anything)
    elif pieces is not None:
        finite = np.asarray(np.isfinite(np.stack(pieces[1:])).all(axis=0))
        yield from _named("number of a piece not finite", pieces.task, ~finite)
        placed = rows.task[rows.machine >= 0]
        stray = ~np.isin(pieces.task, placed)
        yield from _named("has pieces, but no machine", pieces.task, stray)


def _named(what: str, task: Ints, wrong: Bools) -> Iterator[str]:
    """One line naming the tasks of the rows that are wrong."""
    tasks = task[wrong]
    if tasks.size:
        named = ", ".join(str(j) for j in tasks[:_SHOWN])
        more = f" and {tasks.size - _SHOWN} more" if tasks.size > _SHOWN else ""
        yield f"{what}: task {named}{more}"


def _compared(what: str, claimed: float, true: float, least: float = 0.0) -> Iterator[str]:
    """One line when a claimed total is wrong; sums of both signs are compared as if ``least``."""
    if not abs(claimed - true) <= CLAIM * max(least, abs(claimed), abs(true)):
        yield f"{what} is {true:.9g}, not {claimed:.9g}"


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
