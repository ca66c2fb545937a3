"""Benchmark suites: instances that never change, each with the best that is known of it.

A suite is a folder in ``data/`` with its instance files, ``manifest.json`` (what it holds, the
files' checksums and the scenario each was drawn from) and ``references.json`` (best-known
assignments and proven bounds). Instances were drawn once; loading checks the checksums and never
draws again.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, overload

import numpy as np
from pydantic import Field

from dsct_gym.allocation import allocate
from dsct_gym.arrays import Ints
from dsct_gym.documents import parse_instance
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.refusals import Model, Strict, validate
from dsct_gym.schedule import Schedule

PROVEN: Final = 1e-5
"""Relative gap between best known and proven bound up to which an optimum counts as proven."""

MANIFEST: Final = "manifest.json"
REFERENCES: Final = "references.json"


@dataclass(frozen=True)
class Reference:
    """The best that is known of an instance.

    Attributes:
        instance: The instance.
        total_accuracy: Best-known total accuracy.
        machine_of: The assignment that attains it (n,), −1 for none.
        found_by: The solver that found it.
        upper_bound: Least proven upper bound on the total accuracy.
        bound_by: The solver that proved it.
    """

    instance: Instance
    total_accuracy: float
    machine_of: Ints
    found_by: str
    upper_bound: float
    bound_by: str

    @property
    def mean_accuracy(self) -> float:
        """Best-known mean accuracy."""
        return self.total_accuracy / self.instance.num_tasks

    @property
    def gap(self) -> float:
        """Distance from the best known to the proven bound, relative to the bound."""
        return max(0.0, self.upper_bound - self.total_accuracy) / self.upper_bound

    @property
    def proven(self) -> bool:
        """Whether the best known is proven optimal."""
        return self.gap <= PROVEN

    def schedule(self) -> Schedule:
        """The schedule that attains the best-known value."""
        schedule = allocate(self.instance, self.machine_of)
        return schedule.credited(solver=self.found_by, upper_bound=self.upper_bound)


@dataclass(frozen=True)
class Suite(Sequence[Instance]):
    """A sequence of instances, with what is known of each.

    Attributes:
        name: One of `suites`.
        description: What it holds.
        instances: The instances.
        references: The best known of each, in the same order.
    """

    name: str
    description: str
    instances: tuple[Instance, ...]
    references: tuple[Reference, ...]

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
    def __getitem__(self, index: int) -> Instance: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Instance, ...]: ...

    def __getitem__(self, index: int | slice) -> Instance | tuple[Instance, ...]:
        return self.instances[index]

    def __len__(self) -> int:
        return len(self.instances)

    def __iter__(self) -> Iterator[Instance]:
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
    instances: list[Entry]


class Row(Strict):
    """What ``references.json`` knows of an instance."""

    instance: str
    total_accuracy: float
    found_by: str
    upper_bound: float
    bound_by: str
    machine_of: list[int]


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
    if name not in suites():
        raise InputError(f"suite: no suite {name!r}; there are {', '.join(suites())}")
    folder = data_folder().joinpath(name)
    manifest = read_manifest(folder)
    known = read_references(folder)
    instances = tuple(_load(folder, entry) for entry in manifest.instances)
    references = tuple(
        reference_from(instance, known[str(instance.name)]) for instance in instances
    )
    return Suite(name, manifest.description, instances, references)


def data_folder() -> Traversable:
    """Where the suites lie."""
    return files("dsct_gym.suites").joinpath("data")


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


def reference_from(instance: Instance, row: Row) -> Reference:
    """Builds a reference from its row."""
    return Reference(
        instance=instance,
        total_accuracy=row.total_accuracy,
        machine_of=np.array(row.machine_of, dtype=np.int64),
        found_by=row.found_by,
        upper_bound=row.upper_bound,
        bound_by=row.bound_by,
    )


def _read(folder: Traversable, name: str, model: type[Model]) -> Model:
    try:
        return validate(model, json.loads(folder.joinpath(name).read_text(encoding="utf-8")))
    except InputError as error:
        raise InputError(f"{folder.name}/{name}: {error}") from error


def checksum(content: bytes) -> str:
    """SHA-256 of an instance file, before compression."""
    return hashlib.sha256(content).hexdigest()


def _load(folder: Traversable, entry: Entry) -> Instance:
    content = folder.joinpath(entry.file).read_bytes()
    if entry.file.endswith(".gz"):
        content = gzip.decompress(content)
    if checksum(content) != entry.sha256:
        raise InputError(f"{entry.file}: is not the file that the suite was made of")
    return parse_instance(json.loads(content))
