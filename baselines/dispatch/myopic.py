"""`myopic`: each task as accurate as it can be made, now."""

from __future__ import annotations

from dsct_gym.arrays import Floats
from dsct_gym.baselines.dispatch.soonest import highest_up_to
from dsct_gym.jit import helper
from dsct_gym.online.known import Choice, Known
from dsct_gym.online.policy import CompiledPolicy, at_arrival
from dsct_gym.solver import practises


@helper
def _decide(known: Known, memory: Floats, parameters: Floats) -> Choice:
    """The highest level that fits somewhere, where it ends first."""
    return highest_up_to(known, known.waiting[0], known.level.shape[1] - 1)


@practises()
class Myopic(CompiledPolicy):
    """Best accuracy for the task at hand.

    A task that arrives is given the highest compression level that some machine can do by its
    deadline within the energy left, on the machine that ends first; of equal ones the first.

    Source: the greedy choice of the best variant that meets the deadline, as serving systems make
    it for each request (INFaaS, ATC 2021).
    """

    name = "myopic"
    play = at_arrival(_decide)
