"""The exponential accuracy curves themselves, by outer approximation.

Tangents lie above a concave curve, chords below it. A programme whose curves are the least of a few
tangents of each task therefore bounds the smooth objective from above; the works of its solution
tell where the next tangents are needed; and the assignment it chooses, with exact processing times
on fine chords, is a schedule whose smooth objective is known. A few rounds close the gap.

Source: Duran and Grossmann, "An outer-approximation algorithm for a class of mixed-integer
nonlinear programs", Mathematical Programming 36, 1986.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dsct_gym.accuracy import (
    DEFAULT_A_MAX,
    DEFAULT_A_MIN,
    DEFAULT_EPSILON,
    exponential_accuracy,
    exponential_max_work,
    pad_curves,
)
from dsct_gym.allocation import allocate
from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.milp.claims import Improvement, least_bound
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.relaxation import relax
from dsct_gym.schedule import Schedule
from dsct_gym.solver import Answer, Solution
from dsct_gym.tolerances import CONCAVITY

_FIRST_TANGENTS = 12
_CHORDS = 512  # below the smooth curve by at most 2e-6 of its rise
_NEAREST = 1e-6  # least distance of two tangents, in units of 1/theta
_SAME = 1e-9  # distance of two breakpoints, over the curve's length, that are one
_MOST_ROUNDS = 50


@dataclass(frozen=True)
class SmoothCurves:
    """Exponential curves ``a_min + (a_max − a_min) (1 − e^{−θ f}) / (1 − ε)``, cut at a_max.

    Attributes:
        theta: Task efficiencies (n,), 1/GFLOP, positive, in the order of the instance.
        a_min: Accuracy without work, in [0, a_max]: one value or one a task (n,).
        a_max: Greatest accuracy, at most 1: one value or one a task (n,).
        epsilon: What is left of the exponential at the cut, in (0, 1).

    Raises:
        InputError: If a value is out of range.
    """

    theta: Floats
    a_min: float | Floats = DEFAULT_A_MIN
    a_max: float | Floats = DEFAULT_A_MAX
    epsilon: float = DEFAULT_EPSILON

    def __post_init__(self) -> None:
        theta = np.array(self.theta, dtype=np.float64)
        if theta.ndim != 1 or theta.size == 0:
            raise InputError("smooth.theta: must be one value a task")
        if not (np.isfinite(theta) & (theta > 0.0)).all():
            raise InputError("smooth.theta: must be finite and positive")
        if not 0.0 < self.epsilon < 1.0:
            raise InputError(f"smooth.epsilon: must be in (0, 1), got {self.epsilon:g}")
        object.__setattr__(self, "theta", theta)
        for field in ("a_min", "a_max"):
            values = np.array(getattr(self, field), dtype=np.float64)
            if values.shape not in ((), theta.shape):
                raise InputError(f"smooth.{field}: shape {values.shape} for {theta.size} tasks")
            object.__setattr__(self, field, np.broadcast_to(values, theta.shape))
        low, high = np.asarray(self.a_min), np.asarray(self.a_max)
        if not ((low >= 0.0) & (low <= high) & (high <= 1.0)).all():
            raise InputError("smooth: needs 0 <= a_min <= a_max <= 1")

    @classmethod
    def of(cls, instance: Instance, epsilon: float = DEFAULT_EPSILON) -> SmoothCurves:
        """The exponential curves from which an instance was generated.

        Args:
            instance: An instance whose breakpoints lie on exponential curves, the last at the cut.
            epsilon: What is left of the exponential at the cut.

        Raises:
            InputError: If a breakpoint lies elsewhere, naming the task.
        """
        theta = -math.log(epsilon) / instance.max_work
        curves = cls(theta, instance.base_accuracy, instance.top_accuracy, epsilon)
        error = np.abs(curves.accuracy(instance.work) - instance.accuracy)
        rise = instance.top_accuracy - instance.base_accuracy
        wrong = np.flatnonzero((error > CONCAVITY * rise[:, None]).any(axis=1))
        if wrong.size:
            raise InputError(
                f"tasks[{wrong[0]}].accuracy: not an exponential curve with epsilon {epsilon:g}"
            )
        return curves

    @property
    def max_work(self) -> Floats:
        """Work at which each curve is cut (n,), GFLOP."""
        return exponential_max_work(self.theta, self.epsilon)

    def accuracy(self, work: npt.ArrayLike) -> Floats:
        """Accuracy of each task (n,) or (n, P) for its works (n,) or (n, P), GFLOP."""
        spent = np.asarray(work, dtype=np.float64)
        column = (slice(None), *([None] * (spent.ndim - 1)))
        return exponential_accuracy(
            spent,
            self.theta[column],
            a_min=np.asarray(self.a_min)[column],  # type: ignore[arg-type]
            a_max=np.asarray(self.a_max)[column],  # type: ignore[arg-type]
            epsilon=self.epsilon,
        )

    def below(self, instance: Instance, works: Iterable[Floats]) -> Instance:
        """The instance with chords through the given works of each task, 0 and the cut.

        Args:
            instance: The problem; its curves are replaced.
            works: Works of each task, one array a task, GFLOP.

        Returns:
            An instance on which a schedule earns at most what it earns on the smooth curves, and
            as much where every task does one of the given works or none.
        """
        points = [
            np.unique(np.concatenate(([0.0], np.clip(some, 0.0, most), [most])))
            for some, most in zip(works, self.max_work, strict=True)
        ]
        work, _ = pad_curves([(p.tolist(), p.tolist()) for p in points])
        return replace(instance, work=work, accuracy=self.accuracy(work))

    def above(self, instance: Instance, tangents: Iterable[Floats]) -> Instance:
        """The instance with the least of the tangents at the given points of each task.

        Args:
            instance: The problem; its curves are replaced.
            tangents: Points of each task, one array a task, in units of 1/theta, ascending from
                0 to ``−ln ε``.

        Returns:
            An instance on which a schedule earns at least what it earns on the smooth curves.
        """
        curves = []
        for task, points in enumerate(tangents):
            distance = np.diff(points)
            # Where the tangents to 1 − e^{−t} at two consecutive points meet.
            meeting = points[:-1] + 1.0 - distance / np.expm1(distance)
            left = np.exp(-points[:-1])
            height = 1.0 - left + left * (meeting - points[:-1])
            work = np.concatenate(([0.0], meeting, points[-1:])) / self.theta[task]
            share = np.concatenate(([0.0], height / (1.0 - self.epsilon), [1.0]))
            low, high = np.asarray(self.a_min)[task], np.asarray(self.a_max)[task]
            accuracy = np.minimum(high, low + (high - low) * share)
            curves.append((work.tolist(), accuracy.tolist()))
        work, accuracy = pad_curves(curves)
        return replace(instance, work=work, accuracy=accuracy)


def even_points(count: int, epsilon: float) -> Floats:
    """Points in units of 1/theta from 0 to the cut, between which all chords err alike.

    With ``u = e^{−t}`` what is left of the exponential, a chord over a short interval errs by
    ``u dt²/8``; points evenly spaced in ``√u`` make that the same everywhere.
    """
    root = np.linspace(1.0, math.sqrt(epsilon), count + 1)
    points = np.asarray(-2.0 * np.log(root))
    points[-1] = -math.log(epsilon)
    return points


class _Best(NamedTuple):
    """The best schedule so far on the smooth curves: machine and work of each task, total."""

    machine: Ints
    work: Floats
    total: float


Start = Callable[[Instance], Solution]
"""Makes a first schedule of a piecewise-linear instance."""

Improve = Callable[[Instance, Schedule, float], Improvement]
"""Solves a piecewise-linear instance from a schedule; told the best smooth total."""


def solve_smooth(
    instance: Instance,
    curves: SmoothCurves,
    start: Start,
    improve: Improve,
    *,
    relative_gap: float,
    seconds_left: Callable[[], float],
) -> Answer:
    """Outer approximation.

    Args:
        instance: The problem; its own curves are not used.
        curves: The smooth curves.
        start: Makes the first schedule.
        improve: Solves one piecewise-linear programme.
        relative_gap: Gap on the smooth objective at which to stop.
        seconds_left: Time left, s.

    Returns:
        A schedule for the instance in which each curve is the chords of the smooth one through the
        given breakpoints and the work that the schedule does, so that its accuracy is the smooth
        one; and a proven upper bound on the smooth objective.
    """
    if curves.theta.size != instance.num_tasks:
        raise InputError(f"smooth.theta: {curves.theta.size} values, {instance.num_tasks} tasks")
    scale = curves.theta[:, None]
    grid = even_points(_CHORDS, curves.epsilon)
    fine = curves.below(instance, grid / scale)
    first = start(fine)
    best, interrupted = _score(curves, first.schedule), first.interrupted
    tangents = [even_points(_FIRST_TANGENTS, curves.epsilon)] * instance.num_tasks
    tangents, fractional = _tighten_by_relaxation(instance, curves, tangents)
    claims: list[float] = []
    for _ in range(_MOST_ROUNDS):
        bound = least_bound(fractional, claims, best.total)
        near = bound - best.total <= relative_gap * best.total
        if near or interrupted or seconds_left() <= 0.0:
            break
        outer = curves.above(instance, tangents)
        improved = improve(outer, allocate(outer, best.machine), best.total)
        claims += improved.claims
        found = _score(curves, allocate(fine, improved.schedule.machine))
        best = max(best, found, key=lambda one: one.total)
        interrupted = improved.interrupted
        denser = _with_tangents(tangents, curves.theta, [improved.schedule.work, found.work])
        if improved.failed or _count(denser) == _count(tangents):
            break
        tangents = denser
    bound = least_bound(fractional, claims, best.total)
    answered = curves.below(instance, _breakpoints_with(instance, best.work))
    schedule = Schedule.from_work(answered, best.machine, best.work)
    return Answer(schedule, max(bound, schedule.total_accuracy), interrupted)


def _score(curves: SmoothCurves, schedule: Schedule) -> _Best:
    return _Best(schedule.machine, schedule.work, float(curves.accuracy(schedule.work).sum()))


def _breakpoints_with(instance: Instance, work: Floats) -> list[Floats]:
    """The given breakpoints of each task with its work in place of any that it falls on."""
    apart = np.abs(instance.work - work[:, None]) > _SAME * instance.max_work[:, None]
    return [
        np.append(points[keep], some)
        for points, keep, some in zip(instance.work, apart, work, strict=True)
    ]


def _tighten_by_relaxation(
    instance: Instance, curves: SmoothCurves, tangents: list[Floats]
) -> tuple[list[Floats], float]:
    """Adds tangents where the fractional relaxation works, until its bound settles."""
    bound = math.inf
    for _ in range(_MOST_ROUNDS):
        relaxation = relax(curves.above(instance, tangents))
        if relaxation.bound >= bound * (1.0 - 1e-6):
            break
        bound = relaxation.bound
        tangents = _with_tangents(tangents, curves.theta, [relaxation.work])
    return tangents, min(bound, relaxation.bound)


def _with_tangents(tangents: list[Floats], theta: Floats, works: list[Floats]) -> list[Floats]:
    """Adds a tangent for each work that is not next to one already there."""
    denser = []
    for task, points in enumerate(tangents):
        for work in works:
            point = float(work[task] * theta[task])
            if 0.0 < point < points[-1] and np.abs(points - point).min() > _NEAREST:
                points = np.insert(points, np.searchsorted(points, point), point)
        denser.append(points)
    return denser


def _count(tangents: list[Floats]) -> int:
    return sum(points.size for points in tangents)
