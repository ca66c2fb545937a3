"""Scores: what the records of each solver amount to over the instances they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from dsct_gym.benchmark.record import Record, relative_gap

OPTIMAL: Final = 1e-6
"""A gap up to this counts as proven optimal."""


@dataclass(frozen=True)
class Score:
    """A solver's means over its instances.

    Attributes:
        solver: Name of the solver.
        instances: Number of instances it ran on.
        mean_accuracy: Mean over instances of the mean accuracy per task.
        gap: Mean share missing to the least bound that any solver proved on the instance.
        optimal: Number of instances where that share is nil: the schedule is proven optimal.
        energy_share: Mean share of the energy budget that was spent.
        seconds: Mean wall time, s.
    """

    solver: str
    instances: int
    mean_accuracy: float
    gap: float
    optimal: int
    energy_share: float
    seconds: float


def best_bounds(records: Sequence[Record]) -> dict[str, float]:
    """The least upper bound on the total accuracy that any record knows, by instance."""
    bounds: dict[str, float] = {}
    for record in records:
        known = bounds.get(record.instance, record.upper_bound)
        bounds[record.instance] = min(known, record.upper_bound)
    return bounds


def score(records: Sequence[Record]) -> list[Score]:
    """Scores each solver, in the order in which the records name them.

    Args:
        records: At most one for each pair of instance and solver.

    Returns:
        One score a solver.
    """
    bounds = best_bounds(records)
    by_solver: dict[str, list[Record]] = {}
    for record in records:
        by_solver.setdefault(record.solver, []).append(record)
    return [_score(solver, own, bounds) for solver, own in by_solver.items()]


def _score(solver: str, records: Sequence[Record], bounds: Mapping[str, float]) -> Score:
    gaps = [relative_gap(record.total_accuracy, bounds[record.instance]) for record in records]
    return Score(
        solver=solver,
        instances=len(records),
        mean_accuracy=fmean(record.mean_accuracy for record in records),
        gap=fmean(gaps),
        optimal=sum(gap <= OPTIMAL for gap in gaps),
        energy_share=fmean(record.energy_share for record in records),
        seconds=fmean(record.seconds for record in records),
    )
