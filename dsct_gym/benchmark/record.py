"""The numbers of one run of one solver on one instance, and how they are written and read."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter

from dsct_gym.arrays import Floats
from dsct_gym.errors import InputError
from dsct_gym.gaps import PROVEN, SIGNIFICANT, exceeds, floor_of, shortfall
from dsct_gym.problem import Problem
from dsct_gym.refusals import refusing
from dsct_gym.schedule import Schedule, idle, measures, value
from dsct_gym.solver import Solution

_LONGEST_MESSAGE: Final = 2000

Name = Annotated[str, Field(min_length=1, max_length=10_000)]
Short = Annotated[str, Field(max_length=100, pattern=r"^\S+$")]
Count = Annotated[int, Field(ge=1, le=2**53)]
NonNegative = Annotated[float, Field(ge=0.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0 + 1e-6)]


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
        fractional_bound: Fractional upper bound on the value.
        proven_bound: Upper bound on the value that the solver proved itself, None if it proves
            none.
        energy: Energy spent, J.
        energy_budget: J; None for none.
        makespan: When the last machine stops, s.
        slack: Mean over the tasks that run of ``(deadline - finish) / deadline``, in [0, 1].
        fairness: Jain's index of the tasks' accuracies, in [1/n, 1]; 1 when all are equal. 0 where
            there is no schedule.
        seconds: Wall time of the solver, s, without compilation.
        interrupted: Whether Ctrl-C cut the search short.
        status: How the run ended.
        message: What went wrong, None when nothing did.
        needs: What a solver must know of the problem beyond DSCT-EA, sorted; nothing for an
            `Instance`.
        value: What the problem maximises: the total accuracy, also where this is left out, unless
            the problem is a variant that says otherwise; may be negative.
        floor: Where gaps are measured from: 0 for an `Instance`, the value of doing nothing for a
            variant.
        measures: What else a variant tells of a schedule, by name.
        tolerance: Shortfall from its own bound at which the solver takes a schedule for optimal, at
            least `PROVEN`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False
    )

    instance: Name
    solver: Name
    tasks: Count
    machines: Count
    seed: Annotated[int, Field(ge=0, le=2**128)] | None
    time_limit: Annotated[float, Field(gt=0.0)] | None
    total_accuracy: NonNegative
    mean_accuracy: Share
    fractional_bound: float
    proven_bound: float | None
    energy: NonNegative
    energy_budget: NonNegative | None
    makespan: NonNegative
    slack: Share
    fairness: Share
    seconds: NonNegative
    interrupted: bool
    status: Status = Status.OK
    message: Annotated[str, Field(max_length=100_000)] | None = None
    needs: Annotated[tuple[Short, ...], Field(max_length=20)] = ()
    value: float = math.nan
    floor: float = 0.0
    measures: Annotated[dict[Short, float], Field(max_length=100)] = field(default_factory=dict)
    tolerance: Annotated[float, Field(ge=0.0, lt=1.0)] = PROVEN

    def __post_init__(self) -> None:
        if math.isnan(self.value):
            object.__setattr__(self, "value", self.total_accuracy)

    @classmethod
    def of(
        cls,
        problem: Problem,
        solution: Solution,
        *,
        label: str,
        solver: str,
        fractional_bound: float,
        seed: int | None,
        time_limit: float | None,
        tolerance: float = PROVEN,
    ) -> Record:
        """The record of a solution."""
        schedule = solution.schedule
        return cls(
            **_common(problem, label, solver, fractional_bound, seed, time_limit),
            total_accuracy=schedule.total_accuracy,
            mean_accuracy=schedule.mean_accuracy,
            proven_bound=solution.upper_bound,
            energy=schedule.energy,
            makespan=schedule.makespan,
            slack=mean_slack(schedule),
            fairness=jain_index(schedule.accuracy),
            seconds=solution.seconds,
            interrupted=solution.interrupted,
            value=value(schedule),
            measures=measures(schedule),
            tolerance=tolerance,
        )

    @classmethod
    def without_schedule(
        cls,
        problem: Problem,
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
        core = problem.core
        return cls(
            **_common(problem, label, solver, fractional_bound, seed, time_limit),
            total_accuracy=float(core.base_accuracy.sum()),
            mean_accuracy=float(core.base_accuracy.mean()),
            proven_bound=None,
            energy=0.0,
            makespan=0.0,
            slack=0.0,
            fairness=0.0,
            seconds=seconds,
            interrupted=False,
            status=status,
            message=message[:_LONGEST_MESSAGE],
            value=idle(problem),
        )

    @property
    def upper_bound(self) -> float:
        """The least upper bound on the value that this run knows."""
        if self.proven_bound is None:
            return self.fractional_bound
        return min(self.fractional_bound, self.proven_bound)

    @property
    def ok(self) -> bool:
        """Whether the run gave a feasible schedule."""
        return self.status == Status.OK

    @property
    def mean_value(self) -> float:
        """The value per task."""
        return self.value / self.tasks

    @property
    def has_own_bound(self) -> bool:
        """Whether the solver proved a bound that is tighter than the fractional one."""
        return exceeds(self.fractional_bound, self.upper_bound, SIGNIFICANT)

    @property
    def proven(self) -> bool:
        """Whether the solver proved its schedule optimal: by its own bound, to its own tolerance.

        Somebody else's proof does not count, nor does a bound of its own that others refute.
        """
        if not self.ok or self.proven_bound is None:
            return False
        return self.short_of(self.proven_bound) <= self.tolerance + SIGNIFICANT

    @property
    def gap(self) -> float:
        """What is missing to `upper_bound`, as a share of what lies above `floor`, at least 0."""
        return self.short_of(self.upper_bound)

    @property
    def energy_share(self) -> float:
        """Energy spent as a share of the budget; 0 where the budget is 0 or there is none."""
        return self.energy / self.energy_budget if self.energy_budget else 0.0

    def short_of(self, target: float) -> float:
        """What is missing to a target, as a share of what lies between it and `floor`."""
        return shortfall(self.value, target, self.floor)


def _common(
    problem: Problem,
    label: str,
    solver: str,
    fractional_bound: float,
    seed: int | None,
    time_limit: float | None,
) -> dict[str, Any]:
    """What a record says of its job, whatever came of it."""
    core = problem.core
    return {
        "instance": label,
        "solver": solver,
        "tasks": core.num_tasks,
        "machines": core.num_machines,
        "seed": seed,
        "time_limit": time_limit,
        "fractional_bound": fractional_bound,
        "energy_budget": core.energy_budget if math.isfinite(core.energy_budget) else None,
        "needs": tuple(sorted(problem.needs)),
        "floor": floor_of(problem),
    }


def tolerance_of(solver: object) -> float:
    """The shortfall from its own bound at which a solver takes a schedule for optimal."""
    own = getattr(solver, "tolerance", None)
    if isinstance(own, (int, float)) and PROVEN < own < 1.0:
        return float(own)
    return PROVEN


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


_RECORD: Final = TypeAdapter(Record)


def records_as_csv(records: Sequence[Record]) -> str:
    """The records as a CSV table with a heading."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [each.name for each in fields(Record)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(as_row, records))
    return text.getvalue()


