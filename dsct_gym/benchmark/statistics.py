"""The statistics of a comparison: intervals, paired tests, profiles, anytime curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.benchmark.panel import Panel

CONFIDENCE: Final = 0.95
_RESAMPLES: Final = 2000


@dataclass(frozen=True)
class Interval:
    """A mean with its bootstrap confidence interval.

    Attributes:
        mean: The mean.
        low: Lower end.
        high: Upper end.
    """

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Two solvers on the instances that both ran on.

    Attributes:
        first: Name of a solver.
        second: Name of another.
        instances: Number of instances of both.
        wins: On how many of them the first has the smaller gap.
        losses: On how many it has the larger one.
        difference: Mean of first minus second.
        p_value: Of the two-sided Wilcoxon signed-rank test, after Holm's correction over all
            pairs; 1 where all are ties.
    """

    first: str
    second: str
    instances: int
    wins: int
    losses: int
    difference: float
    p_value: float


def mean_interval(values: Floats) -> Interval:
    """The mean of values (k,) and its percentile bootstrap interval; the seed is fixed."""
    mean = float(np.mean(values))
    if values.size < 2 or np.ptp(values) == 0.0:
        return Interval(mean, mean, mean)
    from scipy.stats import bootstrap

    found = bootstrap(
        (values,),
        np.mean,
        n_resamples=_RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    low, high = found.confidence_interval
    return Interval(mean, float(low), float(high))


def ratio_interval(parts: Floats, wholes: Floats) -> Interval:
    """The ratio of two means and its percentile bootstrap interval; the seed is fixed.

    Columns are instances and rows repetitions such as training seeds. Both are resampled, each by
    itself, as they are crossed: every row was measured on the same columns (pigeonhole bootstrap,
    Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1, 2007). With one row only the
    columns are resampled.

    Args:
        parts: What each repetition got of each instance (r, k).
        wholes: What there was to get (k,), at least 0 and not all 0.

    Returns:
        ``mean(parts) / mean(wholes)`` with its interval.
    """
    rng = np.random.default_rng(0)
    rows, columns = parts.shape
    of_columns = _resamples(rng, columns)
    got = ((_resamples(rng, rows) @ parts) * of_columns).sum(axis=1)
    all_ = of_columns @ wholes
    ratios = got[all_ > 0.0] / all_[all_ > 0.0]
    low, high = np.quantile(ratios, [0.5 - CONFIDENCE / 2.0, 0.5 + CONFIDENCE / 2.0])
    return Interval(float(parts.mean() / wholes.mean()), float(low), float(high))


def _resamples(rng: np.random.Generator, size: int) -> Floats:
    """Weights of ``size`` items in each resample (resamples, size); they add up to 1."""
    return np.asarray(rng.multinomial(size, np.full(size, 1.0 / size), _RESAMPLES) / size)


def compare_pairs(gaps: Panel, *, tie: float = 1e-9) -> list[Comparison]:
    """Tests every pair of solvers on the instances that both ran on.

    Args:
        gaps: Gaps of each solver on each instance.
        tie: Differences up to this count as none.

    Returns:
        One comparison for each pair, in the order of the solvers.
    """
    pairs = [
        (first, second)
        for index, first in enumerate(gaps.solvers)
        for second in gaps.solvers[index + 1 :]
    ]
    found = [_compare(gaps, first, second, tie) for first, second in pairs]
    corrected = holm([comparison.p_value for comparison in found])
    return [
        Comparison(**{**vars(comparison), "p_value": p})
        for comparison, p in zip(found, corrected, strict=True)
    ]


def _compare(gaps: Panel, first: str, second: str, tie: float) -> Comparison:
    difference = gaps.row(first) - gaps.row(second)
    difference = difference[~np.isnan(difference)]
    clear = difference[np.abs(difference) > tie]
    p_value = 1.0
    if clear.size:
        from scipy.stats import wilcoxon

        p_value = float(wilcoxon(clear).pvalue)
    return Comparison(
        first,
        second,
        instances=int(difference.size),
        wins=int((clear < 0.0).sum()),
        losses=int((clear > 0.0).sum()),
        difference=float(difference.mean()) if difference.size else 0.0,
        p_value=p_value,
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: p-values that hold for the whole family of tests."""
    count = len(p_values)
    corrected = [0.0] * count
    largest = 0.0
    for rank, index in enumerate(sorted(range(count), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (count - rank) * p_values[index]))
        corrected[index] = largest
    return corrected


def profile(gaps: Floats, levels: Floats) -> Floats:
    """Performance profile: the share of gaps (k,) that are at most each level, NaN not counted."""
    known = np.sort(gaps[~np.isnan(gaps)])
    if not known.size:
        return np.full(levels.shape, np.nan)
    return np.asarray(np.searchsorted(known, levels, side="right") / known.size)


def best_so_far(
    trace: Sequence[tuple[float, float | None, float | None]], times: Floats, start: float
) -> Floats:
    """The best value of one run at given times.

    Args:
        trace: Seconds, best value and bound, in the order of time.
        times: When to look (k,), s.
        start: What counts before the first schedule: the value of doing nothing.

    Returns:
        Best until then (k,).
    """
    points = [(seconds, best) for seconds, best, _ in trace if best is not None]
    if not points:
        return np.full(times.shape, start)
    seconds = np.array([point[0] for point in points])
    best = np.maximum.accumulate([start, *(point[1] for point in points)])
    order = np.argsort(seconds, kind="stable")
    return np.asarray(best[np.searchsorted(seconds[order], times, side="right")])
