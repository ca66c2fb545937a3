"""Times the exact allocation: whole evaluations and incremental trials, per second on one core.

python benchmarks/allocation.py
"""

import time

import numpy as np
from rich.console import Console
from rich.table import Table

from dsct_gym.allocation import Packed, optimal_work
from dsct_gym.arrays import Ints
from dsct_gym.generator import generate
from dsct_gym.incremental import Curves, place_all, try_change
from dsct_gym.jit import kernel

SIZES = [(50, 5), (200, 5), (1_000, 20), (5_000, 20)]


@kernel
def evaluate_whole(packed: Packed, machines: Ints) -> float:
    """Evaluates each row of ``machines`` (k, n) from nothing."""
    total = 0.0
    for row in range(machines.shape[0]):
        total += optimal_work(packed, machines[row]).sum()
    return total


@kernel
def evaluate_trials(packed: Packed, curves: Curves, changes: Ints) -> float:
    """Evaluates each row (task, machine, other or -1) of ``changes`` as a trial."""
    total = 0.0
    for row in range(changes.shape[0]):
        task, machine, other = changes[row, 0], changes[row, 1], changes[row, 2]
        if other >= 0:
            machine = curves.machine[other]
        total += try_change(packed, curves, task, machine, other)
    return total


def rate(function, *arguments, count: int) -> float:
    function(*arguments)
    started = time.perf_counter()
    function(*arguments)
    return count / (time.perf_counter() - started)


def main() -> None:
    table = Table("n", "m", "whole evaluations / s", "moves / s", "swaps / s")
    for n, m in SIZES:
        rng = np.random.default_rng(0)
        instance = generate(n, m, seed=1)
        packed = Packed.of(instance)
        curves = Curves.empty(n, m, packed.task.size)
        place_all(packed, curves, rng.integers(0, m, n))
        count = 5_000_000 // (n * 5)
        moves = np.stack([rng.integers(0, n, count), rng.integers(0, m, count)], axis=1)
        moves = np.column_stack([moves, np.full(count, -1)])
        swaps = np.column_stack([moves[:, :2], rng.integers(0, n, count)])
        rates = [
            rate(evaluate_whole, packed, rng.integers(0, m, (count, n)), count=count),
            rate(evaluate_trials, packed, curves, moves, count=count),
            rate(evaluate_trials, packed, curves, swaps, count=count),
        ]
        table.add_row(f"{n:,}", str(m), *(f"{each:,.0f}" for each in rates))
    Console().print(table)


if __name__ == "__main__":
    main()
