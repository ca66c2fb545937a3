"""Column generation at one node of the tree, with smoothed prices and a bound at every step.

Prices between the best ones so far and those of the master keep column generation from jumping
about (Wentges 1997; Pessoa, Sadykov, Uchoa and Vanderbeck 2018).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, wait
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.baselines.branch_and_price.columns import Columns
from dsct_gym.baselines.branch_and_price.master import Duals, Groups, Master
from dsct_gym.baselines.branch_and_price.packed import PackedProblem
from dsct_gym.baselines.branch_and_price.pricing import Offer, exclude, price

T = TypeVar("T")

_SAFETY = 1e-10
_FINEST = 1e-12
_LARGEST_ENERGY = 1e6
_FIRST_ERROR = 0.1
_TIGHTEN_AT = 0.5
_TIGHTEN_ERROR = 0.3
_MOST_MISSES = 10
_FEW_COLUMNS = 60


@dataclass(frozen=True)
class Priced:
    """What pricing all groups at some prices gave.

    Attributes:
        bound: A valid upper bound on the gain of any schedule, in units.
        best: Largest value of a column of each group (g,).
        columns: Best column of each group, −1 where none is worth anything (g,).
        slope: Subgradient of the bound with respect to the fees (n,) and the energy price (1,).
        error: How much of the bound the upward error of pricing accounts for, at most.
    """

    bound: float
    best: Floats
    columns: Ints
    slope: Floats
    error: float


@dataclass
class Node:
    """A node of the tree.

    Attributes:
        groups: The machines and what they may take.
        bound: Upper bound on the gain of its schedules, in units.
        prices: Prices that gave the bound, where column generation starts.
    """

    groups: Groups
    bound: float
    prices: Duals


@dataclass(frozen=True)
class Outcome:
    """What column generation at a node ended with.

    Attributes:
        master: The last master, solved.
        closed: Whether the bound fell to the cutoff.
    """

    master: Master
    closed: bool


class OutOfTimeError(Exception):
    """The deadline has come; what was being computed is lost, nothing else."""


class ColumnGenerator:
    """Prices machines; keeps the columns from node to node.

    Args:
        data: The problem.
        pool: Threads for pricing.
        deadline: `time.perf_counter` at which to stop.

    Attributes:
        columns: The columns found so far.
        renounced: Schedules up to this gain, in units, may have been ruled out without a proof
            that they are worse than the incumbent.
    """

    def __init__(self, data: PackedProblem, pool: Executor, deadline: float) -> None:
        self.data = data
        self.columns = Columns(data.tasks)
        self.deadline = deadline
        self.renounced = -np.inf
        self._pool = pool
        self._halt = np.zeros(1, dtype=np.bool_)

    def run(
        self,
        node: Node,
        cutoff: Callable[[], float],
        enough: Callable[[float, float], bool],
        watch: Callable[[Master], None],
        *,
        tighten: bool = True,
    ) -> Outcome:
        """Generates columns until the node is closed or its bound is near that of the master.

        Args:
            node: The node; its bound, its prices and what it allows improve on the way.
            cutoff: A bound at or below this closes the node; asked at every step.
            enough: Whether to stop at a bound (first argument) and a master's value (second).
            watch: Called with every master solved.
            tighten: Whether to forbid tasks to machines where no schedule above the cutoff can have
                them. The node's bound then no longer follows from its prices alone.

        Raises:
            OutOfTimeError: If the deadline came first; the node's bound is valid all the same.
        """
        descent = _Descent(self, node, cutoff())
        tight = _TIGHTEN_AT * (node.bound - cutoff())
        while not descent.stuck:
            descent.step(cutoff())
            watch(descent.master)
            if node.bound <= cutoff() or enough(node.bound, descent.value):
                break
            if tighten and node.bound - cutoff() < tight:
                tight = _TIGHTEN_AT * (node.bound - cutoff())
                if self._tighten(node, cutoff(), descent.rise):
                    descent.restart()
        return Outcome(descent.master, node.bound <= cutoff())

    def price_all(self, groups: Groups, prices: Duals, rise: float) -> Priced:
        """Prices every group and sums up the bound, which is valid whatever the prices.

        Args:
            groups: The machines.
            prices: Fees and price of energy.
            rise: Upward error allowed to pricing at each task.
        """
        table = self.columns
        fee = np.where(groups.shared, prices.fee, 0.0)
        value = table.value(fee, prices.energy)
        known = [self._best_known(value, groups, g) for g in range(groups.kind.size)]

        def best_column(g: int) -> tuple[float, Floats, int]:
            return price(self._offer(groups, prices, g), known[g][0], rise, self._halt)

        found = self._map(best_column, range(groups.kind.size))
        columns = np.array([index for _, index in known], dtype=np.int64)
        best = np.array([value for value, _, _ in found])
        error = 0.0
        for g, (_, amounts, points) in enumerate(found):
            if points > 0:
                kind = int(groups.kind[g])
                works = self.data.works(kind, prices.energy, amounts)
                columns[g] = index = self.store(kind, works)
                spent = prices.energy * table.energy[index] + table.member[index] @ fee
                error += float(groups.count[g] * (best[g] - table.gain[index] + spent))
        bound = float(fee.sum()) + prices.energy + float(groups.count @ best)
        slope = self._subgradient(groups, columns)
        return Priced(bound + _SAFETY * abs(bound), best, columns, slope, error)

    def store(self, kind: int, works: Floats) -> int:
        """Adds a machine's schedule, works (n,), to the table; returns its index."""
        # A column that needs the budget many times over is as useless whatever the factor.
        energy = min(self.data.energy(kind, works), _LARGEST_ENERGY)
        return self.columns.add(kind, works > 0.0, self.data.gain(works), energy)

    def store_all(self, machine: Ints, works: Floats) -> None:
        """Adds the schedules of all machines, given the assignment (n,) and its works (n,)."""
        for r in range(self.data.machines):
            mine = np.where((machine == r) & (works > 0.0), works, -1.0)
            if (mine > 0.0).any():
                self.store(int(self.data.kind[r]), mine)

    def fitting(self, groups: Groups, g: int) -> Ints:
        """Indices of the columns that a group may use."""
        of_kind = np.flatnonzero(self.columns.kind == groups.kind[g])
        foreign = self.columns.member[of_kind] & ~groups.allowed[g]
        return np.asarray(of_kind[~foreign.any(axis=1)])

    def seconds_left(self) -> float:
        """Time until the deadline, s.

        Raises:
            OutOfTimeError: If there is none.
        """
        left = self.deadline - time.perf_counter()
        if left <= 0.0:
            raise OutOfTimeError
        return left

    def _offer(self, groups: Groups, prices: Duals, g: int) -> Offer:
        """What a machine of a group may choose from."""
        fee = np.where(groups.shared, prices.fee, 0.0)
        return self.data.offer(int(groups.kind[g]), prices.energy, fee, groups.allowed[g])

    def _map(self, function: Callable[[int], T], items: Iterable[int]) -> list[T]:
        """The results of ``function`` in threads.

        Raises:
            OutOfTimeError: If the deadline came first.
        """
        left = self.seconds_left()
        futures = [self._pool.submit(function, item) for item in items]
        try:
            wait(futures, timeout=None if math.isinf(left) else left)
            late = not all(future.done() for future in futures)
        except KeyboardInterrupt:
            self._halt[0] = True
            raise
        if late:
            self._halt[0] = True
            raise OutOfTimeError
        return [future.result() for future in futures]

    def _best_known(self, value: Floats, groups: Groups, g: int) -> tuple[float, int]:
        """Value and index of the best known column of a group; nothing at all is worth 0."""
        fits = self.fitting(groups, g)
        if fits.size == 0:
            return 0.0, -1
        best = int(fits[np.argmax(value[fits])])
        return (float(value[best]), best) if value[best] > 0.0 else (0.0, -1)

    def _subgradient(self, groups: Groups, columns: Ints) -> Floats:
        used = columns >= 0
        count, chosen = groups.count[used], columns[used]
        tasks = np.where(groups.shared, 1.0 - count @ self.columns.member[chosen], 0.0)
        return np.append(tasks, 1.0 - float(count @ self.columns.energy[chosen]))

    def _tighten(self, node: Node, cutoff: float, rise: float) -> bool:
        """Forbids tasks to machines where no schedule above the cutoff can have them.

        Returns:
            Whether any were.
        """
        data, groups, prices = self.data, node.groups, node.prices
        harmless = _TIGHTEN_ERROR * (node.bound - cutoff) / (data.tasks * data.machines)
        rise = max(rise, harmless)
        priced = self.price_all(groups, prices, rise)

        def excluded(g: int) -> Bools:
            floor = float(priced.best[g]) - (priced.bound - cutoff)
            return exclude(self._offer(groups, prices, g), floor, rise, self._halt)

        out = np.array(self._map(excluded, range(groups.kind.size)))
        if not out.any():
            return False
        self.renounced = max(self.renounced, cutoff)
        node.groups = Groups(groups.kind, groups.allowed & ~out, groups.count)
        return True


