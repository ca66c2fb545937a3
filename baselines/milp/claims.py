"""What is believed of an upper bound that another program claims.

A mixed-integer solver works within tolerances, tells its bound in its own sense and, some, with the
digits of a log; one that was stopped, failed or got the sign wrong may tell a number that no proof
stands behind. A schedule that exists is evidence against all of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import NamedTuple

from dsct_gym.errors import SolverWarning
from dsct_gym.schedule import Schedule

BLUR = 1e-6
"""Relative to the total: so far below a schedule that exists may a solver's bound lie through its
tolerances alone, which are 1e-7 to 1e-6 for each row."""


class Improvement(NamedTuple):
    """What came of one run of a solver from a schedule.

    Attributes:
        schedule: The best known, at worst that from which it started.
        claims: The upper bound on the total accuracy that it claims and ``schedule`` does not
            refute, if there is one.
        interrupted: Whether Ctrl-C cut it short.
        failed: Whether it came to nothing, as it would again.
    """

    schedule: Schedule
    claims: tuple[float, ...] = ()
    interrupted: bool = False
    failed: bool = False


def believed(claims: Iterable[float], best: float) -> list[float]:
    """The claims that a schedule of total ``best`` does not refute.

    NaN is never believed; a claim that lies below the schedule by tolerances alone is ``best``.
    """
    lowest = best - BLUR * (abs(best) if best > 0.0 else max(1.0, abs(best)))
    return [max(claim, best) for claim in claims if claim >= lowest]


def least_bound(sure: float, claims: Iterable[float], best: float) -> float:
    """The least upper bound that can be relied on.

    Args:
        sure: A bound that needs no belief: that of the fractional relaxation.
        claims: What solvers claim.
        best: Total accuracy of the best schedule known.
    """
    return min([sure, *believed(claims, best)])


def warn_of_refuted(solver: str, claims: Iterable[float], best: float) -> None:
    """Says which claims of a solver a schedule of total ``best`` refutes.

    Warns:
        SolverWarning: For each of them.
    """
    for claim in claims:
        if not believed([claim], best):
            message = f"{solver} claims the bound {claim:.9g}, but a schedule reaches {best:.9g}"
            warnings.warn(f"{message}; its bound is not taken", SolverWarning, stacklevel=2)
