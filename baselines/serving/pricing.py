"""Rules by the price of a late request, and the price by how many were late so far.

A rule that is best at some price lies on the lower hull of energy against violations; one price for
all rates spends the violations allowed where they save most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.serving.agent import Measured, Situation, standard_error
from dsct_gym.serving.rule import Rule
from dsct_gym.serving.service import Seen

PRICES = 2.0 ** np.arange(-3, 9)
"""Prices of a late request, in energies of a request."""

SPARE = 2.0
"""Late requests to be spared, in roots of those allowed: about as many as come by chance."""

SURELY = 3.0
"""By so many standard errors a rule must be better than the first: many are tried."""

ENOUGH = 0.8
"""Share of the violations allowed that a rule to begin with may have on the sample."""

_WIDTH = 0.12
"""So much more of the violations allowed doubles the price."""

_PRIOR = 5.0
"""Late requests that are allowed before the first, so that the first late one is no alarm."""


def by_price(
    tried: Sequence[tuple[Rule, Measured]], least_gain: float = SURELY
) -> tuple[Rule, ...]:
    """The rule that costs least at each price.

    Args:
        tried: Rules and how they did.
        least_gain: By how many standard errors of the difference another must be better than the
            first, at least 0.
    """
    known = tried[0][1]
    unit = float(known.energy.mean())

    def least(price: float) -> Rule:
        """The rule that surely costs least."""

        def surely(pair: tuple[Rule, Measured]) -> float:
            """What it costs more than the first, and the error of that."""
            more = pair[1].energy - known.energy
            more = more + price * unit * (pair[1].violations - known.violations)
            return float(more.mean()) + least_gain * standard_error(more)

        return min(tried, key=surely)[0]

    return tuple(least(price) for price in PRICES.tolist())


def fair_price(
    situation: Situation, rules: Sequence[Rule], tried: Iterable[tuple[Rule, Measured]]
) -> int:
    """Place of the least price at which few enough are late on the sample."""
    late = {id(rule): float(measured.violations.mean()) for rule, measured in tried}
    for place, rule in enumerate(rules):
        if late[id(rule)] <= ENOUGH * situation.allowed:
            return place
    return len(rules) - 1


def _aim(allowed: float) -> float:
    """Share that is to be spent of so many late requests that are allowed."""
    return float(1.0 - SPARE / np.sqrt(allowed))


@dataclass(eq=False)
class Pricing:
    """A control that raises the price of late requests as the violations allowed are spent.

    The share of late requests since the service began is held below what is allowed, whatever the
    sample said, by less the longer it goes on: where the stream is harder than the sample, safer
    rules are played, where it is easier, cheaper ones.

    Attributes:
        objective: What a request should take at most, s.
        allowed: Share of the requests that may be late.
        rates: Requests a second, ascending (R,): there are rules for each, those of the last for
            all above.
        rules: By rate and price.
        fair: Place of the price to begin with.
        period: How often it chooses, s.
        safety: By what the rate seen is multiplied.
    """

    objective: float
    allowed: float
    rates: Floats
    rules: Sequence[tuple[Rule, ...]]
    fair: int
    period: float
    safety: float = 1.0
    _late: int = field(default=0, init=False)
    _served: int = field(default=0, init=False)

    @property
    def rule(self) -> Rule:
        """That for the highest rate, as long as nothing was seen."""
        return self.rules[-1][self.fair]

    def adapt(self, seen: Seen) -> Rule:
        """The rule for the rate seen and the violations so far."""
        if seen.start == 0.0:  # a service begins
            self._late = self._served = 0
        self._late += int((seen.latency > self.objective).sum())
        self._served += seen.latency.size
        rate = self.safety * seen.arrivals.size / (seen.end - seen.start)
        place = min(int(np.searchsorted(self.rates, rate)), self.rates.size - 1)
        return self.rules[place][self.price]

    @property
    def price(self) -> int:
        """Place of the price for the violations so far."""
        allowed = self.allowed * self._served + _PRIOR
        spent = (self._late + _aim(_PRIOR) * _PRIOR) / allowed
        place = self.fair + round((spent - _aim(allowed)) / _WIDTH)
        return min(max(place, 0), PRICES.size - 1)