def records_from_csv(text: str, where: str) -> Iterator[Record]:
    """Reads what `records_as_csv` wrote, in this version or in one before.

    Args:
        text: The table.
        where: Its file, for errors.

    Raises:
        InputError: One line naming file, line and field at fault.
    """
    table = csv.DictReader(io.StringIO(text, newline=""))
    try:
        for row in table:
            with refusing():
                yield _RECORD.validate_python(_from_row(row), strict=False)
    except (csv.Error, InputError) as error:
        fault = error.lines[0] if isinstance(error, InputError) else error
        raise InputError(f"{where}: line {table.line_num}: {fault}") from error


def as_row(record: Record) -> dict[str, object]:
    """The record as a row of a table: names and numbers only."""
    row = asdict(record)
    row["status"] = str(record.status)
    row["needs"] = " ".join(record.needs)
    row["measures"] = json.dumps(record.measures)
    return row


def _from_row(row: dict[str, Any]) -> dict[str, Any]:
    """What a row of text says, its numbers still as text."""
    data = {name: cell or None for name, cell in row.items()}
    if "needs" in data:
        data["needs"] = tuple((data["needs"] or "").split())
    if "measures" in data:
        try:
            data["measures"] = json.loads(data["measures"] or "{}")
        except ValueError as error:
            raise InputError(f"measures: not JSON: {error}") from error
    return data
