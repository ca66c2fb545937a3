"""The toy of soft deadlines."""

from __future__ import annotations

from functools import cache

import numpy as np

from dsct_gym.soft.instance import SoftInstance
from dsct_gym.soft.penalties import Linear
from dsct_gym.toy import toy, toy_like


@cache
def soft_toy() -> SoftInstance:
    """`dsct_gym.toy.toy` with penalties of lateness, half of its tasks whole."""
    core = toy()
    return SoftInstance(
        core=core,
        penalty=Linear(scale=core.horizon, cap=2.0),
        whole=np.arange(core.num_tasks) % 2 == 0,
        energy_price=0.1 * core.num_tasks / core.energy_budget,
        budget=core.energy_budget,
    )


@cache
def whole_toy() -> SoftInstance:
    """The same tasks, all whole, without a budget."""
    soft = soft_toy()
    return SoftInstance(soft.core, soft.penalty, whole=np.ones(soft.core.num_tasks, dtype=np.bool_))


@toy_like.register
def _(problem: SoftInstance) -> SoftInstance:
    return soft_toy()
