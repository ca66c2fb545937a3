"""Evaluation: solvers and policies between approx-refined and the best that is known.

Instances come from the suites or are drawn fresh. Those that are drawn have a stream of random
numbers of their own, `STREAM`, which neither training nor its held-out sets use. What is known of
them is the best of a long annealing and of all that takes part, and the fractional bound.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.benchmark.entrants import Entrant
from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.panel import panel
from dsct_gym.benchmark.planning import seeds_for
from dsct_gym.benchmark.record import Record
from dsct_gym.benchmark.scoring import (
    Score,
    Yardstick,
    refuted_bounds,
    score,
    yardsticks,
)
from dsct_gym.benchmark.spec import Spec
from dsct_gym.benchmark.statistics import Interval, ratio_interval
from dsct_gym.errors import InputError
from dsct_gym.gaps import SIGNIFICANT, exceeds
from dsct_gym.generator import Scenario
from dsct_gym.problem import Problem
from dsct_gym.solver import as_time_limit
from dsct_gym.suites.suite import DEFAULT_BASELINE, Reference, load_suite

STREAM: Final = 0xE7A1
"""First of the numbers ``(STREAM, n, m, index, seed)`` that seed an evaluation instance. Training
draws with two to four numbers or spawn keys, its held-out sets with six that begin with another."""

RANGES: Final = {"mu": (1.0, 20.0), "rho": (0.2, 1.0), "beta": (0.1, 1.0)}
"""Ranges from which each drawn instance takes its parameters, those of the publications."""

BASELINE: Final = Entrant(DEFAULT_BASELINE, (Spec(DEFAULT_BASELINE),))
"""Where the gap to be closed begins, unless a suite names another; always takes part."""

REFERENCE_SOLVER: Final = "annealing"
REFERENCE_SEEDS: Final = 3
REFERENCE_MOVES: Final = 2_000
"""Annealing runs for each drawn instance, and their proposals for each task."""


@dataclass(frozen=True)
class Group:
    """Instances that share a table.

    Attributes:
        name: A suite, or a size such as ``50x5``.
        holds: What they are, in words.
        instances: By label.
        references: What is known of them beforehand, by label; empty for drawn instances.
        baseline: Where the gap to be closed begins; always takes part.
    """

    name: str
    holds: str
    instances: Mapping[str, Problem]
    references: Mapping[str, Reference] = field(default_factory=dict)
    baseline: Entrant = BASELINE


class Planned(NamedTuple):
    """A job and what it is for.

    Attributes:
        group: Name of the group.
        entrant: Who takes part; None for a reference run.
        variant: Which of the entrant's variants.
        job: What to run.
    """

    group: str
    entrant: Entrant | None
    variant: int
    job: Job


@dataclass(frozen=True)
class Raise:
    """A best-known value of a suite that somebody here exceeds.

    Attributes:
        instance: Its label.
        before: Value per task that was known, the mean accuracy.
        after: What is known now.
        by: Label of the entrant.
    """

    instance: str
    before: float
    after: float
    by: str


@dataclass(frozen=True)
class Standing:
    """How an entrant stands in a group.

    Attributes:
        score: Its means.
        training_seeds: Number of its variants.
        closed: Share of the gap from the baseline to the best known that it closes, a ratio of
            mean values over the instances, with its interval over instances and training seeds.
            None where the baseline is the best known.
        wins: Number of instances on which it is better than the baseline, over its variants and
            seeds in the mean.
        ties: Number of instances on which the two are the same up to rounding.
        losses: Number of instances on which it is worse.
    """

    score: Score
    training_seeds: int
    closed: Interval | None
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True)
class Standings:
    """What came of a group, over the instances on which everybody ran.

    Attributes:
        group: The group.
        instances: Labels of those instances.
        entrants: The entrants in their order, the baseline first.
        best_accuracy: Mean accuracy of the best known, its value per task.
        best_gap: What it misses to the proven bound, relative, in the mean.
        raised: Best-known values of the suite that were exceeded.
        refuted: Records with a bound that a schedule exceeds.
        rows: One for each run of an entrant, as `rows_as_csv` writes them.
    """

    group: Group
    instances: tuple[str, ...]
    entrants: tuple[Standing, ...]
    best_accuracy: float
    best_gap: float
    raised: tuple[Raise, ...]
    refuted: tuple[Record, ...]
    rows: tuple[dict[str, object], ...]


class _Result(NamedTuple):
    """A run of an entrant; the record bears the entrant's label."""

    entrant: Entrant
    variant: int
    record: Record


