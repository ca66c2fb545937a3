"""Improves what is known of a suite from a folder of results, verifying before it writes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dsct_gym.allocation import allocate
from dsct_gym.atomic import write_text
from dsct_gym.documents import parse_schedule
from dsct_gym.errors import InputError
from dsct_gym.files import read_json
from dsct_gym.gaps import SIGNIFICANT, exceeds
from dsct_gym.instance import Instance
from dsct_gym.problem import Problem
from dsct_gym.schedule import value
from dsct_gym.suites.suite import (
    REFERENCES,
    Reference,
    Row,
    Suite,
    load_suite,
    read_references,
    suites,
)


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

    A value counts after its schedule passed the verifier and, for an `Instance`, its assignment
    was allocated anew. A bound cannot be checked without its proof: it is taken from the schedule
    file as claimed by the solver named there, and refused when it contradicts the best-known value.

    Args:
        results: Folder with schedule files, at any depth.
        data: Folder of the suites, whose ``references.json`` are read and rewritten, each whole or
            not at all.

    Raises:
        InputError: If there is no such folder or a file cannot be read or written.
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
    rows = read_references(folder)
    known = {str(each.name): rows[str(each.name)].reference(each) for each in suite}
    read = values = bounds = 0
    refused: list[str] = []
    for path, document in documents:
        before = known.get(str(document.get("instance")))
        if before is None:
            continue
        read += 1
        try:
            candidate = _candidate(before.instance, document)
        except InputError as error:
            refused.append(f"{path}: {error}")
            continue
        if exceeds(before.value, candidate.upper_bound):
            refused.append(f"{path}: upper_bound: below the best-known value")
            continue
        better, tighter = _is_better(candidate, before), _is_tighter(candidate, before)
        values, bounds = values + better, bounds + tighter
        after = replace(candidate, upper_bound=before.upper_bound, bound_by=before.bound_by)
        after = after if better else before
        if tighter:
            after = replace(after, upper_bound=candidate.upper_bound, bound_by=candidate.bound_by)
        known[str(before.instance.name)] = after
    if values or bounds:
        write_references(folder, map(Row.of, known.values()))
    return Improvement(suite.name, read, values, bounds, tuple(refused))


def write_references(folder: Path, rows: Iterable[Row]) -> None:
    """Writes ``references.json``, one instance a line."""
    lines = ",\n".join("  " + json.dumps(row.model_dump(exclude_none=True)) for row in rows)
    write_text(folder / REFERENCES, f'{{\n "references": [\n{lines}\n ]\n}}\n')


def _schedule_documents(results: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """All schedule files below a folder, parsed; other files are passed over."""
    for path in sorted([*results.rglob("*.json"), *results.rglob("*.json.gz")]):
        try:
            document = read_json(path)
        except InputError:
            continue
        if isinstance(document, dict) and document.get("format") == "dsct-ea-schedule/1":
            yield path, document


def _candidate(problem: Problem, document: Mapping[str, object]) -> Reference:
    """What a schedule file has to offer.

    Raises:
        InputError: If the schedule is not feasible or its numbers are wrong.
    """
    schedule = parse_schedule(document, problem)
    schedule.verify().raise_if_wrong()
    solver = schedule.solver or "unknown"
    bound, by = math.inf, solver
    if schedule.upper_bound is not None:
        bound, by = schedule.upper_bound, f"{solver}, claimed"
    if not isinstance(problem, Instance):
        return Reference(problem, value(schedule), solver, bound, by, document=document)
    best = allocate(problem, schedule.machine)
    return Reference(problem, best.total_accuracy, solver, bound, by, machine_of=best.machine)


def _is_better(candidate: Reference, before: Reference) -> bool:
    return exceeds(candidate.value, before.value, SIGNIFICANT)


def _is_tighter(candidate: Reference, before: Reference) -> bool:
    return exceeds(before.upper_bound, candidate.upper_bound, SIGNIFICANT)
