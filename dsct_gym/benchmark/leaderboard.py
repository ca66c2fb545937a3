"""The leaderboard: verified results of a version, kept small, and the page made of them.

A section is one version's results for DSCT-EA or for one variant: ``<version>.json`` says under
which protocol they were made, ``<version>.csv.gz`` holds a row for each run; with what a variant's
suites need behind the version. Scores are computed anew whenever the page is
rendered, against the best that the suites know then.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import Field

from dsct_gym.atomic import make_folder, write_bytes, write_text
from dsct_gym.benchmark.evidence import refutations
from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.record import Record, records_as_csv, records_from_csv
from dsct_gym.benchmark.score_table import as_markdown, leaderboard_columns
from dsct_gym.benchmark.scoring import Yardstick, score, yardsticks
from dsct_gym.benchmark.spec import Spec
from dsct_gym.benchmark.store import Store, StoredRun
from dsct_gym.benchmark.wording import show_limit
from dsct_gym.errors import InputError, located
from dsct_gym.file_names import file_name
from dsct_gym.files import instance_text, read_json, read_text
from dsct_gym.gaps import exceeds
from dsct_gym.refusals import Strict, validate
from dsct_gym.suites.suite import Reference, checksum, load_suite, suites

DIGITS: Final = 10
"""Significant digits of the numbers that are kept."""

SEEDS: Final = 10
"""Least number of seeds for a solver that is random."""


@dataclass(frozen=True)
class Section:
    """The results of one version, all for DSCT-EA or all for one variant.

    Attributes:
        version: Of dsct-gym.
        needs: What the suites' instances need beyond DSCT-EA, sorted.
        date: When it was taken up, ISO 8601.
        commit: Of the source, or empty.
        protocol: Time limit, threads, processor and versions, in words.
        notes: What a reader must know, such as a change of protocol.
        records: One for each run.
    """

    version: str
    date: str
    commit: str
    protocol: dict[str, str]
    notes: tuple[str, ...]
    records: tuple[Record, ...]
    needs: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The version, and what the instances need."""
        return ", ".join([self.version, " and ".join(self.needs)] if self.needs else [self.version])

    @property
    def stem(self) -> str:
        """What its files and footnotes are called."""
        return "-".join([self.version, *self.needs])


def take_up(folder: Path, *, date: str, commit: str = "", notes: Iterable[str] = ()) -> Section:
    """Makes a section of a folder of results; every schedule is verified anew.

    Args:
        folder: What ``dsct-gym bench --suite ... -o DIR`` wrote.
        date: ISO 8601.
        commit: Of the source.
        notes: For the readers.

    Raises:
        InputError: If a file is damaged, a run is of no shipped instance, runs are of several
            versions or variants, or a schedule is infeasible or is not what its record says.
    """
    store = Store(folder)
    runs, broken = store.load()
    if broken:
        first = broken[0]
        raise InputError(f"{first.path}: {first.told}; the same bench command runs it again")
    if not runs:
        raise InputError(f"{folder}: holds no run")
    for run in runs:
        _verify(run)
    versions = {str(run.environment.get("dsct-gym")) for run in runs}
    if len(versions) > 1:
        raise InputError(f"{folder}: runs of several versions ({', '.join(sorted(versions))})")
    variants = {tuple(sorted(load_suite(_suite_name(run.record)).needs)) for run in runs}
    if len(variants) > 1:
        suites_there = sorted({_suite_name(run.record) for run in runs})
        raise InputError(
            f"{folder}: runs of several variants ({', '.join(suites_there)}); one folder for each"
        )
    records = sorted(
        (run.record for run in runs), key=lambda r: (r.instance, r.solver, r.seed or 0)
    )
    return Section(
        version=versions.pop(),
        date=date,
        commit=commit,
        protocol=_protocol(runs),
        notes=tuple(notes),
        records=tuple(_rounded(record) for record in records),
        needs=variants.pop(),
    )


