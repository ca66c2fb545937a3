"""A schedule: which machine does how much of each task, and when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import singledispatch
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dsct_gym.accuracy import evaluate_curves
from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.verifier import Claims, Pieces, Rows, Verification, verify

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from dsct_gym.problem import Problem


@dataclass(frozen=True, eq=False)
class Schedule:
    """One row a task, in the order of the instance; its arrays are read-only.

    Build it with `Schedule.from_work`, or with `Schedule.from_rows` where tasks do not run by
    deadline without idling. What a schedule read from a file claims is kept as it stands there;
    `verify` recomputes it.

    Attributes:
        instance: The problem it answers: an `Instance`, or a variant around one.
        machine: Machine of each task (n,), −1 for none.
        start: Start of each task (n,), s; 0 where there is no machine.
        duration: Time on the machine (n,), s.
        work: Work spent (n,), GFLOP.
        accuracy: Accuracy reached (n,).
        task_energy: Energy spent (n,), J.
        total_accuracy: Sum of accuracies over all tasks.
        energy: Energy spent in total, J.
        solver: Name of the solver that made it.
        seconds: Wall time it took, s.
        upper_bound: A proven upper bound on the `value` of any schedule, which is its total
            accuracy unless the problem is a variant that says otherwise.
        pieces: The clocks at which its tasks run; None where machines have one clock.
    """

    instance: Problem
    machine: Ints
    start: Floats
    duration: Floats
    work: Floats
    accuracy: Floats
    task_energy: Floats
    total_accuracy: float
    energy: float
    solver: str | None = None
    seconds: float | None = None
    upper_bound: float | None = None
    pieces: Pieces | None = None

    def __post_init__(self) -> None:
        for field in _ARRAYS:
            object.__setattr__(self, field, _read_only(getattr(self, field)))
        if self.pieces is not None:
            object.__setattr__(self, "pieces", Pieces(*map(_read_only, self.pieces)))

    @classmethod
    def from_work(
        cls, instance: Instance, machine_of: Ints, work: Floats, *, solver: str | None = None
    ) -> Schedule:
        """Runs each machine's tasks by earliest deadline first, without idling.

        Args:
            instance: The problem.
            machine_of: Machine of each task (n,), −1 for none.
            work: Work spent on each task (n,), GFLOP; ignored where there is no machine. A task
                without positive work is given no machine.
            solver: Name to record.

        Returns:
            The schedule. It is not verified here.

        Raises:
            InputError: If shapes or machine indices do not fit the instance, or work is not finite.
        """
        machine, work = check_works(instance, machine_of, work)
        runs = machine >= 0
        duration = np.where(runs, work / instance.speeds[machine], 0.0)
        rows = Rows(
            task=np.arange(instance.num_tasks),
            machine=machine,
            start=edf_starts(instance, machine, duration),
            duration=duration,
            work=work,
            accuracy=evaluate_curves(instance.work, instance.accuracy, work),
            energy=np.where(runs, work / instance.efficiencies[machine], 0.0),
        )
        for array in rows:
            array.setflags(write=False)
        return cls._of(instance, rows, solver=solver)

    @classmethod
    def from_rows(
        cls,
        instance: Problem,
        rows: Rows,
        *,
        claims: Claims | None = None,
        solver: str | None = None,
        pieces: Pieces | None = None,
    ) -> Schedule:
        """A schedule as its rows say, in whatever order machines run them.

        Args:
            instance: The problem.
            rows: Each task at most once; one that is left out does no work and earns ``a_j(0)``.
            claims: What is claimed of the whole; None adds up the rows.
            solver: Name to record.
            pieces: The clocks of the rows, for machines that have several.

        Returns:
            The schedule. It is not verified here.

        Raises:
            InputError: If a row names a task or machine that there is not, or a task twice.
        """
        rows = check_rows(instance, rows)
        core = instance.core
        everything = nothing_done(core)
        for column, given in zip(everything, rows, strict=True):
            column[rows.task] = given
        return cls._of(instance, everything, claims=claims, solver=solver, pieces=pieces)

    @classmethod
    def _of(
        cls,
        instance: Problem,
        rows: Rows,
        *,
        solver: str | None,
        claims: Claims | None = None,
        pieces: Pieces | None = None,
    ) -> Schedule:
        """A schedule of all tasks' rows in the order of the instance."""
        total = float(rows.accuracy.sum()) if claims is None else claims.total_accuracy
        return cls(
            instance=instance,
            machine=rows.machine,
            start=rows.start,
            duration=rows.duration,
            work=rows.work,
            accuracy=rows.accuracy,
            task_energy=rows.energy,
            total_accuracy=total,
            energy=float(rows.energy.sum()) if claims is None else claims.energy,
            solver=solver,
            upper_bound=None if claims is None else claims.upper_bound,
            pieces=pieces,
        )

    @property
    def mean_accuracy(self) -> float:
        """Mean accuracy per task, in [0, 1]."""
        return self.total_accuracy / self.instance.core.num_tasks

    @property
    def finish(self) -> Floats:
        """End of each task (n,), s."""
        return self.start + self.duration

    @property
    def makespan(self) -> float:
        """When the last machine stops, s."""
        return float(self.finish.max())

    @property
    def rows(self) -> Rows:
        """All tasks as rows, those without work included."""
        return Rows(
            task=np.arange(self.instance.core.num_tasks),
            machine=self.machine,
            start=self.start,
            duration=self.duration,
            work=self.work,
            accuracy=self.accuracy,
            energy=self.task_energy,
        )

    @property
    def claims(self) -> Claims:
        """What it claims as a whole."""
        return Claims(
            total_accuracy=self.total_accuracy,
            mean_accuracy=self.mean_accuracy,
            energy=self.energy,
            upper_bound=self.upper_bound,
        )

    def verify(self) -> Verification:
        """Checks feasibility and every claimed number against the instance.

        Returns:
            A `Verification`: true when all holds, otherwise with the reasons.
        """
        return verify(self.instance, self.rows, self.claims, self.pieces)

    def credited(
        self,
        *,
        solver: str | None = None,
        seconds: float | None = None,
        upper_bound: float | None = None,
    ) -> Schedule:
        """The same schedule with its provenance filled in; None keeps what is there."""
        return replace(
            self,
            solver=self.solver if solver is None else solver,
            seconds=self.seconds if seconds is None else seconds,
            upper_bound=self.upper_bound if upper_bound is None else upper_bound,
        )

    def plot(self) -> Figure:
        """Gantt chart: machines as rows, tasks coloured by accuracy, deadlines marked."""
        from dsct_gym.gantt import draw_gantt

        return draw_gantt(self)

    def to_columns(self) -> dict[str, list[Any]]:
        """One list for each column, an entry a task: what a data frame is made of.

        `dsct_gym.schedule_table.as_columns` tells which columns there are.
        """
        from dsct_gym.schedule_table import as_columns

        return as_columns(self)

    def save(self, path: str | Path) -> None:
        """Writes a schedule file (format ``dsct-ea-schedule/1``), whole or not at all."""
        from dsct_gym.files import write_schedule

        write_schedule(self, path)

    @classmethod
    def load(cls, path: str | Path, instance: Problem) -> Schedule:
        """Reads a schedule file as it stands; call `verify` to check it.

        Raises:
            InputError: If the file breaks the format, answers an instance of another name, names a
                task or machine that the instance does not have, places a task twice, or gives a
                mean that is not its total divided by the number of tasks.
        """
        from dsct_gym.files import read_schedule

        return read_schedule(path, instance)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()  # NumPy's copies and pickles can be written to

    def __repr__(self) -> str:
        placed = int((self.machine >= 0).sum())
        return (
            f"Schedule({placed}/{self.instance.core.num_tasks} tasks, mean accuracy "
            f"{self.mean_accuracy:.4f}, {self.energy:.6g} J)"
        )

    def _repr_html_(self) -> str:
        from dsct_gym.notebook import schedule_html

        return schedule_html(self)


