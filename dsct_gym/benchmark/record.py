"""One run of one solver on one instance, as it is kept."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from dsct_gym.instance import Instance
from dsct_gym.solver import Solution

_SAME = 1e-9
"""Relative difference up to which two bounds are one, computed in different ways."""


@dataclass(frozen=True)
class Record:
    """The numbers of one run.

    Attributes:
        instance: Name of the instance.
        solver: Name of the solver.
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
        seconds: Wall time of the solver, s, without compilation.
        interrupted: Whether Ctrl-C cut the search short.
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
    seconds: float
    interrupted: bool

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
            seconds=solution.seconds,
            interrupted=solution.interrupted,
        )

    @property
    def upper_bound(self) -> float:
        """The least upper bound on the total accuracy that this run knows."""
        if self.proven_bound is None:
            return self.fractional_bound
        return min(self.fractional_bound, self.proven_bound)

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

    def to_json(self) -> str:
        """The record as a JSON document."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


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
