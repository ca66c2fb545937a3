"""The fractional relaxation DSCT-UB: an exact upper bound with its prices, combinatorially.

Let a task be split over machines. Its linear programme has the dual

    min over λ ≥ 0 and prices p_1 ≥ … ≥ p_n ≥ 0 of
        Σ_k [ max_f (a_k(f) − p_k f) + (d_k − d_{k−1}) Σ_r s_r max(0, p_k − λ/E_r) ] + λ B

with tasks in EDF order: ``p_k`` is the price of work (accuracy per GFLOP) in the time between two
deadlines, λ the price of energy (accuracy per joule). For fixed λ this is an isotonic regression
of separable convex functions, solved exactly by partitioning: for a threshold between two
candidate prices (curve slopes and λ/E_r), the tasks priced above it are a prefix, the one with the
least cumulated excess of supply over demand; then recurse into both parts. One evaluation costs
O(nK log(nK)). The function of λ that remains is convex and piecewise linear with slope
``B − energy(λ)``; a cutting-plane search finds its minimum. At the critical λ the two schedules on
either side of the jump are mixed to spend exactly B.

Sources: Barros et al. 2024 (DSCT-UB); partitioning for isotonic regression: Best, Chakravarti and
Ubhaya, "Minimizing separable convex functions subject to simple chain constraints", SIAM J. Optim.
10(3), 2000.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.jit import kernel
from dsct_gym.tolerances import RELAXATION

if TYPE_CHECKING:
    from dsct_gym.problem import Problem

_MAX_PASSES = 200


@dataclass(frozen=True)
class Relaxation:
    """Optimum of the fractional relaxation; arrays in the order of the instance.

    Attributes:
        bound: Upper bound on the value of any schedule: its total accuracy, but in variants.
        energy_price: λ, accuracy per J; 0 when the budget does not bind.
        marginal_prices: Price of work at each task's deadline π_j (n,), accuracy per GFLOP.
        work: Fractional work of each task (n,), GFLOP.
        busy_time: Time that each machine works (m,), s.
        energy: Energy that each machine spends, the energy profile (m,), J.
        passes: Number of prices λ that the search evaluated.
    """

    bound: float
    energy_price: float
    marginal_prices: Floats
    work: Floats
    busy_time: Floats
    energy: Floats
    passes: int


def upper_bound(instance: Problem) -> float:
    """Fractional upper bound on the total accuracy of any schedule (DSCT-UB).

    Args:
        instance: The problem; for a variant the bound is on the value that it maximises.
    """
    return relax(instance).bound


@singledispatch
def relax(problem: Problem) -> Relaxation:
    """Solves the fractional relaxation exactly.

    Args:
        problem: An `Instance`, or a variant that has registered its own relaxation.

    Returns:
        The bound with its prices, works and energy profile. The bound is the dual value: valid
        for whatever prices, and equal to the primal value to about 1e-12 relative.

    Raises:
        InputError: If there is no relaxation for problems of this type.
    """
    raise InputError(f"instance: there is no relaxation for {type(problem).__name__}")


def has_relaxation(problem: Problem) -> bool:
    """Whether `relax` takes the problem."""
    return relax.dispatch(type(problem)) is not relax.dispatch(object)


@relax.register
def _(instance: Instance) -> Relaxation:
    market = _Market.of(instance)
    if market.slopes.size == 0 or instance.energy_budget == 0.0:
        idle = _idle_outcome(market, instance.energy_budget)
        return _relaxation(instance, market, idle, idle.work, idle.busy, passes=0)
    return _search(instance, market)


class _Market(NamedTuple):
    """The instance as the kernels read it: tasks in EDF order, machines by energy per work.

    Attributes:
        duration: Time since the deadline before (n,), s.
        slope: Slope of each curve segment (n, K), non-increasing along a row.
        reach: Work at each breakpoint (n, K+1), GFLOP.
        value: Accuracy at each breakpoint (n, K+1).
        cost: Energy per work 1/E_r (m,), J/GFLOP, non-decreasing.
        speed: s_r (m,), GFLOP/s, in the order of ``cost``.
        machines: Index of each of these machines in the instance (m,).
        slopes: All different positive slopes, ascending.
    """

    duration: Floats
    slope: Floats
    reach: Floats
    value: Floats
    cost: Floats
    speed: Floats
    machines: Ints
    slopes: Floats

    @classmethod
    def of(cls, instance: Instance) -> _Market:
        order = instance.edf_order
        slope = np.ascontiguousarray(instance.slopes[order])
        machines = np.argsort(-instance.efficiencies, kind="stable")
        return cls(
            duration=np.diff(instance.deadlines[order], prepend=0.0),
            slope=slope,
            reach=np.ascontiguousarray(instance.work[order]),
            value=np.ascontiguousarray(instance.accuracy[order]),
            cost=1.0 / instance.efficiencies[machines],
            speed=instance.speeds[machines],
            machines=machines,
            slopes=np.unique(slope[slope > 0.0]),
        )


class _Outcome(NamedTuple):
    """An optimum for one energy price; tasks in EDF order, machines by energy per work."""

    energy_price: float
    dual: float
    accuracy: float
    energy: float
    price: Floats
    work: Floats
    busy: Floats


def _search(instance: Instance, market: _Market) -> Relaxation:
    """Minimises the dual over the energy price by cutting planes."""
    budget = instance.energy_budget
    # Below every positive slope the order of the candidate prices no longer depends on λ, so the
    # optimum for this price is the one of least energy when energy is free.
    tiny = 0.5 * float(market.slopes[0] / market.cost[-1])
    anything = np.full_like(market.duration, np.inf)
    free = _outcome(market, tiny, budget, 0.0 * market.duration, anything)
    if free.energy <= budget:
        unpriced = np.where(free.price < market.slopes[0], 0.0, free.price)
        best = free._replace(energy_price=0.0, dual=free.accuracy, price=unpriced)
        return _relaxation(instance, market, best, free.work, free.busy, passes=1)
    low, high = free, _idle_outcome(market, budget)
    best = min(low, high, key=lambda outcome: outcome.dual)
    passes = 1
    while passes < _MAX_PASSES:
        passes += 1
        meeting = (low.accuracy - high.accuracy) / (low.energy - high.energy)
        # Where the tangents meet ends the search exactly, but only halves a smooth bracket; the
        # secant of the energy closes in faster, but on one side. They take turns.
        exact = passes % 2 == 0
        price = meeting if exact else _secant_price(low, high, budget)
        here = _outcome(market, price, budget, low.price, high.price)
        best = min(best, here, key=lambda outcome: outcome.dual)
        mixed = low.accuracy + meeting * (budget - low.energy)
        stuck = exact and not high.energy < here.energy < low.energy
        if best.dual - mixed <= RELAXATION * abs(best.dual) or stuck:
            break
        if here.energy > budget:
            low = here
        else:
            high = here
    share = (budget - high.energy) / (low.energy - high.energy)
    work = share * low.work + (1.0 - share) * high.work
    busy = share * low.busy + (1.0 - share) * high.busy
    return _relaxation(instance, market, best, work, busy, passes=passes)


def _secant_price(low: _Outcome, high: _Outcome, budget: float) -> float:
    """Energy price at which the energy would meet the budget if it fell linearly in between."""
    share = (low.energy - budget) / (low.energy - high.energy)
    return low.energy_price + share * (high.energy_price - low.energy_price)


def _idle_outcome(market: _Market, budget: float) -> _Outcome:
    """The optimum for the least energy price at which nothing is worth its energy."""
    price = float(market.slopes[-1] / market.cost[0]) if market.slopes.size else 0.0
    accuracy = float(market.value[:, 0].sum())
    return _Outcome(
        energy_price=price,
        dual=accuracy + price * budget,
        accuracy=accuracy,
        energy=0.0,
        price=np.full_like(market.duration, price * market.cost[0]),
        work=np.zeros_like(market.duration),
        busy=np.zeros_like(market.speed),
    )


def _relaxation(
    instance: Instance,
    market: _Market,
    best: _Outcome,
    work: Floats,
    busy: Floats,
    *,
    passes: int,
) -> Relaxation:
    """Back to the order of the instance."""
    rank = instance.edf_rank
    busy_time = np.empty_like(busy)
    busy_time[market.machines] = busy
    return Relaxation(
        bound=best.dual,
        energy_price=best.energy_price,
        marginal_prices=best.price[rank],
        work=work[rank],
        busy_time=busy_time,
        energy=busy_time * instance.powers,
        passes=passes,
    )


def _outcome(
    market: _Market, energy_price: float, budget: float, floor: Floats, ceiling: Floats
) -> _Outcome:
    """Solves the relaxation for one energy price.

    Args:
        market: The instance.
        energy_price: λ, accuracy per J.
        budget: B, J.
        floor: An optimal price of each task for a smaller λ (n,); prices rise with λ.
        ceiling: The same for a larger λ.
    """
    thresholds = energy_price * market.cost
    ladder = _Ladder.of(market, thresholds)
    step = _price_steps(market.duration, market.slope, market.reach, ladder, floor, ceiling)
    price, work, busy = _primal(
        market.duration, market.slope, market.reach, market.speed, ladder, step
    )
    accuracy, surplus = _values(market.slope, market.reach, market.value, work, price)
    rent = _rent(market.duration, market.speed, thresholds, price)
    return _Outcome(
        energy_price=energy_price,
        dual=surplus + rent + energy_price * budget,
        accuracy=accuracy,
        energy=float((busy * market.speed * market.cost).sum()),
        price=price,
        work=work,
        busy=busy,
    )


class _Ladder(NamedTuple):
    """Candidate prices in ascending steps: 0, the slopes, and λ/E_r just above an equal slope.

    Attributes:
        slopes: Different positive slopes, ascending.
        thresholds: λ/E_r (m,), non-decreasing.
        place: Step of each threshold (m,).
        capacity: Speed of the first k machines, for k = 0..m, GFLOP/s.
    """

    slopes: Floats
    thresholds: Floats
    place: Ints
    capacity: Floats

    @classmethod
    def of(cls, market: _Market, thresholds: Floats) -> _Ladder:
        ahead = np.searchsorted(market.slopes, thresholds, side="right")
        capacity = np.concatenate(([0.0], np.cumsum(market.speed)))
        return cls(market.slopes, thresholds, ahead + 1 + np.arange(ahead.size), capacity)


@kernel
def _machines_below(ladder: _Ladder, step: int) -> int:
    """Number of machines whose threshold stands on a lower step."""
    low, high = 0, ladder.place.size
    while low < high:
        middle = (low + high) // 2
        if ladder.place[middle] < step:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _price_at(ladder: _Ladder, step: int) -> float:
    """Price of a step."""
    below = _machines_below(ladder, step)
    price = 0.0
    if below < ladder.place.size and ladder.place[below] == step:
        price = ladder.thresholds[below]
    elif step > 0:
        price = ladder.slopes[step - 1 - below]
    return price


@kernel
def _least_slope(ladder: _Ladder, step: int) -> float:
    """Least slope on a step or above it, infinite past the last."""
    slopes_below = max(0, step - 1 - _machines_below(ladder, step))
    return ladder.slopes[slopes_below] if slopes_below < ladder.slopes.size else np.inf


@kernel
def _demand(slope: Floats, reach: Floats, task: int, least: float) -> float:
    """Work of the segments of a task whose slope is at least ``least``."""
    low, high = 0, slope.shape[1]
    while low < high:
        middle = (low + high) // 2
        if slope[task, middle] >= least:
            low = middle + 1
        else:
            high = middle
    work: float = reach[task, low]
    return work


@kernel
def _first_at_most(values: Floats, first: int, end: int, limit: float) -> int:
    """First of the non-increasing ``values[first:end]`` that is at most ``limit``, else end."""
    while first < end:
        middle = (first + end) // 2
        if values[middle] > limit:
            first = middle + 1
        else:
            end = middle
    return first


@kernel
def _price_steps(
    duration: Floats,
    slope: Floats,
    reach: Floats,
    ladder: _Ladder,
    floor: Floats,
    ceiling: Floats,
) -> Ints:
    """Step of each task's price on the ladder (n,), non-increasing.

    Partitioning: all tasks of a range have a price on a range of steps. Just above the middle
    step supply and demand are fixed; the tasks priced above it are the prefix with the least
    cumulated excess of supply. Only where floor and ceiling leave it open is there need to look.
    """
    n = duration.size
    steps = np.zeros(n, dtype=np.int64)
    # A waiting range holds at most half the steps of the one below it on the stack.
    stack = np.empty((64, 4), dtype=np.int64)
    stack[0, 0], stack[0, 1], stack[0, 2] = 0, n, 0
    stack[0, 3] = ladder.slopes.size + ladder.place.size
    depth = 1
    while depth > 0:
        depth -= 1
        first, end, low, high = stack[depth]
        while low < high and first < end:
            middle = (low + high) // 2
            price = _price_at(ladder, middle)
            least_slope = _least_slope(ladder, middle + 1)
            supply = ladder.capacity[_machines_below(ladder, middle + 1)]
            split = _first_at_most(floor, first, end, price)
            open_end = _first_at_most(ceiling, split, end, price)
            excess, least = 0.0, 0.0
            for task in range(split, open_end):
                excess += duration[task] * supply - _demand(slope, reach, task, least_slope)
                if excess < least:
                    least, split = excess, task + 1
            stack[depth, 0], stack[depth, 1] = split, end
            stack[depth, 2], stack[depth, 3] = low, middle
            depth += 1
            end, low = split, middle + 1
        for task in range(first, end):
            steps[task] = low
    return steps


@kernel
def _primal(
    duration: Floats,
    slope: Floats,
    reach: Floats,
    speed: Floats,
    ladder: _Ladder,
    steps: Ints,
) -> tuple[Floats, Floats, Floats]:
    """Prices (n,), and works (n,) and busy times (m,) that are optimal for them.

    In a block of tasks with one price, steeper segments are done and flatter ones are not;
    machines with a threshold below the price work all the time, those above it idle. What is left
    is either segments at the price, done from the last task backwards until the machines are
    full, or the machine at the price, which works as long as the demand asks.
    """
    n = duration.size
    price, work, busy = np.zeros(n), np.zeros(n), np.zeros(speed.size)
    end = n
    while end > 0:
        step = steps[end - 1]
        here, steeper = _price_at(ladder, step), _least_slope(ladder, step + 1)
        first, span, demand = end, 0.0, 0.0
        while first > 0 and steps[first - 1] == step:
            first -= 1
            price[first] = here
            work[first] = _demand(slope, reach, first, steeper)
            demand += work[first]
            span += duration[first]
        marginal = _machines_below(ladder, step)
        for machine in range(marginal):
            busy[machine] += span
        missing = span * ladder.capacity[marginal] - demand
        if marginal < speed.size and ladder.place[marginal] == step:
            busy[marginal] += min(max(0.0, -missing / speed[marginal]), span)
        else:
            for task in range(end - 1, first - 1, -1):
                if missing <= 0.0:
                    break
                extra = min(_demand(slope, reach, task, here) - work[task], missing)
                work[task] += extra
                missing -= extra
        end = first
    return price, work, busy


@kernel
def _values(
    slope: Floats, reach: Floats, value: Floats, work: Floats, price: Floats
) -> tuple[float, float]:
    """Total accuracy for the works, and Σ max_f (a(f) − p f) for the prices."""
    accuracy, surplus = 0.0, 0.0
    segments = slope.shape[1]
    for task in range(work.size):
        k = 0
        while k < segments - 1 and reach[task, k + 1] < work[task]:
            k += 1
        accuracy += value[task, k] + slope[task, k] * (work[task] - reach[task, k])
        k = 0
        while k < segments and slope[task, k] > price[task]:
            k += 1
        surplus += value[task, k] - price[task] * reach[task, k]
    return accuracy, surplus


@kernel
def _rent(duration: Floats, speed: Floats, thresholds: Floats, price: Floats) -> float:
    """What the machines earn at the prices, Σ_k duration_k Σ_r s_r max(0, p_k − λ/E_r)."""
    total = 0.0
    for task in range(duration.size):
        for machine in range(speed.size):
            margin = price[task] - thresholds[machine]
            if margin <= 0.0:
                break
            total += duration[task] * speed[machine] * margin
    return total