def _read_only(values: Any) -> Any:
    array = np.asarray(values)
    if array.flags.writeable:
        array = array.copy()
        array.setflags(write=False)
    return array


_ARRAYS: Final = ("machine", "start", "duration", "work", "accuracy", "task_energy")


def value(schedule: Schedule) -> float:
    """What a schedule is worth: its total accuracy, unless its problem says otherwise."""
    return objective(schedule.instance, schedule)


def measures(schedule: Schedule) -> dict[str, float]:
    """What else there is to tell of a schedule, by name; nothing for an `Instance`."""
    return further_measures(schedule.instance, schedule)


@singledispatch
def objective(problem: Problem, schedule: Schedule) -> float:
    """What a problem maximises, of a schedule; may be negative. Ask for `value`."""
    return schedule.total_accuracy


@singledispatch
def idle(problem: Problem) -> float:
    """The value of doing nothing, from which gaps are measured; may be negative."""
    return value(Schedule.from_rows(problem, nothing_done(problem.core)))


@singledispatch
def further_measures(problem: Problem, schedule: Schedule) -> dict[str, float]:
    """What a variant tells of a schedule besides the usual numbers. Ask for `measures`."""
    return {}


@singledispatch
def releases(problem: Problem) -> Floats | None:
    """When each task may start (n,), s; None where all may from the start."""
    return None


