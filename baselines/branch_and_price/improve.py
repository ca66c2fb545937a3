"""Primal side: assignments improved by annealing on exact allocations."""

from __future__ import annotations

import numpy as np

from dsct_gym.allocation import Problem
from dsct_gym.arrays import Ints
from dsct_gym.incremental import Curves, accept_trial, place_all, try_change
from dsct_gym.jit import kernel


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
def climb(problem: Problem, curves: Curves, machine: Ints) -> tuple[float, Ints]:
    """Moves single tasks for as long as that gains.

    Returns:
        The gain over no work reached, and its assignment (n,).
    """
    n, m = machine.size, problem.speed.size
    current = place_all(problem, curves, machine)
    task, idle = 0, 0
    while idle < n:
        best, target = current + 1e-12 * max(1.0, current), -1
        for r in range(m):
            if r != curves.machine[task]:
                total = try_change(problem, curves, task, r, -1)
                if total > best:
                    best, target = total, r
        idle += 1
        if target >= 0:
            current = try_change(problem, curves, task, target, -1)
            accept_trial(curves, task, target, -1)
            idle = 0
        task = (task + 1) % n
    return current, curves.machine.copy()
