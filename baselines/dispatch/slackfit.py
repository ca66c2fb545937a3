"""`slackfit`: an idle machine takes the most urgent task, at the level that just fits its slack."""

from __future__ import annotations

from dsct_gym.arrays import Floats
from dsct_gym.jit import helper
from dsct_gym.online.known import NOTHING, Choice, Known, room
from dsct_gym.online.policy import CompiledPolicy, when_idle
from dsct_gym.solver import practises


@helper
def _decide(known: Known, memory: Floats, parameters: Floats) -> Choice:
    """The most urgent task that fits, at the highest level that does."""
    for task in known.waiting:
        most = room(known, task, known.machine)
        for level in range(known.level.shape[1] - 1, -1, -1):
            work = known.level[task, level]
            if 0.0 < work <= most:
                return Choice(task=task, machine=known.machine, work=work)
    return NOTHING


@practises()
class Slackfit(CompiledPolicy):
    """Earliest deadline first, each task at the level that fills the time it has.

    A machine that is idle takes the waiting task with the earliest deadline, at the highest
    compression level that it can do by then within the energy left. A task of which no level fits
    is passed over. Under load slack is short, and so tasks are compressed: nothing is estimated.

    Source: SlackFit of SuperServe (Khare et al., NSDI 2025, arXiv 2312.16733), after its abstract
    and text, with batches of one; there is no energy in it.
    """

    name = "slackfit"
    play = when_idle(_decide)
