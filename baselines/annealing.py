"""`annealing`: simulated annealing over assignments, every one with its exact processing times."""

from __future__ import annotations

import math
import time
from functools import cache

import numpy as np

from dsct_gym.allocation import allocate
from dsct_gym.baselines.local_search import Search, Start, descended
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.list_schedule import assign
from dsct_gym.problem import Problem
from dsct_gym.relaxation import Relaxation, relax
from dsct_gym.solver import Answer, Progress, Solver, practises
from dsct_gym.toy import toy_of

LAST_TEMPERATURE = 0.005
"""Where a cooling ends, in units of a typical loss."""

_HOT, _WARM = 0.2, 0.01  # where it begins, likewise
_LONG = 1_000  # proposals a task from which a run starts hot
_MANY = 100  # tasks from which a run starts from a descent: those of fewer soon forget it
_SWEEPS = 30  # proposals of one cooling for each neighbour of an assignment
_PILOT = 100  # proposals that measure the pace
_SLICE = 0.004  # s, between looks at the clock
_SLICE_MOVES = 1_000  # the same where the moves are limited
_SLICES = 100  # temperatures of one cooling, at least
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

    def __init__(self, moves: int | None = None) -> None:
        if moves is not None and (isinstance(moves, bool) or not isinstance(moves, int)):
            raise InputError(f"moves: must be a whole number, got {moves!r}")
        if moves is not None and moves < 0:
            raise InputError(f"moves: must be at least 0, got {moves}")
        self.moves = moves

    def warm_up(self) -> None:
        """As the base class; a toy is too small to start from passes of descent."""
        super().warm_up()
        _descend_toy(Instance)

    def warm_up_for(self, problem: Problem) -> None:
        """Likewise."""
        super().warm_up_for(problem)
        _descend_toy(type(problem))

    def _solve(self, instance: Problem, *, time_limit: float | None, seed: int | None) -> Answer:
        started = time.perf_counter()
        moves = self.moves
        if moves is None and time_limit is None:
            moves = 20_000 + 100 * instance.core.num_tasks
        relaxation = relax(instance)
        start = _start(instance, relaxation, started + (time_limit or np.inf))
        interrupted = start.interrupted
        search = Search(instance, start.machine_of, 0 if seed is None else seed)
        try:
            if not interrupted:
                self._anneal(search, _Clock(started, moves, time_limit))
        except KeyboardInterrupt:
            interrupted = True
        return Answer(allocate(instance, search.best), relaxation.bound, interrupted)

    def _anneal(self, search: Search, clock: _Clock) -> None:
        """Cools as often as there is time to."""
        if not search.can_move:
            return
        loss = search.typical_loss()
        moves = clock.pilot(search, LAST_TEMPERATURE * loss)
        coolings = max(1, round(moves / (_SWEEPS * search.neighbours)))
        hot = first_temperature(moves, search.instance.num_tasks)
        cooling, reported = 0, 0.0
        while (progress := clock.progress(search)) < 1.0:
            if int(progress * coolings) > cooling:
                cooling = int(progress * coolings)
                search.restart()
            temperature = hot * (LAST_TEMPERATURE / hot) ** (progress * coolings - cooling)
            search.step(temperature * loss, clock.slice(search, coolings))
            if self.progress is not None and clock.seconds > reported + _REPORT:
                reported = clock.seconds
                self.progress(Progress(reported, best=search.best_total, done=progress))


@cache
def _descend_toy(kind: type) -> None:
    toy = toy_of(kind)
    if descended(toy, relax(toy)).interrupted:
        raise KeyboardInterrupt


def _start(problem: Problem, relaxation: Relaxation, deadline: float) -> Start:
    if problem.core.num_tasks < _MANY:
        return Start(assign(problem, relaxation), interrupted=False)
    return descended(problem, relaxation, deadline)


def first_temperature(moves: float, tasks: int) -> float:
    """Where a cooling begins, in units of a typical loss: the longer the run, the hotter.

    Args:
        moves: Number of proposals of the run.
        tasks: Number of tasks.
    """
    return max(_WARM, _HOT * math.sqrt(min(1.0, moves / (_LONG * tasks))))


class _Clock:
    """How much of the moves or of the time is used up, and how long the next slice is."""

    def __init__(self, started: float, moves: int | None, time_limit: float | None) -> None:
        self._started = started
        self._moves = moves
        self._limit = np.inf if time_limit is None else time_limit
        self._began = 0.0

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.perf_counter() - self._started

    def pilot(self, search: Search, temperature: float) -> float:
        """The moves that there are; measured on a few where only the time is limited."""
        self._began = self.seconds
        if self._moves is not None:
            return float(self._moves)
        search.step(temperature, _PILOT)
        return max(0.0, self._limit - self.seconds) * self._rate(search)

    def progress(self, search: Search) -> float:
        """Share of the run that is over, in [0, 1]."""
        if self.seconds >= self._limit:
            return 1.0
        if self._moves is not None:
            return search.tally.proposed / self._moves if self._moves > 0 else 1.0
        return max(0.0, (self.seconds - self._began) / (self._limit - self._began))

    def slice(self, search: Search, coolings: int) -> int:
        """Moves until the next look at the clock."""
        parts = _SLICES * coolings
        if self._moves is not None:
            # Set by the moves alone, so that the clock has no say in the schedule.
            most = max(1, min(_SLICE_MOVES, self._moves // parts))
            return min(most, self._moves - search.tally.proposed)
        return max(1, int(self._rate(search) * min(_SLICE, self._limit / parts)))

    def _rate(self, search: Search) -> float:
        """Moves a second so far."""
        return search.tally.proposed / max(1e-9, self.seconds - self._began)
