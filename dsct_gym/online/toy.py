"""The toy of tasks that arrive over time."""

from __future__ import annotations

from functools import cache

import numpy as np

from dsct_gym.online.instance import OnlineInstance
from dsct_gym.toy import toy, toy_like


@cache
def toy_with_arrivals() -> OnlineInstance:
    """`dsct_gym.toy.toy` with arrivals in another order than its deadlines."""
    core = toy()
    share = np.where(np.arange(core.num_tasks) % 2 == 0, 0.1, 0.7)
    arrivals = share * core.deadlines
    return OnlineInstance(core, arrivals, float(core.deadlines.max()))


@toy_like.register
def _(problem: OnlineInstance) -> OnlineInstance:
    return toy_with_arrivals()
