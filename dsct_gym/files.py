"""Instance and schedule files: JSON, validated field by field, written whole or not at all."""

from __future__ import annotations

import json
import math
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from dsct_gym.accuracy import curve_lengths, pad_curves
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.schedule import Schedule
from dsct_gym.tolerances import CLAIM
from dsct_gym.verifier import Verification, verify_rows

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound="_Strict")

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]


class _Strict(BaseModel):
    """Refuses unknown keys, NaN, infinity and numbers written as text."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def _refuse_reserved(data: object, key: str) -> object:
    if isinstance(data, dict) and key in data:
        raise PydanticCustomError("reserved", "{key}", {"key": key})
    return data


class MachineModel(_Strict):
    """A machine of an instance file."""

    name: str | None = None
    speed: Positive = Field(description="GFLOP/s")
    efficiency: Positive = Field(description="GFLOP/J")

    @model_validator(mode="before")
    @classmethod
    def _no_variants(cls, data: object) -> object:
        return _refuse_reserved(data, "operating_points")


class TaskModel(_Strict):
    """A task of an instance file."""

    name: str | None = None
    deadline: Positive = Field(description="s")
    work: list[NonNegative] = Field(
        min_length=2, description="Breakpoints, GFLOP: from 0, strictly increasing"
    )
    accuracy: list[Annotated[float, Field(ge=0, le=1)]] = Field(
        min_length=2, description="Accuracy at the breakpoints: non-decreasing and concave"
    )

    @model_validator(mode="before")
    @classmethod
    def _no_variants(cls, data: object) -> object:
        return _refuse_reserved(data, "arrival")


class InstanceModel(_Strict):
    """An instance file, format ``dsct-ea/1``."""

    format: Literal["dsct-ea/1"]
    name: str | None = None
    energy_budget: NonNegative = Field(description="J")
    machines: list[MachineModel] = Field(min_length=1)
    tasks: list[TaskModel] = Field(min_length=1)


Index = Annotated[int, Field(ge=0, le=2**53)]


class AssignmentModel(_Strict):
    """One row of a schedule file."""

    task: Index
    machine: Index | None
    start: float = Field(default=0.0, description="s")
    duration: float = Field(default=0.0, description="s")
    work: float = Field(default=0.0, description="GFLOP")
    accuracy: float | None = None
    energy: float = Field(default=0.0, description="J")

    @model_validator(mode="after")
    def _placed_rows_are_whole(self) -> AssignmentModel:
        if self.machine is not None:
            for field in ("start", "duration", "work", "accuracy", "energy"):
                if field not in self.model_fields_set or getattr(self, field) is None:
                    raise ValueError(f"a row with a machine needs {field}")
        return self


class ScheduleModel(_Strict):
    """A schedule file, format ``dsct-ea-schedule/1``."""

    format: Literal["dsct-ea-schedule/1"]
    instance: str | None = None
    solver: str | None = None
    seconds: NonNegative | None = None
    total_accuracy: float
    mean_accuracy: float
    energy: float = Field(description="J")
    upper_bound: float | None = Field(default=None, description="Total accuracy")
    assignments: list[AssignmentModel]


def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schemas of the two file formats, by format name."""
    return {
        "dsct-ea/1": InstanceModel.model_json_schema(),
        "dsct-ea-schedule/1": ScheduleModel.model_json_schema(),
    }


def read_instance(path: str | Path) -> Instance:
    """Reads an instance file.

    Raises:
        InputError: If it cannot be read or breaks the format: one line naming the field.
    """
    return parse_instance(read_json(path))


def parse_instance(data: object) -> Instance:
    """Builds an instance from parsed JSON.

    Raises:
        InputError: One line naming the field at fault.
    """
    model = _validate(InstanceModel, data)
    for index, task in enumerate(model.tasks):
        if len(task.work) != len(task.accuracy):
            raise InputError(
                f"tasks[{index}].accuracy: {len(task.accuracy)} values "
                f"for {len(task.work)} breakpoints"
            )
        _check_no_padding(index, task)
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


def _check_no_padding(index: int, task: TaskModel) -> None:
    """In a file a repeated last breakpoint is a mistake; only arrays need padding."""
    if task.work[-1] == task.work[-2]:
        last = len(task.work) - 1
        raise InputError(f"tasks[{index}].work: not strictly increasing at breakpoint {last}")


