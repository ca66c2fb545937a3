"""Where runs are kept: a folder with a record and a schedule for each.

``instances/<label>.json`` holds each instance, ``runs/<label>/<solver>.<seed>.<key>.json`` a record
and ``….schedule.json`` beside it the schedule. Every file appears whole or not at all, the schedule
before the record that vouches for it; a record carries checksums of itself and of its schedule, so
whatever was damaged is found and run again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from dsct_gym.atomic import check_folder, is_left_over, make_folder, refuse_links, write_text
from dsct_gym.benchmark.execution import Run, TracePoint
from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.record import Record, records_as_csv
from dsct_gym.errors import InputError, located
from dsct_gym.file_names import file_name, former_file_name
from dsct_gym.files import instance_text, read_text
from dsct_gym.loading import load
from dsct_gym.problem import Problem
from dsct_gym.refusals import Strict, refusing
from dsct_gym.schedule import Schedule

FORMAT: Final = "dsct-gym-run/1"
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(max_length=1000)]
TABLE: Final = "results.csv"
_SCHEDULE: Final = ".schedule.json"


@dataclass(frozen=True)
class StoredRun:
    """A run as it is kept.

    Attributes:
        key: Of the job.
        checksum: SHA-256 of the instance file.
        record: Its numbers.
        trace: How best and bound moved.
        environment: Versions and machine.
        path: File of the record.
    """

    key: str
    checksum: str
    record: Record
    trace: tuple[TracePoint, ...]
    environment: dict[str, Any]
    path: Path

    @property
    def schedule_path(self) -> Path:
        """File of the schedule; there is none when the run gave no feasible one."""
        return self.path.with_name(self.path.name.removesuffix(".json") + _SCHEDULE)

    @property
    def picture_path(self) -> Path:
        """File of the schedule's Gantt chart, where one has been asked for."""
        return self.path.with_suffix(".png")


@dataclass(frozen=True)
class Broken:
    """A file that holds no run.

    Attributes:
        path: The file.
        fault: What is wrong with what it says, naming the field; None where it is damaged: not
            what its checksum or that of its schedule tells.
    """

    path: Path
    fault: str | None = None

    @property
    def told(self) -> str:
        """What is wrong with it, in words that follow its name."""
        return "is damaged" if self.fault is None else f"is no record ({self.fault})"


