"""Arrivals whose rate jumps between a few levels: what bursts of minutes look like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsct_gym.arguments import as_number
from dsct_gym.arrays import Floats
from dsct_gym.errors import InputError
from dsct_gym.online.arrivals.poisson import poisson_moments

_LARGEST = 1e6
_SHORTEST = 1e-4


@dataclass(frozen=True)
class MarkovModulated:
    """A Poisson process whose rate follows a Markov chain (MMPP).

    It stays in a state for an exponential time, then goes to any other with equal chance; it begins
    in its stationary distribution. Inside a minute real streams of requests are close to Poisson;
    what their servers suffer from are changes of rate over tens of seconds to minutes.

    Attributes:
        rates: Rate of each state, to each other; not all 0.
        stays: Mean stay in each state, as a share of the horizon.

    Raises:
        InputError: If there are not two states or more, or a number is out of range.
    """

    rates: tuple[float, ...]
    stays: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.rates) < 2 or len(self.rates) != len(self.stays):
            raise InputError("arrivals: needs two states or more, each with a rate and a stay")
        rates = tuple(as_number(rate, "rates", 0.0, _LARGEST) for rate in self.rates)
        stays = tuple(as_number(stay, "stays", _SHORTEST, _LARGEST) for stay in self.stays)
        object.__setattr__(self, "rates", rates)
        object.__setattr__(self, "stays", stays)
        if max(rates) <= 0.0:
            raise InputError("rates: nothing ever arrives")

    def draw(self, expected: float, rng: np.random.Generator) -> Floats:
        """As `ArrivalProcess.draw`."""
        presence = np.array(self.stays) / sum(self.stays)
        rates = expected * np.array(self.rates) / float(presence @ np.array(self.rates))
        state = _index(np.cumsum(presence), rng)
        moments, since = [], 0.0
        while since < 1.0:
            until = since - np.log1p(-rng.random()) * self.stays[state]
            moments.append(poisson_moments(float(rates[state]), since, min(until, 1.0), rng))
            since = until
            others = len(self.rates) - 1
            state = (state + 1 + int(rng.random() * others)) % len(self.rates)
        return np.concatenate(moments)


def bursty(factor: float = 8.0, share: float = 0.2, length: float = 0.05) -> MarkovModulated:
    """Bursts in a calm: a `MarkovModulated` process of two states.

    Args:
        factor: Rate in a burst over that in between, at least 1.
        share: Share of the time that is in bursts, in (0, 1).
        length: Mean length of a burst, as a share of the horizon.

    Raises:
        InputError: If an argument is out of range.
    """
    factor = as_number(factor, "factor", 1.0, _LARGEST)
    share = as_number(share, "share", 0.001, 0.999)
    length = as_number(length, "length", _SHORTEST, 1e3)
    return MarkovModulated(rates=(1.0, factor), stays=(length * (1.0 - share) / share, length))


def _index(cumulated: Floats, rng: np.random.Generator) -> int:
    """The first whose cumulated share is above a random number."""
    return min(int(np.searchsorted(cumulated, rng.random(), side="right")), cumulated.size - 1)
