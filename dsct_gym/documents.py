"""Instance and schedule documents: what parsed JSON holds, and what it means."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from functools import singledispatch
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar, Union

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from dsct_gym.accuracy import curve_lengths, pad_curves
from dsct_gym.errors import InputError
from dsct_gym.gaps import exceeds
from dsct_gym.instance import LARGEST, Instance, faults_of_names
from dsct_gym.refusals import Strict, fault_of, part_of, validate
from dsct_gym.schedule import Schedule, check_rows, measures, value
from dsct_gym.tolerances import CLAIM
from dsct_gym.verifier import Case, Claims, Pieces, Rows, Verification, verify

if TYPE_CHECKING:
    from dsct_gym.problem import Problem

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]

CERTIFICATE_FORMAT: Final = "dsct-ea-certificate/1"

RESERVED: Final = ("horizon", "objective", "operating_points", "arrival", "weight", "whole")
"""Keys of the variants of DSCT-EA, of the document, its machines and its tasks."""


class MachineModel(Strict):
    """A machine of an instance file."""

    name: str | None = None
    speed: Positive = Field(description="GFLOP/s")
    efficiency: Positive = Field(description="GFLOP/J")


class TaskModel(Strict):
    """A task of an instance file."""

    name: str | None = None
    deadline: Positive = Field(description="s")
    work: list[NonNegative] = Field(
        min_length=2, description="Breakpoints, GFLOP: from 0, strictly increasing"
    )
    accuracy: list[Annotated[float, Field(ge=0, le=1)]] = Field(
        min_length=2, description="Accuracy at the breakpoints: non-decreasing and concave"
    )

    @model_validator(mode="after")
    def _curve_is_whole(self) -> TaskModel:
        if len(self.work) != len(self.accuracy):
            values, breakpoints = len(self.accuracy), len(self.work)
            raise fault_of("accuracy", f"{values} values for {breakpoints} breakpoints")
        if self.work[-1] == self.work[-2]:
            # In a file a repeated last breakpoint is a mistake; only arrays need padding.
            last = len(self.work) - 1
            raise fault_of("work", f"not strictly increasing at breakpoint {last}")
        return self


class InstanceModel(Strict):
    """An instance file, format ``dsct-ea/1``."""

    format: Literal["dsct-ea/1"]
    name: str | None = None
    energy_budget: NonNegative = Field(description="J")
    machines: list[MachineModel] = Field(min_length=1)
    tasks: list[TaskModel] = Field(min_length=1)


Described = TypeVar("Described", bound=InstanceModel)

Index = Annotated[int, Field(ge=0, le=2**53)]


class PieceModel(Strict):
    """Part of a task, at one of the operating points of its machine."""

    speed: Positive = Field(description="GFLOP/s")
    power: Positive = Field(description="W")
    start: float = Field(description="s")
    duration: NonNegative = Field(description="s")
    work: NonNegative = Field(description="GFLOP")


class AssignmentModel(Strict):
    """One row of a schedule file."""

    task: Index
    machine: Index | None
    start: float = Field(default=0.0, description="s")
    duration: float = Field(default=0.0, description="s")
    work: float = Field(default=0.0, description="GFLOP")
    accuracy: float | None = None
    energy: float = Field(default=0.0, description="J")
    pieces: list[PieceModel] = Field(
        default=[], description="The clocks at which it runs, where machines have operating points"
    )

    @model_validator(mode="after")
    def _placed_rows_are_whole(self) -> AssignmentModel:
        if self.machine is not None:
            needed = ("start", "duration", "work", "accuracy", "energy")
            given = {field for field in self.model_fields_set if getattr(self, field) is not None}
            missing = [field for field in needed if field not in given]
            if missing:
                raise ValueError(f"a row with a machine needs {', '.join(missing)}")
        return self


class ScheduleModel(Strict):
    """A schedule file, format ``dsct-ea-schedule/1``."""

    format: Literal["dsct-ea-schedule/1"]
    instance: str | None = None
    solver: str | None = None
    seconds: NonNegative | None = None
    total_accuracy: float
    mean_accuracy: float
    energy: float = Field(description="J")
    upper_bound: float | None = Field(default=None, description="Total accuracy")
    value: float | None = Field(
        default=None, description="What a variant maximises that is not the total accuracy"
    )
    measures: dict[str, float] = Field(
        default={}, max_length=100, description="What else a variant tells of it, by name"
    )
    assignments: list[AssignmentModel]


Price = Annotated[float, Field(ge=0, le=LARGEST)]


class CertificateModel(Strict):
    """A certificate file, format ``dsct-ea-certificate/1``."""

    format: Literal["dsct-ea-certificate/1"]
    instance: str | None = None
    method: str | None = Field(default=None, max_length=100, description="What found the prices")
    upper_bound: float | None = Field(
        default=None, description="Total accuracy that the prices are claimed to prove"
    )
    energy_price: Price = Field(description="Accuracy per J")
    task_prices: list[Price] = Field(
        min_length=1, description="Accuracy, one a task in the order of the instance"
    )


def json_schemas(*variants: type[InstanceModel]) -> dict[str, dict[str, Any]]:
    """JSON Schemas of the file formats, by format name.

    Args:
        *variants: Models of the instance files of variants; `dsct_gym.loading` knows them.
    """
    return {
        "dsct-ea/1": _schema_of_instances(variants),
        "dsct-ea-schedule/1": ScheduleModel.model_json_schema(),
        CERTIFICATE_FORMAT: CertificateModel.model_json_schema(),
    }


def _schema_of_instances(variants: tuple[type[InstanceModel], ...]) -> dict[str, Any]:
    """The schema of the plain file, with what variants put in place of its parts or beside them."""
    if not variants:
        return InstanceModel.model_json_schema()
    kinds: Any = Union[(InstanceModel, *variants)]
    models: dict[str, Any] = TypeAdapter(kinds).json_schema()["$defs"]
    plain = models.pop(InstanceModel.__name__)
    common = both = plain["properties"]
    for variant in variants:
        told = models.pop(variant.__name__)["properties"]
        both = both | {
            name: _either(both[name], part) if name in both else part
            for name, part in told.items()
            if part != common.get(name)
        }
    plain["properties"] = both
    return {"$defs": models, **plain}


def _either(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """A schema for what fits one of two."""
    if one == other:
        return one
    if one.get("type") == other.get("type") == "array":
        return {**one, "items": _either(one["items"], other["items"])}
    return {"anyOf": [one, other]}


def parse_instance(data: object) -> Instance:
    """Builds an instance from parsed JSON.

    Raises:
        InputError: One line for each fault, naming the field; or one that names a key of a variant.
    """
    for place in find_keys(data, RESERVED).values():
        raise InputError(f"{place}: reserved for a variant not in this version")
    return core_of(validate_instance(InstanceModel, data))


def validate_instance(model: type[Described], data: object) -> Described:
    """Parsed JSON as the model of an instance document, of a variant's perhaps.

    Raises:
        InputError: One line for each fault, naming the field.
    """
    return validate(model, data, lambda: _faults_of_sound_parts(model, data))


def core_of(model: InstanceModel) -> Instance:
    """The instance that a document describes; a variant's core, where its model adds keys.

    Raises:
        InputError: One line for each fault, naming the field.
    """
    work, accuracy = pad_curves([(task.work, task.accuracy) for task in model.tasks])
    return Instance(
        speeds=np.array([machine.speed for machine in model.machines]),
        efficiencies=np.array([machine.efficiency for machine in model.machines]),
        deadlines=np.array([task.deadline for task in model.tasks]),
        work=work,
        accuracy=accuracy,
        energy_budget=model.energy_budget,
        name=model.name,
        machine_names=tuple(machine.name for machine in model.machines),
        task_names=tuple(task.name for task in model.tasks),
    )


def _faults_of_sound_parts(model: type[InstanceModel], data: object) -> list[str]:
    """What an `Instance` would find in the machines and tasks that their models let pass."""
    machines, tasks = _sound_parts(model, data, "machines"), _sound_parts(model, data, "tasks")
    faults = []
    for index, machine in machines.items():
        if type(machine) is MachineModel:  # those of a variant may have another kind of speed
            speeds, efficiencies = [machine.speed], [machine.efficiency]
            faults += _alone("machines", index, speeds=speeds, efficiencies=efficiencies)
    for index, task in tasks.items():
        curve = {"work": [task.work], "accuracy": [task.accuracy]}
        faults += _alone("tasks", index, deadlines=[task.deadline], **curve)
    for group, parts in (("machines", machines), ("tasks", tasks)):
        names = {index: part.name for index, part in parts.items()}
        faults += faults_of_names(names, group)
    return faults


def _sound_parts(model: type[InstanceModel], data: object, group: str) -> dict[int, Any]:
    """The machines or tasks that their model lets pass, by index."""
    listed = data.get(group) if isinstance(data, dict) else None
    part = part_of(model, group)
    sound = {}
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        with suppress(ValidationError):
            sound[index] = part.model_validate(entry)
    return sound


def _alone(group: str, index: int, **fields: Any) -> list[str]:
    """What is wrong with one machine or task, as an instance of its own."""
    plain = {
        "speeds": [1.0],
        "efficiencies": [1.0],
        "deadlines": [1.0],
        "work": [[0.0, 1.0]],
        "accuracy": [[0.0, 0.0]],
        "energy_budget": 0.0,
    }
    try:
        Instance(**{**plain, **fields})
    except InputError as error:
        return [line.replace(f"{group}[0]", f"{group}[{index}]", 1) for line in error.lines]
    return []


def find_keys(data: object, keys: Iterable[str]) -> dict[str, str]:
    """Which of some keys parsed JSON holds, each with the first place, of the document or a part.

    Args:
        data: Parsed JSON, perhaps no instance document at all.
        keys: The keys to look for in the document, its machines and its tasks.

    Returns:
        Places such as ``tasks[3].arrival`` by key, in the order of the document's parts.
    """
    if not isinstance(data, dict):
        return {}
    wanted = frozenset(keys)
    found: dict[str, str] = {}
    parts = [("", data)]
    for group in ("machines", "tasks"):
        listed = data.get(group)
        if isinstance(listed, list):
            parts += [(f"{group}[{index}].", part) for index, part in enumerate(listed)]
    for place, part in parts:
        for key in part if isinstance(part, dict) else ():
            if key in wanted:
                found.setdefault(key, place + key)
    return found


@singledispatch
def document(problem: Problem) -> dict[str, Any]:
    """A problem as the JSON document of its file; a variant adds its keys to its core's."""
    raise InputError(f"instance: {type(problem).__name__} has no file format")


