"""The best assignment so far, and how it is improved: annealing on exact allocations."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from baselines.branch_and_price.data import Data
from dsct_gym.allocation import Problem, optimal_work
from dsct_gym.arrays import Floats, Ints
from dsct_gym.incremental import Curves, accept_trial, place_all, try_change
from dsct_gym.instance import Instance
from dsct_gym.jit import kernel

_FIRST_MOVES = 120
_LATER_MOVES = 20
# Longest piece of work between two looks at the clock.
_BATCH = 2_000
_MOST_TRIALS = 5_000
# Temperatures in units of the largest rise of a task's curve.
_HOT = (0.003, 0.01, 0.03)
_COOLING = 0.01
_WANDERING = 0.002
_WANDERINGS = 100


class Incumbent:
    """The best assignment found.

    Args:
        instance: The problem.
        data: The same for branch and price.
        deadline: `time.perf_counter` at which annealing stops.
        soon: `time.perf_counter` at which the first annealing and the wandering stop.
        seed: Seed of the annealing.

    Attributes:
        total: Its total accuracy.
        machine: Machine of each task in EDF order (n,), −1 for none.
    """

    def __init__(
        self, instance: Instance, data: Data, deadline: float, soon: float, seed: int
    ) -> None:
        self.total = data.base
        self.machine = np.full(data.tasks, -1, dtype=np.int64)
        self._data = data
        self._deadline = deadline
        self._soon = soon
        self._seed = seed
        self._problem = Problem.of(instance)
        self._curves = Curves.empty(data.tasks, data.machines, self._problem.task.size)
        self._size = data.tasks * data.machines

    def works(self, machine: Ints) -> Floats:
        """Exact works for an assignment, both in EDF order (n,)."""
        return optimal_work(self._problem, machine)

    def offer(self, machine: Ints) -> bool:
        """Climbs from an assignment in EDF order (n,); whether it gave a new incumbent."""
        return self._keep(*climb(self._problem, self._curves, machine, _MOST_TRIALS))

    def anneal_first(self) -> None:
        """Anneals at several temperatures from the incumbent."""
        start = self.machine.copy()
        for hot in _HOT:
            self._anneal(start, hot, _FIRST_MOVES * self._size, self._soon)

    def anneal_from(self, machine: Ints) -> bool:
        """Anneals mildly from an assignment in EDF order (n,); whether it gave an incumbent."""
        moves = min(_LATER_MOVES * self._size, 10 * _BATCH)
        return self._anneal(machine, _HOT[0], moves, self._deadline)

    def wander(self) -> Iterator[Ints]:
        """Assignments not far from the incumbent, in EDF order (n,): their schedules price well."""
        machine = self.machine
        heat = _WANDERING * self._data.unit
        moves = min(self._size // 2, _BATCH)
        for run in range(_WANDERINGS):
            if time.perf_counter() > self._soon:
                return
            found = anneal(
                self._problem, self._curves, machine, moves, heat, heat, self._seed + run
            )
            machine = self._curves.machine.copy()
            self._keep(*found)
            yield machine

    def _anneal(self, machine: Ints, hot: float, moves: int, deadline: float) -> bool:
        """Anneals in batches, so that it ends in time."""
        better, done = False, 0
        while done < moves and time.perf_counter() < deadline:
            batch = min(_BATCH, moves - done)
            gain, best = anneal(
                self._problem,
                self._curves,
                machine,
                batch,
                hot * self._data.unit * _COOLING ** (done / moves),
                hot * self._data.unit * _COOLING ** ((done + batch) / moves),
                self._seed + done,
            )
            machine = self._curves.machine.copy()
            better |= self._keep(gain, best)
            done += batch
        return better

    def _keep(self, gain: float, machine: Ints) -> bool:
        total = self._data.base + gain
        if total <= self.total:
            return False
        self.total, self.machine = total, machine.copy()
        return True


@kernel
def anneal(
    problem: Problem, curves: Curves, machine: Ints, moves: int, hot: float, cold: float, seed: int
) -> tuple[float, Ints]:
    """Moves and swaps tasks at random, accepting losses less and less.

    Args:
        problem: The prepared instance.
        curves: State to work in.
        machine: Assignment to start from (n,), tasks in EDF order.
        moves: Number of trials.
        hot: Temperature at the start, total accuracy.
        cold: Temperature at the end; with ``hot = cold = 0`` only gains are accepted.
        seed: Seed of the random numbers.

    Returns:
        The best gain over no work met, and its assignment (n,).
    """
    np.random.seed(seed)  # noqa: NPY002 (the only generator that Numba keeps per thread)
    n, m = machine.size, problem.speed.size
    current = place_all(problem, curves, machine)
    best, kept = current, machine.copy()
    cooling = (cold / hot) ** (1.0 / max(1, moves)) if hot > 0.0 else 1.0
    temperature = hot
    for _ in range(moves):
        task, other = np.random.randint(n), -1  # noqa: NPY002
        if np.random.random() < 0.5:  # noqa: NPY002
            target = np.random.randint(m)  # noqa: NPY002
        else:
            other = np.random.randint(n)  # noqa: NPY002
            target = curves.machine[other]
        temperature *= cooling
        if target == curves.machine[task]:
            continue
        total = try_change(problem, curves, task, target, other)
        loss = current - total
        if loss <= 0.0 or (
            temperature > 0.0 and np.random.random() < np.exp(-loss / temperature)  # noqa: NPY002
        ):
            accept_trial(curves, task, target, other)
            current = total
            if current > best + 1e-12:
                best = current
                kept[:] = curves.machine
    return best, kept


@kernel
def climb(problem: Problem, curves: Curves, machine: Ints, most: int) -> tuple[float, Ints]:
    """Moves single tasks for as long as that gains, in at most about ``most`` trials.

    Returns:
        The gain over no work reached, and its assignment (n,).
    """
    n, m = machine.size, problem.speed.size
    current = place_all(problem, curves, machine)
    task, idle, trials = 0, 0, 0
    while idle < n and trials < most:
        best, target = current + 1e-12 * max(1.0, current), -1
        for r in range(m):
            if r != curves.machine[task]:
                total = try_change(problem, curves, task, r, -1)
                if total > best:
                    best, target = total, r
        idle += 1
        trials += m
        if target >= 0:
            current = try_change(problem, curves, task, target, -1)
            accept_trial(curves, task, target, -1)
            idle = 0
        task = (task + 1) % n
    return current, curves.machine.copy()