class _Descent:
    """The steps of column generation at one node.

    Attributes:
        master: The restricted master.
        value: Its value at the last solution.
        rise: Upward error that pricing may make at each task.
        stuck: Whether nothing more is to be had.
    """

    def __init__(self, generator: ColumnGenerator, node: Node, cutoff: float) -> None:
        self._generator = generator
        self._node = node
        self.rise = max(_FIRST_ERROR * (node.bound - cutoff) / generator.data.tasks, _FINEST)
        self.stuck = False
        self._keep = 0.5
        self._misses = 0
        self._started = False
        self.value = -np.inf
        self._out = node.prices
        self._build()

    def restart(self) -> None:
        """Starts the master anew, for what the node allows now."""
        self._build()
        self._solve()

    def _build(self) -> None:
        """Gives the master the known columns that suit the node, best first."""
        node, generator = self._node, self._generator
        self.master = Master(generator.columns, node.groups)
        fee = np.where(node.groups.shared, node.prices.fee, 0.0)
        value = generator.columns.value(fee, node.prices.energy)
        most = max(_FEW_COLUMNS, 8 * generator.data.tasks // node.groups.kind.size)
        for g in range(node.groups.kind.size):
            fits = generator.fitting(node.groups, g)
            best = fits[np.argsort(-value[fits], kind="stable")][:most]
            self.master.add(best, np.full(best.size, g))

    def step(self, cutoff: float) -> None:
        """Prices once, at the node's own prices first, and solves the master again."""
        node = self._node
        share = 1.0 if self._misses else 1.0 - self._keep
        point = node.prices.towards(self._out, share) if self._started else node.prices
        priced = self._generator.price_all(node.groups, point, self.rise)
        if priced.bound < node.bound:
            node.bound, node.prices = priced.bound, point
        if self._started:
            self._adapt(priced.slope, point)
        gap = node.bound - max(self.value, cutoff)
        exact = priced.error <= 0.2 * gap
        if not exact:
            self.rise = max(0.4 * self.rise, _FINEST)
        elif priced.error < 0.05 * gap:
            self.rise *= 1.5
        found = np.flatnonzero(priced.columns >= 0)
        if self.master.add(priced.columns[found], found) > 0 or not self._started:
            self._misses = 0
            self._solve()
        else:
            self._misses += 1 if exact or self.rise == _FINEST else 0
            self._misses = max(self._misses, 1)
        self._started = True
        self.stuck = self._misses > _MOST_MISSES

    def _solve(self) -> None:
        self.value, self._out = self.master.solve(self._generator.seconds_left())

    def _adapt(self, slope: Floats, point: Duals) -> None:
        """Goes further to the master's prices where the bound still falls that way."""
        out = self._out
        along = float(slope[:-1] @ (out.fee - point.fee) + slope[-1] * (out.energy - point.energy))
        if along < 0.0:
            self._keep = max(0.0, self._keep - 0.1)
        else:
            self._keep += 0.1 * (1.0 - self._keep)
