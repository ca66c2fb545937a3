"""The columns of the policy's view: the one place that says their names, places, bounds, meanings.

A member is a place: kernels write ``machine[r, Machine.SIZE]``. f_j (work), π_j (price of work at
d_j), b_r (busy time) and λ are those of the fractional relaxation, where nothing else is said.
"Compressed" is sign(x) ln(1 + |x|), for changes of accuracy in units of a hundredth (1 / `FINE`) of
what a task gains on average in the first plan. A ratio of nothing to nothing is shown as 0.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, Self

LIMIT: Final = 5.0
"""Every column is clipped to this on either side."""
FINE: Final = 100.0
"""Changes of accuracy are compressed in units of a hundredth of what a task gains on average."""

_SHARE: Final = (0.0, 1.0)
_SIZE: Final = (0.0, LIMIT)
_BOTH: Final = (-LIMIT, LIMIT)


class Column(IntEnum):
    """A column: its place, counted from 0 in the order of the members.

    Attributes:
        low: Lower bound.
        high: Upper bound.
        meaning: What it tells.
    """

    low: float
    high: float
    meaning: str

    def __new__(cls, low: float, high: float, meaning: str) -> Self:
        """A column behind those that are there already."""
        place = len(cls.__members__)
        column = int.__new__(cls, place)
        column._value_ = place
        column.low, column.high, column.meaning = low, high, meaning
        return column

    @property
    def label(self) -> str:
        """Its name in checkpoints and documents."""
        return self.name.lower()

    @classmethod
    def labels(cls) -> tuple[str, ...]:
        """The names of all columns, in order."""
        return tuple(column.label for column in cls)


class Context(Column):
    """Columns of the task at hand j, the same for all machines."""

    DEADLINE = *_SHARE, "d_j / d_max"
    TASKS_LEFT = *_SHARE, "share of the tasks not yet decided, this one among them"
    TASKS = *_SIZE, "ln(n) / 3"
    MACHINES = *_SIZE, "ln(m)"
    RHO = *_BOTH, "ln(d_max Σ s_r / Σ f_j^max)"
    BETA = *_BOTH, "ln(B / (d_max Σ P_r))"
    FRACTION = *_SHARE, "f_j / f_j^max"
    WORK = *_BOTH, "ln(f_j / mean f)"
    PRICE = *_BOTH, "ln(π_j f_j^max / gain)"
    GAIN = *_SHARE, "a_j(f_j^max) − a_j(0)"
    GAP = *_SIZE, "time to the next deadline, in units of d_max / n"
    NEXT = *_SIZE, "f of the next task / mean f"
    SOON = *_SIZE, "mean f of the next m tasks / mean f"
    RUSH = *_BOTH, "ln(f of the next m tasks / what all machines can do until the last is due)"
    ENERGY_PRICE = *_BOTH, "ln(λ of the plan / λ)"


class Machine(Column):
    """Columns of each machine r, as it looks for the task at hand j."""

    HERE = *_SHARE, "1 where the plan has j"
    CHANGE = *_BOTH, "the better of the two changes below; 0 where the plan has j"
    MOVE = *_BOTH, "what moving j to r changes, compressed; a bound where that is no gain"
    SWAP = *_BOTH, "what the best swap with a following task on r changes, likewise"
    EXACT = *_SHARE, "1 where the better one is exact"
    SURPLUS = *_SHARE, "what j would earn beyond the price of its time and energy there / gain"
    SPEED = *_BOTH, "ln(s_r / mean s)"
    EFFICIENCY = *_BOTH, "ln(E_r / mean E)"
    PRICE = *_BOTH, "ln(the plan's price of work on r at d_j / π_j)"
    SCARCITY = *_BOTH, "ln(the plan's price of work on r at d_j / that of its energy)"
    FULL_TIME = *_BOTH, "ln(f_j^max / s_r / d_j)"
    FULL_ENERGY = *_BOTH, "ln(f_j^max / E_r / (B / n))"
    SLACK = *_BOTH, "min(d_j, b_r) less the time of f decided on r, in units of mean f, compressed"
    LEFT = *_BOTH, "b_r less the time of all f planned on r without j, likewise"
    SIZE = *_SIZE, "the time of f_j on r, likewise: f_j / mean f, compressed"
    BUSY = *_SHARE, "b_r / d_max"
