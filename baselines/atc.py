"""`atc`: apparent tardiness cost, aware of energy: the dispatching rule of weighted tardiness.

Source of the index: Vepsalainen and Morton, "Priority rules for job shops with weighted tardiness
costs", Management Science 33(8), 1987. That each task goes where it is worth most, energy at its
price included, is this project's own.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from dsct_gym.allocation import allocate
from dsct_gym.baselines.sequencing.rules import by_urgency
from dsct_gym.errors import InputError
from dsct_gym.problem import Problem
from dsct_gym.schedule import value
from dsct_gym.soft import SoftInstance, Step
from dsct_gym.solver import Answer, Solver, practises

LOOKAHEADS: Final = (0.5, 1.0, 2.0, 4.0)
"""What is tried where none is given."""


@practises()
class Atc(Solver):
    """Apparent tardiness cost, aware of energy.

    Whenever a machine is free, the waiting task with the highest index
    ``w/p · exp(−max(0, d − p − t) / (lookahead · mean p))`` is next; it goes to the machine, and
    with the work of one of its breakpoints, where it is worth most: accuracy less penalty less the
    price of energy. Where refusing it is worth more, it is refused. With hard deadlines a task is
    worth nothing late, and the assignment gets exact processing times.

    Args:
        lookahead: The rule's parameter; left out, the best of 0.5, 1, 2 and 4.

    Raises:
        InputError: If ``lookahead`` is not positive.
    """

    name = "atc"
    knows = frozenset({"soft"})
    meant_for = frozenset({"soft"})

    def __init__(self, lookahead: float | None = None) -> None:
        if lookahead is not None and not 0.0 < lookahead < np.inf:
            raise InputError(f"lookahead: must be positive, got {lookahead:g}")
        self.lookaheads = LOOKAHEADS if lookahead is None else (float(lookahead),)

    def _solve(self, instance: Problem, *, time_limit: float | None, seed: int | None) -> Answer:
        if not isinstance(instance, SoftInstance):
            softened = SoftInstance(
                instance.core, Step(cap=1.0), budget=instance.core.energy_budget
            )
            tried = [by_urgency(softened, each).machine for each in self.lookaheads]
            schedules = [allocate(instance, machine) for machine in tried]
        else:
            schedules = [by_urgency(instance, each) for each in self.lookaheads]
        return Answer(max(schedules, key=value))
