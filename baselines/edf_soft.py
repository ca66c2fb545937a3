"""`edf`: earliest deadline first where deadlines may be missed."""

from __future__ import annotations

from dsct_gym.baselines.edf import EdfNoCompression
from dsct_gym.baselines.sequencing.rules import by_deadline
from dsct_gym.problem import Problem
from dsct_gym.soft import SoftInstance
from dsct_gym.solver import Answer, Solver, practises


@practises()
class Edf(Solver):
    """Earliest deadline first, every task in full, late or not.

    Tasks by deadline; each goes to the machine that finishes it first. It takes no notice of
    weights, of penalties or of the price of energy. Where a budget does not allow a task's whole
    work it gets less or, where it may be refused, nothing. With hard deadlines it is
    `edf-no-compression`.
    """

    name = "edf"
    knows = frozenset({"soft"})
    meant_for = frozenset({"soft"})

    def practise(self, problem: Problem) -> None:
        """As the base class, and the solver that it is with hard deadlines."""
        super().practise(problem)
        if not isinstance(problem, SoftInstance):
            EdfNoCompression().practise(problem)

    def _solve(self, instance: Problem, *, time_limit: float | None, seed: int | None) -> Answer:
        if isinstance(instance, SoftInstance):
            return Answer(by_deadline(instance))
        return EdfNoCompression()._solve(instance, time_limit=time_limit, seed=seed)
