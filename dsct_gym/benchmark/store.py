"""Where runs are kept: a folder with a record and a schedule for each, and one table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from dsct_gym.benchmark.record import Record, records_as_csv
from dsct_gym.errors import InputError
from dsct_gym.files import write_text
from dsct_gym.schedule import Schedule

TABLE = "results.csv"


def make_folder(path: Path) -> Path:
    """Makes a folder with those above it.

    Raises:
        InputError: If it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be made: {error.strerror}") from error
    return path


def keep(folder: Path, record: Record, schedule: Schedule) -> None:
    """Writes ``<instance>/<solver>.json`` and ``<instance>/<solver>.schedule.json``."""
    schedule.save(run_path(folder, record, ".schedule.json"))
    write_text(run_path(folder, record, ".json"), record.to_json())


def keep_table(folder: Path, records: Sequence[Record]) -> None:
    """Writes all records as ``results.csv``."""
    write_text(make_folder(folder) / TABLE, records_as_csv(records))


def run_path(folder: Path, record: Record, suffix: str) -> Path:
    """Where a file of a run belongs; its folder is made."""
    return make_folder(folder / file_name(record.instance)) / (file_name(record.solver) + suffix)


def file_name(label: str) -> str:
    """The label with what a file name cannot hold replaced by ``_``."""
    return re.sub(r"[^\w.+-]+", "_", label).lstrip(".") or "_"
