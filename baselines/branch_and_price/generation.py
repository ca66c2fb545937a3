"""Column generation at one node of the tree, with smoothed prices and a bound at every step.

Any prices give a valid bound, `Lagrangian` in `price_all`. Pricing at a point between the best
prices so far and those of the master (Wentges 1997; Pessoa et al. 2018) keeps the prices from
jumping about.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from baselines.branch_and_price.columns import Columns
from baselines.branch_and_price.data import Data
from baselines.branch_and_price.master import Groups, Master, Prices
from baselines.branch_and_price.pricing import price
from dsct_gym.arrays import Bools, Floats, Ints

_SAFETY = 1e-10
_FINEST = 1e-12
_LARGEST_ENERGY = 1e6


@dataclass(frozen=True)
class Priced:
    """What pricing all groups at some prices gave.

    Attributes:
        bound: A valid upper bound on the gain of any schedule, in units.
        columns: Best column of each group, −1 where there is none (g,).
        slope: Subgradient of the bound with respect to the fees (n,) and the energy price (1,).
        error: How much of the bound the upward error of pricing accounts for, at most.
    """

    bound: float
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
    prices: Prices


@dataclass(frozen=True)
class Outcome:
    """What column generation at a node ended with.

    Attributes:
        value: Value of the master, in units.
        shares: How much of each task each group does in the master's solution (g, n).
        closed: Whether the bound fell to the cutoff.
        stopped: Whether time ran out.
    """

    value: float
    shares: Floats
    closed: bool
    stopped: bool


class Generator:
    """Runs column generation; keeps the columns from node to node.

    Args:
        data: The problem.
        pool: Threads for pricing, None for none.
        deadline: `time.perf_counter` at which to stop.
    """

    def __init__(self, data: Data, pool: Executor | None, deadline: float) -> None:
        self.data = data
        self.columns = Columns(data.tasks)
        self.deadline = deadline
        self.iterations = 0
        self._pool = pool

    def price_all(self, groups: Groups, prices: Prices, rise: float) -> Priced:
        """Prices every group and sums up the bound."""
        data, table = self.data, self.columns
        fee = np.where(groups.shared, prices.fee, 0.0)
        value = table.value(fee, prices.energy)
        known = [
            self._best_known(value, int(kind), allowed)
            for kind, allowed in zip(groups.kind, groups.allowed, strict=True)
        ]

        def task(g: int) -> tuple[float, Floats, int]:
            kind = groups.kind[g]
            return price(
                data.capacity[kind],
                data.slope,
                data.width,
                prices.energy * data.energy_rate[kind],
                fee,
                groups.allowed[g],
                known[g][0],
                rise,
            )

        results = list((self._pool.map if self._pool else map)(task, range(groups.kind.size)))
        bound = float(fee.sum()) + prices.energy
        columns = np.empty(groups.kind.size, dtype=np.int64)
        slope = np.ones(data.tasks + 1)
        error = 0.0
        for g, (best, works, points) in enumerate(results):
            bound += float(groups.count[g]) * best
            columns[g] = known[g][1]
            if points > 0:
                columns[g] = index = self.store(int(groups.kind[g]), works)
                spent = prices.energy * table.energy[index] + table.member[index] @ fee
                error += groups.count[g] * (best - (table.gain[index] - spent))
            if columns[g] >= 0:
                slope[:-1] -= groups.count[g] * table.member[columns[g]]
                slope[-1] -= groups.count[g] * table.energy[columns[g]]
        slope[:-1] *= groups.shared
        return Priced(bound + _SAFETY * abs(bound), columns, slope, error)

    def _best_known(self, value: Floats, kind: int, allowed: Bools) -> tuple[float, int]:
        """Value and index of the best known column of a group; nothing at all is worth 0."""
        table = self.columns
        fits = np.flatnonzero((table.kind == kind) & (value > 0.0))
        fits = fits[~(table.member[fits] & ~allowed).any(axis=1)]
        if fits.size == 0:
            return 0.0, -1
        best = int(fits[np.argmax(value[fits])])
        return float(value[best]), best

    def store(self, kind: int, works: Floats) -> int:
        """Adds a machine's schedule, works (n,), to the table; returns its index."""
        done = np.maximum(works, 0.0)
        return self.columns.add(
            kind,
            works > 0.0,
            self.data.gain(works),
            min(float(done.sum() * self.data.energy_rate[kind]), _LARGEST_ENERGY),
        )

    def run(
        self,
        node: Node,
        cutoff: Callable[[], float],
        enough: Callable[[float, float], bool],
        watch: Callable[[Master], None],
    ) -> Outcome:
        """Generates columns until the node is closed or its bound is near that of the master.

        Args:
            node: The node; its bound and prices improve on the way.
            cutoff: A bound at or below this closes the node; asked at every step.
            enough: Whether to stop at a bound (first argument) and a master's value (second).
            watch: Called with every master solved.
        """
        groups, data = node.groups, self.data
        master = Master(self.columns, groups)
        self._fill(master, node)
        keep, misses, value = 0.5, 0, -np.inf
        out = node.prices
        rise = 1e-3 * node.bound / (data.tasks * data.machines)
        point = node.prices
        while True:
            priced = self.price_all(groups, point, rise)
            if priced.bound < node.bound:
                node.bound, node.prices = priced.bound, point
            rise = self._refine(rise, priced.error, node.bound - max(value, cutoff()))
            found = np.flatnonzero(priced.columns >= 0)
            added = master.add(priced.columns[found], found)
            if value > -np.inf:
                keep = self._adapt(keep, priced.slope, point, out)
                if added > 0:
                    misses = 0
                elif misses > 4:
                    break
                else:
                    misses += 1
            if added > 0 or value == -np.inf:
                value, out = master.solve()
                self.iterations += 1
                watch(master)
            if node.bound <= cutoff() or enough(node.bound, value):
                break
            if time.perf_counter() > self.deadline:
                return Outcome(value, master.shares(), False, True)
            point = node.prices.towards(out, 1.0 - keep if misses == 0 else 1.0)
        return Outcome(value, master.shares(), node.bound <= cutoff(), False)

    def _refine(self, rise: float, error: float, gap: float) -> float:
        """Pricing need not be much more exact than the gap that is left."""
        if error > 0.2 * gap:
            return max(0.4 * rise, _FINEST)
        return 1.5 * rise if error < 0.05 * gap else rise

    def _adapt(self, keep: float, slope: Floats, point: Prices, out: Prices) -> float:
        """Moves further to the master's prices when the bound still falls that way."""
        along = float(slope[:-1] @ (out.fee - point.fee) + slope[-1] * (out.energy - point.energy))
        if along < 0.0:
            return max(0.0, keep - 0.1)
        return keep + 0.1 * (1.0 - keep)

    def _fill(self, master: Master, node: Node) -> None:
        """Starts the master with the known columns that suit the node, best first."""
        table, groups = self.columns, node.groups
        fee = np.where(groups.shared, node.prices.fee, 0.0)
        value = table.value(fee, node.prices.energy)
        for g in range(groups.kind.size):
            fits = np.flatnonzero(table.kind == groups.kind[g])
            fits = fits[~(table.member[fits] & ~groups.allowed[g]).any(axis=1)]
            best = fits[np.argsort(-value[fits], kind="stable")][:200]
            master.add(best, np.full(best.size, g))