@document.register
def _(instance: Instance) -> dict[str, Any]:
    machine_names = instance.machine_names or (None,) * instance.num_machines
    task_names = instance.task_names or (None,) * instance.num_tasks
    lengths = curve_lengths(instance.work).tolist()
    machines = [
        {**_named(name), "speed": speed, "efficiency": efficiency}
        for name, speed, efficiency in zip(
            machine_names, instance.speeds.tolist(), instance.efficiencies.tolist(), strict=True
        )
    ]
    tasks = [
        {
            **_named(task_names[j]),
            "deadline": float(instance.deadlines[j]),
            "work": instance.work[j, :length].tolist(),
            "accuracy": instance.accuracy[j, :length].tolist(),
        }
        for j, length in enumerate(lengths)
    ]
    return {
        "format": "dsct-ea/1",
        **_named(instance.name),
        "energy_budget": instance.energy_budget,
        "machines": machines,
        "tasks": tasks,
    }


def schedule_document(schedule: Schedule) -> dict[str, Any]:
    """The schedule as the JSON document of its file."""
    pieces = _listed_pieces(schedule.pieces)
    rows: list[dict[str, Any]] = [
        {
            "task": j,
            "machine": int(schedule.machine[j]),
            "start": float(schedule.start[j]),
            "duration": float(schedule.duration[j]),
            "work": float(schedule.work[j]),
            "accuracy": float(schedule.accuracy[j]),
            "energy": float(schedule.task_energy[j]),
            **({"pieces": pieces[j]} if j in pieces else {}),
        }
        for j in np.flatnonzero(schedule.machine >= 0).tolist()
    ]
    return {
        "format": "dsct-ea-schedule/1",
        "instance": schedule.instance.name,
        "solver": schedule.solver,
        "seconds": schedule.seconds,
        "total_accuracy": schedule.total_accuracy,
        "mean_accuracy": schedule.mean_accuracy,
        "energy": schedule.energy,
        "upper_bound": schedule.upper_bound,
        **_further_claims(schedule),
        "assignments": rows,
    }


