"""`approx`: DSCT-APPROX, list scheduling of the fractional relaxation.

Source: Barros et al., "Deadline Scheduling with Compressible Tasks, Energy Aware", ICPP 2024, and
its energy-free parent DSCT (AlgoTel/CCGrid 2024), for which ``UB − SOL ≤ G``,
``G = m A (1 + ln(θ_max/θ_min)/e)``, ``A = max_j (a_j^max − a_j^min)``.
"""

from __future__ import annotations

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.jit import kernel
from dsct_gym.list_schedule import assign, working_speeds
from dsct_gym.problem import Problem
from dsct_gym.relaxation import relax
from dsct_gym.schedule import schedule_of
from dsct_gym.solver import Answer, Solver, practises


@practises()
class Approx(Solver):
    """DSCT-APPROX in its three steps.

    1. Solve the fractional relaxation: the work of each task and the busy time of each machine,
       which is its share of the energy (the energy profile).
    2. Take the tasks by deadline, each with its whole fractional work, to a machine.
    3. On each machine cut what passes a deadline or the machine's share, and start the followers
       earlier.

    A machine with several clocks counts with the speed at which it would spend its share of the
    energy in its busy time; what is left of the tasks runs as slowly as deadlines allow. The
    guarantee above is not shown for that.
    """

    name = "approx"
    knows = frozenset({"points"})

    def _solve(self, instance: Problem, *, time_limit: float | None, seed: int | None) -> Answer:
        relaxation, core = relax(instance), instance.core
        machine_of = assign(instance, relaxation)
        order = core.edf_order
        work = _cut(
            core.deadlines[order],
            working_speeds(instance, relaxation),
            relaxation.busy_time,
            relaxation.work[order],
            machine_of[order],
        )
        return Answer(schedule_of(instance, machine_of, work[core.edf_rank]), relaxation.bound)


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
