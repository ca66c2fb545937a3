"""The toys that kernels are compiled on before a clock starts."""

from __future__ import annotations

from functools import cache, singledispatch
from typing import TYPE_CHECKING

from dsct_gym.generator import generate
from dsct_gym.instance import Instance

if TYPE_CHECKING:
    from dsct_gym.problem import Problem


@cache
def toy() -> Instance:
    """A problem large enough to make every kind of decision, solved in milliseconds."""
    return generate(8, 3, seed=0)


@singledispatch
def toy_like(problem: Problem) -> Problem:
    """A toy of the same type as a problem, for which kernels are the same machine code."""
    return toy()
