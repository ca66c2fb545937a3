"""Benchmark suites: instances that never change, each with the best that is known of it.

A suite is a folder in ``data/`` with its instance files, ``manifest.json`` (what it holds, the
files' checksums and the scenario each was drawn from) and ``references.json`` (best-known
assignments and proven bounds); ``certificates/`` holds what proves bounds that are kept with their
proof, one file an instance. Instances were drawn once; loading checks the checksums and never
draws again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, overload

import numpy as np
from pydantic import Field, model_validator

from dsct_gym.allocation import allocate
from dsct_gym.arrays import Ints
from dsct_gym.documents import parse_schedule
from dsct_gym.errors import InputError
from dsct_gym.files import read_packed, read_whole, stem_of
from dsct_gym.gaps import PROVEN, floor_of, shortfall
from dsct_gym.loading import parse
from dsct_gym.problem import Knowledge, Problem
from dsct_gym.refusals import Model, Strict, refusing
from dsct_gym.schedule import Schedule

MANIFEST: Final = "manifest.json"
REFERENCES: Final = "references.json"
CERTIFICATES: Final = "certificates"
DEFAULT_BASELINE: Final = "approx-refined"


@dataclass(frozen=True)
class Reference:
    """The best that is known of an instance.

    Attributes:
        instance: The instance.
        value: Best-known value: the total accuracy, unless the instance is of a variant that says
            otherwise.
        found_by: The solver that found it.
        upper_bound: Least upper bound on the value that is known.
        bound_by: What proved it; ``…, claimed`` where there was nothing to check.
        machine_of: The assignment that attains it with the best works for it (n,), −1 for none;
            None where an assignment does not say enough.
        document: The schedule that attains it, as in a schedule file, where there is no assignment.
    """

    instance: Problem
    value: float
    found_by: str
    upper_bound: float
    bound_by: str
    machine_of: Ints | None = None
    document: Mapping[str, object] | None = None

    @property
    def total_accuracy(self) -> float:
        """Total accuracy of the schedule that attains the value."""
        return self.value if self.document is None else self.schedule().total_accuracy

    @property
    def mean_accuracy(self) -> float:
        """The same per task."""
        return self.total_accuracy / self.instance.core.num_tasks

    @property
    def mean_value(self) -> float:
        """Best-known value per task."""
        return self.value / self.instance.core.num_tasks

    @property
    def gap(self) -> float:
        """What the best known misses of the proven bound."""
        return shortfall(self.value, self.upper_bound, floor_of(self.instance))

    @property
    def proven(self) -> bool:
        """Whether the best known is proven optimal."""
        return self.gap <= PROVEN

    def schedule(self) -> Schedule:
        """The schedule that attains the best-known value."""
        if self.document is not None:
            return parse_schedule(self.document, self.instance)
        assert self.machine_of is not None, "the one or the other is known"
        schedule = allocate(self.instance, self.machine_of)
        return schedule.credited(solver=self.found_by, upper_bound=self.upper_bound)


@dataclass(frozen=True)
class Suite(Sequence[Problem]):
    """A sequence of instances, with what is known of each.

    Attributes:
        name: One of `suites`.
        description: What it holds.
        instances: The instances.
        references: The best known of each, in the same order.
        needs: What its instances need beyond DSCT-EA.
        baseline: The solver that evaluations begin from.
    """

    name: str
    description: str
    instances: tuple[Problem, ...]
    references: tuple[Reference, ...]
    needs: Knowledge = frozenset()
    baseline: str = DEFAULT_BASELINE

    def reference(self, instance: str) -> Reference:
        """What is known of the instance of that name.

        Raises:
            InputError: If the suite has none of that name.
        """
        for reference in self.references:
            if reference.instance.name == instance:
                return reference
        raise InputError(f"instance: suite {self.name!r} has no {instance!r}")

    @overload
    def __getitem__(self, index: int) -> Problem: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Problem, ...]: ...

    def __getitem__(self, index: int | slice) -> Problem | tuple[Problem, ...]:
        return self.instances[index]

    def __len__(self) -> int:
        return len(self.instances)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.instances)


class Entry(Strict):
    """An instance of a suite, in its manifest."""

    file: str
    sha256: str = Field(description="Of the instance file, before compression")
    scenario: dict[str, Any] = Field(default_factory=dict, description="What it was drawn from")


class Manifest(Strict):
    """What ``manifest.json`` holds."""

    description: str = Field(description="What the suite holds, in words")
    order: int = Field(description="Place among the suites that ship")
    needs: list[str] = Field(
        default_factory=list, description="What its instances need beyond DSCT-EA"
    )
    baseline: str = Field(
        default=DEFAULT_BASELINE, description="The solver that evaluations begin from"
    )
    instances: list[Entry]


class Row(Strict):
    """What ``references.json`` knows of an instance, in one of two forms.

    ``total_accuracy`` with ``machine_of`` is the short one, of problems for which an assignment
    says all (`dsct_gym.allocation.has_allocation`); ``value`` with ``schedule``, as in a schedule
    file, says it of any problem.
    """

    instance: str
    total_accuracy: float | None = None
    value: float | None = None
    found_by: str
    upper_bound: float
    bound_by: str
    machine_of: list[int] | None = None
    schedule: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one_of_two_forms(self) -> Row:
        short = self.total_accuracy is not None and self.machine_of is not None
        whole = self.value is not None and self.schedule is not None
        given = sum(
            part is not None
            for part in (self.total_accuracy, self.machine_of, self.value, self.schedule)
        )
        if given != 2 or not (short or whole):
            raise ValueError("needs total_accuracy with machine_of, or value with schedule")
        return self

    @classmethod
    def of(cls, reference: Reference) -> Row:
        """The row of a reference."""
        machine_of, document = reference.machine_of, reference.document
        return cls(
            instance=str(reference.instance.name),
            total_accuracy=reference.value if document is None else None,
            value=None if document is None else reference.value,
            found_by=reference.found_by,
            upper_bound=reference.upper_bound,
            bound_by=reference.bound_by,
            machine_of=None if machine_of is None else machine_of.tolist(),
            schedule=None if document is None else dict(document),
        )

    def reference(self, instance: Problem) -> Reference:
        """What it says of the instance."""
        value = self.total_accuracy if self.value is None else self.value
        assert value is not None, "one of the two forms has it"
        machine_of = None if self.machine_of is None else np.array(self.machine_of, np.int64)
        return Reference(
            instance=instance,
            value=value,
            found_by=self.found_by,
            upper_bound=self.upper_bound,
            bound_by=self.bound_by,
            machine_of=machine_of,
            document=self.schedule,
        )


class References(Strict):
    """What ``references.json`` holds."""

    references: list[Row]


@cache
def suites() -> tuple[str, ...]:
    """Names of the suites that ship, the easiest first."""
    manifests = {
        folder.name: read_manifest(folder) for folder in data_folder().iterdir() if folder.is_dir()
    }
    return tuple(sorted(manifests, key=lambda name: (manifests[name].order, name)))


@cache
def load_suite(name: str) -> Suite:
    """Loads a suite.

    Args:
        name: One of `suites`.

    Raises:
        InputError: If there is no such suite, or a file of it is not what its checksum says.
    """
    manifest = read_suite_manifest(name)
    folder = data_folder().joinpath(name)
    known = read_references(folder)
    instances = tuple(_load(folder, entry) for entry in manifest.instances)
    references = tuple(known[str(instance.name)].reference(instance) for instance in instances)
    needs = frozenset(manifest.needs)
    for instance in instances:
        if instance.needs != needs:
            needed = " and ".join(sorted(instance.needs)) or "nothing"
            raise InputError(f"{name}/{MANIFEST}: needs: {instance.name} needs {needed}")
    return Suite(name, manifest.description, instances, references, needs, manifest.baseline)


def instance_names() -> tuple[str, ...]:
    """Names of all instances of all suites; none is read."""
    return tuple(_entries())


def load_instance(name: str) -> Problem:
    """Loads one instance of a suite; the others are not read.

    Raises:
        InputError: If no suite has one of that name.
    """
    if name not in _entries():
        raise InputError(f"instance: no suite has {name!r}")
    suite, entry = _entries()[name]
    return _load(data_folder().joinpath(suite), entry)


def best_known(instance: Problem) -> Reference | None:
    """The best that is known of an instance of a suite, None of any other.

    It is told by its name and all its numbers.
    """
    if instance.name is None or instance.name not in _entries():
        return None
    reference = _reference(instance.name)
    return reference if reference.instance == instance else None


def forget_suites() -> None:
    """Reads suites anew from now on, because their files have changed."""
    for read in (load_suite, _reference, _references):
        read.cache_clear()


@cache
def _reference(name: str) -> Reference:
    suite, entry = _entries()[name]
    folder = data_folder().joinpath(suite)
    return _references(suite)[name].reference(_load(folder, entry))


@cache
def _references(suite: str) -> dict[str, Row]:
    return read_references(data_folder().joinpath(suite))


@cache
def _entries() -> Mapping[str, tuple[str, Entry]]:
    """Suite and place of each instance, by its name."""
    return {
        stem_of(entry.file): (name, entry)
        for name in suites()
        for entry in read_manifest(data_folder().joinpath(name)).instances
    }


def data_folder() -> Traversable:
    """Where the suites lie."""
    return files("dsct_gym.suites").joinpath("data")


def read_suite_manifest(name: str) -> Manifest:
    """The manifest of a suite that ships.

    Raises:
        InputError: If there is no such suite.
    """
    if name not in suites():
        raise InputError(f"suite: no suite {name!r}; there are {', '.join(suites())}")
    return read_manifest(data_folder().joinpath(name))


def read_manifest(folder: Traversable) -> Manifest:
    """The manifest of a suite.

    Raises:
        InputError: If it breaks its format.
    """
    return _read(folder, MANIFEST, Manifest)


def read_references(folder: Traversable) -> dict[str, Row]:
    """The rows of ``references.json`` by name of instance.

    Raises:
        InputError: If it breaks its format.
    """
    rows = _read(folder, REFERENCES, References).references
    return {row.instance: row for row in rows}


def _read(folder: Traversable, name: str, model: type[Model]) -> Model:
    try:
        with folder.joinpath(name).open("rb") as file:
            text = read_whole(file, name)
        with refusing():
            return model.model_validate_json(text)
    except OSError as error:
        raise InputError(f"{folder.name}/{name}: {error.strerror or error}") from error
    except ValueError as error:
        raise InputError(f"{folder.name}/{name}: {error}") from error


def checksum(content: bytes) -> str:
    """SHA-256 of an instance file, before compression."""
    return hashlib.sha256(content).hexdigest()


def _load(folder: Traversable, entry: Entry) -> Problem:
    with folder.joinpath(entry.file).open("rb") as file:
        content = read_packed(file, entry.file)
    if checksum(content) != entry.sha256:
        raise InputError(f"{entry.file}: is not the file that the suite was made of")
    return parse(json.loads(content))
