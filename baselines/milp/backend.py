"""What a MIP backend is told and what it answers."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from dsct_gym.baselines.milp.model import Programme
from dsct_gym.errors import SolverWarning

_LONGEST = 200  # characters of a reason

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
        bound: Upper bound on the gain that the solver claims to have proven, in units of the model;
            None where it claims none or its status does not support one.
        start_accepted: Whether the solver took the warm start; None where it cannot be told.
        interrupted: Whether Ctrl-C cut the run short.
        failure: Why the run came to nothing, in a few words; None where it did not.
    """

    found: bool = False
    bound: float | None = None
    start_accepted: bool | None = None
    interrupted: bool = False
    failure: str | None = None


class Backend(Protocol):
    """Runs a solver on a model whose variables hold a warm start."""

    def __call__(self, model: Programme, limits: Limits, report: Report | None) -> Outcome:
        """Runs the solver and leaves its best solution in the variables."""
        ...


def attempt(
    name: str, backend: Backend, model: Programme, limits: Limits, report: Report | None
) -> Outcome:
    """Runs a solver that may die, and warns in one line where it does.

    Whatever goes wrong inside (the process killed, no licence, output that cannot be read), the
    caller has a schedule in hand that is worth more than an exception.

    Args:
        name: The solver, for the warning.
        backend: Runs it.
        model: Its variables hold a warm start.
        limits: When to stop.
        report: Told now and then.

    Returns:
        The outcome; after a failure there is no bound, but there may be a solution.

    Warns:
        SolverWarning: If the run came to nothing.
    """
    try:
        outcome = backend(model, limits, report)
    except Exception as error:
        outcome = Outcome(failure=f"{type(error).__name__}: {error}")
    if outcome.failure is None:
        return outcome
    reason = " ".join(outcome.failure.split())[:_LONGEST]
    message = f"{name} failed ({reason}); the schedule and bound known before it stand"
    warnings.warn(message, SolverWarning, stacklevel=2)
    return replace(outcome, bound=None)
