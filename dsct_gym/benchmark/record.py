"""The numbers of one run of one solver on one instance."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.instance import Instance
from dsct_gym.schedule import Schedule
from dsct_gym.solver import Solution

_SAME = 1e-9
"""Relative difference up to which two bounds are one, computed in different ways."""


class Status(StrEnum):
    """How a run ended."""

    OK = "ok"
    INFEASIBLE = "infeasible"
    FAILED = "failed"
    TIMEOUT = "timeout"


@dataclass(frozen=True)
class Record:
    """The numbers of one run.

    A run without a feasible schedule counts as the empty schedule: every task at ``a_j(0)``.

    Attributes:
        instance: Name of the instance.
        solver: Name of the solver, with its options where it has any.
        tasks: Number of tasks n.
        machines: Number of machines m.
        seed: Seed given, None for none.
        time_limit: Limit given, s; None for none.
        total_accuracy: Of the schedule found.
        mean_accuracy: Per task, in [0, 1].
        fractional_bound: Fractional upper bound on the total accuracy.
        proven_bound: Upper bound on the total accuracy that the solver proved itself, None if it
            proves none.
        energy: Energy spent, J.
        energy_budget: J.
        makespan: When the last machine stops, s.
        slack: Mean over the tasks that run of ``(deadline - finish) / deadline``, in [0, 1].
        fairness: Jain's index of the tasks' accuracies, in [1/n, 1]; 1 when all are equal.
        seconds: Wall time of the solver, s, without compilation.
        interrupted: Whether Ctrl-C cut the search short.
        status: How the run ended.
        message: What went wrong, None when nothing did.
    """

    instance: str
    solver: str
    tasks: int
    machines: int
    seed: int | None
    time_limit: float | None
    total_accuracy: float
    mean_accuracy: float
    fractional_bound: float
    proven_bound: float | None
    energy: float
    energy_budget: float
    makespan: float
    slack: float
    fairness: float
    seconds: float
    interrupted: bool
    status: Status = Status.OK
    message: str | None = None

    @classmethod
    def of(
        cls,
        instance: Instance,
        solution: Solution,
        *,
        label: str,
        solver: str,
        fractional_bound: float,
        seed: int | None,
        time_limit: float | None,
    ) -> Record:
        """The record of a solution."""
        schedule = solution.schedule
        return cls(
            instance=label,
            solver=solver,
            tasks=instance.num_tasks,
            machines=instance.num_machines,
            seed=seed,
            time_limit=time_limit,
            total_accuracy=schedule.total_accuracy,
            mean_accuracy=schedule.mean_accuracy,
            fractional_bound=fractional_bound,
            proven_bound=solution.upper_bound,
            energy=schedule.energy,
            energy_budget=instance.energy_budget,
            makespan=schedule.makespan,
            slack=mean_slack(schedule),
            fairness=jain_index(schedule.accuracy),
            seconds=solution.seconds,
            interrupted=solution.interrupted,
        )

    @classmethod
    def without_schedule(
        cls,
        instance: Instance,
        status: Status,
        message: str,
        *,
        label: str,
        solver: str,
        fractional_bound: float,
        seconds: float,
        seed: int | None,
        time_limit: float | None,
    ) -> Record:
        """The record of a run that gave no feasible schedule."""
        return cls(
            instance=label,
            solver=solver,
            tasks=instance.num_tasks,
            machines=instance.num_machines,
            seed=seed,
            time_limit=time_limit,
            total_accuracy=float(instance.base_accuracy.sum()),
            mean_accuracy=float(instance.base_accuracy.mean()),
            fractional_bound=fractional_bound,
            proven_bound=None,
            energy=0.0,
            energy_budget=instance.energy_budget,
            makespan=0.0,
            slack=0.0,
            fairness=jain_index(instance.base_accuracy),
            seconds=seconds,
            interrupted=False,
            status=status,
            message=message,
        )

    @property
    def upper_bound(self) -> float:
        """The least upper bound on the total accuracy that this run knows."""
        if self.proven_bound is None:
            return self.fractional_bound
        return min(self.fractional_bound, self.proven_bound)

    @property
    def ok(self) -> bool:
        """Whether the run gave a feasible schedule."""
        return self.status == Status.OK

    @property
    def has_own_bound(self) -> bool:
        """Whether the solver proved a bound that is tighter than the fractional one."""
        return self.upper_bound < self.fractional_bound * (1.0 - _SAME)

    @property
    def gap(self) -> float:
        """What is missing to `upper_bound`, as a share of it, at least 0."""
        return relative_gap(self.total_accuracy, self.upper_bound)

    @property
    def energy_share(self) -> float:
        """Energy spent as a share of the budget; 0 where the budget is 0."""
        return self.energy / self.energy_budget if self.energy_budget > 0.0 else 0.0


def jain_index(accuracy: Floats) -> float:
    """Jain's fairness index ``(Σ a)² / (n Σ a²)`` of accuracies (n,); 1 when all are 0.

    Source: Jain, Chiu and Hawe, "A quantitative measure of fairness", DEC-TR-301, 1984.
    """
    squares = float(np.square(accuracy).sum())
    return float(accuracy.sum()) ** 2 / (accuracy.size * squares) if squares > 0.0 else 1.0


def mean_slack(schedule: Schedule) -> float:
    """Mean over the tasks that run of ``(deadline - finish) / deadline``; 0 when none does."""
    runs = schedule.duration > 0.0
    if not runs.any():
        return 0.0
    left = 1.0 - schedule.finish[runs] / schedule.instance.core.deadlines[runs]
    return float(np.maximum(left, 0.0).mean())


def relative_gap(total: float, bound: float) -> float:
    """``1 - total / bound``, at least 0; 0 where the bound is 0."""
    return max(0.0, 1.0 - total / bound) if bound > 0.0 else 0.0


def records_as_csv(records: Sequence[Record]) -> str:
    """The records as a CSV table with a heading."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Record)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(record) for record in records)
    return text.getvalue()
