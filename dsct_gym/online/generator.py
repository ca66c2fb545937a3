"""Random problems whose tasks arrive over time.

Tasks, machines and budget are those of a `dsct_gym.generator.Scenario`; what is said of time is
this project's own choice:

- The horizon is ``T = rho · n · E[f^max] / Σ s_r``, with n the number of tasks that is *expected*
  and the mean work of the scenario, not of what was drawn: so 1 / rho is the offered load, the work
  that arrives over what the machines can do in the horizon, and nothing that everybody knows tells
  how many tasks will come. The budget is ``B = beta · T · Σ P_r``.
- When tasks arrive, and how many do, is drawn by a process (`dsct_gym.online.arrivals`); if none
  does, it is drawn again.
- From its arrival a task has a latency drawn uniformly from a range, in units of the time
  ``E[f^max] / s̄`` that a mean task takes in full on a machine of mean speed, until its deadline.
- Curves of tasks are drawn independently of when they arrive. Random tasks are as in a `Scenario`
  (stretched, so that ``mu`` holds exactly).

Everything is rounded to 12 significant digits, so an instance in memory equals its file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from dsct_gym.arguments import as_integer
from dsct_gym.arrays import Floats
from dsct_gym.errors import InputError
from dsct_gym.generator import (
    Count,
    Quantity,
    Scenario,
    as_quantity,
    draw_count,
    draw_many,
    draw_quantity,
)
from dsct_gym.instance import Instance
from dsct_gym.online.arrivals import ArrivalProcess, Poisson, make_arrivals
from dsct_gym.online.instance import OnlineInstance
from dsct_gym.random import spawn
from dsct_gym.rounding import round_number, round_significant

TOLERANCE: Final = (0.15, 1.5)
"""Latencies where nothing is said, in mean times of a task in full."""

_STREAM: Final = 15
_MOST_DRAWS: Final = 10_000


@dataclass(frozen=True)
class OnlineScenario:
    """A distribution of problems whose tasks arrive over time; draw from it with `sample`.

    Attributes:
        tasks: Tasks, machines, ``rho`` and ``beta``, see above; its ``n`` is the expected number of
            tasks, or its range.
        arrivals: When they arrive.
        tolerance: Latency of each task or its range, positive, in mean times of a task in full.

    Raises:
        InputError: If the tolerance is out of range.
    """

    tasks: Scenario = field(default_factory=Scenario)
    arrivals: ArrivalProcess = field(default_factory=Poisson)
    tolerance: Quantity = TOLERANCE

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance", as_quantity(self.tolerance, "tolerance", 1e-9))

    @classmethod
    def of(
        cls,
        *,
        arrivals: ArrivalProcess | Mapping[str, Any] | str = "poisson",
        tolerance: Quantity | Sequence[float] = TOLERANCE,
        **tasks: Any,
    ) -> OnlineScenario:
        """A scenario from plain values, as a manifest holds them.

        Args:
            arrivals: A process, its name, or its name under ``name`` beside its options.
            tolerance: As the attribute.
            **tasks: Fields of a `Scenario`.

        Raises:
            InputError: Naming the field at fault.
        """
        if isinstance(arrivals, str):
            arrivals = {"name": arrivals}
        if isinstance(arrivals, Mapping):
            options = dict(arrivals)
            arrivals = make_arrivals(str(options.pop("name", "")), **options)
        return cls(Scenario(**tasks), arrivals, tolerance)  # type: ignore[arg-type]

    def sample(self, rng: np.random.Generator, *, name: str | None = None) -> OnlineInstance:
        """Draws a problem.

        Args:
            rng: Source of randomness.
            name: Name of the instance.

        Raises:
            InputError: If the process of arrivals does not have so many.
        """
        tasks = self.tasks
        expected = draw_count(tasks.n, rng)
        mu, rho, beta = (draw_quantity(value, rng) for value in (tasks.mu, tasks.rho, tasks.beta))
        moments = self._draw_moments(expected, rng)
        core = replace(tasks, n=moments.size, mu=mu).sample(rng, name=name)
        speed = math.fsum(core.speeds.tolist())
        work = tasks.expected_work(mu)
        horizon = round_number(rho * expected * work / speed)
        latency = draw_many(self.tolerance, moments.size, rng) * work * core.num_machines / speed
        arrivals = round_significant(horizon * moments)
        deadlines = round_significant(arrivals + np.maximum(latency, 1e-9 * horizon))
        budget = round_number(beta * horizon * math.fsum(core.powers.tolist()))
        return OnlineInstance(_with(core, deadlines, budget), arrivals, horizon)

    def _draw_moments(self, expected: int, rng: np.random.Generator) -> Floats:
        for _ in range(_MOST_DRAWS):
            moments = self.arrivals.draw(float(expected), rng)
            if moments.size:
                return moments
        raise InputError("arrivals: nothing arrives")


def generate_online(
    n: Count = 100,
    m: Count | None = None,
    *,
    arrivals: ArrivalProcess | Mapping[str, Any] | str = "poisson",
    tolerance: Quantity = TOLERANCE,
    seed: int = 0,
    name: str | None = None,
    **tasks: Any,
) -> OnlineInstance:
    """Generates a random problem whose tasks arrive; the same arguments give the same one.

    Args:
        n: Expected number of tasks; how many there are is random.
        m: Number of machines; by default one for each device named, else 5.
        arrivals: A process of arrivals, its name, or its name under ``name`` beside its options.
        tolerance: Latency of tasks or its range, in mean times of a task in full.
        seed: Seed, at least 0.
        name: Name of the instance.
        **tasks: Further fields of a `Scenario`: ``mu``, ``rho``, ``beta``, ``segments``,
            ``devices``, ``family``, ...

    Raises:
        InputError: Naming the argument at fault.
    """
    scenario = OnlineScenario.of(arrivals=arrivals, tolerance=tolerance, n=n, m=m, **tasks)
    return scenario.sample(spawn(as_integer(seed, "seed", 0), _STREAM), name=name)


def _with(core: Instance, deadlines: Floats, budget: float) -> Instance:
    """The instance with other deadlines and another budget."""
    return Instance(
        speeds=core.speeds,
        efficiencies=core.efficiencies,
        deadlines=deadlines,
        work=core.work,
        accuracy=core.accuracy,
        energy_budget=budget,
        name=core.name,
        machine_names=core.machine_names,
    )