def suite_group(name: str) -> Group:
    """A suite that ships.

    Raises:
        InputError: If there is none of that name.
    """
    suite = load_suite(name)
    references = {str(known.instance.name): known for known in suite.references}
    instances = {str(instance.name): instance for instance in suite}
    baseline = Spec.parse(suite.baseline, f"suite {name}: baseline")
    first = Entrant(baseline.label, (baseline,))
    return Group(name, suite.description, instances, references, first)


def size_group(size: str, count: int, seed: int) -> Group:
    """Fresh instances of one size.

    Args:
        size: ``NxM``, tasks and machines.
        count: Number of instances; fewer are the first of more.
        seed: Seed, at least 0; every seed gives other instances.

    Raises:
        InputError: If the size is none.
    """
    numbers = re.fullmatch(r"(\d{1,9})x(\d{1,9})", size)
    if numbers is None:
        raise InputError(f"--size: expected tasks x machines such as 50x5, got {size!r}")
    n, m = int(numbers[1]), int(numbers[2])
    try:
        scenario = Scenario(n=n, m=m, mu=RANGES["mu"], rho=RANGES["rho"], beta=RANGES["beta"])
    except InputError as error:
        raise InputError(f"--size: {size}: {error}") from error
    name = f"{n}x{m}"
    labels = [f"{name}-{seed}-{index:03}" for index in range(count)]
    instances = {
        label: scenario.sample(np.random.default_rng((STREAM, n, m, index, seed)), name=label)
        for index, label in enumerate(labels)
    }
    holds = ", ".join(f"{key} {low:g}–{high:g}" for key, (low, high) in RANGES.items())
    return Group(name, f"{holds}, seed {seed}", instances)


def plan(
    groups: Sequence[Group],
    entrants: Sequence[Entrant],
    *,
    seeds: Sequence[int] = (0,),
    time_limit: float | None = None,
    reference_moves: int = REFERENCE_MOVES,
) -> list[Planned]:
    """Everybody on every instance, instance by instance, and the annealing that drawn ones need.

    Args:
        groups: The instances.
        entrants: Who takes part, besides the baselines.
        seeds: Seeds of what is random; others run with the first alone.
        time_limit: Wall-clock limit of each run, s.
        reference_moves: Proposals of each reference annealing for each task; 0 for no annealing.
    """
    limit = as_time_limit(time_limit)
    planned = []
    for group in groups:
        runs = [
            (entrant, variant, seed)
            for entrant in _with_first(group.baseline, entrants)
            for variant in range(len(entrant.variants))
            for seed in seeds_for(entrant.variants[0], seeds)
        ]
        for label, instance in group.instances.items():
            for entrant, variant, seed in runs:
                job = Job(label, instance, entrant.variants[variant], limit, seed)
                planned.append(Planned(group.name, entrant, variant, job))
            if not group.references and reference_moves > 0:
                planned += _references(group.name, label, instance, reference_moves)
    return planned


def jobs_of(planned: Sequence[Planned]) -> list[Job]:
    """What is to be run, each job once."""
    return list({each.job.key: each.job for each in planned}.values())


def rank(
    group: Group, planned: Sequence[Planned], records: Mapping[str, Record]
) -> Standings | None:
    """Compares the entrants over the instances on which all that was planned has been run.

    A run without a feasible schedule counts as the empty schedule.

    Args:
        group: The group.
        planned: What was planned, for all groups.
        records: What has been run, by key of the job.

    Returns:
        The standings; None while no instance is complete.
    """
    own = [each for each in planned if each.group == group.name]
    missing = {each.job.label for each in own if each.job.key not in records}
    own = [each for each in own if each.job.label not in missing]
    if not own:
        return None
    results = [
        _Result(
            each.entrant,
            each.variant,
            replace(records[each.job.key], solver=each.entrant.label),
        )
        for each in own
        if each.entrant is not None
    ]
    everything = [records[each.job.key] for each in own if each.entrant is None]
    everything += [result.record for result in results]
    known = yardsticks(everything, group.references)
    return Standings(
        group=group,
        instances=tuple(dict.fromkeys(each.job.label for each in own)),
        entrants=tuple(_standings(group.baseline.label, results, known)),
        best_accuracy=float(_best(results, known).mean()),
        best_gap=float(np.mean([y.gap for y in known.values()])),
        raised=tuple(_raised(results, group.references)),
        refuted=tuple(refuted_bounds(everything)),
        rows=tuple(_rows(group, results, known)),
    )


