"""Exact optima by dynamic programming over sets of tasks, for few tasks that are all whole.

What a machine has done when a set of tasks is done takes the same time in any order, so the best
order of a set on a machine follows from the best orders of its subsets (Held and Karp, "A dynamic
programming approach to sequencing problems", 1962). The machines' sets are then put together.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.sequencing.state import Data, pays, worth_of
from dsct_gym.jit import kernel
from dsct_gym.schedule import Schedule
from dsct_gym.soft import SoftInstance
from dsct_gym.soft.sequences import run_in_order

MOST: Final = 15
"""Most tasks: the time is proportional to 3^n for each machine."""


def solves(problem: SoftInstance) -> bool:
    """Whether a problem is of the kind: few tasks, all whole, no budget."""
    few = problem.core.num_tasks <= MOST
    return few and bool(problem.whole.all()) and problem.budget is None


def solve_by_subsets(problem: SoftInstance) -> Schedule:
    """The optimum of a problem that `solves` lets pass."""
    data = Data.of(problem)
    n, m = problem.core.num_tasks, problem.core.num_machines
    best, last = np.empty((m, 1 << n)), np.zeros((m, 1 << n), dtype=np.int64)
    for r in range(m):
        best_orders(data, r, best[r], last[r])
    # What is refused is done by one more machine, which takes no time.
    total = _of_refusing(data.refused)
    parts = np.zeros((m, 1 << n), dtype=np.int64)
    for r in range(m):
        total = share_sets(total, best[r], parts[r])
    machine, place = np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=np.int64)
    left = (1 << n) - 1
    for r in reversed(range(m)):
        mine = int(parts[r, left])
        left ^= mine
        while mine:
            task = int(last[r, mine])
            mine ^= 1 << task
            machine[task], place[task] = r, mine.bit_count()
    return run_in_order(problem, machine, place)


def _of_refusing(refused: Floats) -> Floats:
    """What refusing each set of tasks is worth (2^n,)."""
    total = np.zeros(1)
    for each in refused:
        total = np.concatenate([total, total + each])
    return total


@kernel
def best_orders(data: Data, r: int, best: Floats, last: Ints) -> None:
    """Fills in what each set of tasks is worth at most on a machine (2^n,), and who is last."""
    n = data.deadline.size
    time = np.zeros(best.size)
    best[0] = 0.0
    worth, duration = np.empty(n), np.empty(n)
    for task in range(n):
        work = data.work[task, data.last[task]]
        worth[task], duration[task] = worth_of(data, task, r, work), work / data.speed[r]
    for members in range(1, best.size):
        lowest = 0
        while not members >> lowest & 1:
            lowest += 1
        time[members] = time[members ^ (1 << lowest)] + duration[lowest]
        best[members] = -np.inf
        for task in range(lowest, n):
            if members >> task & 1:
                value = best[members ^ (1 << task)] + worth[task]
                value -= pays(data, task, time[members])
                if value > best[members]:
                    best[members], last[members] = value, task


@kernel
def share_sets(others: Floats, mine: Floats, part: Ints) -> Floats:
    """The best of every set when a machine is added to others; ``part`` is what it does of it."""
    total = np.empty(others.size)
    for members in range(others.size):
        total[members] = -np.inf
        some = members
        while True:
            value = others[members ^ some] + mine[some]
            if value > total[members]:
                total[members], part[members] = value, some
            if some == 0:
                break
            some = (some - 1) & members
    return total
