"""What is told of a service that was run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.serving.card import Cards
from dsct_gym.serving.queue import Queues


@dataclass(frozen=True, eq=False)
class Outcome:
    """One service from the first request to the end of the last.

    Attributes:
        latency: Of each request, s (M,).
        objective: What it should not exceed, s.
        busy_energy: J.
        idle_energy: J.
        seconds: From time 0 to the end of the last batch, s.
        batches: Number of batches.
        switches: Number of times that the clock changed.
    """

    latency: Floats
    objective: float
    busy_energy: float
    idle_energy: float
    seconds: float
    batches: int
    switches: int

    @classmethod
    def of(cls, cards: Cards, queues: Queues, objective: float, row: int = 0) -> Outcome:
        """What one of the services gave."""
        return cls(
            latency=queues.latency[row, : queues.head[row]],
            objective=objective,
            busy_energy=float(cards.busy_energy[row]),
            idle_energy=float(cards.idle_energy[row]),
            seconds=float(cards.now[row]),
            batches=int(queues.batches[row]),
            switches=int(cards.switches[row]),
        )

    @property
    def requests(self) -> int:
        """How many requests were served."""
        return int(self.latency.size)

    @property
    def violations(self) -> float:
        """Share of the requests that took longer than the objective, in [0, 1]."""
        return float(np.mean(self.latency > self.objective * (1.0 + 1e-12)))

    @property
    def busy_energy_per_request(self) -> float:
        """Energy of running, J a request."""
        return self.busy_energy / self.requests

    @property
    def energy_per_request(self) -> float:
        """Energy of running and standing idle, J a request."""
        return (self.busy_energy + self.idle_energy) / self.requests

    def summary(self) -> dict[str, float | int]:
        """The numbers that commands and experiments tell.

        Times in s, energies in J a request, throughput in requests a second, violations as a share
        of the requests, switches as their number.
        """
        p50, p99 = np.quantile(self.latency, (0.5, 0.99)).tolist()
        return {
            "mean_latency": float(self.latency.mean()),
            "p50": p50,
            "p99": p99,
            "violations": self.violations,
            "energy_per_request": self.energy_per_request,
            "busy_energy_per_request": self.busy_energy_per_request,
            "throughput": self.requests / self.seconds,
            "mean_batch": self.requests / self.batches,
            "switches": self.switches,
        }