def rows_as_csv(standings: Sequence[Standings]) -> str:
    """One line for each run of an entrant, with a heading."""
    rows = [row for each in standings for row in each.rows]
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()


def _with_first(first: Entrant, entrants: Sequence[Entrant]) -> list[Entrant]:
    return [first, *(entrant for entrant in entrants if entrant.label != first.label)]


def _references(group: str, label: str, instance: Problem, moves: int) -> list[Planned]:
    """The annealing that tells what can be had of an instance."""
    solver = Spec(REFERENCE_SOLVER, {"moves": moves * instance.core.num_tasks})
    return [
        Planned(group, None, 0, Job(label, instance, solver, None, seed))
        for seed in range(REFERENCE_SEEDS)
    ]


def _standings(
    baseline: str, results: Sequence[_Result], known: Mapping[str, Yardstick]
) -> list[Standing]:
    """One for each entrant, in the order of the results."""
    by_label: dict[str, list[_Result]] = {}
    for result in results:
        by_label.setdefault(result.entrant.label, []).append(result)
    first = _values(by_label[baseline])[0]
    gap = _best(results, known) - first
    scores = score([result.record for result in results], known)
    return [_standing(each, by_label[each.solver], first, gap) for each in scores]


def _standing(own: Score, results: Sequence[_Result], first: Floats, gap: Floats) -> Standing:
    """Compares one entrant with the baseline.

    Args:
        own: Its score.
        results: Its runs.
        first: Value per task of the baseline on each instance (k,).
        gap: What is known to be missing to it (k,).
    """
    gained = _values(results) - first
    ahead, rounding = gained.mean(axis=0), SIGNIFICANT * np.maximum(1.0, np.abs(first))
    closable = gap.sum() > rounding.sum()
    return Standing(
        score=own,
        training_seeds=len(gained),
        closed=ratio_interval(gained, gap) if closable else None,
        wins=int((ahead > rounding).sum()),
        ties=int((np.abs(ahead) <= rounding).sum()),
        losses=int((ahead < -rounding).sum()),
    )


def _values(results: Sequence[_Result]) -> Floats:
    """Value per task of each variant on each instance, over its seeds (variants, instances)."""
    records = [replace(result.record, solver=str(result.variant)) for result in results]
    return panel(records, lambda record: record.mean_value).values


def _best(results: Sequence[_Result], known: Mapping[str, Yardstick]) -> Floats:
    """Best-known value per task of each instance, in the order of the results."""
    tasks = {result.record.instance: result.record.tasks for result in results}
    return np.array([known[label].best / count for label, count in tasks.items()])


def _raised(results: Sequence[_Result], references: Mapping[str, Reference]) -> list[Raise]:
    """Which references somebody exceeds, and who does so the most."""
    found = []
    for label, reference in references.items():
        runs = [result.record for result in results if result.record.instance == label]
        best = max(runs, key=lambda record: record.value, default=None)
        if best is None or not exceeds(best.value, reference.value, SIGNIFICANT):
            continue
        found.append(Raise(label, reference.mean_value, best.mean_value, best.solver))
    return found


def _rows(
    group: Group, results: Sequence[_Result], known: Mapping[str, Yardstick]
) -> Iterator[dict[str, object]]:
    """Each run beside what is known of its instance; accuracies and bounds are means over tasks."""
    first = {
        result.record.instance: result.record.mean_value
        for result in results
        if result.entrant.label == group.baseline.label
    }
    for result in results:
        label = result.record.instance
        yield _row(group.name, result, first[label], known[label])


def _row(group: str, result: _Result, first: float, yardstick: Yardstick) -> dict[str, object]:
    record = result.record
    options = result.entrant.variants[result.variant].options
    return {
        "group": group,
        "instance": record.instance,
        "tasks": record.tasks,
        "machines": record.machines,
        "agent": record.solver,
        "solver": result.entrant.solver,
        "policy": options.get("checkpoint", options.get("path")),
        "seed": record.seed,
        "time_limit": record.time_limit,
        "status": str(record.status),
        "mean_accuracy": record.mean_accuracy,
        "approx_refined": first,
        "best_known": yardstick.best / record.tasks,
        "upper_bound": yardstick.bound / record.tasks,
        "gap": record.short_of(yardstick.bound),
        "against_approx_refined": _outcome(record.mean_value, first),
        "energy_share": record.energy_share,
        "seconds": record.seconds,
        "message": record.message,
    }


def _outcome(value: float, first: float) -> str:
    if exceeds(value, first, SIGNIFICANT):
        return "win"
    return "loss" if exceeds(first, value, SIGNIFICANT) else "tie"
