"""Hard deadlines made soft, for whoever has an `Instance` and plays soft deadlines."""

from __future__ import annotations

from typing import Final

from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.problem import Problem
from dsct_gym.soft.instance import SoftInstance
from dsct_gym.soft.penalties import Linear

PATIENCE: Final = 0.25
"""Scale of the penalty as a share of the latest deadline."""
CAP: Final = 2.0
DEARNESS: Final = 0.1
"""What the whole budget costs for each task."""


def softened(problem: Problem) -> SoftInstance:
    """The problem itself, or an `Instance` with soft deadlines and a price of energy.

    The penalty is linear, 1 for a lateness of a quarter of the latest deadline and at most 2; the
    price is such that the whole budget costs 0.1 for each task; the budget stays.

    Raises:
        InputError: If it is another variant.
    """
    if isinstance(problem, SoftInstance):
        return problem
    if not isinstance(problem, Instance):
        raise InputError(f"instance: {type(problem).__name__} has no soft deadlines")
    budget = problem.energy_budget
    return SoftInstance(
        core=problem,
        penalty=Linear(scale=PATIENCE * problem.horizon, cap=CAP),
        energy_price=DEARNESS * problem.num_tasks / budget if budget > 0.0 else 0.0,
        budget=budget,
    )
