"""`approx-refined`: the assignment of DSCT-APPROX with exact processing times."""

from __future__ import annotations

from dsct_gym.allocation import allocate
from dsct_gym.list_schedule import assign
from dsct_gym.problem import Problem
from dsct_gym.relaxation import relax
from dsct_gym.solver import Answer, Solver, practises


@practises()
class ApproxRefined(Solver):
    """DSCT-APPROX with its third step replaced by the optimum for the assignment.

    It is never worse than `approx`, whose schedule is one of those it chooses from.
    """

    name = "approx-refined"
    knows = frozenset({"points"})

    def _solve(self, instance: Problem, *, time_limit: float | None, seed: int | None) -> Answer:
        relaxation = relax(instance)
        return Answer(allocate(instance, assign(instance, relaxation)), relaxation.bound)
