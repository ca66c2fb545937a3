"""Hashes of values: exactly, and with numbers in single precision."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np


class Hashes:
    """Hashes of columns of values; a document's keys are columns of their own."""

    def __init__(self, skip: Iterable[str] = ()) -> None:
        self._skip = frozenset(skip)
        self._columns: dict[str, tuple[Any, Any]] = {}

    def add(self, column: str, value: object) -> None:
        """Appends a value to its column, or what a document holds to its keys' columns."""
        for path, leaf in self._leaves(column, value):
            exact, coarse = self._columns.setdefault(path, (hashlib.sha256(), hashlib.sha256()))
            exact.update(encode(leaf))
            coarse.update(encode(leaf, coarse=True))

    def columns(self) -> dict[str, str]:
        """The hashes so far."""
        return {
            column: f"{exact.hexdigest()[:16]} {coarse.hexdigest()[:16]}"
            for column, (exact, coarse) in self._columns.items()
        }

    def _leaves(self, path: str, value: object) -> Iterator[tuple[str, object]]:
        if isinstance(value, Mapping):
            for key in value.keys() - self._skip:
                yield from self._leaves(f"{path}.{key}" if path else str(key), value[key])
        elif isinstance(value, list | np.ndarray) and is_table(value):
            # The rows of a list that is the whole document have names: one more changes no other.
            for row in value:
                name = row.get("name", "") if not path and isinstance(row, Mapping) else ""
                yield from self._leaves(f"{path}[{name}]", row)
        else:
            yield path, value


def is_table(value: list[Any] | np.ndarray[Any, Any]) -> bool:
    """Whether it holds documents, perhaps with gaps."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        return False
    return any(isinstance(row, Mapping) for row in value)


def encode(value: object, *, coarse: bool = False) -> bytes:
    """Bytes that tell a value and its type from every other."""
    if hasattr(value, "task_energy"):  # a schedule, or one that is built when it is looked at
        return encode(schedule_fields(value), coarse=coarse)
    if isinstance(value, np.ndarray | np.generic) and value.dtype != object:
        array = np.ascontiguousarray(value)
        content = rounded(array) if coarse and array.dtype.kind == "f" else array
        return f"{array.dtype.str}{array.shape}".encode() + content.tobytes()
    if isinstance(value, list | tuple | np.ndarray):
        parts = [encode(part, coarse=coarse) for part in value]
        return b"[" + b",".join(parts) + b"]"
    if coarse and isinstance(value, float):
        value = float(rounded(np.array(value)))
    if isinstance(value, bytes | str | float | int | None):
        return f"{type(value).__name__}:{value!r};".encode()
    raise TypeError(f"{type(value).__name__} has no encoding")


def rounded(values: np.ndarray) -> np.ndarray:
    """In single precision; what is next to nothing is 0."""
    with np.errstate(over="ignore"):
        return np.where(np.abs(values) < 1e-9, 0.0, values).astype(np.float32)


def schedule_fields(schedule: Any) -> tuple[object, ...]:
    """All that a schedule says except the seconds."""
    return (
        schedule.machine,
        schedule.start,
        schedule.duration,
        schedule.work,
        schedule.accuracy,
        schedule.task_energy,
        schedule.total_accuracy,
        schedule.energy,
        schedule.solver,
        schedule.upper_bound,
    )
