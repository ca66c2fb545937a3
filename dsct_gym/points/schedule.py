"""Clocks for given works: the slowest that meet the deadlines, which take the least energy.

Power is convex in the speed, so given works by given deadlines take least energy at speeds that
change as little as deadlines allow: the cumulated work of a machine over time is the least concave
curve above the work due at each deadline (Yao, Demers and Shenker, "A scheduling model for reduced
CPU energy", FOCS 1995, for tasks that are all there from the start). No machine runs slower than
the first point of its hull, for standing still part of the time is cheaper. A task runs in two
pieces, at the points of the hull next to its speed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.accuracy import evaluate_curves
from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError
from dsct_gym.jit import kernel
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.schedule import Schedule, check_works, edf_starts, schedule_of
from dsct_gym.tolerances import ROUNDING
from dsct_gym.verifier import Pieces, Rows


@schedule_of.register
def _(problem: DvfsInstance, machine_of: Ints, work: Floats) -> Schedule:
    core = problem.core
    machine, work = check_works(core, machine_of, work)
    order, rank = core.edf_order, core.edf_rank
    due = core.deadlines[order]
    speed = slowest_speeds(due, work[order], machine[order], core.num_machines)[rank]
    return at_speeds(problem, machine, work, speed)


def at_speeds(problem: DvfsInstance, machine_of: Ints, work: Floats, speed: Floats) -> Schedule:
    """Runs each machine's tasks by deadline without idling, at given average speeds.

    Args:
        problem: The problem.
        machine_of: Machine of each task (n,), −1 for none.
        work: Work spent on each task (n,), GFLOP.
        speed: Average speed of each task (n,), GFLOP/s, as far as its machine goes: between the
            first and the last point of its hull.

    Returns:
        The schedule, of least energy at these speeds. It is not verified here.

    Raises:
        InputError: If shapes or machine indices do not fit the problem, or work is not finite.
    """
    machine, work = check_works(problem.core, machine_of, work)
    if np.shape(speed) != machine.shape:
        raise InputError(f"speed: shape {np.shape(speed)} for {problem.core.num_tasks} tasks")
    mix = _Mix.plain(machine.size)
    for r, points in enumerate(problem.points):
        here = np.flatnonzero(machine == r)
        speeds, powers = points.speeds[points.hull], points.powers[points.hull]
        average = np.clip(np.asarray(speed)[here], speeds[0], speeds[-1])
        above = np.searchsorted(speeds, average * (1.0 - ROUNDING))
        exact = np.abs(speeds[above] - average) <= ROUNDING * average
        below = np.where(exact, above, above - 1)
        mix.average[here] = np.where(exact, speeds[above], average)
        for side, point in enumerate((above, below)):
            mix.speeds[side, here], mix.powers[side, here] = speeds[point], powers[point]
    return _run(problem, machine, work, mix)


def at_points(problem: DvfsInstance, machine_of: Ints, work: Floats, point_of: Ints) -> Schedule:
    """Runs each machine's tasks by deadline without idling, all at one of its points.

    Args:
        problem: The problem.
        machine_of: Machine of each task (n,), −1 for none.
        work: Work spent on each task (n,), GFLOP.
        point_of: Which of its operating points each machine runs at (m,), on its hull or not.

    Returns:
        The schedule. It is not verified here.

    Raises:
        InputError: If shapes or indices do not fit the problem, or work is not finite.
    """
    machine, work = check_works(problem.core, machine_of, work)
    if len(point_of) != len(problem.points):
        raise InputError(f"point_of: {len(point_of)} points for {len(problem.points)} machines")
    mix = _Mix.plain(machine.size)
    for r, (points, point) in enumerate(zip(problem.points, point_of, strict=True)):
        if not 0 <= point < points.size:
            raise InputError(f"point_of[{r}]: {point} of {points.size} points")
        here = machine == r
        mix.average[here] = points.speeds[point]
        mix.speeds[:, here], mix.powers[:, here] = points.speeds[point], points.powers[point]
    return _run(problem, machine, work, mix)


class _Mix(NamedTuple):
    """The average speed of each task and the two points between which it lies, the faster first.

    Attributes:
        average: GFLOP/s (n,).
        speeds: GFLOP/s (2, n); the same twice where one point does.
        powers: W (2, n).
    """

    average: Floats
    speeds: Floats
    powers: Floats

    @classmethod
    def plain(cls, tasks: int) -> _Mix:
        """Whatever can be divided by, for tasks without a machine."""
        return cls(np.ones(tasks), np.ones((2, tasks)), np.ones((2, tasks)))


def _run(problem: DvfsInstance, machine: Ints, work: Floats, mix: _Mix) -> Schedule:
    """Runs each machine's tasks by deadline without idling, the faster point of each task first."""
    core, runs = problem.core, machine >= 0
    fast, slow = mix.speeds
    span, whole = fast - slow, work / mix.average
    mixed = span > 0.0
    first = whole * np.divide(mix.average - slow, span, out=np.ones_like(span), where=mixed)
    done = np.where(mixed, fast * first, work)
    times = np.stack([first, (work - done) / slow])
    works = np.stack([done, work - done])
    energy = (works / (mix.speeds / mix.powers)).sum(axis=0)
    duration = times.sum(axis=0)
    start = edf_starts(core, machine, duration)
    there = ((works > 0.0) & runs).T
    # By task, so that a file lists them in the order in which they run.
    pieces = Pieces(
        task=np.nonzero(there)[0].astype(np.int64),
        speed=mix.speeds.T[there],
        power=mix.powers.T[there],
        start=np.stack([start, start + first]).T[there],
        duration=times.T[there],
        work=works.T[there],
    )
    rows = Rows(
        task=np.arange(core.num_tasks),
        machine=machine,
        start=start,
        duration=np.where(runs, duration, 0.0),
        work=work,
        accuracy=evaluate_curves(core.work, core.accuracy, work),
        energy=np.where(runs, energy, 0.0),
    )
    return Schedule.from_rows(problem, rows, pieces=pieces)


@kernel
def slowest_speeds(deadline: Floats, work: Floats, machine: Ints, machines: int) -> Floats:
    """Speed of each task at which its machine works as evenly as deadlines allow.

    Blocks of tasks that share a speed are merged until speeds fall from block to block.

    Args:
        deadline: Deadlines (n,), s, non-decreasing.
        work: Work of each task (n,), GFLOP.
        machine: Machine of each task (n,), −1 for none.
        machines: Number of machines m.

    Returns:
        Speeds (n,), GFLOP/s; 0 where there is no machine.
    """
    n = deadline.size
    last = np.full(machines, -1, dtype=np.int64)  # last task of each machine's latest block
    ahead = np.full(n, -1, dtype=np.int64)  # of a block: the block ahead on the same machine
    joined = np.full(n, -1, dtype=np.int64)  # of a block: the one that it became part of
    begin, total, speed = np.zeros(n), work.copy(), np.zeros(n)
    for task in range(n):
        r = machine[task]
        if r < 0:
            continue
        before = last[r]
        if before >= 0:
            begin[task] = deadline[before]
        while True:
            span = deadline[task] - begin[task]
            speed[task] = total[task] / span if span > 0.0 else np.inf
            if before < 0 or speed[before] > speed[task]:
                break
            begin[task] = begin[before]
            total[task] += total[before]
            joined[before] = task
            before = ahead[before]
        ahead[task] = before
        last[r] = task
    for task in range(n - 1, -1, -1):
        if joined[task] >= 0:
            speed[task] = speed[joined[task]]
    return speed
