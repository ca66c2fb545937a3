"""`greedy`: tasks by decreasing work, each where it raises the exact optimum most."""

from __future__ import annotations

import time

import numpy as np

from dsct_gym.allocation import Packed, allocate, pack
from dsct_gym.arrays import Ints
from dsct_gym.baselines.approx import Approx
from dsct_gym.baselines.sequencing.rules import by_insertion
from dsct_gym.incremental import CURRENT, Curves, accept_trial, try_change
from dsct_gym.jit import kernel
from dsct_gym.list_schedule import assign
from dsct_gym.problem import Problem
from dsct_gym.relaxation import relax
from dsct_gym.soft import SoftInstance
from dsct_gym.solver import Answer, Progress, Solver, practises

_BATCH = 64


@practises()
class Greedy(Solver):
    """Myopic exact greedy.

    Tasks by decreasing maximum work, ties by index. Each goes to the machine that raises most the
    optimum over the processing times of all tasks placed so far; to none where it raises nothing.
    When time runs out, or on Ctrl-C, the tasks left go where DSCT-APPROX puts them.

    Where deadlines are soft, tasks by deadline; each is inserted where, and with the work of the
    breakpoint with which, the value gains most, or refused where it gains nothing. When time runs
    out the tasks left are appended by deadline.
    """

    name = "greedy"
    knows = frozenset({"points", "soft"})

    def practise(self, problem: Problem) -> None:
        """As the base class; a toy is over before time can be up and tasks be left."""
        super().practise(problem)
        if not isinstance(problem, SoftInstance):
            Approx().practise(problem)

    def _solve(self, instance: Problem, *, time_limit: float | None, seed: int | None) -> Answer:
        started = time.perf_counter()
        if isinstance(instance, SoftInstance):
            return self._insert(instance, started, time_limit)
        core, packed = instance.core, pack(instance)
        curves = Curves.of(packed)
        order = np.argsort(-core.max_work, kind="stable")
        ranks = core.edf_rank[order]
        placed, interrupted = 0, False
        try:
            while placed < ranks.size:
                place_best(packed, curves, ranks[placed : placed + _BATCH])
                placed = min(placed + _BATCH, ranks.size)
                seconds = time.perf_counter() - started
                if self.progress is not None:
                    self.progress(Progress(seconds, done=placed / ranks.size))
                if time_limit is not None and seconds > time_limit:
                    break
        except KeyboardInterrupt:
            interrupted = True
        machine_of = curves.machine[core.edf_rank]
        if placed < order.size:
            left = order[placed:][machine_of[order[placed:]] < 0]
            machine_of[left] = assign(instance, relax(instance))[left]
        return Answer(allocate(instance, machine_of), interrupted=interrupted)

    def _insert(self, problem: SoftInstance, started: float, time_limit: float | None) -> Answer:
        """Inserts the tasks of a problem with soft deadlines."""

        def carry_on(done: float) -> bool:
            seconds = time.perf_counter() - started
            if self.progress is not None:
                self.progress(Progress(seconds, done=done))
            return time_limit is None or seconds <= time_limit

        schedule, interrupted = by_insertion(problem, carry_on)
        return Answer(schedule, interrupted=interrupted)


@kernel
def place_best(packed: Packed, curves: Curves, tasks: Ints) -> None:
    """Places the tasks (EDF ranks), one after the other, where each raises the optimum most."""
    for task in tasks:
        best, most = -1, curves.total[CURRENT]
        for r in range(packed.speed.size):
            total = try_change(packed, curves, task, r, -1)
            if total > most:
                best, most = r, total
        if best >= 0:
            try_change(packed, curves, task, best, -1)
            accept_trial(curves, task, best, -1)