def keep_section(section: Section, folder: Path) -> None:
    """Writes a section, replacing the one of the same version and variant."""
    make_folder(folder)
    about = {key: value for key, value in asdict(section).items() if key != "records"}
    table = gzip.compress(records_as_csv(section.records).encode(), mtime=0)
    name = file_name(section.stem)  # a stranger's records say what it is
    write_bytes(folder / f"{name}.csv.gz", table)
    write_text(folder / f"{name}.json", json.dumps(about, indent=1) + "\n")


def load_sections(folder: Path) -> list[Section]:
    """All sections of a folder, those of DSCT-EA itself first, newest first.

    Raises:
        InputError: If there is none, or one line naming file and field at fault.
    """
    found = [_load_section(path) for path in sorted(folder.glob("*.json"))]
    if not found:
        raise InputError(f"{folder}: no section of a leaderboard")
    return sorted(found, key=_place, reverse=True)


def _place(section: Section) -> tuple[bool, str, str]:
    """DSCT-EA itself before its variants, then the newest, where the largest comes first."""
    return not section.needs, section.date, section.version


def render(sections: Sequence[Section]) -> str:
    """The page in Markdown, one chapter for each section."""
    return _HEAD + "".join(_chapter(section) for section in sections) + _SUBMIT


_HEAD: Final = """# Leaderboard

Every agent that ships, on every suite. Made by `dsct-gym leaderboard` from the runs in
[`leaderboard/`](leaderboard/); every schedule was verified anew before its run was taken up. The
gap to best is the share missing to the best total accuracy known, the gap to bound that to the
least proven upper bound, both as the suites know them today; in brackets the 95 % bootstrap
interval over instances. Seeds are averaged within an instance, and a run without a feasible
schedule counts as the empty one. Rows are in the order of the gap to best.
"""

_SUBMIT: Final = """
## Adding an agent

1. Make it a solver: a class with `solve(instance, *, time_limit=None, seed=None)` that returns a
   `Solution`, registered under the entry-point group `dsct_gym.solvers` or given as `module:Class`.
   Set `stochastic = True` on it if the seed matters.
2. Run it on every suite under the protocol of the newest chapter, for example
   `dsct-gym bench --suite tiny,small,medium,large,devices --solvers my-agent --seeds 10
   --time-limit 1 --threads 1 -o results`. If that is interrupted, the same command resumes. Suites
   of a variant, as `dvfs`, make a chapter of their own, from a folder of their own.
3. Run `dsct-gym leaderboard results --check`: it verifies every schedule against the suites'
   own instances and recomputes every number of its record. What cannot be recomputed is the
   seconds, and a proven bound beyond the best that is known.
4. Send the folder. It is verified again the same way before `dsct-gym leaderboard results -o docs`
   takes it up; what does not hold is refused.
"""


def _chapter(section: Section) -> str:
    commit = f", commit `{section.commit}`" if section.commit else ""
    lines = [f"\n## {section.title}\n\n{section.date}{commit}.\n\n"]
    lines += [f"- {key}: {value}\n" for key, value in section.protocol.items()]
    for name in suites():
        records = [record for record in section.records if _suite_of(record) == name]
        if records:
            lines.append(_suite_table(name, records))
    if section.notes:
        lines.append("\n" + "".join(f"[^{k}]: {note}\n" for k, note in _numbered(section)))
        marks = "".join(f"[^{k}]" for k, _ in _numbered(section))
        told = f"{section.date}{commit}."
        lines[0] = lines[0].replace(told, told + marks, 1)
    return "".join(lines)


def _numbered(section: Section) -> list[tuple[str, str]]:
    """Footnotes with labels that are unique on the page."""
    return [(f"{section.stem}-{k}", note) for k, note in enumerate(section.notes, 1)]


