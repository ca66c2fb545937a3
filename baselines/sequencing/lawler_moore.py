"""The optimum for a step penalty on one machine with whole tasks, by dynamic programming.

What is in time may run by deadline and what is late at the end, so only the set of tasks that are
in time matters. Tasks are taken by deadline; a state is the time used so far with the most that can
be gained in it. Of two states the one with less time and more gain does for both, so times need not
be whole numbers.

Source: Lawler and Moore, "A functional equation and its application to resource allocation and
sequencing problems", Management Science 16(1), 1969.
"""

from __future__ import annotations

import numpy as np

from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.baselines.sequencing.state import Data
from dsct_gym.schedule import Schedule
from dsct_gym.soft import SoftInstance, Step
from dsct_gym.soft.penalties import of_refusal
from dsct_gym.soft.sequences import run_in_order
from dsct_gym.tolerances import ROUNDING


def solves(problem: SoftInstance) -> bool:
    """Whether a problem is of the kind: a step, one machine, whole tasks, no budget."""
    stepped = isinstance(problem.penalty, Step) and problem.budget is None
    return stepped and problem.core.num_machines == 1 and bool(problem.whole.all())


def solve_step(problem: SoftInstance) -> Schedule:
    """The optimum of a problem that `solves` lets pass."""
    core, data = problem.core, Data.of(problem)
    duration = core.max_work / core.speeds[0]
    done = core.top_accuracy - problem.energy_price * core.max_work / core.efficiencies[0]
    charge = 1.0 if problem.penalty.cap is None else of_refusal(problem.penalty)
    late = done - charge * problem.weights
    gain = done - np.maximum(late, data.refused)
    order = core.edf_order
    in_time = _in_time(core.deadlines[order], duration[order], gain[order])
    place, machine = np.arange(core.num_tasks), np.zeros(core.num_tasks, dtype=np.int64)
    early = np.zeros(core.num_tasks, dtype=np.bool_)
    early[order[in_time]] = True
    place = np.where(early, core.edf_rank, core.num_tasks + place)
    machine[~early & (data.refused > late)] = -1
    return run_in_order(problem, machine, place)


def _in_time(deadline: Floats, duration: Floats, gain: Floats) -> Ints:
    """Which tasks to have in time, of tasks by deadline, so that they gain most."""
    time, gained = np.zeros(1), np.zeros(1)
    steps: list[tuple[Ints, Bools]] = []
    for d, p, g in zip(deadline, duration, gain, strict=True):
        fits = np.flatnonzero(time + p <= d * (1.0 + ROUNDING)) if g > 0.0 else np.zeros(0, int)
        both = np.concatenate([time, time[fits] + p])
        worth = np.concatenate([gained, gained[fits] + g])
        order = np.lexsort((-worth, both))
        best = np.maximum.accumulate(worth[order])
        kept = order[np.concatenate([[True], best[1:] > best[:-1]])]
        steps.append((np.concatenate([np.arange(time.size), fits])[kept], kept >= time.size))
        time, gained = both[kept], worth[kept]
    chosen, state = [], int(np.argmax(gained))
    for index in reversed(range(len(steps))):
        before, taken = steps[index]
        if taken[state]:
            chosen.append(index)
        state = int(before[state])
    return np.array(chosen, dtype=np.int64)