def _further_claims(schedule: Schedule) -> dict[str, Any]:
    """What the file of a variant's schedule claims besides, as far as the verifier checks it."""
    if not (told := measures(schedule)):
        return {}
    case = Case(schedule.instance, schedule.rows, schedule.claims, schedule.pieces)
    checked = {name: told[name] for name in told if name in case.truth.measures}
    return {"value": value(schedule), "measures": checked} if checked else {}


def parse_schedule(data: object, problem: Problem) -> Schedule:
    """Builds a schedule from parsed JSON, as `dsct_gym.files.read_schedule` does."""
    model = validate(ScheduleModel, data)
    n = problem.core.num_tasks
    if _answers_another(model, problem):
        raise InputError(f"instance: it answers {model.instance!r}, not {problem.name!r}")
    if not math.isclose(model.mean_accuracy * n, model.total_accuracy, rel_tol=CLAIM):
        raise InputError(
            f"mean_accuracy: {model.mean_accuracy:g} is not total_accuracy / {n} tasks"
        )
    rows = check_rows(problem, _rows(model, problem.core), "assignments")
    schedule = Schedule.from_rows(
        problem, rows, claims=_claims(model), solver=model.solver, pieces=_pieces(model)
    )
    return schedule.credited(seconds=model.seconds)


