"""`approx`: DSCT-APPROX, list scheduling of the fractional relaxation.

Source: Barros et al., "Deadline Scheduling with Compressible Tasks, Energy Aware", ICPP 2024, and
its energy-free parent DSCT (AlgoTel/CCGrid 2024), for which ``UB − SOL ≤ G``,
``G = m A (1 + ln(θ_max/θ_min)/e)``, ``A = max_j (a_j^max − a_j^min)``.
"""

from __future__ import annotations

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.instance import Instance
from dsct_gym.jit import kernel
from dsct_gym.relaxation import Relaxation, relax
from dsct_gym.schedule import Schedule
from dsct_gym.solver import Answer, Solver, practises


@practises()
class Approx(Solver):
    """DSCT-APPROX in its three steps.

    1. Solve the fractional relaxation: the work of each task and the busy time of each machine,
       which is its share of the energy (the energy profile).
    2. Take the tasks by deadline, each with its whole fractional work, to a machine.
    3. On each machine cut what passes a deadline or the machine's share, and start the followers
       earlier.
    """

    name = "approx"

    def _solve(self, instance: Instance, *, time_limit: float | None, seed: int | None) -> Answer:
        relaxation = relax(instance)
        machine_of = assign(instance, relaxation)
        order = instance.edf_order
        work = _cut(
            instance.deadlines[order],
            instance.speeds,
            relaxation.busy_time,
            relaxation.work[order],
            machine_of[order],
        )
        schedule = Schedule.from_work(instance, machine_of, work[instance.edf_rank])
        return Answer(schedule, relaxation.bound)


def assign(instance: Instance, relaxation: Relaxation) -> Ints:
    """Steps 1 and 2 of DSCT-APPROX: the machine of each task.

    In the fractional solution machine r may as well work without a break from time 0 until its
    busy time is over. Each task, by deadline, goes to the machine that would finish it first,
    among those that could start it within their busy time and before its deadline.

    Args:
        instance: The problem.
        relaxation: Its fractional relaxation.

    Returns:
        Machine of each task (n,); every task has one.
    """
    order = instance.edf_order
    machine = _list_schedule(
        instance.deadlines[order],
        instance.speeds,
        relaxation.busy_time,
        relaxation.work[order],
    )
    return machine[instance.edf_rank]


@kernel
def _list_schedule(deadline: Floats, speed: Floats, busy: Floats, work: Floats) -> Ints:
    """Machine of each task (n,), tasks in EDF order."""
    machine = np.zeros(deadline.size, dtype=np.int64)
    load = np.zeros(speed.size)
    for task in range(deadline.size):
        best, earliest = -1, np.inf
        for r in range(speed.size):
            finish = load[r] + work[task] / speed[r]
            if load[r] < min(busy[r], deadline[task]) and finish < earliest:
                best, earliest = r, finish
        if best < 0:  # Rounding has used up every share: the machine least beyond its own.
            best = int(np.argmin(load - busy))
        machine[task] = best
        load[best] += work[task] / speed[best]
    return machine


@kernel
def _cut(deadline: Floats, speed: Floats, busy: Floats, work: Floats, machine: Ints) -> Floats:
    """Step 3: work left of each task (n,), GFLOP; tasks in EDF order."""
    left = np.zeros_like(work)
    load = np.zeros(speed.size)
    for task in range(deadline.size):
        r = machine[task]
        time = max(0.0, min(deadline[task], busy[r]) - load[r])
        left[task] = min(work[task], speed[r] * time)
        load[r] += left[task] / speed[r]
    return left
