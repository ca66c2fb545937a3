"""`random`: every task on a random machine or none, with exact processing times."""

from __future__ import annotations

import numpy as np

from dsct_gym.allocation import allocate
from dsct_gym.problem import Problem
from dsct_gym.solver import Answer, Solver, practises


@practises()
class RandomAssignment(Solver):
    """What a random agent reaches in the assignment environment.

    Each task goes to one of the m machines or to none, all m + 1 choices equally likely; the
    processing times are the optimum for that assignment. Without a seed, the seed is 0.
    """

    name = "random"
    knows = frozenset({"points"})
    stochastic = True

    def _solve(self, instance: Problem, *, time_limit: float | None, seed: int | None) -> Answer:
        core = instance.core
        generator = np.random.default_rng(0 if seed is None else seed)
        machine_of = generator.integers(-1, core.num_machines, size=core.num_tasks)
        return Answer(allocate(instance, machine_of))
