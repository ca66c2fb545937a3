"""Improves what is known of a suite from a folder of results, verifying before it writes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dsct_gym.allocation import allocate, has_allocation
from dsct_gym.atomic import make_folder, write_text
from dsct_gym.bounds import FRACTIONAL
from dsct_gym.certificate import Certificate, is_certificate, parse_certificate
from dsct_gym.documents import parse_schedule
from dsct_gym.errors import InputError
from dsct_gym.files import read_json
from dsct_gym.gaps import SIGNIFICANT, exceeds
from dsct_gym.instance import Instance
from dsct_gym.problem import Problem
from dsct_gym.relaxation import has_relaxation, upper_bound
from dsct_gym.schedule import Schedule, value
from dsct_gym.suites.suite import (
    CERTIFICATES,
    REFERENCES,
    Reference,
    Row,
    Suite,
    forget_suites,
    load_suite,
    read_references,
    suites,
)

_CLAIMED = ", claimed"


@dataclass(frozen=True)
class Improvement:
    """What a folder of results did for one suite.

    Attributes:
        suite: Name of the suite.
        read: Number of schedule files and certificates for one of its instances.
        values: Number of instances whose best-known value rose.
        bounds: Number of instances whose bound fell.
        refused: One line for each schedule or certificate that did not hold.
    """

    suite: str
    read: int
    values: int
    bounds: int
    refused: tuple[str, ...]


def improve(results: Path, data: Path) -> list[Improvement]:
    """Improves the references of all suites from the schedule files below a folder.

    A value counts after its schedule passed the verifier and, where an assignment says all, it was
    allocated anew. A bound is proven where it follows from the fractional relaxation, solved
    anew, or a certificate proves it, which is checked anew. Any other is taken from the schedule
    file as claimed by the solver named there, and refused when it contradicts the best-known value.

    Args:
        results: Folder with schedule files and certificates, at any depth.
        data: Folder of the suites, whose ``references.json`` are read and rewritten, each whole or
            not at all; certificates of the bounds there are kept in ``certificates/``.

    Raises:
        InputError: If there is no such folder or a file cannot be read or written.
    """
    if not results.is_dir():
        raise InputError(f"{results}: no such folder")
    documents = list(_documents(results))
    found = [_improve_suite(load_suite(name), documents, data / name) for name in suites()]
    forget_suites()
    return [improvement for improvement in found if improvement.read]


def _improve_suite(
    suite: Suite, documents: list[tuple[Path, dict[str, Any]]], folder: Path
) -> Improvement:
    """Improves one suite from parsed schedule files."""
    rows = read_references(folder)
    known = {str(each.name): rows[str(each.name)].reference(each) for each in suite}
    proofs: dict[str, Certificate] = {}
    read = values = bounds = 0
    refused: list[str] = []
    for path, document in documents:
        before = known.get(str(document.get("instance")))
        if before is None:
            continue
        read += 1
        try:
            candidate, proof = _offer(before, document)
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
            if proof is not None:
                proofs[str(before.instance.name)] = proof
        known[str(before.instance.name)] = after
    for name, proof in proofs.items():
        proof.save(make_folder(folder / CERTIFICATES) / f"{name}.json")
    if values or bounds:
        write_references(folder, map(Row.of, known.values()))
    return Improvement(suite.name, read, values, bounds, tuple(refused))


def write_references(folder: Path, rows: Iterable[Row]) -> None:
    """Writes ``references.json``, one instance a line."""
    lines = ",\n".join("  " + json.dumps(row.model_dump(exclude_none=True)) for row in rows)
    write_text(folder / REFERENCES, f'{{\n "references": [\n{lines}\n ]\n}}\n')


def _documents(results: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """All schedule files and certificates below a folder, parsed; others are passed over."""
    for path in sorted([*results.rglob("*.json"), *results.rglob("*.json.gz")]):
        try:
            document = read_json(path)
        except InputError:
            continue
        if isinstance(document, dict) and (
            document.get("format") == "dsct-ea-schedule/1" or is_certificate(document)
        ):
            yield path, document


def _offer(
    known: Reference, document: Mapping[str, object]
) -> tuple[Reference, Certificate | None]:
    """What a file has to offer, and the proof of its bound where it is one.

    Raises:
        InputError: If it is not right, or a certificate for what can have none.
    """
    if not is_certificate(document):
        return _candidate(known.instance, document), None
    if not isinstance(known.instance, Instance):
        raise InputError("certificate: there is none for a variant of DSCT-EA")
    certificate = parse_certificate(document)
    bound = certificate.check(known.instance)
    by = certificate.method or "unknown"
    proof = replace(certificate, upper_bound=bound)
    return replace(known, upper_bound=bound, bound_by=by), proof


def _candidate(problem: Problem, document: Mapping[str, object]) -> Reference:
    """What a schedule file has to offer.

    Raises:
        InputError: If the schedule is not feasible or its numbers are wrong.
    """
    schedule = parse_schedule(document, problem)
    schedule.verify().raise_if_wrong()
    solver = schedule.solver or "unknown"
    bound, by = _bound(schedule)
    if not has_allocation(problem):
        return Reference(problem, value(schedule), solver, bound, by, document=document)
    best = allocate(problem, schedule.machine)
    return Reference(problem, best.total_accuracy, solver, bound, by, machine_of=best.machine)


def _bound(schedule: Schedule) -> tuple[float, str]:
    """The bound that a schedule carries and who vouches for it: the relaxation where it can."""
    problem, claimed = schedule.instance, schedule.upper_bound
    if claimed is None:
        return math.inf, "unknown"
    fractional = upper_bound(problem) if has_relaxation(problem) else math.inf
    if fractional <= claimed:
        return fractional, FRACTIONAL
    return claimed, f"{schedule.solver or 'unknown'}{_CLAIMED}"


def _is_better(candidate: Reference, before: Reference) -> bool:
    return exceeds(candidate.value, before.value, SIGNIFICANT)


def _is_tighter(candidate: Reference, before: Reference) -> bool:
    """Whether the bound is lower, or the same one that was only claimed until now."""
    if before.bound_by.endswith(_CLAIMED) and not candidate.bound_by.endswith(_CLAIMED):
        return not exceeds(candidate.upper_bound, before.upper_bound, SIGNIFICANT)
    return exceeds(before.upper_bound, candidate.upper_bound, SIGNIFICANT)
