"""What a MIP backend is told and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dsct_gym.baselines.milp.model import Model

Report = Callable[[float | None, float | None], None]
"""Told now and then: the best gain found and the bound on it, in units of the model."""


@dataclass(frozen=True)
class Limits:
    """When to stop, and how.

    Attributes:
        seconds: Wall-clock limit, s; infinite for none.
        gap: Difference between bound and best gain at which to stop, in units of the model.
        threads: Threads to use.
        seed: Seed of the solver's own random numbers.
    """

    seconds: float
    gap: float
    threads: int
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What a run found; the variables of the model hold the best solution.

    Attributes:
        found: Whether there is a solution.
        bound: Proven upper bound on the gain, in units of the model; None where there is none.
        start_accepted: Whether the solver took the warm start; None where it cannot be told.
        interrupted: Whether Ctrl-C cut the run short.
    """

    found: bool
    bound: float | None
    start_accepted: bool | None = None
    interrupted: bool = False


class Backend(Protocol):
    """Runs a solver on a model whose variables hold a warm start."""

    def __call__(self, model: Model, limits: Limits, report: Report | None) -> Outcome:
        """Runs the solver and leaves its best solution in the variables."""
        ...
