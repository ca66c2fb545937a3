"""The smallest variant of DSCT-EA: machines that open late, and a fine for each task refused.

It exists to show what a variant is made of, and that nothing else needs to know of it: a type
around an `Instance` with ``core``, ``needs`` and ``name``, its file, its rules, its value, and a
solver that knows it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from dsct_gym.accuracy import evaluate_curves
from dsct_gym.arrays import Floats
from dsct_gym.documents import (
    InstanceModel,
    NonNegative,
    TaskModel,
    core_of,
    document,
    validate_instance,
)
from dsct_gym.instance import Instance
from dsct_gym.loading import register
from dsct_gym.relaxation import Relaxation, relax
from dsct_gym.schedule import Schedule, further_measures, nothing_done, objective
from dsct_gym.solver import Answer, Solver
from dsct_gym.verifier import RULES, Case, Rows, Truth, recompute, rules


@dataclass(frozen=True, eq=False)
class FinedInstance:
    """Nothing starts before the opening; a task that does no work costs its fine.

    The value is ``Σ a_j(f_j) − Σ fine_j [f_j = 0]``.
    """

    core: Instance
    fines: Floats
    opening: float
    needs: ClassVar[frozenset[str]] = frozenset({"fines"})

    @property
    def name(self) -> str | None:
        return self.core.name

    @cached_property
    def _contents(self) -> tuple[object, ...]:
        return self.core, self.fines.tolist(), self.opening

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FinedInstance) and self._contents == other._contents


# Its file


class FinedTaskModel(TaskModel):
    fine: NonNegative = 0.0


class FinedModel(InstanceModel):
    opening: NonNegative = Field(description="s")
    tasks: list[FinedTaskModel] = Field(min_length=1)  # type: ignore[assignment]


def read(data: object) -> FinedInstance:
    model = validate_instance(FinedModel, data)
    fines = np.array([task.fine for task in model.tasks])
    return FinedInstance(core_of(model), fines, model.opening)


register({"fine", "opening"}, "toy_variant:read")


@document.register
def _(problem: FinedInstance) -> dict[str, Any]:
    written = document(problem.core)
    for task, fine in zip(written["tasks"], problem.fines.tolist(), strict=True):
        task["fine"] = fine
    return {**written, "opening": problem.opening}


# What the verifier looks for


def waits_for_the_opening(case: Case) -> Any:
    early = (case.rows.work > 0.0) & (case.rows.start < case.problem.opening)
    yield from case.named("starts before the opening", early)


@rules.register
def _(problem: FinedInstance) -> Any:
    return (*RULES, waits_for_the_opening)


@recompute.register
def _(problem: FinedInstance, rows: Rows) -> Truth:
    truth = recompute(problem.core, rows)
    served = rows.task[rows.work > 0.0]
    return truth._replace(value=truth.value - np.delete(problem.fines, served).sum())


# What it is worth, and what it can be at most


@objective.register
def _(problem: FinedInstance, schedule: Schedule) -> float:
    return schedule.total_accuracy - float(problem.fines[schedule.work == 0.0].sum())


@further_measures.register
def _(problem: FinedInstance, schedule: Schedule) -> dict[str, float]:
    return {"fined": float((schedule.work == 0.0).sum())}


@relax.register
def _(problem: FinedInstance) -> Relaxation:
    return relax(problem.core)  # fines only take away, and an opening only forbids


class Punctual(Solver):
    """By deadline, each task with its first segment where it ends first, while that fits."""

    name = "punctual"
    knows = frozenset({"fines"})

    def _solve(
        self,
        instance: Instance | FinedInstance,
        *,
        time_limit: float | None,
        seed: int | None,
    ) -> Answer:
        core, opening = instance.core, getattr(instance, "opening", 0.0)
        free, left = np.full(core.num_machines, opening), core.energy_budget
        served: list[tuple[int, int, float]] = []
        for task in core.edf_order.tolist():
            ends = free + core.work[task, 1] / core.speeds
            machine = int(np.argmin(ends))
            energy = core.work[task, 1] / core.efficiencies[machine]
            if ends[machine] <= core.deadlines[task] and energy <= left:
                served.append((task, machine, float(free[machine])))
                free[machine], left = ends[machine], left - energy
        task = np.array([row[0] for row in served], dtype=np.int64)
        machine = np.array([row[1] for row in served], dtype=np.int64)
        work = core.work[task, 1]
        rows = Rows(
            task=task,
            machine=machine,
            start=np.array([row[2] for row in served]),
            duration=work / core.speeds[machine],
            work=work,
            accuracy=evaluate_curves(core.work[task], core.accuracy[task], work),
            energy=work / core.efficiencies[machine],
        )
        return Answer(Schedule.from_rows(instance, rows), relax(instance).bound)


class Idler(Solver):
    """Does nothing."""

    name = "idler"
    knows = frozenset({"fines"})

    def _solve(self, instance: Any, *, time_limit: float | None, seed: int | None) -> Answer:
        return Answer(Schedule.from_rows(instance, nothing_done(instance.core)))


class Broken(Idler):
    """Fails."""

    def _solve(self, instance: Any, *, time_limit: float | None, seed: int | None) -> Answer:
        raise RuntimeError("no idea")
