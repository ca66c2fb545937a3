"""`annealing`: simulated annealing over assignments, every one with its exact processing times."""

from __future__ import annotations

import time

import numpy as np

from baselines.greedy import Greedy
from baselines.local_search.metropolis import PROPOSED, Walk, begin, sample_losses, step
from baselines.local_search.prices import Prices
from dsct_gym.allocation import Problem, allocate
from dsct_gym.arrays import Ints
from dsct_gym.errors import InputError
from dsct_gym.incremental import Curves
from dsct_gym.instance import Instance
from dsct_gym.solver import Answer, Progress, Solver

_SWAPS = 0.75
_HOT, _COLD = 0.2, 0.005  # temperatures, in units of a typical loss
_SAMPLES = 200
_SWEEPS = 30  # proposals of one cooling for each neighbour of an assignment
_START_SHARE = 0.3  # of the time limit
_PILOT = 100
_SLICE = 0.004  # s, between looks at the clock
_SLICE_MOVES = 1_000  # the same where the moves are limited
_SLICES = 100  # temperatures of one cooling, at least
_REPORT = 0.1  # s, between reports of progress


class Annealing(Solver):
    """Simulated annealing over assignments.

    It starts from `greedy` and proposes to move a task to another machine or to swap two tasks.
    Temperatures are set from the losses of sampled changes and fall geometrically with the moves,
    or with the time where only that is limited. A long run cools several times, each time from the
    best so far. It proves no bound.

    Args:
        moves: Number of proposals. With it, the same seed gives the same schedule, unless the time
            limit ends the run first. Left out, it is 20,000 + 100 n without a time limit and
            unlimited with one. Without a seed, the seed is 0.

    Raises:
        InputError: If ``moves`` is not a whole number of at least 0.
    """

    name = "annealing"
    stochastic = True

    def __init__(self, moves: int | None = None) -> None:
        if moves is not None and (isinstance(moves, bool) or not isinstance(moves, int)):
            raise InputError(f"moves: must be a whole number, got {moves!r}")
        if moves is not None and moves < 0:
            raise InputError(f"moves: must be at least 0, got {moves}")
        self.moves = moves

    def _solve(self, instance: Instance, *, time_limit: float | None, seed: int | None) -> Answer:
        started = time.perf_counter()
        moves = self.moves
        if moves is None and time_limit is None:
            moves = 20_000 + 100 * instance.num_tasks
        start = Greedy().solve(
            instance, time_limit=None if time_limit is None else _START_SHARE * time_limit
        )
        search = _Search(instance, start.schedule.machine, 0 if seed is None else seed)
        clock = _Clock(started, moves, time_limit)
        interrupted = start.interrupted
        if not interrupted:
            try:
                self._anneal(search, clock)
            except KeyboardInterrupt:
                interrupted = True
        return Answer(allocate(instance, search.best), interrupted=interrupted)

    def _anneal(self, search: _Search, clock: _Clock) -> None:
        """Cools as often as there is time to."""
        if not search.can_move:
            return
        hot = _HOT * search.typical_loss()
        coolings = max(1, round(clock.pilot(search, hot) / (_SWEEPS * search.neighbours)))
        cooling, reported = 0, 0.0
        while (progress := clock.progress(search)) < 1.0:
            if int(progress * coolings) > cooling:
                cooling = int(progress * coolings)
                search.restart()
            temperature = hot * (_COLD / _HOT) ** (progress * coolings - cooling)
            search.step(temperature, clock.slice(search, coolings))
            if self.progress is not None and clock.seconds > reported + _REPORT:
                reported = clock.seconds
                self.progress(Progress(reported, best=search.best_total, done=progress))


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

    def pilot(self, search: _Search, temperature: float) -> float:
        """The moves that there are; measured on a few where only the time is limited."""
        self._began = self.seconds
        if self._moves is not None:
            return float(self._moves)
        search.step(temperature, _PILOT)
        return max(0.0, self._limit - self.seconds) * self._rate(search)

    def progress(self, search: _Search) -> float:
        """Share of the run that is over, in [0, 1]."""
        if self.seconds >= self._limit:
            return 1.0
        if self._moves is not None:
            return search.proposed / self._moves if self._moves > 0 else 1.0
        return max(0.0, (self.seconds - self._began) / (self._limit - self._began))

    def slice(self, search: _Search, coolings: int) -> int:
        """Moves until the next look at the clock."""
        parts = _SLICES * coolings
        if self._moves is not None:
            # Set by the moves alone, so that the clock has no say in the schedule.
            most = max(1, min(_SLICE_MOVES, self._moves // parts))
            return min(most, self._moves - search.proposed)
        return max(1, int(self._rate(search) * min(_SLICE, self._limit / parts)))

    def _rate(self, search: _Search) -> float:
        """Moves a second so far."""
        return search.proposed / max(1e-9, self.seconds - self._began)


class _Search:
    """A walk on an instance."""

    def __init__(self, instance: Instance, machine_of: Ints, seed: int) -> None:
        self.instance = instance
        n, m = instance.num_tasks, instance.num_machines
        self._base = float(instance.base_accuracy.sum())
        self._problem = Problem.of(instance)
        self._curves = Curves.empty(n, m, self._problem.task.size)
        self._prices = Prices.empty(self._problem)
        self._walk = Walk.seeded(n, seed)
        self.can_move = m > 1 and self._problem.task.size > 0
        self.neighbours = n * (m - 1) + n * (n - 1) // 2
        self._begin(machine_of[instance.edf_order])

    @property
    def best(self) -> Ints:
        """Best assignment so far (n,), in the order of the instance."""
        return self._walk.best[self.instance.edf_rank]

    @property
    def best_total(self) -> float:
        """Its total accuracy."""
        return self._base + float(self._walk.best_total[0])

    @property
    def proposed(self) -> int:
        """Number of changes proposed so far."""
        return int(self._walk.tally[PROPOSED])

    def restart(self) -> None:
        """Goes back to the best assignment."""
        self._begin(self._walk.best.copy())

    def typical_loss(self) -> float:
        """Median total accuracy that a change costs where it costs any."""
        losses = np.empty(_SAMPLES)
        sample_losses(self._problem, self._curves, self._walk, _SWAPS, losses)
        losses = losses[losses > 1e-12 * max(1.0, self.best_total)]
        return float(np.median(losses)) if losses.size else 0.0

    def step(self, temperature: float, count: int) -> None:
        """Proposes ``count`` changes."""
        step(self._problem, self._curves, self._prices, self._walk, _SWAPS, temperature, count)

    def _begin(self, machine: Ints) -> None:
        begin(self._problem, self._curves, self._prices, self._walk, machine)
