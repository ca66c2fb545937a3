"""`capped`: the fractional bound of tasks none of which is split over machines at one time.

A task runs on one machine, so within its window it does no more than the fastest machine can: no
more than ``max_r s_r · (d_j − a_j)``. Curves cut there leave every schedule as it is, so the
fractional bound of what is left is a bound of the problem. Where latencies are short it is far
below the plain one, in which all machines may work on one task at the same time.
"""

from __future__ import annotations

import numpy as np

from dsct_gym.accuracy import evaluate_curves
from dsct_gym.instance import Instance
from dsct_gym.online.instance import OnlineInstance
from dsct_gym.online.toy import toy_with_arrivals
from dsct_gym.problem import Problem
from dsct_gym.relaxation import upper_bound
from dsct_gym.schedule import releases
from dsct_gym.solver import ProgressCallback


def capped_bound(
    instance: Problem,
    *,
    time_limit: float | None = None,
    progress: ProgressCallback | None = None,
) -> float:
    """An upper bound on the total accuracy of any schedule, never above the fractional one.

    Args:
        instance: An `Instance` or an `OnlineInstance`.
        time_limit: Ignored: it takes as long as the fractional one.
        progress: Not called.
    """
    capped = _capped(instance.core, releases(instance))
    if isinstance(instance, OnlineInstance):
        return upper_bound(OnlineInstance(capped, instance.arrivals, instance.horizon))
    return upper_bound(capped)


def _capped(core: Instance, arrivals: np.ndarray | None) -> Instance:
    """The instance with curves that end where the fastest machine does in the window."""
    window = core.deadlines if arrivals is None else core.deadlines - arrivals
    most = (core.speeds.max() * window)[:, None]
    work = np.minimum(core.work, most)
    columns = [evaluate_curves(core.work, core.accuracy, column) for column in work.T]
    return Instance(
        speeds=core.speeds,
        efficiencies=core.efficiencies,
        deadlines=core.deadlines,
        work=work,
        accuracy=np.stack(columns, axis=1),
        energy_budget=core.energy_budget,
    )


def _warm_up() -> None:
    capped_bound(toy_with_arrivals())


capped_bound.knows = frozenset({"arrivals"})  # type: ignore[attr-defined]
capped_bound.warm_up = _warm_up  # type: ignore[attr-defined]
