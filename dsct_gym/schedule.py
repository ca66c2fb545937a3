"""A schedule: which machine does how much of each task, and when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dsct_gym.accuracy import evaluate_curves
from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.verifier import Verification, verify_rows

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Schedule:
    """One row a task, in the order of the instance; build it with `Schedule.from_work`.

    What a schedule read from a file claims is kept as it stands there; `verify` recomputes it.

    Attributes:
        instance: The problem it answers.
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
        upper_bound: A proven upper bound on the total accuracy of any schedule.
    """

    instance: Instance
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
        machine = check_assignment(instance, machine_of)
        work = np.array(work, dtype=np.float64)
        if work.shape != machine.shape:
            raise InputError(f"work: shape {work.shape} for {instance.num_tasks} tasks")
        if not np.isfinite(work).all():
            first = int(np.argmin(np.isfinite(work)))
            raise InputError(f"work[{first}]: must be finite, got {work[first]:g}")
        machine = np.where(work > 0.0, machine, -1)
        runs = machine >= 0
        work = np.where(runs, work, 0.0)
        duration = np.where(runs, work / instance.speeds[machine], 0.0)
        task_energy = np.where(runs, work / instance.efficiencies[machine], 0.0)
        accuracy = evaluate_curves(instance.work, instance.accuracy, work)
        return cls(
            instance=instance,
            machine=machine,
            start=_edf_starts(instance, machine, duration),
            duration=duration,
            work=work,
            accuracy=accuracy,
            task_energy=task_energy,
            total_accuracy=float(accuracy.sum()),
            energy=float(task_energy.sum()),
            solver=solver,
        )

    @property
    def mean_accuracy(self) -> float:
        """Mean accuracy per task, in [0, 1]."""
        return self.total_accuracy / self.instance.num_tasks

    @property
    def finish(self) -> Floats:
        """End of each task (n,), s."""
        return self.start + self.duration

    @property
    def makespan(self) -> float:
        """When the last machine stops, s."""
        return float(self.finish.max())

    def verify(self) -> Verification:
        """Checks feasibility and every claimed number against the instance.

        Returns:
            A `Verification`: true when all holds, otherwise with the reasons.
        """
        return verify_rows(
            self.instance,
            task=np.arange(self.instance.num_tasks),
            machine=self.machine,
            start=self.start,
            duration=self.duration,
            work=self.work,
            accuracy=self.accuracy,
            energy=self.task_energy,
            total_accuracy=self.total_accuracy,
            mean_accuracy=self.mean_accuracy,
            total_energy=self.energy,
            upper_bound=self.upper_bound,
        )

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

    def save(self, path: str | Path) -> None:
        """Writes a schedule file (format ``dsct-ea-schedule/1``), whole or not at all."""
        from dsct_gym.files import write_schedule

        write_schedule(self, path)

    @classmethod
    def load(cls, path: str | Path, instance: Instance) -> Schedule:
        """Reads a schedule file as it stands; call `verify` to check it.

        Raises:
            InputError: If the file breaks the format, answers an instance of another name, names a
                task or machine that the instance does not have, places a task twice, or gives a
                mean that is not its total divided by the number of tasks.
        """
        from dsct_gym.files import read_schedule

        return read_schedule(path, instance)

    def __repr__(self) -> str:
        placed = int((self.machine >= 0).sum())
        return (
            f"Schedule({placed}/{self.instance.num_tasks} tasks, mean accuracy "
            f"{self.mean_accuracy:.4f}, {self.energy:.6g} J)"
        )


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


def _edf_starts(instance: Instance, machine: Ints, duration: Floats) -> Floats:
    """Start times when each machine runs its tasks in EDF order without idling (n,)."""
    start = np.zeros_like(duration)
    by_machine = instance.edf_order[np.argsort(machine[instance.edf_order], kind="stable")]
    for tasks in np.split(by_machine, np.flatnonzero(np.diff(machine[by_machine])) + 1):
        ends = np.cumsum(duration[tasks])
        start[tasks[1:]] = ends[:-1]
    return np.where(machine >= 0, start, 0.0)
