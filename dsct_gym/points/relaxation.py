"""The fractional relaxation with operating points: that of the increments as machines.

A machine that is worth running at the end of an increment is worth running at its beginning, for
work there takes less energy. So increments that are free to be taken each for itself are taken in
their order, and what holds for machines (`dsct_gym.relaxation`) holds for them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.list_schedule import working_speeds
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.relaxation import Relaxation, relax


@relax.register
def _(problem: DvfsInstance) -> Relaxation:
    increments, virtual = problem.increments, relax(problem.virtual)
    energy = np.zeros(problem.core.num_machines)
    np.add.at(energy, increments.owner, virtual.energy)
    return replace(
        virtual,
        # The first increment is at work whenever another is.
        busy_time=virtual.busy_time[increments.first[:-1]],
        energy=energy,
    )


@working_speeds.register
def _(problem: DvfsInstance, relaxation: Relaxation) -> Floats:
    # More is done at the average of the power than on average, for speed is concave in the power.
    busy = np.where(relaxation.busy_time > 0.0, relaxation.busy_time, 1.0)
    speeds = np.zeros(problem.core.num_machines)
    for r, (points, power) in enumerate(zip(problem.points, relaxation.energy / busy, strict=True)):
        known, powers = points.speeds[points.hull], points.powers[points.hull]
        speeds[r] = np.clip(np.interp(power, powers, known), known[0], known[-1])
    return speeds
