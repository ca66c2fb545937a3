"""Fits of time, voltage and power to measured kernels, with intervals from resampling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from extracts import Kernels, Times
from scipy.optimize import least_squares, nnls

from dsct_gym.arrays import Floats

SAMPLES: Final = 60
LANES: Final = {"V100": 5120, "M40": 3072}
BANDWIDTH: Final = {"V100": 898.0, "M40": 288.4}
"""Of memory, GB/s."""
MEASURED_AT: Final = {"V100": 1530.0, "M40": 1114.0}
"""Clock of the card that DeepBench used, MHz."""
OVERHEAD: Final = {"V100": 8e-6, "M40": 12e-6}
"""Of a kernel within a network, s: assumed; DeepBench's own holds the launch by the host."""

Figure: TypeAlias = list[float]
"""Middle, low end and high end."""


def figure(middle: float, samples: Floats | None = None, *, ends: Figure | None = None) -> Figure:
    """A figure with its interval: of samples, between ends, or known."""
    if samples is not None:
        ends = [float(end) for end in np.quantile(samples, (0.05, 0.95))]
    low, high = ends or (middle, middle)
    return [float(f"{each:.5g}") for each in (middle, min(low, middle), max(high, middle))]


def resampled(fit: Callable[[Floats], Floats], count: int) -> Floats:
    """Fits to so many samples of rows, drawn with replacement."""
    rng = np.random.default_rng(0)
    return np.array([fit(rng.integers(0, count, count)) for _ in range(SAMPLES)])


def predicted_seconds(logs: Floats, times: Times, card: str) -> Floats:
    """The law of `dsct_gym.serving.time` with parameters as logarithms."""
    compute, half, memory, winograd, overhead = np.exp(logs)
    peak = 2.0 * LANES[card] * MEASURED_AT[card] * 1e6 * compute
    peak = peak * np.where(times.winograd > 0.0, winograd, 1.0)
    filled = times.outputs / (times.outputs + half)
    data = times.moved / (memory * BANDWIDTH[card] * 1e9)
    return overhead + np.maximum(times.flop / (peak * filled), data)


def fit_times(times: Times, card: str) -> tuple[dict[str, Figure], str]:
    """Figures of one kind of kernels, and how far they are off."""
    start = np.log([0.7, 1e5, 0.6, 1.5, 3e-5])
    bounds = (np.log([0.1, 1e2, 0.1, 1.0, 1e-6]), np.log([1.0, 1e7, 1.0, 2.25, 2e-4]))

    def fit(rows: Floats) -> Floats:
        part = Times(*(column[rows] for column in times[:4]), seconds={})
        seconds = np.log(times.seconds[card][rows])
        found = least_squares(
            lambda logs: np.log(predicted_seconds(logs, part, card)) - seconds,
            start,
            bounds=bounds,
            loss="soft_l1",
            f_scale=0.1,
        )
        return np.asarray(found.x)

    every = np.arange(len(times.flop))
    middle, samples = np.exp(fit(every)), np.exp(resampled(fit, len(every)))
    off = np.abs(predicted_seconds(np.log(middle), times, card) / times.seconds[card] - 1.0)
    names = ("compute", "half", "memory", "winograd")
    figures = {name: figure(middle[k], samples[:, k]) for k, name in enumerate(names)}
    figures["overhead"] = figure(OVERHEAD[card], ends=[OVERHEAD[card] / 2, OVERHEAD[card] * 2])
    if not times.winograd.any():
        figures["winograd"] = figure(1.0)
    return figures, errors(off)


def pace(clocks: Floats, knee: float, rise: float) -> Floats:
    """Clock in GHz times the square of the voltage."""
    return clocks / 1e3 * (1.0 + rise * np.maximum(0.0, clocks - knee) / 1e3) ** 2


def fit_knee(found: Kernels) -> tuple[Floats, Floats, str]:
    """Knee and rise of a card, those of resampled kernels, and what is left."""
    grid = [(k, r) for k in np.arange(900.0, 1300.0, 12.5) for r in np.arange(0.05, 1.45, 0.05)]
    left = np.array([_residuals(found, pace(found.clocks, *pair)) for pair in grid])  # (G, K)
    costs = np.log(left)

    def fit(rows: Floats) -> Floats:
        return np.array(grid[int(costs[:, rows].sum(axis=1).argmin())])

    every = np.arange(len(found.names))
    best = int(costs.sum(axis=1).argmin())
    rest = f"{np.sqrt(np.median(left[best])):.1%} of the power (median of kernels)"
    return fit(every), resampled(fit, len(every)), rest


def _residuals(found: Kernels, pace_of: Floats) -> Floats:
    """Mean squared relative error of a constant and a part that grows with the pace (K,)."""
    errors = []
    for power in found.power:
        at = np.isfinite(power)
        columns = np.stack([np.ones(at.sum()), pace_of[at]], axis=1) / power[at, None]
        errors.append(nnls(columns, np.ones(at.sum()))[1] ** 2 / at.sum())
    return np.array(errors)


def fit_power(found: Kernels, columns: list[Floats]) -> tuple[Floats, Floats, str]:
    """Non-negative coefficients of columns (K, C), of resampled kernels too, and the errors."""
    stacked = np.stack([column * np.ones_like(found.power) for column in columns], axis=-1)

    def fit(rows: Floats) -> Floats:
        at = np.isfinite(found.power[rows])
        power = found.power[rows][at]
        return np.asarray(nnls(stacked[rows][at] / power[:, None], np.ones(power.size))[0])

    every = np.arange(len(found.names))
    at = np.isfinite(found.power)
    off = np.abs(stacked[at] @ fit(every) / found.power[at] - 1.0)
    return fit(every), resampled(fit, len(every)), errors(off)


def errors(off: Floats) -> str:
    """How far a fit is off, from its relative errors."""
    return f"{np.median(off):.1%} median, {off.mean():.1%} mean"
