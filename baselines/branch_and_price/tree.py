"""The tree: which task may run on which machine."""

from __future__ import annotations

import contextlib
import functools
import heapq
import math
from collections.abc import Callable
from concurrent.futures import Executor

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.branch_and_price.generation import (
    ColumnGenerator,
    Node,
    Outcome,
    OutOfTimeError,
)
from dsct_gym.baselines.branch_and_price.incumbent import Incumbent
from dsct_gym.baselines.branch_and_price.master import Duals, Groups, Master
from dsct_gym.baselines.branch_and_price.packed import PackedInstance, PackedProblem
from dsct_gym.baselines.branch_and_price.packed_points import PackedPoints
from dsct_gym.baselines.milp.claims import least_bound, warn_of_refuted
from dsct_gym.instance import Instance
from dsct_gym.points import DvfsInstance
from dsct_gym.problem import Problem
from dsct_gym.relaxation import Relaxation

_INTEGRAL = 1e-6
_ROOT_PATIENCE = 0.02
_PATIENCE = 0.1
_ANNEAL_EVERY = 10
_SMALL_FEE = 0.05
_SMALL_LOSS = 1e-6
_CANDIDATES = 10


class BranchAndPrice:
    """Branch and price on one problem; anytime.

    Branching only ever forbids tasks to machines: to the machines of a group, or to all others.

    Args:
        instance: The problem, with a positive energy budget and a curve that rises.
        relaxation: Its fractional relaxation, where the prices start.
        machine_of: A first assignment (n,), −1 for none.
        tolerance: Relative distance of bound and incumbent at which the search ends.
        deadline: `time.perf_counter` at which to stop.
        pool: Threads for pricing.
        seed: Seed of the annealing.
        tell: Called with incumbent and bound when they may have changed.

    Attributes:
        root: The node where nothing is forbidden.
        incumbent: The best assignment so far.
        nodes: Number of nodes that column generation has seen.
        tolerance: As above.
        deadline: Likewise.
    """

    def __init__(
        self,
        instance: Problem,
        relaxation: Relaxation,
        machine_of: Ints,
        *,
        tolerance: float,
        deadline: float,
        pool: Executor,
        seed: int,
        tell: Callable[[float, float], None],
    ) -> None:
        self.data = _pack(instance)
        self.nodes = 0
        self.incumbent = Incumbent(self.data, seed)
        self.incumbent.offer(machine_of[instance.core.edf_order])
        self._generator = ColumnGenerator(self.data, pool, deadline)
        self.tolerance = tolerance
        self.deadline = deadline
        self._tell = tell
        self._least = relaxation.bound  # of this tree's own bounds
        self._claims: list[float] = []
        self._masters = 0
        self._tried: set[bytes] = set()
        self._closed = -np.inf
        self._open: list[tuple[float, int, Node]] = []
        self.root = self._root(instance.core, relaxation)
        self._current: Node | None = self.root

    def _root(self, instance: Instance, relaxation: Relaxation) -> Node:
        """All machines of a kind in a group, and the prices of the relaxation."""
        data = self.data
        price = relaxation.marginal_prices[instance.edf_order] / data.unit
        fee = (np.maximum(data.slope - price[:, None], 0.0) * data.width).sum(axis=1)
        kinds, count = np.unique(data.kind, return_counts=True)
        groups = Groups(kinds, np.ones((kinds.size, data.tasks), dtype=np.bool_), count)
        prices = Duals(fee, relaxation.energy_price * instance.energy_budget / data.unit)
        return Node(groups, (relaxation.bound - data.base) / data.unit, prices)

    @property
    def bound(self) -> float:
        """Proven upper bound on the total accuracy."""
        return least_bound(self._least, self._claims, self.incumbent.total)

    def start(self, deadline: float) -> None:
        """Takes the schedules of many good assignments as first columns, until ``deadline``."""
        for machine in self.incumbent.wander(deadline):
            self._generator.store_all(machine, self.incumbent.works(machine))
        self._store_incumbent()
        self._report()

    def solve_root(self) -> None:
        """Generates columns at the root until they give no better bound.

        Nothing is forbidden there, so that the prices of the root prove its bound by themselves.
        """
        node = self._current
        if node is not None:
            near = self.tolerance * abs(self.bound) / self.data.unit
            with contextlib.suppress(OutOfTimeError):
                self._generate(node, lambda bound, value: bound - value <= near, tighten=False)
        self._report()

    @property
    def done(self) -> bool:
        """Whether every node is closed."""
        return self._current is None

    def run(self, most_nodes: float = math.inf) -> None:
        """Searches until the proof, the deadline or so many nodes in all.

        Dives, then takes the largest bound.
        """
        while self._current is not None and self.nodes < most_nodes:
            node = self._current
            patience = _PATIENCE if self.nodes else _ROOT_PATIENCE
            try:
                outcome = self._generate(node, functools.partial(self._is_settled, patience))
                children = [] if outcome.closed else self._branch(node, outcome)
            except OutOfTimeError:
                self._report()
                break
            if not children:
                self._closed = max(self._closed, node.bound)
            for child in children[1:]:
                heapq.heappush(self._open, (-child.bound, self.nodes, child))
            self._current = children[0] if children else self._next()
            self._report()

    def offer(self, machine: Ints) -> None:
        """Takes over an assignment (n,) that another method found; by deadline, −1 for none."""
        if self.incumbent.offer(machine):
            self._store_incumbent()

    def learn(self, claim: float) -> None:
        """Takes over an upper bound on the total accuracy that another solver claims.

        It is believed for as long as no incumbent refutes it; if it settles the matter, the tree
        is done.
        """
        warn_of_refuted("highs", [claim], self.incumbent.total)
        self._claims.append(claim)
        if (self.bound - self.data.base) / self.data.unit <= self._cutoff():
            self._current = None
            self._open.clear()
        self.hear(claim)

    def hear(self, claim: float) -> None:
        """Passes on what another solver claims for the moment."""
        bound = least_bound(self.bound, [claim], self.incumbent.total)
        self._tell(self.incumbent.total, bound)

    def _cutoff(self) -> float:
        """Nodes whose bound is at or below this, in units, need no further search."""
        goal = self.incumbent.total + self.tolerance * abs(self.incumbent.total)
        return (goal - self.data.base) / self.data.unit

    def _report(self) -> None:
        """Works out the bound; called only when every open node is accounted for."""
        bound = max(self._closed, self._generator.renounced)
        if self._open:
            bound = max(bound, -self._open[0][0])
        if self._current is not None:
            bound = max(bound, self._current.bound)
        proven = max(self.data.base + self.data.unit * bound, self.incumbent.total)
        self._least = min(self._least, proven)
        self._tell(self.incumbent.total, max(self.bound, self.incumbent.total))

    def _generate(
        self, node: Node, enough: Callable[[float, float], bool], *, tighten: bool = True
    ) -> Outcome:
        self.nodes += 1
        return self._generator.run(node, self._cutoff, enough, self._watch, tighten=tighten)

    def _is_settled(self, patience: float, bound: float, value: float) -> bool:
        """Whether the node will have to branch and its bound has not much further to fall."""
        cutoff = self._cutoff()
        return value > cutoff and bound - value <= patience * (bound - cutoff)

    def _next(self) -> Node | None:
        """The open node of the largest bound; None when all are closed."""
        if not self._open:
            return None
        bound, _, node = heapq.heappop(self._open)
        if -bound <= self._cutoff():
            self._closed = max(self._closed, -bound)
            self._open.clear()
            return None
        return node

    def _branch(self, node: Node, outcome: Outcome) -> list[Node]:
        """Two nodes, the more promising first; none when nothing is left to decide."""
        shares = outcome.master.shares()
        choice = self._choose(node, outcome.master, shares)
        if choice is None:
            return []
        task, group = choice
        halves = confine(node.groups, task, group), forbid(node.groups, task, group)
        children = [Node(groups, node.bound, node.prices) for groups in halves]
        return children if shares[group, task] >= 0.5 else children[::-1]

    def _choose(self, node: Node, master: Master, shares: Floats) -> tuple[int, int] | None:
        """Task and group to branch on.

        Of the candidates that are shared out most evenly, the one for which the known columns
        lose most, in both nodes, is taken (strong branching without column generation).
        """
        fraction = np.minimum(shares, 1.0 - shares)
        if fraction.max() <= _INTEGRAL:
            several = (node.groups.count > 1)[:, None] & (shares > 0.5)
            if not several.any():
                return None
            group, task = np.argwhere(several)[0]
            return int(task), int(group)
        score = fraction * (_SMALL_FEE + node.prices.fee[None, :])
        most, choice = -1.0, (0, 0)
        value, _ = master.solve(self._generator.seconds_left())
        for place in np.argsort(-score, axis=None, kind="stable")[:_CANDIDATES]:
            group, task = np.unravel_index(int(place), score.shape)
            if fraction[group, task] <= _INTEGRAL:
                break
            here = np.arange(node.groups.kind.size) == group
            losses = [value - master.value_without(int(task), part) for part in (here, ~here)]
            product = max(losses[0], _SMALL_LOSS) * max(losses[1], _SMALL_LOSS)
            if product > most:
                most, choice = product, (int(task), int(group))
        return choice

    def _watch(self, master: Master) -> None:
        """Rounds the master's solution and improves what that gives."""
        machine = round_shares(master.groups, self.data.kind, master.shares())
        better = False
        if machine.tobytes() not in self._tried:
            self._tried.add(machine.tobytes())
            better = self.incumbent.offer(machine)
        self._masters += 1
        if self._masters % _ANNEAL_EVERY == 0:
            better |= self.incumbent.anneal(machine)
        if better:
            self._store_incumbent()
        self._report()

    def _store_incumbent(self) -> None:
        machine = self.incumbent.machine
        self._generator.store_all(machine, self.incumbent.works(machine))


