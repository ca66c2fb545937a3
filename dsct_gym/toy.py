"""The toy that kernels are compiled on before a clock starts."""

from __future__ import annotations

from functools import cache

from dsct_gym.generator import generate
from dsct_gym.instance import Instance


@cache
def toy() -> Instance:
    """A problem large enough to make every kind of decision, solved in milliseconds."""
    return generate(8, 3, seed=0)
