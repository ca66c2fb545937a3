"""What is to be run: one solver on one instance with one seed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from dsct_gym.benchmark.spec import Spec
from dsct_gym.problem import Problem
from dsct_gym.solver import former_name


@dataclass(frozen=True)
class Job:
    """One solver on one instance.

    Attributes:
        label: Name of the instance in the records.
        instance: The problem.
        solver: The solver with its options.
        time_limit: Wall-clock limit, s.
        seed: Seed of whatever is random.
    """

    label: str
    instance: Problem
    solver: Spec
    time_limit: float | None = None
    seed: int | None = None

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the instance file."""
        from dsct_gym.files import instance_text

        return hashlib.sha256(instance_text(self.instance).encode()).hexdigest()

    @cached_property
    def key(self) -> str:
        """SHA-256 of all that decides the result: instance, solver, options, limit and seed."""
        decisive = {
            "instance": self.checksum,
            "solver": former_name(self.solver.name),
            "options": dict(self.solver.options),
            "time_limit": None if self.time_limit is None else float(self.time_limit),
            "seed": self.seed,
        }
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