def instance_document(instance: Instance) -> dict[str, Any]:
    """The instance as the JSON document that `write_instance` writes."""
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


def instance_text(instance: Instance) -> str:
    """The text of an instance file, one machine or task a line."""
    return _one_item_a_line(instance_document(instance))


def write_instance(instance: Instance, path: str | Path) -> None:
    """Writes an instance file; the same instance, the same bytes."""
    write_text(path, instance_text(instance))


def schedule_document(schedule: Schedule) -> dict[str, Any]:
    """The schedule as the JSON document that `write_schedule` writes."""
    rows = [
        {
            "task": j,
            "machine": int(schedule.machine[j]),
            "start": float(schedule.start[j]),
            "duration": float(schedule.duration[j]),
            "work": float(schedule.work[j]),
            "accuracy": float(schedule.accuracy[j]),
            "energy": float(schedule.task_energy[j]),
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
        "assignments": rows,
    }


def write_schedule(schedule: Schedule, path: str | Path) -> None:
    """Writes a schedule file, one placed task a line."""
    write_text(path, _one_item_a_line(schedule_document(schedule)))


def read_schedule(path: str | Path, instance: Instance) -> Schedule:
    """Reads a schedule file; what it claims is kept as it stands there.

    Raises:
        InputError: If it breaks the format, answers an instance of another name, names a task or
            machine that the instance does not have, places a task twice, or gives a mean that is
            not its total divided by the number of tasks.
    """
    return parse_schedule(read_json(path), instance)


def parse_schedule(data: object, instance: Instance) -> Schedule:
    """Builds a schedule from parsed JSON, as `read_schedule` does."""
    model = _validate(ScheduleModel, data)
    n, m = instance.num_tasks, instance.num_machines
    if _answers_another(model, instance):
        raise InputError(f"instance: it answers {model.instance!r}, not {instance.name!r}")
    if not math.isclose(model.mean_accuracy * n, model.total_accuracy, rel_tol=CLAIM):
        raise InputError(
            f"mean_accuracy: {model.mean_accuracy:g} is not total_accuracy / {n} tasks"
        )
    columns = {field: np.zeros(n) for field in ("start", "duration", "work", "energy")}
    accuracy = instance.base_accuracy.copy()
    machine = np.full(n, -1, dtype=np.int64)
    seen: set[int] = set()
    for index, row in enumerate(model.assignments):
        if row.task >= n:
            raise InputError(f"assignments[{index}].task: {row.task} of {n} tasks")
        if row.task in seen:
            raise InputError(f"assignments[{index}].task: {row.task} is placed twice")
        seen.add(row.task)
        if row.machine is not None:
            if row.machine >= m:
                raise InputError(f"assignments[{index}].machine: {row.machine} of {m} machines")
            machine[row.task] = row.machine
        for field, column in columns.items():
            column[row.task] = getattr(row, field)
        if row.accuracy is not None:
            accuracy[row.task] = row.accuracy
    return Schedule(
        instance=instance,
        machine=machine,
        start=columns["start"],
        duration=columns["duration"],
        work=columns["work"],
        accuracy=accuracy,
        task_energy=columns["energy"],
        total_accuracy=model.total_accuracy,
        energy=model.energy,
        solver=model.solver,
        seconds=model.seconds,
        upper_bound=model.upper_bound,
    )


def verify_schedule_file(path: str | Path, instance: Instance) -> Verification:
    """Verifies everything that a schedule file claims, its totals and its fit included.

    Args:
        path: The schedule file.
        instance: The problem it claims to answer.

    Returns:
        The verification. A row naming a task or machine that the instance does not have is a
        reason, not an error: the file may be sound and answer another instance.

    Raises:
        InputError: If the file cannot be read or breaks the format.
    """
    model = _validate(ScheduleModel, read_json(path))
    rows = model.assignments
    base = instance.base_accuracy

    def claimed_accuracy(row: AssignmentModel) -> float:
        if row.accuracy is not None:
            return row.accuracy
        return float(base[row.task]) if row.task < base.size else 0.0

    checked = verify_rows(
        instance,
        task=np.array([row.task for row in rows], dtype=np.int64),
        machine=np.array([-1 if row.machine is None else row.machine for row in rows], np.int64),
        start=np.array([row.start for row in rows], np.float64),
        duration=np.array([row.duration for row in rows], np.float64),
        work=np.array([row.work for row in rows], np.float64),
        accuracy=np.array([claimed_accuracy(row) for row in rows], np.float64),
        energy=np.array([row.energy for row in rows], np.float64),
        total_accuracy=model.total_accuracy,
        mean_accuracy=model.mean_accuracy,
        total_energy=model.energy,
        upper_bound=model.upper_bound,
    )
    if _answers_another(model, instance):
        named = f"it answers instance {model.instance!r}, not {instance.name!r}"
        return Verification((named, *checked.reasons))
    return checked


def _answers_another(model: ScheduleModel, instance: Instance) -> bool:
    return model.instance is not None and instance.name not in (None, model.instance)


def read_json(path: str | Path) -> object:
    """Parses a JSON file, refusing duplicate keys.

    Raises:
        InputError: If it cannot be read or is not JSON in UTF-8.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}") from error
    except ValueError as error:
        raise InputError(f"{str(path)!r}: {error}") from error
    try:
        return json.loads(text, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}: not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error
    except RecursionError as error:
        raise InputError(f"{path}: not JSON that makes sense: nested too deeply") from error
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{_shown_key(repeated)}: key given twice")
    return document


def write_text(path: str | Path, text: str) -> None:
    """Writes a file through a temporary one beside it, so that it is never half there.

    Raises:
        InputError: If it cannot be written.
    """
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | Path, content: bytes) -> None:
    """As `write_text`, for bytes; a pipe or device such as ``/dev/stdout`` is written directly."""
    try:
        target = Path(path)
        if target.exists() and not target.is_file():
            target.write_bytes(content)
        else:
            _replace(target.resolve(), content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
    except ValueError as error:
        raise InputError(f"{str(path)!r}: cannot be written: {error}") from error


def _replace(target: Path, content: bytes) -> None:
    """Puts a finished file in the place of ``target``; on any failure nothing has changed."""
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _validate(model: type[Model], data: object) -> Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        _refuse(error.errors(include_url=False)[0])


def _refuse(error: ErrorDetails) -> NoReturn:
    """Turns pydantic's first finding into the one line of the contract."""
    path = "".join(
        f"[{step}]" if isinstance(step, int) else f".{_shown_key(step)}" for step in error["loc"]
    ).removeprefix(".")
    if error["type"] == "reserved":
        raise InputError(f"{path}.{error['msg']}: reserved for a variant not in this version")
    message = _MESSAGES.get(error["type"], error["msg"].removeprefix("Value error, "))
    message = message.format(**error.get("ctx", {}))
    value = error["input"]
    if error["type"] in _SHOWING_VALUE and isinstance(value, (int, float)):
        message += f", got {_short(value)}"
    raise InputError(f"{path}: {message}" if path else f"document: {message}")


_MESSAGES = {
    "missing": "missing",
    "extra_forbidden": "unknown key",
    "model_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be text",
    "string_unicode": "not valid Unicode",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "finite_number": "must be finite",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "too_short": "needs at least {min_length}",
    "literal_error": "must be {expected}",
}
_SHOWING_VALUE = frozenset(
    {"float_type", "finite_number", "greater_than", "greater_than_equal", "less_than_equal"}
)


def _shown_key(key: str) -> str:
    """A key for an error line; keys of broken files may be long or hold line breaks."""
    short = key if len(key) <= 40 else f"{key[:40]}..."
    return short if short.isprintable() else repr(short)


def _short(value: float) -> str:
    """A number for an error line; an integer may have more digits than Python prints."""
    if isinstance(value, int) and value.bit_length() > 64:
        return f"an integer of {value.bit_length()} bits"
    return repr(value)


def _named(name: str | None) -> dict[str, str]:
    return {} if name is None else {"name": name}


def _one_item_a_line(document: dict[str, Any]) -> str:
    """JSON with each element of a top-level list on a line of its own."""

    def encoded(value: object) -> str:
        if isinstance(value, list) and value:
            items = ",\n".join("  " + _json(item) for item in value)
            return f"[\n{items}\n ]"
        return _json(value)

    fields = ",\n".join(f' "{key}": {encoded(value)}' for key, value in document.items())
    return "{\n" + fields + "\n}\n"


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise InputError("not finite: NaN and infinity cannot be written") from error
