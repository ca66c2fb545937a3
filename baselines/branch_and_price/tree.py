"""The tree: which task may run on which machine."""

from __future__ import annotations

import functools
import heapq
import time
from collections.abc import Callable
from concurrent.futures import Executor

import numpy as np

from baselines.branch_and_price.data import Data
from baselines.branch_and_price.generation import Generator, Node, Outcome
from baselines.branch_and_price.improve import anneal, climb
from baselines.branch_and_price.master import Groups, Master, Prices
from baselines.greedy import place_best
from dsct_gym.allocation import Problem, optimal_work
from dsct_gym.arrays import Floats, Ints
from dsct_gym.incremental import Curves
from dsct_gym.instance import Instance
from dsct_gym.relaxation import Relaxation

_INTEGRAL = 1e-6
_ROOT_PATIENCE = 0.02
_PATIENCE = 0.1
_FIRST_MOVES = 40
_TEMPERATURES = (0.003, 0.01, 0.03)
_COOLING = 0.01
_BATCH = 20_000


class Search:
    """Branch and price on one instance; anytime.

    Branching only ever forbids tasks to machines: to the machines of a group, or to all others.

    Args:
        instance: The problem, with a positive energy budget.
        relaxation: Its fractional relaxation, where the prices start.
        tolerance: Relative distance of bound and incumbent at which the search ends.
        deadline: `time.perf_counter` at which to stop.
        pool: Threads for pricing, None for none.
        seed: Seed of the annealing.
        tell: Called with the incumbent and the bound whenever one of them may have changed.

    Attributes:
        best: Total accuracy of the incumbent.
        machine: The incumbent's assignment (n,), tasks in EDF order.
        nodes: Number of nodes that column generation has seen.
    """

    def __init__(
        self,
        instance: Instance,
        relaxation: Relaxation,
        *,
        tolerance: float,
        deadline: float,
        pool: Executor | None,
        seed: int,
        tell: Callable[[float, float], None],
    ) -> None:
        self.data = Data.of(instance)
        self.generator = Generator(self.data, pool, deadline)
        self.deadline = deadline
        self.nodes = 0
        self.best = self.data.base
        self.machine = np.full(instance.num_tasks, -1, dtype=np.int64)
        self._tolerance = tolerance
        self._tell = tell
        self._seed = seed
        self._problem = Problem.of(instance)
        self._curves = Curves.empty(self.data.tasks, self.data.machines, self._problem.task.size)
        self._closed = -np.inf
        self._open: list[tuple[float, int, Node]] = []
        self._current: Node | None = None
        self._born = 0
        self._tried: set[bytes] = set()
        self._current = self._root(instance, relaxation)

    @property
    def bound(self) -> float:
        """Proven upper bound on the total accuracy."""
        bound = self._closed
        if self._open:
            bound = max(bound, -self._open[0][0])
        if self._current is not None:
            bound = max(bound, self._current.bound)
        return max(self.best, self.data.total(bound))

    def cutoff(self) -> float:
        """Nodes whose bound is at or below this, in units, need no further search."""
        goal = self.best + self._tolerance * abs(self.best)
        return (goal - self.data.base) / self.data.unit

    def _root(self, instance: Instance, relaxation: Relaxation) -> Node:
        data = self.data
        price = relaxation.marginal_prices[instance.edf_order]
        fee = (np.maximum(data.slope - price[:, None] / data.unit, 0.0) * data.width).sum(axis=1)
        kinds, count = np.unique(data.kind, return_counts=True)
        groups = Groups(kinds, np.ones((kinds.size, data.tasks), dtype=np.bool_), count)
        prices = Prices(fee, relaxation.energy_price * instance.energy_budget / data.unit)
        return Node(groups, (relaxation.bound - data.base) / data.unit, prices)

    def start(self) -> None:
        """Finds first schedules by annealing."""
        ranks = np.argsort(-self.data.width.sum(axis=1), kind="stable")
        place_best(self._problem, self._curves, ranks)
        self._take(self._curves.total[0], self._curves.machine)
        self._anneal(_FIRST_MOVES * self.data.tasks * self.data.machines)
        self._tell(self.best, self.bound)

    def _anneal(self, moves: int) -> None:
        """Anneals from the incumbent, hot enough for losses of a share of a task's accuracy."""
        start = self.machine.copy()
        for hot in _TEMPERATURES:
            done = 0
            machine = start
            while done < moves and time.perf_counter() < self.deadline:
                gain, machine = anneal(
                    self._problem,
                    self._curves,
                    machine,
                    min(_BATCH, moves - done),
                    hot * self.data.unit * _COOLING ** (done / moves),
                    hot * self.data.unit * _COOLING ** min(1.0, (done + _BATCH) / moves),
                    self._seed,
                )
                done += _BATCH
                self._take(gain, machine)

    def solve_root(self) -> None:
        """Generates columns at the root until they give no better bound."""
        assert self._current is not None
        near = self._tolerance * abs(self.bound) / self.data.unit
        self._generate(self._current, lambda bound, value: bound - value <= near)

    def run(self) -> None:
        """Searches until the proof or the deadline."""
        node: Node | None = self._current
        patience = _ROOT_PATIENCE
        while node is not None:
            self._current = node
            outcome = self._generate(node, functools.partial(self._is_settled, patience))
            if outcome.stopped:
                return
            patience = _PATIENCE
            children = [] if outcome.closed else self._branch(node, outcome)
            if not children:
                self._closed = max(self._closed, node.bound)
            for child in children[1:]:
                self._born += 1
                heapq.heappush(self._open, (-child.bound, self._born, child))
            node = children[0] if children else self._next()
            self._current = node
            self._tell(self.best, self.bound)

    def _generate(self, node: Node, enough: Callable[[float, float], bool]) -> Outcome:
        self.nodes += 1
        return self.generator.run(node, self.cutoff, enough, self._watch)

    def _is_settled(self, patience: float, bound: float, value: float) -> bool:
        """Whether the node will have to branch and its bound has not much further to fall."""
        cutoff = self.cutoff()
        return value > cutoff and bound - value <= patience * (bound - cutoff)

    def _next(self) -> Node | None:
        """The open node of the largest bound; None when all others are closed too."""
        if not self._open:
            return None
        bound, _, node = heapq.heappop(self._open)
        if -bound <= self.cutoff():
            self._closed = max(self._closed, -bound)
            self._open.clear()
            return None
        return node

    def _branch(self, node: Node, outcome: Outcome) -> list[Node]:
        """Two nodes, the more promising first; none when nothing is left to decide."""
        choice = self._choose(node, outcome.shares)
        if choice is None:
            return []
        task, group = choice
        without, only = forbid(node.groups, task, group), confine(node.groups, task, group)
        children = [Node(groups, node.bound, node.prices) for groups in (only, without)]
        return children if outcome.shares[group, task] >= 0.5 else children[::-1]

    def _choose(self, node: Node, shares: Floats) -> tuple[int, int] | None:
        """Task and group to branch on."""
        groups = node.groups
        fraction = np.minimum(shares, 1.0 - shares)
        if fraction.max() > _INTEGRAL:
            score = fraction * (0.05 + node.prices.fee[None, :])
            group, task = np.unravel_index(int(np.argmax(score)), score.shape)
            return int(task), int(group)
        several = (groups.count > 1)[:, None] & (shares > 0.5)
        if several.any():
            group, task = np.argwhere(several)[0]
            return int(task), int(group)
        return None

    def _watch(self, master: Master) -> None:
        """Rounds the master's solution and improves what that gives."""
        machine = round_shares(master.groups, self.data.kind, master.shares())
        key = machine.tobytes()
        if key not in self._tried:
            self._tried.add(key)
            self._take(*climb(self._problem, self._curves, machine))
        self._tell(self.best, self.bound)

    def _take(self, gain: float, machine: Ints) -> None:
        """Keeps an assignment if it is the best, and its machines' schedules as columns.

        Args:
            gain: Accuracy over no work.
            machine: Machine of each task in EDF order (n,).
        """
        total = gain + self.data.base
        if total <= self.best:
            return
        self.best, self.machine = total, machine.copy()
        works = optimal_work(self._problem, machine)
        for r in range(self.data.machines):
            mine = np.where((machine == r) & (works > 0.0), works, -1.0)
            if (mine > 0.0).any():
                self.generator.store(int(self.data.kind[r]), mine)


def round_shares(groups: Groups, kind: Ints, shares: Floats) -> Ints:
    """Each task to the machine that has most of it (n,).

    Of a group of equal machines, tasks take turns; what that spoils is left to the improvement.
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
