"""`edf-online`: idle machines take the most urgent task, in full or not at all."""

from __future__ import annotations

from dsct_gym.arrays import Floats
from dsct_gym.jit import helper
from dsct_gym.online.known import NOTHING, Choice, Known, room
from dsct_gym.online.policy import CompiledPolicy, when_idle
from dsct_gym.solver import practises


@helper
def _decide(known: Known, memory: Floats, parameters: Floats) -> Choice:
    """The most urgent task that the machine can do in full by its deadline."""
    whole = known.level.shape[1] - 1
    for task in known.waiting:
        work = known.level[task, whole]
        if 0.0 < work <= room(known, task, known.machine):
            return Choice(task=task, machine=known.machine, work=work)
    return NOTHING


@practises()
class EdfOnline(CompiledPolicy):
    """Earliest deadline first without compression, as tasks arrive.

    A machine that is idle takes the waiting task with the earliest deadline that it can do in full
    by then, within the energy left; a task that fits no idle machine in time is dropped.

    Source: EDF-NoCompression, the reference policy of the parent paper (DSCT, CCGrid 2024), here
    without knowledge of what comes.
    """

    name = "edf-online"
    play = when_idle(_decide)
