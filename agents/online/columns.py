"""Places of the numbers that the policy sees and of those that it has learned."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Outlook(IntEnum):
    """What is known at a decision, without unit; a patience is the mean time tasks can wait.

    ONE: 1.
    PACE: ln of the share of energy that is left over the share of time that is left.
    LEFT: Share of time that is left.
    TREND: ln of the rate of arrivals over the last five patiences, over that of all time, in which
        `Prior` counts as seen.
    SURGE: ln of the rate of the last patience, over that of the last five.
    WAITING: Work that waits, over what all machines can do in a patience.
    BUSY: Share of the next patience in which machines are taken, by speed.
    BUDGET: ln of the energy budget over what all machines would take in the horizon.
    LOAD: ln of the work that arrives a second by the rate of all time, over what machines can do.
    LATER: ln of the price of work at which what waits and what is expected within a patience
        would just fill the machines for that long; the unit of prices is what tasks gain in full,
        over their work.
    SOON: The same for two fifths of a patience.
    ENERGY: ln of the price at which what waits and what is expected until the horizon would
        just use up the energy.
    """

    ONE = 0
    PACE = 1
    LEFT = 2
    TREND = 3
    SURGE = 4
    WAITING = 5
    BUSY = 6
    BUDGET = 7
    LOAD = 8
    LATER = 9
    SOON = 10
    ENERGY = 11


class Price(IntEnum):
    """What is priced: work while machines are scarce, and work that takes energy."""

    TIME = 0
    ENERGY = 1


class Candidate(IntEnum):
    """A waiting task on the idle machine, with the work that is worth most at the prices.

    VALUE: ln of what it gains beyond the prices, over what tasks gain in full on average.
    DURATION: ln of the time it takes, in patiences.
    SLACK: Time until its deadline, in patiences.
    SHARE: The time it takes, over the time until its deadline.
    RIVAL: What it would gain beyond the prices on the best other machine once that is free, over
        what it gains here; at most 3.
    BETTER: By how much that is above 1.
    SLACK_PRICED: SLACK times ln of the price of work.
    DURATION_PRICED: DURATION times ln of the price of work.
    """

    VALUE = 0
    DURATION = 1
    SLACK = 2
    SHARE = 3
    RIVAL = 4
    BETTER = 5
    SLACK_PRICED = 6
    DURATION_PRICED = 7


class Hold(IntEnum):
    """When a task is kept for another machine: when RIVAL is above 1 + exp of the sum of these.

    ALWAYS: Constant.
    URGENCY: Times 1 less SLACK.
    PRICED: Times ln of the price of work.
    """

    ALWAYS = 0
    URGENCY = 1
    PRICED = 2


class Prior(IntEnum):
    """What is believed of the rate of arrivals before any has been seen.

    LOAD: ln of the work that arrives a second, over what all machines can do.
    WEIGHT: ln of how long that counts as seen, in horizons.
    """

    LOAD = 0
    WEIGHT = 1


PRICES_AT: Final = 0
ROW: Final = len(Outlook)
INDEX_AT: Final = PRICES_AT + len(Price) * ROW
HOLD_AT: Final = INDEX_AT + len(Candidate)
PRIOR_AT: Final = HOLD_AT + len(Hold)
SHARPNESS_AT: Final = PRIOR_AT + len(Prior)
SIZE: Final = SHARPNESS_AT + 1
"""Where the learned numbers lie in one array: a row of weights for each price, those of the
index of candidates, those of holding back, what is believed of the rate, and how sharply the dearer
of both prices counts."""