class Store:
    """A folder of results.

    Args:
        folder: Where it lies; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Makes the folder, keeps other writers out, and sweeps up what a killed one left.

        Raises:
            InputError: If the folder cannot be made or another benchmark writes into it.
        """
        make_folder(self.folder)
        refuse_links(self._own())
        check_folder(self.folder)
        with (self.folder / ".lock").open("w") as lock:
            _take(lock.fileno(), self.folder)
            for part in ("instances", "runs"):
                check_folder(make_folder(self.folder / part))
            for left in filter(is_left_over, self._own()):
                left.unlink(missing_ok=True)
            yield

    def _own(self) -> Iterator[Path]:
        """Whatever lies where runs are written: nothing else in the folder is looked at."""
        top = (".lock", ".*.tmp", TABLE, "instances", "runs")
        for pattern in (*top, "instances/*", "runs/*", "runs/*/*"):
            yield from self.folder.glob(pattern)

    def put_instance(self, job: Job) -> None:
        """Keeps the instance of a job.

        Raises:
            InputError: If there is another instance of that name.
        """
        path, former = self._instance_paths(job.label)
        make_folder(path.parent)
        if path.exists() and self._is_another(path, job):
            raise InputError(f"{path}: holds another instance called {job.label!r}")
        if path != former and _exists(former) and not path.exists():
            if not self._is_another(former, job):
                path = former
            elif load(former).name == job.label:
                raise InputError(f"{former}: holds another instance called {job.label!r}")
        write_text(path, instance_text(job.instance))

    def put(self, run: Run) -> None:
        """Keeps a run, whole or not at all."""
        assert run.record is not None
        path = self.path_of(run.job)
        make_folder(path.parent)
        stored = StoredRun(
            run.job.key, run.job.checksum, run.record, run.trace, run.environment or {}, path
        )
        claimed = None
        if run.schedule is not None:
            run.schedule.save(stored.schedule_path)
            claimed = _sha256(stored.schedule_path)
        else:
            stored.schedule_path.unlink(missing_ok=True)
            stored.picture_path.unlink(missing_ok=True)
        document = {
            "format": FORMAT,
            "key": stored.key,
            "checksum": stored.checksum,
            "record": asdict(stored.record),
            "trace": [list(point) for point in stored.trace],
            "environment": stored.environment,
            "schedule": claimed,
        }
        document["sha256"] = _digest(document)
        write_text(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")

    def get(self, job: Job) -> StoredRun | None:
        """The run of a job; None when there is none or it is broken."""
        path = self.path_of(job)
        stored = _read(path) if path.exists() else None
        return stored if isinstance(stored, StoredRun) and stored.key == job.key else None

    def load(self) -> tuple[list[StoredRun], list[Broken]]:
        """All runs in the order of their files, and the files that are broken.

        Raises:
            InputError: If there is no such folder of results.
        """
        if not (self.folder / "runs").is_dir():
            raise InputError(f"{self.folder}: no folder of results (it has no runs/)")
        sound: list[StoredRun] = []
        broken: list[Broken] = []
        for path in sorted(self.folder.glob("runs/*/*.json")):
            if path.name.endswith(_SCHEDULE):
                continue
            stored = _read(path)
            if isinstance(stored, Broken):
                broken.append(stored)
            else:
                sound.append(stored)
        return sound, broken

    def load_instance(self, label: str) -> Problem:
        """The instance of that name.

        Raises:
            InputError: If it is not there or damaged.
        """
        path = self.instance_path(label)
        try:
            return load(path)
        except InputError as error:
            raise located(path, error) from error

    def load_schedule(self, stored: StoredRun) -> Schedule:
        """The schedule of a run.

        Raises:
            InputError: If it is not there or damaged.
        """
        problem = self.load_instance(stored.record.instance)
        try:
            return Schedule.load(stored.schedule_path, problem)
        except InputError as error:
            raise located(stored.schedule_path, error) from error

    def keep_table(self, records: Sequence[Record]) -> None:
        """Writes records as ``results.csv``."""
        write_text(make_folder(self.folder) / TABLE, records_as_csv(records))

    def instance_path(self, label: str) -> Path:
        """File of an instance; that of before where there is only that."""
        path, former = self._instance_paths(label)
        return former if _exists(former) and not path.exists() else path

    def _instance_paths(self, label: str) -> tuple[Path, Path]:
        folder = self.folder / "instances"
        names = (file_name(label), former_file_name(label))
        path, former = (folder / f"{name}.json" for name in names)
        return path, former

    @staticmethod
    def _is_another(path: Path, job: Job) -> bool:
        """Whether a file holds a sound instance other than the job's."""
        try:
            return load(path) != job.instance
        except InputError:
            return False

    def path_of(self, job: Job) -> Path:
        """File of a job's record; that of before where there is only that."""
        runs = self.folder / "runs"
        path = runs / file_name(job.label) / _name_of_run(job, file_name)
        former = runs / former_file_name(job.label) / _name_of_run(job, former_file_name)
        return former if _exists(former) and not path.exists() else path


def _name_of_run(job: Job, name: Callable[[str], str]) -> str:
    seed = "" if job.seed is None else f"seed{job.seed}."
    return f"{name(job.solver.label)}.{seed}{job.key[:12]}.json"


def _exists(path: Path) -> bool:
    """Whether it is there; names of before may be longer than a file system takes."""
    try:
        return path.exists()
    except OSError:
        return False


class _Document(Strict):
    """The file of a record."""

    format: Literal["dsct-gym-run/1"]
    key: Digest
    checksum: Digest
    record: Record
    trace: list[tuple[float, float | None, float | None]] = Field(max_length=10_000)
    environment: dict[Text, Text | int | float] = Field(max_length=100)
    schedule: Digest | None
    sha256: Digest


def _read(path: Path) -> StoredRun | Broken:
    """A run from its file, or what is wrong with the file or its schedule."""
    try:
        text = read_text(path)
        document = json.loads(text)
        if document.pop("sha256") != _digest(document):
            return Broken(path)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Broken(path)
    try:
        with refusing():
            found = _Document.model_validate_json(text)
    except InputError as error:
        return Broken(path, "; ".join(error.lines))
    stored = StoredRun(
        found.key, found.checksum, found.record, tuple(found.trace), found.environment, path
    )
    if found.schedule is not None and found.schedule != _sha256(stored.schedule_path):
        return Broken(path)
    return stored


def _sha256(path: Path) -> str | None:
    """SHA-256 of a file, None where it cannot be read or is a device."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() if path.is_file() else None
    except OSError:
        return None


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _take(descriptor: int, folder: Path) -> None:
    """Locks a file; the lock goes with the process, however that ends."""
    if os.name != "posix":
        return
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"{folder}: another benchmark is writing into it") from None
    except OSError:  # A file system without locks.
        return