def _pack(problem: Problem) -> PackedProblem:
    if isinstance(problem, DvfsInstance):
        return PackedPoints.of(problem)
    return PackedInstance.of(problem.core)


def round_shares(groups: Groups, kind: Ints, shares: Floats) -> Ints:
    """Each task to the machine that does most of it.

    Of a group of equal machines, tasks take turns; what that spoils is left to the improvement.

    Args:
        groups: The machines.
        kind: Kind of each machine (m,).
        shares: How much of each task each group does (g, n).

    Returns:
        Machine of each task (n,), −1 for none.
    """
    machine = np.full(shares.shape[1], -1, dtype=np.int64)
    free = {int(k): list(np.flatnonzero(kind == k)) for k in np.unique(kind)}
    members = [
        [free[int(k)].pop(0) for _ in range(int(count))]
        for k, count in zip(groups.kind, groups.count, strict=True)
    ]
    turn = np.zeros(groups.kind.size, dtype=np.int64)
    best = np.argmax(shares, axis=0)
    for task in np.flatnonzero(shares.max(axis=0) > _INTEGRAL):
        group = int(best[task])
        machine[task] = members[group][turn[group] % len(members[group])]
        turn[group] += 1
    return machine


def forbid(groups: Groups, task: int, group: int) -> Groups:
    """The machines of a group may not take the task."""
    allowed = groups.allowed.copy()
    allowed[group, task] = False
    return Groups(groups.kind, allowed, groups.count)


def confine(groups: Groups, task: int, group: int) -> Groups:
    """Only one machine of the group may take the task; being equal, it does not matter which."""
    allowed = groups.allowed.copy()
    allowed[:, task] = False
    kind, count = groups.kind, groups.count.copy()
    if count[group] > 1:
        count[group] -= 1
        kind = np.append(kind, kind[group])
        count = np.append(count, 1)
        allowed = np.vstack([allowed, allowed[group]])
        group = kind.size - 1
    allowed[group, task] = True
    return Groups(kind, allowed, count)
