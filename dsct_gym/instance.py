"""A DSCT-EA instance: machines, compressible tasks with deadlines, one energy budget.

Source: Barros et al., "Deadline Scheduling with Compressible Tasks, Energy Aware", ICPP 2024.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from dsct_gym.accuracy import curve_faults, curve_lengths, curve_slopes, pad_curves
from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError, refuse

if TYPE_CHECKING:
    from pathlib import Path


LARGEST: Final = 1e100
SMALLEST: Final = 1e-100


class Segments(NamedTuple):
    """All rising curve segments of an instance, steepest first.

    Attributes:
        task: Rank of the segment's task in EDF order (S,).
        slope: Accuracy per GFLOP, positive, non-increasing (S,).
        width: GFLOP (S,).
    """

    task: Ints
    slope: Floats
    width: Floats


@dataclass(frozen=True, eq=False)
class Instance:
    """One scheduling problem; immutable, validated on construction.

    Speeds, efficiencies, deadlines and works are at most 1e100 and, where positive, at least
    1e-100, so that products and ratios of them cannot overflow.

    Attributes:
        speeds: Machine speeds s_r (m,), GFLOP/s, positive.
        efficiencies: Machine energy efficiencies E_r (m,), GFLOP/J, positive.
        deadlines: Task deadlines d_j (n,), s, positive.
        work: Breakpoints of the accuracy curves (n, K+1), GFLOP: from 0, strictly increasing;
            shorter curves repeat their last breakpoint, as lists of different lengths are made to.
        accuracy: Accuracy at the breakpoints (n, K+1), in [0, 1], concave and non-decreasing.
        energy_budget: B, J, at least 0.
        name: Name of the instance.
        machine_names: One name a machine, no two alike, from a list or any other column; a None
            entry is an unnamed machine.
        task_names: One name a task, likewise.

    Raises:
        InputError: One line for each fault, naming the field.
    """

    speeds: Floats
    efficiencies: Floats
    deadlines: Floats
    work: Floats
    accuracy: Floats
    energy_budget: float
    name: str | None = None
    machine_names: tuple[str | None, ...] | None = None
    task_names: tuple[str | None, ...] | None = None

    needs: ClassVar[frozenset[str]] = frozenset()
    """What whoever is given it must know beyond DSCT-EA: nothing."""

    def __post_init__(self) -> None:
        work, accuracy = _as_curves(self.work, self.accuracy)
        fields = {**vars(self), "work": work, "accuracy": accuracy}
        for field, dimensions in _SHAPES.items():
            object.__setattr__(self, field, _as_floats(fields[field], field, dimensions))
        object.__setattr__(self, "energy_budget", _as_number(self.energy_budget, "energy_budget"))
        self._check_shapes()
        machine_names = _as_names(self.machine_names, "machines", self.num_machines)
        task_names = _as_names(self.task_names, "tasks", self.num_tasks)
        object.__setattr__(self, "machine_names", machine_names)
        object.__setattr__(self, "task_names", task_names)
        faults = [*self._faults()]
        if faults:
            refuse(faults)

    def _faults(self) -> Iterator[str]:
        """One line for each number or name that is out of range."""
        yield from _not_positive("machines", "speed", self.speeds)
        yield from _not_positive("machines", "efficiency", self.efficiencies)
        yield from _not_positive("tasks", "deadline", self.deadlines)
        if not 0.0 <= self.energy_budget <= LARGEST:
            yield f"energy_budget: must be in 0..{LARGEST:g}, got {self.energy_budget:g}"
        yield from self._faults_of_curves()
        if self.name is not None:
            yield from _not_text(self.name, "name")
        yield from faults_of_names(dict(enumerate(self.machine_names or ())), "machines")
        yield from faults_of_names(dict(enumerate(self.task_names or ())), "tasks")

    def _faults_of_curves(self) -> Iterator[str]:
        """Curves are looked at when their numbers are sound, first segments when curves are."""
        infinite = [*_not_finite("work", self.work), *_not_finite("accuracy", self.accuracy)]
        yield from infinite
        if infinite:
            return
        faults = curve_faults(self.work, self.accuracy)
        yield from faults or _not_positive("tasks", "work", self.work[:, 1], "[1]")

    def _check_shapes(self) -> None:
        if self.efficiencies.shape != self.speeds.shape:
            raise InputError(
                f"efficiencies: {self.efficiencies.size} values for {self.speeds.size} machines"
            )
        if self.work.shape[0] != self.num_tasks:
            raise InputError(f"work: {self.work.shape[0]} rows for {self.num_tasks} tasks")
        if self.work.shape[1] < 2:
            raise InputError("work: needs at least two breakpoints a task")
        if self.accuracy.shape != self.work.shape:
            raise InputError(f"accuracy: shape {self.accuracy.shape}, but work {self.work.shape}")

    @property
    def core(self) -> Instance:
        """Itself: what a variant wraps (see `dsct_gym.problem.Problem`)."""
        return self

    @property
    def num_tasks(self) -> int:
        """Number of tasks n."""
        return int(self.deadlines.size)

    @property
    def num_machines(self) -> int:
        """Number of machines m."""
        return int(self.speeds.size)

    @property
    def powers(self) -> Floats:
        """Power of each machine while busy, ``s_r / E_r`` (m,), W."""
        return self.speeds / self.efficiencies

    @property
    def max_work(self) -> Floats:
        """Work at the end of each curve, f_j^max (n,), GFLOP."""
        return self.work[:, -1]

    @property
    def base_accuracy(self) -> Floats:
        """Accuracy of each task without work, a_j(0) (n,)."""
        return self.accuracy[:, 0]

    @property
    def top_accuracy(self) -> Floats:
        """Accuracy at the end of each curve, a_j(f_j^max) (n,)."""
        return self.accuracy[:, -1]

    @property
    def horizon(self) -> float:
        """Latest deadline d_max, s."""
        return float(self.deadlines.max())

    @cached_property
    def edf_order(self) -> Ints:
        """Tasks by non-decreasing deadline, equal deadlines by index (n,)."""
        return np.argsort(self.deadlines, kind="stable")

    @cached_property
    def edf_rank(self) -> Ints:
        """Position of each task in `edf_order` (n,)."""
        rank = np.empty(self.num_tasks, dtype=np.int64)
        rank[self.edf_order] = np.arange(self.num_tasks)
        return rank

    @cached_property
    def slopes(self) -> Floats:
        """Slopes of the curve segments (n, K), accuracy per GFLOP; 0 on padding."""
        return curve_slopes(self.work, self.accuracy)

    @cached_property
    def segments(self) -> Segments:
        """All rising segments, steepest first; ties by EDF rank, then along the curve."""
        order = self.edf_order
        slopes, widths = self.slopes[order], np.diff(self.work, axis=1)[order]
        ranks, positions = np.nonzero((slopes > 0.0) & (widths > 0.0))
        slope, width = slopes[ranks, positions], widths[ranks, positions]
        steepest = np.argsort(-slope, kind="stable")
        return Segments(ranks[steepest].astype(np.int64), slope[steepest], width[steepest])

    @classmethod
    def load(cls, path: str | Path) -> Instance:
        """Reads an instance file (format ``dsct-ea/1``).

        Raises:
            InputError: If the file cannot be read or breaks the format, naming the field; or if it
                is the file of a variant, which `dsct_gym.load` reads.
        """
        from dsct_gym.loading import load_instance

        return load_instance(path)

    @classmethod
    def from_frames(
        cls,
        machines: object,
        requests: object,
        *,
        budget: float | str = "none",
        curves: object = None,
        rates: object = None,
        name: str | None = None,
    ) -> Instance:
        """Builds an instance from tables: data frames, mappings of columns, or rows as mappings.

        Arguments, columns and errors are those of `dsct_gym.operator.build.build`.

        Raises:
            InputError: Naming table, row and column at fault; or if requests have arrivals.
        """
        from dsct_gym.operator.build import from_frames

        return from_frames(machines, requests, budget=budget, curves=curves, rates=rates, name=name)

    def save(self, path: str | Path) -> None:
        """Writes an instance file, whole or not at all.

        Raises:
            InputError: If the file cannot be written.
        """
        from dsct_gym.files import write_instance

        write_instance(self, path)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Instance):
            return NotImplemented
        return self._scalars == other._scalars and all(
            np.array_equal(mine, theirs)
            for mine, theirs in zip(self._unpadded, other._unpadded, strict=True)
        )

    def __hash__(self) -> int:
        return hash((self._scalars, self.deadlines.tobytes(), self.speeds.tobytes()))

    def __repr__(self) -> str:
        label = f"{self.name!r}, " if self.name else ""
        return (
            f"Instance({label}{self.num_tasks} tasks, {self.num_machines} machines, "
            f"budget {self.energy_budget:.6g} J)"
        )

    def _repr_html_(self) -> str:
        from dsct_gym.notebook import instance_html

        return instance_html(self)

    def __reduce__(self) -> tuple[type[Instance], tuple[object, ...]]:
        arrays = tuple(getattr(self, field) for field in _SHAPES)
        return Instance, (*arrays, *self._scalars)

    @property
    def _unpadded(self) -> tuple[Floats, ...]:
        """The arrays without breakpoints that are padding for every task."""
        longest = int(curve_lengths(self.work).max())
        curves = (self.work[:, :longest], self.accuracy[:, :longest])
        return (self.speeds, self.efficiencies, self.deadlines, *curves)

    @property
    def _scalars(self) -> tuple[object, ...]:
        return (self.energy_budget, self.name, self.machine_names, self.task_names)


_SHAPES = {"speeds": 1, "efficiencies": 1, "deadlines": 1, "work": 2, "accuracy": 2}


def _as_curves(work: object, accuracy: object) -> tuple[Any, Any]:
    """Lists of curves of different lengths, padded; anything else as it is.

    Raises:
        InputError: If there are more curves, or more breakpoints of a task, in one than in the
            other, or padding takes more than `pad_curves` allows.
    """
    given = (work, accuracy)
    if all(isinstance(values, np.ndarray) and values.dtype != object for values in given):
        return given
    works, accuracies = map(_lengths, given)
    if len({*works}) <= 1 and len({*accuracies}) <= 1:
        return given
    if len(works) != len(accuracies):
        raise InputError(f"accuracy: {len(accuracies)} curves, but {len(works)} of work")
    for task, (breakpoints, values) in enumerate(zip(works, accuracies, strict=True)):
        if breakpoints != values:
            raise InputError(
                f"tasks[{task}].accuracy: {values} values for {breakpoints} breakpoints"
            )
    pairs = enumerate(zip(cast("Any", work), cast("Any", accuracy), strict=True))
    return pad_curves(
        [
            (_as_floats(f, f"tasks[{task}].work", 1), _as_floats(a, f"tasks[{task}].accuracy", 1))
            for task, (f, a) in pairs
        ]
    )


def _lengths(values: object) -> list[int]:
    """Length of each row of an array or list; −1 for a row that is none."""
    rows = np.atleast_1d(np.asarray(values)) if hasattr(values, "__array__") else values
    if isinstance(rows, str) or not isinstance(rows, (Sequence, np.ndarray)):
        return []
    return [len(row) if isinstance(row, Sized) else -1 for row in rows]


def _as_floats(values: npt.ArrayLike, field: str, dimensions: int) -> Floats:
    """A read-only copy of ``values`` as doubles of the wanted number of dimensions."""
    try:
        raw = np.asarray(values)
        if raw.dtype.kind not in "iuf" and not _holds_numbers(raw):
            raise InputError(f"{field}: not an array of numbers")
        array = np.array(raw, dtype=np.float64, order="C")
    except OverflowError as error:
        raise InputError(f"{field}: number too large") from error
    except ValueError as error:
        raise InputError(f"{field}: not an array of numbers") from error
    if array.ndim != dimensions:
        raise InputError(f"{field}: must have {dimensions} dimension(s), got {array.ndim}")
    if array.size == 0:
        raise InputError(f"{field}: must not be empty")
    array.setflags(write=False)
    return array


def _holds_numbers(raw: npt.NDArray[np.generic]) -> bool:
    """Whether an array of objects holds numbers: integers beyond 64 bits make one."""
    return raw.dtype.kind == "O" and all(
        isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
        for value in raw.flat
    )


def _as_number(value: object, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InputError(f"{field}: must be a number, got {type(value).__name__}")
    try:
        return float(value) + 0.0  # -0.0 becomes 0.0
    except OverflowError as error:
        raise InputError(f"{field}: number too large") from error


def _not_positive(group: str, field: str, values: Floats, place: str = "") -> Iterator[str]:
    sound = (values >= SMALLEST) & (values <= LARGEST)
    if np.count_nonzero(sound) == sound.size:
        return
    for index in np.flatnonzero(~sound).tolist():
        value = values[index]
        limits = "" if not value > 0.0 or np.isinf(value) else f" and in {SMALLEST:g}..{LARGEST:g}"
        where = f"{group}[{index}].{field}{place}"
        yield f"{where}: must be finite and positive{limits}, got {value:g}"


def _not_finite(field: str, values: Floats) -> Iterator[str]:
    wrong = ~(np.abs(values) <= LARGEST)
    if not np.count_nonzero(wrong):
        return
    for task, breakpoint_ in np.argwhere(wrong).tolist():
        value = values[task, breakpoint_]
        limit = f"within ±{LARGEST:g}" if np.isfinite(value) else "finite"
        yield f"tasks[{task}].{field}[{breakpoint_}]: must be {limit}, got {value:g}"


def _not_text(text: object, field: str) -> Iterator[str]:
    if not isinstance(text, str):
        yield f"{field}: must be text, got {type(text).__name__}"
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        yield f"{field}: not valid Unicode"


def _as_names(
    names: Iterable[str | None] | None, group: str, count: int
) -> tuple[str | None, ...] | None:
    """Names as a tuple, None when nothing is named; a missing value of pandas names nothing."""
    if names is None:
        return None
    if isinstance(names, (str, bytes, Mapping)) or not isinstance(names, Iterable):
        raise InputError(f"{group}: names must be a sequence, one a member of {group}")
    listed = [None if _is_missing(name) else name for name in names]
    if len(listed) != count:
        raise InputError(f"{group}: {len(listed)} names for {count} {group}")
    return tuple(map(_as_plain, listed)) if any(name is not None for name in listed) else None


def _is_missing(name: object) -> bool:
    return isinstance(name, float) and math.isnan(name)


def _as_plain(name: str | None) -> str | None:
    """A name as Python's own text where it is NumPy's."""
    return str(name) if isinstance(name, str) else name


def faults_of_names(names: Mapping[int, str | None], group: str) -> Iterator[str]:
    """One line for each name, by index, that is no text or that an earlier one has."""
    seen: set[str] = set()
    for index, name in names.items():
        faults = [] if name is None else [*_not_text(name, f"{group}[{index}].name")]
        yield from faults
        if name is not None and not faults:
            if name in seen:
                yield f"{group}[{index}].name: duplicate name {name!r}"
            seen.add(name)
