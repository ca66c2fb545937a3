"""`annealing`: simulated annealing over assignments, every one with its exact processing times."""

from __future__ import annotations

import time

import numpy as np

from dsct_gym.allocation import allocate
from dsct_gym.baselines.descent import Descent
from dsct_gym.baselines.local_search import Clock, Search, Start, completed, cool, descended
from dsct_gym.errors import InputError
from dsct_gym.list_schedule import assign
from dsct_gym.problem import Problem
from dsct_gym.relaxation import Relaxation, relax
from dsct_gym.solver import Answer, Progress, Solver, practises

_MANY = 100  # tasks from which a run starts from a descent: those of fewer soon forget it
_REPORT = 0.1  # s, between reports of progress


@practises(moves=100)
class Annealing(Solver):
    """Simulated annealing over assignments.

    It starts from `approx-refined`, from 100 tasks on after three passes of `descent`, and proposes
    to move a task to another machine or to swap two tasks. Temperatures are set from the losses of
    sampled changes and fall geometrically with the moves, or with the time where only that is
    limited. A long run cools several times, each time from the best so far. The upper bound that it
    returns is the fractional one.

    Args:
        moves: Number of proposals. With it, the same seed gives the same schedule, unless the time
            limit ends the run first. Left out, it is 20,000 + 100 n without a time limit and
            unlimited with one. Without a seed, the seed is 0.

    Raises:
        InputError: If ``moves`` is not a whole number of at least 0.
    """

    name = "annealing"
    knows = frozenset({"points"})
    stochastic = True
    takes_warm_start = True

    def __init__(self, moves: int | None = None) -> None:
        if moves is not None and (isinstance(moves, bool) or not isinstance(moves, int)):
            raise InputError(f"moves: must be a whole number, got {moves!r}")
        if moves is not None and moves < 0:
            raise InputError(f"moves: must be at least 0, got {moves}")
        self.moves = moves

    def practise(self, problem: Problem) -> None:
        """As the base class; toys have too few tasks to be descended from."""
        super().practise(problem)
        Descent().practise(problem)

    def _solve(self, instance: Problem, *, time_limit: float | None, seed: int | None) -> Answer:
        started = time.perf_counter()
        moves = self.moves
        if moves is None and time_limit is None:
            moves = 20_000 + 100 * instance.core.num_tasks
        relaxation = relax(instance)
        start = self._begin(instance, relaxation, started + (time_limit or np.inf))
        interrupted = start.interrupted
        search = Search(instance, start.machine_of, 0 if seed is None else seed)
        try:
            if not interrupted:
                self._anneal(search, Clock(started, moves, time_limit))
        except KeyboardInterrupt:
            interrupted = True
        return Answer(allocate(instance, search.best), relaxation.bound, interrupted)

    def _begin(self, problem: Problem, relaxation: Relaxation, deadline: float) -> Start:
        if self.warm_start is not None:
            return Start(completed(problem, relaxation, self.warm_start), interrupted=False)
        return _start(problem, relaxation, deadline)

    def _anneal(self, search: Search, clock: Clock) -> None:
        """Cools, and tells how it goes."""
        reported = 0.0
        for done in cool(search, clock):
            if self.progress is not None and clock.seconds > reported + _REPORT:
                reported = clock.seconds
                self.progress(Progress(reported, best=search.best_total, done=done))


def _start(problem: Problem, relaxation: Relaxation, deadline: float) -> Start:
    if problem.core.num_tasks < _MANY:
        return Start(assign(problem, relaxation), interrupted=False)
    return descended(problem, relaxation, deadline)
