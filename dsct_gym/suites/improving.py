"""Improves what is known of a suite from a folder of results, verifying before it writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dsct_gym.allocation import allocate
from dsct_gym.atomic import write_text
from dsct_gym.documents import parse_schedule
from dsct_gym.errors import InputError
from dsct_gym.files import read_json
from dsct_gym.instance import Instance
from dsct_gym.suites.suite import REFERENCES, Suite, load_suite, suites
from dsct_gym.tolerances import CLAIM

SIGNIFICANT = 1e-9
"""Relative change from which a value or bound counts as better: less is rounding."""


@dataclass(frozen=True)
class Improvement:
    """What a folder of results did for one suite.

    Attributes:
        suite: Name of the suite.
        read: Number of schedule files that answer one of its instances.
        values: Number of instances whose best-known value rose.
        bounds: Number of instances whose proven bound fell.
        refused: One line for each schedule that failed the verifier.
    """

    suite: str
    read: int
    values: int
    bounds: int
    refused: tuple[str, ...]


def improve(results: Path, data: Path) -> list[Improvement]:
    """Improves the references of all suites from the schedule files below a folder.

    A value counts after its schedule passed the verifier and its assignment was allocated anew. A
    bound cannot be checked without its proof: it is taken from the schedule file, credited to the
    solver named there, and refused when it contradicts the best-known value.

    Args:
        results: Folder with schedule files, at any depth.
        data: Folder of the suites, whose ``references.json`` are rewritten, each whole or not at
            all.

    Raises:
        InputError: If there is no such folder or a file cannot be written.
    """
    if not results.is_dir():
        raise InputError(f"{results}: no such folder")
    documents = list(_schedule_documents(results))
    found = [_improve_suite(load_suite(name), documents, data / name) for name in suites()]
    load_suite.cache_clear()
    return [improvement for improvement in found if improvement.read]


def _improve_suite(
    suite: Suite, documents: list[tuple[Path, dict[str, Any]]], folder: Path
) -> Improvement:
    """Improves one suite from parsed schedule files."""
    instances = {str(instance.name): instance for instance in suite}
    rows = {row["instance"]: row for row in _rows(suite)}
    read = values = bounds = 0
    refused: list[str] = []
    for path, document in documents:
        instance = instances.get(str(document.get("instance")))
        if instance is None:
            continue
        read += 1
        try:
            candidate = _candidate(instance, document)
        except InputError as error:
            refused.append(f"{path}: {error}")
            continue
        row = rows[str(instance.name)]
        if candidate["upper_bound"] < row["total_accuracy"] * (1.0 - CLAIM):
            refused.append(f"{path}: upper_bound: below the best-known value")
            continue
        values += _take_value(row, candidate)
        bounds += _take_bound(row, candidate)
    if values or bounds:
        write_references(folder, rows.values())
    return Improvement(suite.name, read, values, bounds, tuple(refused))


def write_references(folder: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Writes ``references.json``, one instance a line."""
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    write_text(folder / REFERENCES, f'{{\n "references": [\n{lines}\n ]\n}}\n')


def _schedule_documents(results: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """All schedule files below a folder, parsed; other files are passed over."""
    for path in sorted(results.rglob("*.json")):
        try:
            document = read_json(path)
        except InputError:
            continue
        if isinstance(document, dict) and document.get("format") == "dsct-ea-schedule/1":
            yield path, document


def _candidate(instance: Instance, document: dict[str, Any]) -> dict[str, Any]:
    """The row of a schedule file.

    Raises:
        InputError: If the schedule is not feasible or its numbers are wrong.
    """
    schedule = parse_schedule(document, instance)
    schedule.verify().raise_if_wrong()
    best = allocate(instance, schedule.machine)
    solver = schedule.solver or "unknown"
    bound = np.inf if schedule.upper_bound is None else schedule.upper_bound
    return {
        "total_accuracy": best.total_accuracy,
        "machine_of": best.machine.tolist(),
        "found_by": solver,
        "upper_bound": float(bound),
        "bound_by": solver,
    }


def _take_value(row: dict[str, Any], candidate: dict[str, Any]) -> bool:
    """Takes over the candidate's value if it is better."""
    if candidate["total_accuracy"] <= row["total_accuracy"] * (1.0 + SIGNIFICANT):
        return False
    for field in ("total_accuracy", "machine_of", "found_by"):
        row[field] = candidate[field]
    return True


def _take_bound(row: dict[str, Any], candidate: dict[str, Any]) -> bool:
    """Takes over the candidate's bound if it is lower."""
    if candidate["upper_bound"] >= row["upper_bound"] * (1.0 - SIGNIFICANT):
        return False
    row["upper_bound"], row["bound_by"] = candidate["upper_bound"], candidate["bound_by"]
    return True


def _rows(suite: Suite) -> Iterator[dict[str, Any]]:
    """The rows of ``references.json`` as they stand."""
    for reference in suite.references:
        yield {
            "instance": reference.instance.name,
            "total_accuracy": reference.total_accuracy,
            "found_by": reference.found_by,
            "upper_bound": reference.upper_bound,
            "bound_by": reference.bound_by,
            "machine_of": reference.machine_of.tolist(),
        }
