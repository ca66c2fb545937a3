"""`model-switching`: one level for all at a time, as high as the arrival rate permits."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from dsct_gym.arguments import as_number
from dsct_gym.arrays import Floats
from dsct_gym.baselines.dispatch.arrival_rate import arrival_rate
from dsct_gym.baselines.dispatch.soonest import highest_up_to
from dsct_gym.jit import helper
from dsct_gym.online.known import Choice, Known
from dsct_gym.online.policy import CompiledPolicy, at_arrival
from dsct_gym.solver import practises


class _Parameter(IntEnum):
    """Places of its options."""

    HEADROOM = 0
    WINDOW = 1


@helper
def _decide(known: Known, memory: Floats, parameters: Floats) -> Choice:
    """The level of the hour or, where it does not fit, the next lower one that does."""
    task = known.waiting[0]
    for level in range(memory.size):  # sums of the works of all tasks seen
        memory[level] += known.level[task, level]
    window = parameters[_Parameter.WINDOW] * known.horizon
    rate = arrival_rate(known.arrival, known.clock, window)
    return highest_up_to(known, task, _level_for(known, memory, parameters, rate))


@helper
def _level_for(known: Known, sums: Floats, parameters: Floats, rate: float) -> int:
    """The highest level that machines and energy could keep up at this rate; else the lowest."""
    speed = known.speed.sum()
    power = 0.0
    for machine in range(known.speed.size):
        power += known.speed[machine] / known.efficiency[machine]
    energy = (known.budget - known.spent) * speed / power  # in GFLOP
    for level in range(sums.size - 1, 0, -1):
        demand = rate * sums[level] / known.arrival.size  # GFLOP/s
        in_time = parameters[_Parameter.HEADROOM] * demand <= speed
        if in_time and demand * (known.horizon - known.clock) <= energy:
            return level
    return 0


@practises()
class ModelSwitching(CompiledPolicy):
    """One compression level for the whole service at a time, by load.

    With each arrival the rate is estimated, by the tasks of a window of time, and the highest level
    is found whose mean work, over the tasks seen, all machines together could do at 1.05 times that
    rate and the energy left would pay for until the end. The task gets this level, or the next
    lower one that makes its deadline, on the machine that ends first.

    Source: Zhang et al., "Model-Switching: dealing with fluctuating workloads in
    machine-learning-as-a-service systems", HotCloud 2020; the test of throughput with its 1.05 is
    that of Jellyfish (Nigade et al., RTSS 2022). The test of energy is this project's own.

    Args:
        headroom: By how much the machines must be able to do more than the demand.
        window: Time over which the rate is estimated, as a share of the horizon.
        levels: As for `DispatchPolicy`.
        pace: As for `DispatchPolicy`.

    Raises:
        InputError: If an option is out of range.
    """

    name = "model-switching"
    play = at_arrival(_decide)

    def __init__(
        self,
        *,
        headroom: float = 1.05,
        window: float = 0.1,
        levels: int = 10,
        pace: float | None = None,
    ) -> None:
        super().__init__(levels=levels, pace=pace)
        self.headroom = as_number(headroom, "headroom", 0.01, 100.0)
        self.window = as_number(window, "window", 1e-6, 1.0)

    def memory(self, machines: int) -> int:
        """A sum of works for each level."""
        return self.levels

    @property
    def parameters(self) -> Floats:
        """By `_Parameter` (2,)."""
        return np.array([self.headroom, self.window])
