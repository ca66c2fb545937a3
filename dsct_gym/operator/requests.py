"""Requests as a table, made into tasks.

Columns (`COLUMNS`), of which a request needs a deadline and a curve:

- ``deadline``, or ``latency`` from its ``arrival`` on (s, or with a unit);
- ``model``, a model family of the catalogue or a curve of one's own; or ``work`` and ``accuracy``,
  the breakpoints of its curve, GFLOP and in [0, 1];
- ``images``: how many there are in the request, which stretch the work (1);
- ``weight``: what its accuracy counts beside others' (1);
- ``count``: how many such requests there are (1);
- ``name``, or ``id``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsct_gym.accuracy import concave_hull, curve_faults, pad_curves
from dsct_gym.arrays import Floats
from dsct_gym.catalog import families, family
from dsct_gym.errors import InputError, similar_to
from dsct_gym.operator.columns import Columns, is_empty, read_numbers
from dsct_gym.units import FACTOR, SHARE, TIME, WORK, Dimension

COLUMNS: Final[Mapping[str, Dimension | None]] = {
    "name": None,
    "id": None,
    "deadline": TIME,
    "arrival": TIME,
    "latency": TIME,
    "model": None,
    "work": WORK,
    "accuracy": SHARE,
    "images": None,
    "weight": FACTOR,
    "count": None,
}
"""The columns of a table of requests."""

CURVE_COLUMNS: Final[Mapping[str, Dimension | None]] = {
    "model": None,
    "network": None,
    "work": WORK,
    "accuracy": SHARE,
}
"""The columns of a table of curves: one network a row, or one breakpoint."""

MOST_TASKS: Final = 5_000_000
MOST_BREAKPOINTS: Final = 50_000_000
"""Most breakpoints of all tasks, each padded to the longest: several gigabytes as it is built."""
_MOST_IMAGES: Final = 10**9

Curve = tuple[Floats, Floats]
"""Work and accuracy at the breakpoints."""


@dataclass(frozen=True)
class Tasks:
    """Requests as tasks, copies included.

    Attributes:
        deadlines: (n,), s.
        curves: Work and accuracy at the breakpoints of each, the accuracy times its weight over the
            largest.
        names: One a task, None where it has none.
        arrivals: (n,), s; None where no request tells any.
        models: The model families of the catalogue, where all curves are theirs; else nothing.
        heaviest: The largest weight, 1 where all are alike.
        weighted: Whether weights differ.
    """

    deadlines: Floats
    curves: tuple[Curve, ...]
    names: tuple[str | None, ...]
    arrivals: Floats | None
    models: tuple[str, ...]
    heaviest: float = 1.0
    weighted: bool = False


def read_curves(table: Columns) -> dict[str, Curve]:
    """Curves of one's own by name: the concave hull of the networks of a model, from 0.

    A row with work 0 tells what a guess earns; without one that is 0.

    Args:
        table: Columns `CURVE_COLUMNS`; ``network`` is not read.

    Raises:
        InputError: One line naming the place at fault.
    """
    table = table.named(CURVE_COLUMNS, ("model", "work", "accuracy"))
    works = table.quantities("work", WORK)
    accuracies = table.quantities("accuracy", SHARE)
    points: dict[str, list[tuple[float, float]]] = {}
    for row, name in enumerate(table.texts("model")):
        if name is None:
            raise InputError(f"{table.place(row, 'model')}: missing")
        if works[row] < 0.0 or not 0.0 <= accuracies[row] <= 1.0:
            column, value = (
                ("work", works[row]) if works[row] < 0.0 else ("accuracy", accuracies[row])
            )
            raise InputError(f"{table.place(row, column)}: out of range, got {value:g}")
        points.setdefault(name, []).append((works[row], accuracies[row]))
    curves = {}
    for name, listed in points.items():
        if not any(work == 0.0 for work, _ in listed):
            listed.append((0.0, 0.0))
        try:
            curves[name] = concave_hull(*zip(*listed, strict=True))
        except InputError as error:
            raise InputError(f"{table.where}: {name}: {error}") from None
    return curves


def read_requests(table: Columns, own: Mapping[str, Curve] | None = None) -> Tasks:
    """Makes tasks of a table of requests.

    Args:
        table: Columns `COLUMNS`.
        own: Curves of one's own by name, which come before the catalogue's.

    Raises:
        InputError: One line naming the place at fault.
    """
    table = table.named(COLUMNS)
    deadlines, arrivals = _times(table)
    weights = np.array(table.quantities("weight", FACTOR, 1.0))
    if not (weights > 0.0).all():
        row = int(np.argmin(weights > 0.0))
        raise InputError(f"{table.place(row, 'weight')}: must be positive, got {weights[row]:g}")
    counts = table.counts("count", MOST_TASKS)
    if sum(counts) > MOST_TASKS:
        raise InputError(f"{table.where}: {sum(counts)} requests, of which at most {MOST_TASKS}")
    curves, models = _curves(table, own or {})
    longest = max(work.size for work, _ in curves)
    if sum(counts) * longest > MOST_BREAKPOINTS:
        raise InputError(
            f"{table.where}: {sum(counts)} requests of up to {longest} breakpoints,"
            f" of which at most {MOST_BREAKPOINTS}"
        )
    heaviest = float(weights.max())
    scaled = [
        (work, accuracy * (weight / heaviest))
        for (work, accuracy), weight in zip(curves, weights.tolist(), strict=True)
    ]
    copies = np.repeat(np.arange(table.rows), counts)
    return Tasks(
        deadlines=np.asarray(deadlines)[copies],
        curves=tuple(scaled[row] for row in copies.tolist()),
        names=_names(table.texts("name" if table.has("name") else "id"), counts),
        arrivals=None if arrivals is None else np.asarray(arrivals)[copies],
        models=models,
        heaviest=heaviest,
        weighted=bool((weights != heaviest).any()),
    )


def _times(table: Columns) -> tuple[list[float], list[float] | None]:
    """Deadlines, and arrivals where there are any."""
    arrivals = table.quantities("arrival", TIME, 0.0) if table.has("arrival", TIME) else None
    if table.has("deadline", TIME) == table.has("latency", TIME):
        both = "has columns deadline and latency, of which one must go"
        neither = "needs a column deadline, or latency (from arrival on, if there is one)"
        raise InputError(f"{table.where}: {both if table.has('latency', TIME) else neither}")
    if table.has("deadline", TIME):
        deadlines = table.quantities("deadline", TIME)
        column = "deadline"
    else:
        latency = table.quantities("latency", TIME)
        began = arrivals or [0.0] * table.rows
        deadlines = [start + most for start, most in zip(began, latency, strict=True)]
        column = "latency"
    for row, deadline in enumerate(deadlines):
        arrival = 0.0 if arrivals is None else arrivals[row]
        if not deadline > arrival >= 0.0:
            raise InputError(
                f"{table.place(row, column)}: due at {deadline:g} s,"
                f" which is not after its arrival at {arrival:g} s"
            )
    return deadlines, arrivals


def _curves(table: Columns, own: Mapping[str, Curve]) -> tuple[list[Curve], tuple[str, ...]]:
    """The curve of each request, and the families of the catalogue where all are theirs."""
    models = table.texts("model")
    images = table.counts("images", _MOST_IMAGES)
    known: dict[str, tuple[Curve, str | None]] = {
        name: (curve, None) for name, curve in own.items()
    }
    found: list[Curve] = []
    used: set[str | None] = set()
    told = {}
    for row, model in enumerate(models):
        if model is None:
            told[row] = curve = _own_curve(table, row)
            used.add(None)
        else:
            if model not in known:
                known[model] = _of_catalogue(model, own, table.place(row, "model"))
            curve, name = known[model]
            used.add(name)
            for column in ("work", "accuracy"):
                if not is_empty(_cell(table, column, row)):
                    raise InputError(f"{table.place(row, column)}: given beside a model")
        found.append((curve[0] * images[row], curve[1]) if images[row] > 1 else curve)
    _check_own_curves(table, told)
    return found, () if None in used else tuple(sorted(filter(None, used)))


def _of_catalogue(name: str, own: Mapping[str, Curve], place: str) -> tuple[Curve, str]:
    try:
        entry = family(name)
    except InputError:
        close = similar_to(name, [*own, *(each.name for each in families())])
        meant = (
            f"did you mean {', '.join(close)}"
            if close
            else "see 'dsct-gym families', or give its curve with --curves"
        )
        raise InputError(f"{place}: no model {name[:40]!r}; {meant}") from None
    return entry.curve, entry.name


def _own_curve(table: Columns, row: int) -> Curve:
    """The curve that a request's own cells tell."""
    cells = []
    for column, dimension in (("work", WORK), ("accuracy", SHARE)):
        cell = _cell(table, column, row)
        if is_empty(cell):
            raise InputError(f"{table.place(row, column)}: missing, and there is no model either")
        cells.append(np.array(read_numbers(cell, dimension, table.place(row, column))))
    work, accuracy = cells
    if work.size != accuracy.size:
        raise InputError(
            f"{table.place(row, 'accuracy')}: {accuracy.size} values for {work.size} breakpoints"
        )
    if work.size < 2 or work[-1] == work[-2]:  # a last one repeated would pass for padding
        raise InputError(
            f"{table.place(row, 'work')}: must be two breakpoints or more, strictly increasing"
        )
    return work, accuracy


def _check_own_curves(table: Columns, curves: Mapping[int, Curve]) -> None:
    """Refuses the first curve by row that is none, naming the row."""
    if not curves:
        return
    rows = list(curves)
    faults = curve_faults(*pad_curves([*curves.values()]))
    for fault in faults[:1]:
        place, _, message = fault.partition(": ")
        task, _, column = place.removeprefix("tasks[").partition("].")
        raise InputError(f"{table.place(rows[int(task)], column)}: {message}")


def _cell(table: Columns, column: str, row: int) -> object:
    """A cell, None where there is no such column."""
    cells = table.cells.get(column)
    return None if cells is None else cells[row]


def _names(names: list[str | None], counts: list[int]) -> tuple[str | None, ...]:
    """Names of all copies: numbered where there are several of one name."""
    listed = [name for name, count in zip(names, counts, strict=True) for _ in range(count)]
    total: dict[str | None, int] = {}
    for name in listed:
        total[name] = total.get(name, 0) + 1
    used: dict[str | None, int] = {}
    told = []
    for name in listed:
        used[name] = used.get(name, 0) + 1
        told.append(f"{name}-{used[name]}" if name is not None and total[name] > 1 else name)
    return tuple(told)
