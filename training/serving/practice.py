"""Services to practise on: cards, networks, objectives and arrivals that are no test's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from dsct_gym.agents.serving.network import CLOCKS, SIZES
from dsct_gym.arrays import Floats
from dsct_gym.envs.service_episodes import ServiceEpisodes
from dsct_gym.online.arrivals import ArrivalProcess, Poisson, bursty, shipped_trace
from dsct_gym.online.arrivals.shipped import TRAINING
from dsct_gym.serving.gpu import gpu as find_gpu
from dsct_gym.serving.networks import network as find_network
from dsct_gym.serving.prediction import predicted_table
from dsct_gym.serving.profile import choices
from dsct_gym.serving.table import Table, batch_energy
from dsct_gym.training.serving.config import ServiceConfig, Task

WINDOWS: Final = 50
"""Parts of an episode of which the one with most arrivals is where the load is told of."""

_RECORDED: Final = "azure-conv"
"""The trace to practise on: of the others one is kept for tests, two tell no moments but counts."""


def _bursty(rng: np.random.Generator) -> ArrivalProcess:
    """Bursts of 2 to 8 times the rate, short or long."""
    factor, share = 2.0 * 4.0 ** rng.random(), 0.1 + 0.2 * rng.random()
    return bursty(factor=factor, share=share, length=0.02 * 20.0 ** rng.random())


def _trace(rng: np.random.Generator) -> ArrivalProcess:
    """The first half of a trace, the part that is for training."""
    return shipped_trace(_RECORDED, **TRAINING)


KINDS: Final[dict[str, Callable[[np.random.Generator], ArrivalProcess]]] = {
    "poisson": lambda rng: Poisson(),
    "bursty": _bursty,
    "trace": _trace,
}
"""Kinds of arrivals, each as often as the others."""


class Mixture:
    """Arrivals of a kind that is drawn anew each time, stretched so that the densest part has 1.

    A load is then, as in the experiment on serving, that of where requests come most densely.
    """

    def draw(self, expected: float, rng: np.random.Generator) -> Floats:
        """As `ArrivalProcess.draw`, over a longer horizon where arrivals are uneven."""
        kind = list(KINDS)[int(rng.random() * len(KINDS))]
        return draw_dense(KINDS[kind](rng), kind, expected, rng)


def draw_dense(
    process: ArrivalProcess, kind: str, expected: float, rng: np.random.Generator
) -> Floats:
    """Draws arrivals and stretches them so that the densest of `WINDOWS` parts has the mean rate.

    Args:
        process: What draws them.
        kind: Its name among `KINDS`; what is Poisson is even as it is.
        expected: Mean number.
        rng: Source of randomness.
    """
    moments = process.draw(expected, rng)
    if kind == "poisson" or moments.size == 0:
        return moments
    counts, _ = np.histogram(moments, WINDOWS, (0.0, 1.0))
    return moments * float(counts.max() / counts.mean())


def known_table(gpu: str, network: str) -> Table:
    """What is practised with: never the truth, but what a predictor says."""
    card = find_gpu(gpu)
    usable = choices(card)
    clocks = usable[np.linspace(0, usable.size - 1, CLOCKS).round().astype(int)]
    return predicted_table(card, find_network(network), 2 ** (SIZES - 1), clocks)


def make_episodes(config: ServiceConfig, task: Task, count: int) -> ServiceEpisodes:
    """Services of one kind side by side."""
    table = known_table(task.gpu, task.network)
    alone = float(batch_energy(table)[0, -1])
    low, high = config.prices
    return ServiceEpisodes(
        count,
        table=table,
        arrivals=Mixture(),
        load=config.load,
        objective=task.objective,
        requests=config.requests,
        latency=config.latency,
        price=(low * alone, high * alone),
    )
