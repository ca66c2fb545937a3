"""`exact`: branch and price on machine schedules, and the bound of its root alone.

A column is the whole schedule of one machine. The master picks one for each machine so that no
task is done twice and the energy is within the budget; pricing finds, for given prices of tasks and
energy, the schedule of a machine that is worth most, exactly, as a dynamic programme over tasks by
deadline on a continuous piecewise-linear value function. Any prices give a valid upper bound. A
small problem that the tree does not settle soon goes to the compact programme. Where machines have
operating points, pricing shares out their time instead of their work, and a column mixes points.

Sources of the method: Barnhart et al., "Branch-and-price: column generation for solving huge
integer programs", Operations Research 46(3), 1998; smoothing of the prices: Wentges 1997, and
Pessoa, Sadykov, Uchoa and Vanderbeck, INFORMS Journal on Computing 30(2), 2018.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from dsct_gym.allocation import allocate
from dsct_gym.arrays import Ints
from dsct_gym.baselines.annealing import Annealing
from dsct_gym.baselines.branch_and_price.compact import STALLED, finish
from dsct_gym.baselines.branch_and_price.tree import BranchAndPrice
from dsct_gym.baselines.sequencing import lawler_moore, subsets
from dsct_gym.certificate import Certificate, CertifiedBound
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.problem import Problem
from dsct_gym.relaxation import relax
from dsct_gym.schedule import value
from dsct_gym.soft import SoftInstance
from dsct_gym.soft.toy import whole_toy
from dsct_gym.solver import Answer, Progress, ProgressCallback, Solution, Solver, practises

DEFAULT_TOLERANCE = 1e-5
_FIRST_SHARE = 0.1
_START_SHARE = 0.15
_MOVES = 400  # of the first annealing, for each pair of task and machine
_MOST_MOVES = 2_000_000
_PACE = 100_000  # moves a second, fewer than annealing makes


@practises(tolerance=1e-6, threads=1)
class Exact(Solver):
    """Branch and price: a proof within the tolerance, where time allows it.

    On time-out or Ctrl-C the best schedule and the best bound so far are returned. Both improve
    from the first second on: annealing gives the first schedules, every step of column generation
    a bound.

    Where deadlines are soft: dynamic programming over sets of tasks for up to 15 whole tasks, that
    of Lawler and Moore for a step on one machine with whole tasks, both without a budget, and else
    the programme of `mip`.

    Args:
        tolerance: Relative distance of bound and schedule at which the search ends.
        threads: Threads for pricing; by default 2, or 1 where there is only one core.

    Raises:
        InputError: If an option is out of range.
    """

    name = "exact"
    knows = frozenset({"points", "soft"})
    takes_warm_start = True
    tolerance: float

    def __init__(self, tolerance: float = DEFAULT_TOLERANCE, threads: int | None = None) -> None:
        if not 0.0 < tolerance < 1.0:
            raise InputError(f"tolerance: must be between 0 and 1, got {tolerance:g}")
        if threads is not None and threads < 1:
            raise InputError(f"threads: must be at least 1, got {threads}")
        self.tolerance = tolerance
        self.threads = threads or min(2, os.cpu_count() or 1)

    def practise(self, problem: Problem) -> None:
        """As the base class; with soft deadlines, whose toy takes long, what it calls."""
        if isinstance(problem, SoftInstance):
            subsets.solve_by_subsets(whole_toy())
            Annealing().practise(problem)
        else:
            super().practise(problem)

    def _solve(self, instance: Problem, *, time_limit: float | None, seed: int | None) -> Answer:
        if isinstance(instance, SoftInstance):
            return self._solve_soft(instance, time_limit, seed)
        if not _can_gain(instance):
            idle = allocate(instance, np.full(instance.core.num_tasks, -1))
            return Answer(idle, idle.total_accuracy)
        first = _first(instance, time_limit, seed or 0, self.warm_start)
        if first.interrupted:
            return Answer(first.schedule, first.upper_bound, interrupted=True)
        search, interrupted = None, False
        try:
            with _search(
                instance,
                first,
                self.tolerance,
                time_limit,
                self.threads,
                seed or 0,
                self.progress,
            ) as (search, soon):
                search.start(soon)
                search.run(STALLED)
                finish(search, instance, seed or 0)
                search.run()
        except KeyboardInterrupt:
            interrupted = True
        if search is None:
            return Answer(first.schedule, first.upper_bound, interrupted)
        schedule = allocate(instance, search.incumbent.machine[instance.core.edf_rank])
        bound = max(search.bound, schedule.total_accuracy)
        return Answer(schedule, bound, interrupted)

    def _solve_soft(
        self, problem: SoftInstance, time_limit: float | None, seed: int | None
    ) -> Answer:
        """By dynamic programming where the structure allows it, else by the compact programme."""
        if lawler_moore.solves(problem):
            schedule = lawler_moore.solve_step(problem)
        elif subsets.solves(problem):
            schedule = subsets.solve_by_subsets(problem)
        else:
            from dsct_gym.baselines.mip import Mip

            mip = Mip(relative_gap=0.1 * self.tolerance, threads=self.threads)
            mip.progress = self.progress
            return mip._solve(problem, time_limit=time_limit, seed=seed)
        return Answer(schedule, value(schedule))


def column_bound(
    instance: Instance,
    *,
    time_limit: float | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> float:
    """Upper bound on the total accuracy by column generation, without branching.

    Args:
        instance: The problem.
        time_limit: Wall-clock limit, s; the bound is valid whenever it stops.
        tolerance: Relative distance from the best bound that columns can give at which to stop.
        threads: Threads for pricing; by default 2, or 1 where there is only one core.
        progress: Called now and then with the best schedule's value and the bound.

    Returns:
        The bound, at most that of the fractional relaxation, with the prices that prove it up to
        the rounding of pricing; on Ctrl-C, those until then. Where there are none yet, or nothing
        can be gained, it is a number that the relaxation proves.

    Raises:
        KeyboardInterrupt: On Ctrl-C before there are prices; the bounds told until then are valid.
    """
    if not _can_gain(instance):
        return float(instance.base_accuracy.sum())
    Exact().warm_up()
    threads = threads or min(2, os.cpu_count() or 1)
    first = _first(instance, time_limit, 0)
    if first.interrupted:
        raise KeyboardInterrupt
    with _search(instance, first, tolerance, time_limit, threads, 0, progress) as (search, soon):
        interrupted = False
        try:
            search.start(soon)
            search.solve_root()
        except KeyboardInterrupt:
            interrupted = True
    return CertifiedBound(search.bound, _certificate(instance, search), interrupted)


column_bound.warm_up = Exact().warm_up  # type: ignore[attr-defined]


def _certificate(instance: Instance, search: BranchAndPrice) -> Certificate:
    """The prices of the root, by task of the instance and in accuracy."""
    prices, unit = search.root.prices, search.data.unit
    fee = np.where(search.root.groups.shared, prices.fee, 0.0) * unit
    return Certificate(
        task_prices=fee[instance.edf_rank],
        energy_price=prices.energy * unit / instance.energy_budget,
        instance=instance.name,
        method="columns",
        upper_bound=search.bound,
    )


def _can_gain(problem: Problem) -> bool:
    return problem.core.energy_budget > 0.0 and bool((problem.core.slopes > 0.0).any())


def _first(
    instance: Problem, time_limit: float | None, seed: int, warm_start: Ints | None = None
) -> Solution:
    """The first schedule, by annealing, from an assignment perhaps."""
    pairs = instance.core.num_tasks * instance.core.num_machines
    moves = min(_MOVES * pairs, _MOST_MOVES)
    share = None if time_limit is None else _FIRST_SHARE * time_limit
    # Moves that the limit cut off would end it hot: where time is short, it alone sets the pace.
    annealing = Annealing(moves if share is None or moves <= _PACE * share else None)
    annealing.warm_start = warm_start
    return annealing.solve(instance, time_limit=share, seed=seed)


@contextmanager
def _search(
    instance: Problem,
    first: Solution,
    tolerance: float,
    time_limit: float | None,
    threads: int,
    seed: int,
    progress: ProgressCallback | None,
) -> Iterator[tuple[BranchAndPrice, float]]:
    """A search with its threads, and the time by which its columns should start."""
    started = time.perf_counter() - first.seconds
    limit = math.inf if time_limit is None else time_limit

    def tell(best: float, bound: float) -> None:
        if progress is not None:
            progress(Progress(time.perf_counter() - started, best, bound))

    with ThreadPoolExecutor(threads) as pool:
        search = BranchAndPrice(
            instance,
            relax(instance),
            np.asarray(first.schedule.machine),
            tolerance=tolerance,
            deadline=started + limit,
            pool=pool,
            seed=seed,
            tell=tell,
        )
        yield search, started + _START_SHARE * limit
