"""Scores: what the records of each solver amount to over the instances.

Seeds are averaged within an instance first, so that every instance counts the same. A run without
a feasible schedule counts as the empty schedule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from dsct_gym.arrays import Floats
from dsct_gym.benchmark.panel import Panel, panel
from dsct_gym.benchmark.record import Record
from dsct_gym.benchmark.statistics import Interval, mean_interval
from dsct_gym.gaps import exceeds, shortfall
from dsct_gym.problem import Problem
from dsct_gym.suites.suite import Reference, load_suite, suites


@dataclass(frozen=True)
class Yardstick:
    """What is known of an instance.

    Attributes:
        best: Best value that any record or the suite's reference attains.
        bound: Least upper bound on the value that none of them refutes; where they refute all,
            the best itself.
        floor: Where gaps begin.
    """

    best: float
    bound: float
    floor: float = 0.0

    @property
    def gap(self) -> float:
        """What the best misses of the bound."""
        return shortfall(self.best, self.bound, self.floor)


@dataclass(frozen=True)
class Score:
    """A solver's means over its instances.

    Attributes:
        solver: Name of the solver.
        instances: Number of instances it ran on.
        runs: Number of runs, over instances and seeds.
        failures: Number of runs without a feasible schedule.
        mean_accuracy: Mean accuracy per task, with its interval over instances.
        gap_to_best: Share missing to the best known, with its interval over instances.
        gap: Share missing to the least proven bound.
        optimal: Number of instances on which a run of it proved its schedule optimal.
        energy_share: Share of the energy budget that was spent.
        slack: Mean slack of tasks to their deadlines, as a share of the deadline.
        fairness: Jain's index of the tasks' accuracies; 0 where there is no schedule.
        seconds: Wall time, s.
    """

    solver: str
    instances: int
    runs: int
    failures: int
    mean_accuracy: Interval
    gap_to_best: Interval
    gap: float
    optimal: int
    energy_share: float
    slack: float
    fairness: float
    seconds: float


def references_of(instances: Mapping[str, Problem]) -> dict[str, Reference]:
    """What the shipped suites know of the instances, by label; others are left out."""
    found = {}
    for label, instance in instances.items():
        suite = label.rpartition("-")[0]
        if suite not in suites():
            continue
        for reference in load_suite(suite).references:
            if reference.instance == instance:
                found[label] = reference
    return found


def yardsticks(
    records: Sequence[Record], references: Mapping[str, Reference] | None = None
) -> dict[str, Yardstick]:
    """Best known and least bound of each instance in the records.

    A bound that a feasible schedule refutes does not count; `refuted_bounds` names them.
    """
    references = references or {}
    by_instance: dict[str, list[Record]] = {}
    for record in records:
        by_instance.setdefault(record.instance, []).append(record)
    known = {}
    for label, group in by_instance.items():
        reference = references.get(label)
        best = max(record.value for record in group)
        bounds = [record.fractional_bound for record in group]
        if reference is not None:
            best = max(best, reference.value)
            bounds.append(reference.upper_bound)
        bounds += [record.upper_bound for record in group]
        sound = [bound for bound in bounds if not exceeds(best, bound)]
        known[label] = Yardstick(best, min(sound, default=best), group[0].floor)
    return known


def refuted_bounds(records: Sequence[Record]) -> list[Record]:
    """The records whose bound lies below a value that some record attains."""
    best: dict[str, float] = {}
    for record in records:
        best[record.instance] = max(best.get(record.instance, -math.inf), record.value)
    return [record for record in records if exceeds(best[record.instance], record.upper_bound)]


def gaps_to_best(records: Sequence[Record], known: Mapping[str, Yardstick]) -> Panel:
    """Share missing to the best known of each solver on each instance."""
    return panel(records, lambda r: r.short_of(known[r.instance].best))


def score(records: Sequence[Record], known: Mapping[str, Yardstick] | None = None) -> list[Score]:
    """Scores each solver, in the order in which the records name them.

    Args:
        records: At most one for each instance, solver and seed.
        known: What is known of each instance; by default what the records tell.

    Returns:
        One score a solver.
    """
    known = known or yardsticks(records)
    by_solver: dict[str, list[Record]] = {}
    for record in records:
        by_solver.setdefault(record.solver, []).append(record)
    return [_score(solver, own, known) for solver, own in by_solver.items()]


def _score(solver: str, records: Sequence[Record], known: Mapping[str, Yardstick]) -> Score:
    def over_instances(value: Callable[[Record], float]) -> Floats:
        return panel(records, value).row(solver)

    def gap(record: Record) -> float:
        return record.short_of(known[record.instance].bound)

    def refuted(record: Record) -> bool:
        return exceeds(known[record.instance].best, record.upper_bound)

    return Score(
        solver=solver,
        instances=len({record.instance for record in records}),
        runs=len(records),
        failures=sum(not record.ok for record in records),
        mean_accuracy=mean_interval(over_instances(lambda r: r.mean_accuracy)),
        gap_to_best=mean_interval(gaps_to_best(records, known).row(solver)),
        gap=fmean(over_instances(gap)),
        optimal=len({r.instance for r in records if r.proven and not refuted(r)}),
        energy_share=fmean(over_instances(lambda r: r.energy_share)),
        slack=fmean(over_instances(lambda r: r.slack)),
        fairness=fmean(over_instances(lambda r: r.fairness if r.ok else 0.0)),
        seconds=fmean(over_instances(lambda r: r.seconds)),
    )
