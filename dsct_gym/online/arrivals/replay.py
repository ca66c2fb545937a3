"""Arrivals as they were recorded: a stretch of a trace, scaled in time and thinned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsct_gym.arguments import as_number
from dsct_gym.arrays import Floats
from dsct_gym.errors import InputError


@dataclass(frozen=True, eq=False)
class Replay:
    """A random stretch of a trace, long enough for the number expected, stretched to the horizon.

    Attributes:
        times: When requests came (M,), s, ascending.
        keep: Share of the requests that are kept, each by chance, in (0, 1]: fewer of a longer
            stretch.
        begin: Where in the trace stretches are taken from, as a share of its duration.
        end: Up to where, likewise; not to see in training what is tested on.

    Raises:
        InputError: If there are fewer than two requests or a number is out of range.
    """

    times: Floats
    keep: float = 1.0
    begin: float = 0.0
    end: float = 1.0

    def __post_init__(self) -> None:
        times = np.array(self.times, dtype=np.float64)
        if times.ndim != 1 or times.size < 2 or not np.isfinite(times).all():
            raise InputError("trace: needs two times or more, all of them finite")
        if np.diff(times).min() < 0.0 or times[-1] <= times[0]:
            raise InputError("trace: times must ascend")
        times.flags.writeable = False
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "keep", as_number(self.keep, "keep", 1e-6, 1.0))
        object.__setattr__(self, "begin", as_number(self.begin, "begin", 0.0, 1.0))
        object.__setattr__(self, "end", as_number(self.end, "end", 0.0, 1.0))
        if self.end <= self.begin:
            raise InputError(f"end: {self.end:g} is not after begin {self.begin:g}")

    def draw(self, expected: float, rng: np.random.Generator) -> Floats:
        """As `ArrivalProcess.draw`; the mean is that of the part that stretches are taken from."""
        first, span = float(self.times[0]), float(self.times[-1] - self.times[0])
        begin, end = first + self.begin * span, first + self.end * span
        held = self.times[(self.times >= begin) & (self.times <= end)]
        share = expected / (self.keep * max(1, held.size))
        if share > 1.0:
            most = self.keep * held.size
            raise InputError(f"trace: {expected:g} arrivals are expected of at most {most:g}")
        length = share * (end - begin)
        start = begin + rng.random() * (end - begin - length)
        stretch = held[(held >= start) & (held <= start + length)]
        kept = stretch[rng.random(stretch.size) < self.keep]
        return np.clip((kept - start) / length, 0.0, 1.0)
