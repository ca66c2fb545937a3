"""The compact programme of `mip`, for small problems on which the tree gets nowhere.

Where many schedules are worth nearly the same, forbidding a task to a machine hardly lowers the
bound of the columns: the tree grows and its bound stands still. The compact programme has a weaker
bound at first, but branches and cuts on energy and deadlines across machines.
"""

from __future__ import annotations

import math
import time

from dsct_gym.allocation import allocate
from dsct_gym.baselines.branch_and_price.tree import BranchAndPrice
from dsct_gym.problem import Problem

STALLED = 50
"""Nodes of the tree after which to try it."""

_MOST_PAIRS = 150  # of task and machine: beyond, the tree is the quicker of the two
_SHARE = 0.75  # of the time left
_SECONDS = 60.0
_FINEST = 1e-6  # HiGHS keeps to rows within 1e-7, which blurs its bound
_OWN_GAP = 0.5  # the rest of the tolerance is for those of the solver


def finish(search: BranchAndPrice, instance: Problem, seed: int) -> None:
    """Goes on with the compact programme, if it is small; the search learns what that finds.

    Three quarters of the time that is left are used, a minute at most.

    Args:
        search: A search.
        instance: Its problem.
        seed: Seed of HiGHS.

    Raises:
        KeyboardInterrupt: On Ctrl-C, after the search has learnt what there is.
    """
    seconds = min(_SHARE * (search.deadline - time.perf_counter()), _SECONDS)
    pairs = instance.core.num_tasks * instance.core.num_machines
    if search.done or pairs > _MOST_PAIRS or search.tolerance < _FINEST or seconds <= 0.0:
        return
    # Imported here, because Pyomo takes a second and few problems come this far.
    from dsct_gym.baselines.milp.backend import Limits, attempt
    from dsct_gym.baselines.milp.build import build
    from dsct_gym.baselines.milp.highs import run_highs

    model = build(instance)
    if model is None:
        return
    start = allocate(instance, search.incumbent.machine[instance.core.edf_rank])
    model.set_values(start)

    def hear(_: float | None, bound: float | None) -> None:
        search.hear(math.inf if bound is None else model.total(bound))

    gap = _OWN_GAP * search.tolerance * start.total_accuracy / model.unit
    outcome = attempt("highs", run_highs, model, Limits(seconds, gap, 1, seed), hear)
    # The schedule first: it may refute the bound.
    if outcome.found:
        search.offer(model.schedule().machine[instance.core.edf_order])
    if outcome.bound is not None:
        search.learn(model.total(outcome.bound))
    if outcome.interrupted:
        raise KeyboardInterrupt