@singledispatch
def schedule_of(problem: Problem, machine_of: Ints, work: Floats) -> Schedule:
    """The schedule of least energy that does given works by given deadlines, EDF without idling.

    Args:
        problem: The problem.
        machine_of: Machine of each task (n,), −1 for none.
        work: Work spent on each task (n,), GFLOP.

    Raises:
        InputError: As `Schedule.from_work`; or if works alone make no schedule of the problem.
    """
    raise InputError(f"instance: works alone make no schedule of {type(problem).__name__}")


@schedule_of.register
def _(problem: Instance, machine_of: Ints, work: Floats) -> Schedule:
    return Schedule.from_work(problem, machine_of, work)


def nothing_done(core: Instance) -> Rows:
    """Rows (n,) in which no task has a machine."""
    n = core.num_tasks
    return Rows(
        task=np.arange(n),
        machine=np.full(n, -1, dtype=np.int64),
        start=np.zeros(n),
        duration=np.zeros(n),
        work=np.zeros(n),
        accuracy=core.base_accuracy.copy(),
        energy=np.zeros(n),
    )


def check_rows(problem: Problem, rows: Rows, group: str = "rows") -> Rows:
    """Refuses rows that no schedule of the problem can have.

    Args:
        problem: The problem.
        rows: The rows (k,).
        group: What the rows are called in the refusal.

    Returns:
        The rows as arrays of integers and doubles.

    Raises:
        InputError: If they differ in length, or naming the first that has no such task or machine
            or places a task again.
    """
    n, m = problem.core.num_tasks, problem.core.num_machines
    task, machine = (_as_indices(column, group) for column in rows[:2])
    checked = Rows(task, machine, *(np.asarray(column, np.float64) for column in rows[2:]))
    if any(column.shape != task.shape or column.ndim != 1 for column in checked):
        raise InputError(f"{group}: columns of {[np.shape(column) for column in rows]} entries")
    strange = (task < 0) | (task >= n)
    again = np.ones(task.size, dtype=np.bool_)
    again[np.unique(task, return_index=True)[1]] = False
    wrong = np.flatnonzero(strange | again | (machine < -1) | (machine >= m))
    if wrong.size:
        first = int(wrong[0])
        if strange[first]:
            raise InputError(f"{group}[{first}].task: {task[first]} of {n} tasks")
        if again[first]:
            raise InputError(f"{group}[{first}].task: {task[first]} is placed twice")
        raise InputError(f"{group}[{first}].machine: {machine[first]} of {m} machines")
    return checked


def _as_indices(column: object, group: str) -> Ints:
    indices = np.asarray(column)
    if indices.dtype.kind not in "iu" and indices.size:
        raise InputError(f"{group}: tasks and machines must be integers, got {indices.dtype}")
    return indices.astype(np.int64)


def check_assignment(instance: Instance, machine_of: object) -> Ints:
    """``machine_of`` as an integer array (n,) with entries in −1..m−1.

    Raises:
        InputError: Naming the first entry at fault.
    """
    machine = np.asarray(machine_of)
    if machine.shape != (instance.num_tasks,):
        raise InputError(f"machine_of: shape {machine.shape} for {instance.num_tasks} tasks")
    if machine.dtype.kind not in "iu":
        raise InputError(f"machine_of: must be integers, got {machine.dtype}")
    wrong = np.flatnonzero((machine < -1) | (machine >= instance.num_machines))
    if wrong.size:
        first = int(wrong[0])
        raise InputError(
            f"machine_of[{first}]: {machine[first]} is not in -1..{instance.num_machines - 1}"
        )
    return machine.astype(np.int64)


def check_works(instance: Instance, machine_of: object, work: object) -> tuple[Ints, Floats]:
    """Machines (n,) and works (n,), with no machine where there is no work and vice versa.

    Raises:
        InputError: Naming the first entry at fault.
    """
    machine = check_assignment(instance, machine_of)
    spent = np.array(work, dtype=np.float64)
    if spent.shape != machine.shape:
        raise InputError(f"work: shape {spent.shape} for {instance.num_tasks} tasks")
    if not np.isfinite(spent).all():
        first = int(np.argmin(np.isfinite(spent)))
        raise InputError(f"work[{first}]: must be finite, got {spent[first]:g}")
    runs = (spent > 0.0) & (machine >= 0)
    return np.where(runs, machine, -1), np.where(runs, spent, 0.0)


def edf_starts(instance: Instance, machine: Ints, duration: Floats) -> Floats:
    """Start times when each machine runs its tasks in EDF order without idling (n,)."""
    by_machine = instance.edf_order[np.argsort(machine[instance.edf_order], kind="stable")]
    lasts = np.flatnonzero(np.diff(machine[by_machine])) + 1
    durations, starts = duration[by_machine], np.zeros_like(duration)
    for first, last in pairwise((0, *lasts.tolist(), starts.size)):
        starts[first + 1 : last] = np.cumsum(durations[first : last - 1])
    start = np.empty_like(starts)
    start[by_machine] = starts
    return np.where(machine >= 0, start, 0.0)
