"""Scales of charts: from values to pixels, with round ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Maps values to pixels.

    Attributes:
        low: Value at ``start``; on a logarithmic scale also the least that is told apart.
        high: Value at ``end``.
        start: Pixel of ``low``.
        end: Pixel of ``high``.
        log: Whether it is logarithmic.
        percent: Whether values are shares, labelled in per cent.
        clipped: Whether ``low`` stands for all that is less.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    percent: bool = False
    clipped: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of a value; what lies outside is drawn on the edge."""
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 7) -> list[float]:
        """Round values to label, at most about so many."""
        if not self.log:
            step = nice_step((self.high - self.low) / most)
            first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
            return [step * k for k in range(first, last + 1)]
        first, last = math.ceil(_log10(self.low) - 1e-9), math.floor(_log10(self.high) + 1e-9)
        if last - first < 2:
            return self._within_decades(first - 1, last)
        every = max(1, -(-(last - first) // max(1, most - 1)))
        return [10.0**power for power in range(first, last + 1, every)]

    def _within_decades(self, first: int, last: int) -> list[float]:
        """1, 2 and 5 times the powers of ten, where these alone are too few."""
        values = [d * 10.0**power for power in range(first, last + 1) for d in (1.0, 2.0, 5.0)]
        return [v for v in values if self.low * (1.0 - 1e-9) <= v <= self.high * (1.0 + 1e-9)]

    def label(self, value: float) -> str:
        """What a tick says."""
        if self.percent:
            less = "≤" if self.clipped and value <= self.low * (1.0 + 1e-9) else ""
            return f"{less}{100.0 * value:.10g}%"
        if self.log and not 1e-3 <= value < 1e4:
            power = math.floor(_log10(value) + 1e-9)
            return f"{value / 10.0**power:.3g}e{power}"
        return f"{value:.10g}"


def log_scale(
    values: Iterable[float], start: float, end: float, *, floor: float, margin: float = 1.0
) -> Scale:
    """A logarithmic scale of a decade or more around positive values.

    Args:
        values: What must fit; less than ``floor`` counts as that.
        start: Pixel of the least.
        end: Pixel of the largest.
        floor: Least value that is told apart.
        margin: Factor to leave free at both ends; 1 widens to whole decades instead.
    """
    positive = [max(value, floor) for value in values]
    low, high = min(positive, default=floor) / margin, max(positive, default=1.0) * margin
    first, last = _log10(low), _log10(high)
    if margin == 1.0:
        first, last = math.floor(first + 1e-9), math.ceil(last - 1e-9)
    lacking = max(0.0, 1.0 - (last - first)) / 2.0
    return Scale(10.0 ** (first - lacking), 10.0 ** (last + lacking), start, end, log=True)


def linear_scale(values: Iterable[float], start: float, end: float, *, percent: bool) -> Scale:
    """A linear scale over round values around the given ones."""
    numbers = list(values)
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    step = nice_step(max(high - low, 1e-6) / 5.0)
    low, high = step * math.floor(low / step - 0.2), step * math.ceil(high / step + 0.2)
    return Scale(low, high, start, end, percent=percent)


def nice_step(step: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is no less than ``step``."""
    power = 10.0 ** math.floor(_log10(step))
    return next(power * digit for digit in (1.0, 2.0, 5.0, 10.0) if power * digit >= step * 0.999)


def _log10(value: float) -> float:
    return math.log10(value)
