"""The clairvoyant bound: the fractional relaxation of a problem whose tasks arrive, exactly.

All tasks are known from the start, but none is worked on before its arrival or after its deadline;
they may be preempted and split over machines. With machines by energy per work, let the k cheapest
work as one of their summed speed S_k at no price of energy (`dsct_gym.online.decomposition`): what
a segment gets with k of them, less what it gets with k − 1, is its piece on machine k. More speed
takes nothing from a segment, so that is never negative. Pieces in order of accuracy per joule,
slope × E_k, taken until the budget is spent, are optimal for every budget.

The bound is not that total but what its prices prove. The dual of the interval linear programme is,
for whatever price of energy λ ≥ 0 and price p(t) ≥ 0 of work at each moment, an upper bound

    Σ_segments width · max(0, slope − π_j) + ∫ Σ_r s_r max(0, p(t) − λ/E_r) dt + λ B + Σ_j a_j(0)

with π_j the least price in the window of j. λ is that of the last piece taken, and p is made of the
prices p_k with k machines: p = max over k of min(p_k, λ/E_{k+1}).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.instance import Instance
from dsct_gym.jit import kernel
from dsct_gym.online.decomposition import Timeline, decompose
from dsct_gym.online.instance import OnlineInstance
from dsct_gym.relaxation import Relaxation, relax


@relax.register
def _(problem: OnlineInstance) -> Relaxation:
    core = problem.core
    timeline, machines, stack = _stacked(problem)
    taken, energy_price = _spend(core, stack, machines)
    price = _prices(core, stack, machines, energy_price)
    least = least_prices(timeline.first, timeline.end, price)
    work, done = np.zeros(core.num_tasks), np.zeros(core.num_machines)
    np.add.at(work, timeline.task[stack.segment], taken)
    np.add.at(done, machines[stack.level], taken)
    return Relaxation(
        bound=_dual_value(core, timeline, price, least, energy_price),
        energy_price=energy_price,
        marginal_prices=least[core.edf_rank],
        work=work[core.edf_rank],
        busy_time=done / core.speeds,
        energy=done / core.efficiencies,
        passes=core.num_machines,
    )


def prices_over_time(problem: OnlineInstance) -> tuple[Timeline, Floats]:
    """The time between arrivals and deadlines, and the optimal price of work in each cell of it.

    Returns:
        The timeline, and prices (T,), accuracy per GFLOP.
    """
    timeline, machines, stack = _stacked(problem)
    _, energy_price = _spend(problem.core, stack, machines)
    return timeline, _prices(problem.core, stack, machines, energy_price)


def _stacked(problem: OnlineInstance) -> tuple[Timeline, Ints, _Stack]:
    """The timeline, the machines by energy per work, and what the cheapest of them do together."""
    timeline = timeline_of(problem)
    machines = np.argsort(-problem.core.efficiencies, kind="stable")
    return timeline, machines, _Stack.of(problem.core, timeline, machines)


def timeline_of(problem: OnlineInstance) -> Timeline:
    """Tasks by deadline and the time between arrivals and deadlines."""
    core = problem.core
    order, segments = core.edf_order, core.segments
    deadline, arrival = core.deadlines[order], problem.arrivals[order]
    moments = np.unique(np.concatenate([arrival, deadline]))
    rank = np.argsort(segments.task, kind="stable")
    own = np.concatenate(([0], np.cumsum(np.bincount(segments.task, minlength=core.num_tasks))))
    return Timeline(
        length=np.diff(moments),
        first=np.searchsorted(moments, arrival),
        end=np.searchsorted(moments, deadline),
        task=segments.task,
        width=segments.width,
        own=own,
        rank=rank,
        reach=_cumulated(segments.width[rank], own),
    )


@kernel
def _cumulated(width: Floats, own: Ints) -> Floats:
    """Widths (S,) added up within the ranges that start at ``own`` (n+1,)."""
    reach = width.copy()
    for task in range(own.size - 1):
        for place in range(own[task] + 1, own[task + 1]):
            reach[place] += reach[place - 1]
    return reach


class _Stack(NamedTuple):
    """What the k cheapest machines do together, for k = 1..m.

    Attributes:
        segment: Segment of each piece (P,).
        level: Which of the machines by energy per work it is on, from 0 (P,).
        work: Work of each piece (P,), GFLOP.
        price: Prices of each cell (m, T), accuracy per GFLOP.
    """

    segment: Ints
    level: Ints
    work: Floats
    price: Floats

    @classmethod
    def of(cls, core: Instance, timeline: Timeline, machines: Ints) -> _Stack:
        """Adds machine after machine."""
        slope = np.append(core.segments.slope, 0.0)
        before = np.zeros(timeline.task.size)
        segments, levels, works, prices = [], [], [], []
        for level, speed in enumerate(np.cumsum(core.speeds[machines]).tolist()):
            work, rank = decompose(timeline, speed)
            filled = _fill_segments(timeline, work)
            more = np.flatnonzero(filled > before)
            segments.append(more)
            levels.append(np.full(more.size, level))
            works.append((filled - before)[more])
            prices.append(slope[rank])
            before = filled
        return cls(
            segment=np.concatenate(segments),
            level=np.concatenate(levels),
            work=np.concatenate(works),
            price=np.array(prices),
        )


@kernel
def _fill_segments(timeline: Timeline, work: Floats) -> Floats:
    """How much of each segment works (n,) amount to (S,), GFLOP."""
    filled = np.empty(timeline.task.size)
    for task in range(work.size):
        left = work[task]
        for place in range(timeline.own[task], timeline.own[task + 1]):
            segment = timeline.rank[place]
            filled[segment] = min(left, timeline.width[segment])
            left -= filled[segment]
    return filled


def _spend(core: Instance, stack: _Stack, machines: Ints) -> tuple[Floats, float]:
    """Takes pieces by accuracy per joule until the budget is spent.

    Returns:
        What is taken of each piece (P,), GFLOP, and the price of energy.
    """
    efficiency = core.efficiencies[machines][stack.level]
    worth = core.segments.slope[stack.segment] * efficiency
    energy = stack.work / efficiency
    order = np.argsort(-worth, kind="stable")
    spent = np.cumsum(energy[order])
    left = np.maximum(0.0, core.energy_budget - (spent - energy[order]))
    taken = np.empty_like(energy)
    taken[order] = np.minimum(energy[order], left)
    last = int(np.searchsorted(spent, core.energy_budget, side="right"))
    price = float(worth[order[last]]) if last < order.size else 0.0
    return taken * efficiency, price


def _prices(core: Instance, stack: _Stack, machines: Ints, energy_price: float) -> Floats:
    """Price of work in each cell (T,) at a price of energy."""
    cost = energy_price / core.efficiencies[machines]
    price = np.full(stack.price.shape[1], cost[0])
    for level, here in enumerate(stack.price):
        following = cost[level + 1] if level + 1 < cost.size else np.inf
        price = np.maximum(price, np.minimum(here, following))
    return price


def _dual_value(
    core: Instance, timeline: Timeline, price: Floats, least: Floats, energy_price: float
) -> float:
    """What prices of time and energy prove.

    Args:
        core: Tasks, machines and budget.
        timeline: Tasks and time.
        price: Price of work in each cell (T,), at least 0.
        least: The least of them in each task's window (n,).
        energy_price: λ, at least 0.
    """
    segments = core.segments
    surplus = segments.width * np.maximum(0.0, segments.slope - least[segments.task])
    rent = np.maximum(0.0, price - energy_price / core.efficiencies[:, None])
    return (
        float(core.base_accuracy.sum())
        + float(surplus.sum())
        + float(core.speeds @ (rent @ timeline.length))
        + energy_price * core.energy_budget
    )


@kernel
def least_prices(first: Ints, end: Ints, price: Floats) -> Floats:
    """Least price in each window (n,), by a tree of minima.

    Args:
        first: First cell of each window (n,).
        end: The cell after its last (n,).
        price: Price of each cell (T,).
    """
    cells = price.size
    tree = np.empty(2 * cells)
    for cell in range(cells):
        tree[cells + cell] = price[cell]
    for node in range(cells - 1, 0, -1):
        tree[node] = min(tree[2 * node], tree[2 * node + 1])
    least = np.full(first.size, np.inf)
    for task in range(first.size):
        low, high = first[task] + cells, end[task] + cells
        while low < high:
            if low % 2 == 1:
                least[task] = min(least[task], tree[low])
                low += 1
            if high % 2 == 1:
                high -= 1
                least[task] = min(least[task], tree[high])
            low //= 2
            high //= 2
    return least