def verify_document(data: object, problem: Problem, proven: float = math.inf) -> Verification:
    """Verifies everything that a parsed schedule file claims, its totals and its fit included.

    Args:
        data: Parsed JSON.
        problem: What it claims to answer.
        proven: An upper bound on the value of any schedule that is known to hold, as that which the
            certificate of a bound proves.

    Returns:
        The verification. A row naming a task or machine that the problem does not have is a
        reason, not an error: the file may be sound and answer another problem. An upper bound
        below the fractional one and ``proven``, which a file carries no proof of, is told as
        unchecked.

    Raises:
        InputError: If it breaks the format.
    """
    model = validate(ScheduleModel, data)
    claims = _claims(model)
    found = verify(problem, _rows(model, problem.core), claims, _pieces(model))
    reasons = found.reasons
    if _answers_another(model, problem):
        reasons = (f"it answers instance {model.instance!r}, not {problem.name!r}", *reasons)
    refuted = any(reason.startswith("upper_bound") for reason in reasons)
    bound = claims.upper_bound
    known = bound is None or refuted or not exceeds(proven, bound) or _follows(bound, problem)
    return Verification(reasons, found.unchecked if known else ("upper_bound", *found.unchecked))


def _follows(bound: float, problem: Problem) -> bool:
    """Whether an upper bound follows from the fractional relaxation, and so needs no proof."""
    # Solving it takes compiled kernels, which reading and writing files can do without.
    from dsct_gym.relaxation import has_relaxation, upper_bound

    if not has_relaxation(problem):
        return False
    fractional = upper_bound(problem)
    return bound >= fractional - CLAIM * max(1.0, abs(fractional))


def _rows(model: ScheduleModel, core: Instance) -> Rows:
    """The rows of a file; one that claims no accuracy earns what its task earns without work."""
    rows, base = model.assignments, core.base_accuracy

    def claimed_accuracy(row: AssignmentModel) -> float:
        if row.accuracy is not None:
            return row.accuracy
        return float(base[row.task]) if row.task < base.size else 0.0

    return Rows(
        task=np.array([row.task for row in rows], dtype=np.int64),
        machine=np.array([-1 if row.machine is None else row.machine for row in rows], np.int64),
        start=np.array([row.start for row in rows], np.float64),
        duration=np.array([row.duration for row in rows], np.float64),
        work=np.array([row.work for row in rows], np.float64),
        accuracy=np.array([claimed_accuracy(row) for row in rows], np.float64),
        energy=np.array([row.energy for row in rows], np.float64),
    )


def _pieces(model: ScheduleModel) -> Pieces | None:
    """The clocks of the rows of a file, None where it tells none."""
    listed = [(row.task, piece) for row in model.assignments for piece in row.pieces]
    if not listed:
        return None
    return Pieces(
        task=np.array([task for task, _ in listed], dtype=np.int64),
        speed=np.array([piece.speed for _, piece in listed]),
        power=np.array([piece.power for _, piece in listed]),
        start=np.array([piece.start for _, piece in listed]),
        duration=np.array([piece.duration for _, piece in listed]),
        work=np.array([piece.work for _, piece in listed]),
    )


def _listed_pieces(pieces: Pieces | None) -> dict[int, list[dict[str, float]]]:
    """The pieces of each task that has any, as a file lists them."""
    listed: dict[int, list[dict[str, float]]] = {}
    if pieces is not None:
        columns = (column.tolist() for column in pieces)
        for task, speed, power, start, duration, work in zip(*columns, strict=True):
            listed.setdefault(task, []).append(
                {
                    "speed": speed,
                    "power": power,
                    "start": start,
                    "duration": duration,
                    "work": work,
                }
            )
    return listed


def _claims(model: ScheduleModel) -> Claims:
    return Claims(
        total_accuracy=model.total_accuracy,
        mean_accuracy=model.mean_accuracy,
        energy=model.energy,
        upper_bound=model.upper_bound,
        value=model.value,
        measures=model.measures,
    )


def _answers_another(model: ScheduleModel, problem: Problem) -> bool:
    return model.instance is not None and problem.name not in (None, model.instance)


def _named(name: str | None) -> dict[str, str]:
    return {} if name is None else {"name": name}
