"""Machines with operating points as branch and price reads them: pricing shares out their time.

At a price λ of energy a task that has a machine for a time τ is worth at most

    h_j(τ) = max_f  a_j(f) − λ τ P(f / τ),

P the power at an average speed, which is the hull of the points. ``h_j`` is concave and piecewise
linear: from the dearest unit of work on, either a segment of slope ``σ`` is done at the highest
point of which the increment is worth its energy, ``σ > λ / E_k``, or, once ``σ`` is below that, the
same work is done more slowly, without increment k. So the recursion of
`dsct_gym.baselines.branch_and_price.pricing` holds with time for work, and a column mixes points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dsct_gym.allocation import pack
from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.baselines.branch_and_price.packed import PackedProblem, largest_rise
from dsct_gym.baselines.branch_and_price.pricing import Offer
from dsct_gym.points import DvfsInstance
from dsct_gym.points.allocation import optimal_work
from dsct_gym.points.schedule import slowest_speeds


class TimeCurves(NamedTuple):
    """What tasks are worth by the time that they have; pieces of a row in order.

    Attributes:
        slope: Value per second (n, Q), non-increasing along a row.
        width: Length of each piece (n, Q), s.
        rate: Work per second (n, Q), GFLOP/s.
    """

    slope: Floats
    width: Floats
    rate: Floats


@dataclass(frozen=True)
class PackedPoints(PackedProblem):
    """A `DvfsInstance`: pricing shares out a machine's time.

    Attributes:
        problem: The problem.
        deadline: Deadlines (n,), s, non-decreasing.
        speed: Speeds of the hull of each kind, GFLOP/s, from standing still on.
        power: Power at each of them, as a share of the budget per second.
    """

    problem: DvfsInstance
    deadline: Floats
    speed: tuple[Floats, ...]
    power: tuple[Floats, ...]

    @classmethod
    def of(cls, problem: DvfsInstance) -> PackedPoints:
        """Prepares a problem with a positive energy budget and a curve that rises."""
        core, order = problem.core, problem.core.edf_order
        kinds: dict[tuple[bytes, bytes], int] = {}
        speed: list[Floats] = []
        power: list[Floats] = []
        kind: list[int] = []
        for points in problem.points:
            speeds, powers = points.speeds[points.hull], points.powers[points.hull]
            known = kinds.setdefault((speeds.tobytes(), powers.tobytes()), len(kinds))
            kind.append(known)
            if known == len(speed):
                speed.append(np.append(0.0, speeds))
                power.append(np.append(0.0, powers) / core.energy_budget)
        unit = largest_rise(core)
        return cls(
            slope=np.ascontiguousarray(core.slopes[order]) / unit,
            width=np.ascontiguousarray(np.diff(core.work, axis=1)[order]),
            kind=np.array(kind, dtype=np.int64),
            base=float(core.base_accuracy.sum()),
            unit=unit,
            kernels=pack(problem),
            problem=problem,
            deadline=core.deadlines[order],
            speed=tuple(speed),
            power=tuple(power),
        )

    def offer(self, kind: int, energy_price: float, fee: Floats, allowed: Bools) -> Offer:
        """As the base class says: the curves in time, which are net of energy."""
        curves = self.curves(kind, energy_price)
        return Offer(
            capacity=self.deadline,
            slope=curves.slope,
            width=curves.width,
            energy_rate=0.0,
            fee=fee,
            allowed=allowed,
        )

    def works(self, kind: int, energy_price: float, amounts: Floats) -> Floats:
        """As the base class says: the work that is best done in the time."""
        curves = self.curves(kind, energy_price)
        left = np.maximum(amounts, 0.0)[:, None] - (np.cumsum(curves.width, axis=1) - curves.width)
        done = (curves.rate * np.clip(left, 0.0, curves.width)).sum(axis=1)
        return np.where(amounts >= 0.0, done, amounts)

    def energy(self, kind: int, works: Floats) -> float:
        """As the base class says: at the slowest speeds that meet the deadlines."""
        speeds, powers = self.speed[kind], self.power[kind]
        runs = works > 0.0
        work = works[runs]
        alone = np.zeros(work.size, dtype=np.int64)
        speed = slowest_speeds(self.deadline[runs], work, alone, 1)
        speed = np.clip(speed, speeds[1], speeds[-1])
        return float((work / speed * np.interp(speed, speeds, powers)).sum())

    def best_works(self, machine: Ints) -> Floats:
        """As the base class says."""
        return optimal_work(self.problem, machine)

    def curves(self, kind: int, energy_price: float) -> TimeCurves:
        """The functions ``h_j`` of a kind of machine.

        Args:
            kind: The kind.
            energy_price: Price of the whole budget, in units.
        """
        n, segments = self.slope.shape
        speeds, powers = self.speed[kind], self.power[kind]
        cost = energy_price * np.diff(powers) / np.diff(speeds)  # of work on each increment
        events = np.concatenate([self.slope, np.tile(cost, (n, 1))], axis=1)
        order = np.argsort(-events, axis=1, kind="stable")
        worth = np.take_along_axis(events, order, axis=1)
        slows = order >= segments
        widths = np.concatenate([self.width, np.zeros((n, cost.size))], axis=1)
        width = np.take_along_axis(widths, order, axis=1)
        done = np.cumsum(width, axis=1) - width
        point = cost.size - (np.cumsum(slows, axis=1) - slows)
        runs = point - slows > 0  # below the first increment nothing is worth its energy
        point = np.where(runs, point, 1)
        speed, slower = speeds[point], speeds[point - slows]
        slower = np.where(slower > 0.0, slower, 1.0)
        length = np.where(slows, done / slower - done / speed, width / speed)
        return _compact(
            TimeCurves(
                slope=np.where(runs, worth * speed - energy_price * powers[point], 0.0),
                width=np.where(runs, np.maximum(length, 0.0), 0.0),
                rate=np.where(slows, 0.0, speed),
            )
        )


def _compact(curves: TimeCurves) -> TimeCurves:
    """Empty pieces last and worth nothing; slopes that rounding made rise are level."""
    empty = (curves.width <= 0.0) | (curves.slope <= 0.0)
    order = np.argsort(empty, axis=1, kind="stable")
    kept = np.take_along_axis(~empty, order, axis=1)
    slope, width, rate = (np.take_along_axis(each, order, axis=1) for each in curves)
    slope = np.maximum.accumulate(np.where(kept, slope, 0.0)[:, ::-1], axis=1)[:, ::-1]
    return TimeCurves(
        slope=np.ascontiguousarray(slope), width=np.where(kept, width, 0.0), rate=rate
    )
