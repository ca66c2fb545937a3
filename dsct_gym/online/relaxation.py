"""An upper bound with arrivals: that of the problem in which all tasks are there from the start."""

from __future__ import annotations

from dsct_gym.online.instance import OnlineInstance
from dsct_gym.relaxation import Relaxation, relax


@relax.register
def _(problem: OnlineInstance) -> Relaxation:
    return relax(problem.core)
