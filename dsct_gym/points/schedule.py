"""Clocks for given works: the slowest that meet the deadlines, which take the least energy.

Power is convex in the speed, so given works by given deadlines take least energy at speeds that
change as little as deadlines allow: the cumulated work of a machine over time is the least concave
curve above the work due at each deadline (Yao, Demers and Shenker, "A scheduling model for reduced
CPU energy", FOCS 1995, for tasks that are all there from the start). No machine runs slower than
the first point of its hull, for standing still part of the time is cheaper. A task runs in two
pieces, at the points of the hull next to its speed.
"""

from __future__ import annotations

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
        The schedule. It is not verified here.

    Raises:
        InputError: If shapes or machine indices do not fit the problem, or work is not finite.
    """
    core = problem.core
    machine, work = check_works(core, machine_of, work)
    if np.shape(speed) != machine.shape:
        raise InputError(f"speed: shape {np.shape(speed)} for {core.num_tasks} tasks")
    mix = _Mix(problem, machine, np.asarray(speed, np.float64))
    pieces, duration, energy = mix.run(work)
    start = edf_starts(core, machine, duration)
    rows = Rows(
        task=np.arange(core.num_tasks),
        machine=machine,
        start=start,
        duration=duration,
        work=work,
        accuracy=evaluate_curves(core.work, core.accuracy, work),
        energy=energy,
    )
    return Schedule.from_rows(
        problem, rows, pieces=pieces._replace(start=pieces.start + start[pieces.task])
    )


class _Mix:
    """The two neighbours on the hull that give each task its average speed, the faster first."""

    def __init__(self, problem: DvfsInstance, machine: Ints, speed: Floats) -> None:
        n = machine.size
        self.runs = machine >= 0
        self.speeds, self.powers = np.ones((2, n)), np.ones((2, n))
        self.average = np.ones(n)
        for r, points in enumerate(problem.points):
            here = np.flatnonzero(machine == r)
            speeds, powers = points.speeds[points.hull], points.powers[points.hull]
            average = np.clip(speed[here], speeds[0], speeds[-1])
            above = np.searchsorted(speeds, average * (1.0 - ROUNDING))
            exact = np.abs(speeds[above] - average) <= ROUNDING * average
            below = np.where(exact, above, above - 1)
            self.average[here] = np.where(exact, speeds[above], average)
            for side, point in enumerate((above, below)):
                self.speeds[side, here], self.powers[side, here] = speeds[point], powers[point]

    def run(self, work: Floats) -> tuple[Pieces, Floats, Floats]:
        """Pieces, with starts from the start of their task; durations (n,) and energies (n,)."""
        whole = work / self.average
        (fast, slow), (hot, cool) = self.speeds, self.powers
        span = fast - slow
        share = np.divide(self.average - slow, span, out=np.ones_like(span), where=span > 0.0)
        first = whole * share
        done = np.where(share < 1.0, fast * first, work)
        times = np.stack([first, np.where(share < 1.0, (work - done) / slow, 0.0)])
        works = np.stack([done, work - done])
        energies = works / np.stack([fast / hot, slow / cool])
        there = ((times > 0.0) & self.runs).T
        # By task, so that a file lists them in the order in which they run.
        pieces = Pieces(
            task=np.nonzero(there)[0].astype(np.int64),
            speed=self.speeds.T[there],
            power=self.powers.T[there],
            start=np.stack([np.zeros_like(first), first]).T[there],
            duration=times.T[there],
            work=works.T[there],
        )
        duration = np.where(self.runs, np.where(share < 1.0, times.sum(axis=0), whole), 0.0)
        return pieces, duration, np.where(self.runs, energies.sum(axis=0), 0.0)


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
