"""`descent`: local search from `approx-refined`, every task in turn taking its best change."""

from __future__ import annotations

import time

import numpy as np

from dsct_gym.allocation import allocate
from dsct_gym.baselines.local_search import completed, descend
from dsct_gym.errors import InputError
from dsct_gym.plan import Plan, begin, begin_at, check_order, ranks_in
from dsct_gym.problem import Problem
from dsct_gym.relaxation import relax
from dsct_gym.solver import Answer, Progress, Solver, practises

_REPORT = 0.1  # s, between reports of progress


@practises(passes=None)
class Descent(Solver):
    """Passes over the complete plan of `approx-refined`, with exact works.

    In each pass every task in turn makes the one change that raises the exact optimum most: a move
    to another machine, or a swap with one of the 32 tasks that are due next after it; none if none
    does. Bounds from the prices of the optimum leave few changes to compute (`dsct_gym.plan`). It
    is never worse than `approx-refined`, needs no seed, and stops at the time limit or on Ctrl-C
    with what it has. The upper bound that it returns is the fractional one.

    Args:
        passes: Number of passes; fewer when one changes nothing. None or ``"none"``: to a local
            optimum, where no move of a task and no swap of any two tasks gains anything.
        order: In which order a pass takes the tasks: ``"edf"``, earliest deadline first, or
            ``"reverse"``, latest deadline first, which gains more in the first pass.

    Raises:
        InputError: If an option is out of range.
    """

    name = "descent"
    knows = frozenset({"points"})
    takes_warm_start = True

    def __init__(self, passes: int | str | None = 3, order: str = "reverse") -> None:
        self.passes = _as_passes(passes)
        self.order = check_order(order)

    def _solve(self, instance: Problem, *, time_limit: float | None, seed: int | None) -> Answer:
        started = time.perf_counter()
        limit = np.inf if time_limit is None else time_limit
        relaxation = relax(instance)
        plan = Plan.of(instance, relaxation)
        begin(plan)
        if self.warm_start is not None:
            start = completed(instance, relaxation, self.warm_start)
            begin_at(plan, start[instance.core.edf_order])
        interrupted = False
        try:
            self._descend(plan, float(instance.core.base_accuracy.sum()), started, limit)
        except KeyboardInterrupt:
            interrupted = True
        machine_of = plan.curves.machine[instance.core.edf_rank]
        return Answer(allocate(instance, machine_of), relaxation.bound, interrupted)

    def _descend(self, plan: Plan, base: float, started: float, limit: float) -> None:
        """Descends for as long as there is time, and tells how it goes."""
        reported = 0.0
        if time.perf_counter() - started >= limit:
            return
        order = ranks_in(self.order, plan.curves.machine.size)
        for _ in descend(plan, order, self.passes):
            seconds = time.perf_counter() - started
            if seconds >= limit:
                return
            if self.progress is not None and seconds > reported + _REPORT:
                reported = seconds
                self.progress(Progress(seconds, best=base + plan.gain))


def _as_passes(passes: int | str | None) -> int | None:
    if passes is None or passes == "none":
        return None
    if isinstance(passes, bool) or not isinstance(passes, int) or passes < 0:
        raise InputError(f"passes: must be a whole number of at least 0 or none, got {passes!r}")
    return passes
