"""`fixed-level`: one compression level for all tasks."""

from __future__ import annotations

import numpy as np

from dsct_gym.arguments import as_integer
from dsct_gym.arrays import Floats
from dsct_gym.baselines.dispatch.soonest import soonest
from dsct_gym.jit import helper
from dsct_gym.online.known import NOTHING, Choice, Known
from dsct_gym.online.policy import CompiledPolicy, at_arrival
from dsct_gym.solver import practises


@helper
def _decide(known: Known, memory: Floats, parameters: Floats) -> Choice:
    """The level, where it ends first."""
    task, level = known.waiting[0], int(parameters[0]) - 1
    machine = soonest(known, task, level)
    if machine < 0:
        return NOTHING
    return Choice(task=task, machine=machine, work=known.level[task, level])


@practises()
class FixedLevel(CompiledPolicy):
    """The same compression level for every task, or nothing.

    A task that arrives is given the level on the machine that ends first, if one can do it by the
    deadline within the energy left. Of all levels, the one that proves best afterwards is called
    best static.

    Source: how serving systems run that do not choose between variants of a model (Clipper, NSDI
    2017; Nexus, SOSP 2019; Clockwork, OSDI 2020), here one task at a time.

    Args:
        level: Which of the levels, from 1.
        levels: As for `DispatchPolicy`.
        pace: As for `DispatchPolicy`.

    Raises:
        InputError: If an option is out of range.
    """

    name = "fixed-level"
    play = at_arrival(_decide)

    def __init__(self, level: int = 5, *, levels: int = 10, pace: float | None = None) -> None:
        super().__init__(levels=levels, pace=pace)
        self.level = as_integer(level, "level", 1, self.levels)

    @property
    def parameters(self) -> Floats:
        """The level, from 1 (1,)."""
        return np.array([float(self.level)])
