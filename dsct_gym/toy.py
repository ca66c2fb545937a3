"""The toys that kernels are compiled on before a clock starts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final

from dsct_gym.generator import generate
from dsct_gym.instance import Instance

if TYPE_CHECKING:
    from dsct_gym.problem import Problem


@cache
def toy() -> Instance:
    """A problem large enough to make every kind of decision, solved in milliseconds."""
    return generate(8, 3, seed=0)


TOYS: Final[dict[type, Callable[[], Problem]]] = {Instance: toy}
"""What makes the toy of each type of problem; a variant adds its own, if kernels know it."""


def toy_of(kind: type) -> Problem:
    """The toy of a type of problem: that of `Instance` where it has none of its own."""
    return TOYS.get(kind, toy)()