def _suite_table(name: str, records: Sequence[Record]) -> str:
    suite = load_suite(name)
    references = {str(reference.instance.name): reference for reference in suite.references}
    known: dict[str, Yardstick] = yardsticks(records, references)
    rows = sorted(score(records, known), key=lambda row: (row.gap_to_best.mean, row.solver))
    table = as_markdown(leaderboard_columns(len(suite)), rows)
    return f"\n### {name}: {suite.description}\n\n{table}"


@dataclass(frozen=True)
class _Truth:
    """What a suite says of an instance, and what follows from it."""

    reference: Reference
    checksum: str


def _verify(run: StoredRun) -> None:
    """Refuses a run whose record is not what its schedule makes of the suite's own instance."""
    record = run.record
    if _suite_of(record) is None:
        raise InputError(f"{run.path}: {record.instance!r} is of no suite that ships")
    truth = _truth(record.instance)
    if run.checksum != truth.checksum:
        raise InputError(f"{run.path}: answers another instance than the suite's")
    reasons = refutations(run, truth.reference.instance)
    if exceeds(truth.reference.value, record.upper_bound):
        reasons.append("record: proven_bound is below the best that is known")
    if run.key != _key(truth, record):
        reasons.append("record: solver, seed or time_limit is not what its key says")
    if reasons:
        raise InputError(f"{run.path}: {'; '.join(reasons)}")


def _key(truth: _Truth, record: Record) -> str:
    """The key of the job that the record names."""
    solver = Spec.parse(record.solver, "record: solver")
    problem = truth.reference.instance
    return Job(record.instance, problem, solver, record.time_limit, record.seed).key


@cache
def _truth(label: str) -> _Truth:
    reference = load_suite(label.rpartition("-")[0]).reference(label)
    content = instance_text(reference.instance).encode()
    return _Truth(reference, checksum(content))


def _suite_of(record: Record) -> str | None:
    name = _suite_name(record)
    return name if name in suites() else None


def _suite_name(record: Record) -> str:
    return record.instance.rpartition("-")[0]


def _protocol(runs: Sequence[StoredRun]) -> dict[str, str]:
    def shown(key: str) -> str:
        return ", ".join(
            sorted({str(run.environment[key]) for run in runs if key in run.environment})
        )

    seeds: dict[str, set[int | None]] = {}
    for run in runs:
        seeds.setdefault(run.record.solver, set()).add(run.record.seed)
    several = sorted({len(own) for own in seeds.values() if len(own) > 1})
    limits = sorted({show_limit(run.record.time_limit) for run in runs})
    return {
        "time limit": ", ".join(limits),
        "threads for each solver": shown("threads"),
        "seeds": f"{', '.join(map(str, several)) or 1} for random agents, 1 for the others",
        "machine": f"{shown('processor')}, {shown('cores')} cores, {shown('system')}",
        "versions": ", ".join(
            f"{package} {shown(package)}"
            for package in ("python", "numpy", "numba", "scipy", "highspy", "torch")
            if shown(package)
        ),
    }


def _rounded(record: Record) -> Record:
    """The record with numbers of `DIGITS` digits and messages that are short."""
    changes = {
        field.name: float(f"{value:.{DIGITS}g}")
        for field in fields(record)
        if isinstance(value := getattr(record, field.name), float)
    }
    return replace(record, **changes, message=(record.message or "")[:200] or None)  # type: ignore[arg-type]


class _About(Strict):
    """What a section says besides its records."""

    version: str
    date: str
    commit: str
    protocol: dict[str, str]
    notes: list[str]
    needs: list[str] = Field(default_factory=list)


def _load_section(path: Path) -> Section:
    try:
        about = validate(_About, read_json(path))
    except InputError as error:
        raise located(path, error) from error
    table = path.with_name(f"{path.stem}.csv.gz")
    return Section(
        **{**dict(about), "notes": tuple(about.notes), "needs": tuple(about.needs)},
        records=tuple(records_from_csv(read_text(table), str(table))),
    )
