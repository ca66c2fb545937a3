"""`rl-service`: batches and clocks by a small network, trained on services of many kinds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from dsct_gym.agents.serving.files import SHIPPED, load_network
from dsct_gym.agents.serving.network import (
    CLOCKS,
    SIZES,
    Network,
    new_desk,
    serve_by_network,
)
from dsct_gym.arrays import Floats
from dsct_gym.envs.service_episodes import make_setting
from dsct_gym.envs.service_view import Flight, Setting
from dsct_gym.serving.agent import HOPELESS, Agent, Situation
from dsct_gym.serving.card import costs_of, new_cards
from dsct_gym.serving.outcome import Outcome
from dsct_gym.serving.queue import new_queues
from dsct_gym.serving.service import Player
from dsct_gym.serving.table import Table

PRICES: Final = tuple(np.geomspace(0.3, 30.0, 5).tolist())
"""What the network may be told that a late request costs, over the energy of one alone."""

TO_WAIT: Final = (-3.0, -1.0, 0.5, 1.0, 2.0, 4.0, 8.0)
"""What is tried as an addition to the score of waiting."""

_NEVER: Final = 1e6
"""What is taken off the score of a clock that may not be used."""

_CARE: Final = 0.7
"""It is tuned to so much less than the violations allowed: much is tried, on one sample."""

_KEPT: Final = 8
"""Of what is tried on stretches of the sample, so many are tried on all of it."""

_LOOKS: Final = 100
"""How often progress is told of."""


class RlService(Agent):
    """A network that sees what ``DSCT-EA-Service-v0`` shows, trained there by PPO.

    One network serves every card, network and objective. What it is told of the price of a late
    request is what does best on the sample. It chooses from 8 clocks of the card. Source: this
    project's own; PPO: Schulman et al., arXiv 1707.06347.

    Args:
        checkpoint: File of its weights; those that ship by default.

    Raises:
        InputError: If that is none.
    """

    name = "rl-service"

    def __init__(self, checkpoint: str | Path = SHIPPED) -> None:
        self._network = load_network(checkpoint)

    def control(self, situation: Situation) -> Player:
        """As `Agent.control`."""
        return best_asked(self._network, situation)


@dataclass(frozen=True, eq=False)
class Asked:
    """A network that is asked at every decision.

    Attributes:
        network: The weights.
        known: What it is shown of the card.
        price: What it is told that a late request costs, over the energy of one alone.
    """

    network: Network
    known: Setting
    price: float

    def leaning(self, wait: float) -> Asked:
        """One that leans to waiting: so much is added to its score."""
        bias = self.network.bias3.copy()
        bias[0] += wait
        return replace(self, network=self.network._replace(bias3=bias))

    def within(self, lowest: int, highest: int) -> Asked:
        """One that may only choose from some of the clocks."""
        bias = self.network.bias3.copy()
        clocks = np.arange(CLOCKS)
        bias[1 + SIZES :][(clocks < lowest) | (clocks > highest)] = -_NEVER
        return replace(self, network=self.network._replace(bias3=bias))

    def play(
        self, table: Table, arrivals: Floats, progress: Callable[[float], None] | None = None
    ) -> Outcome:
        """As `dsct_gym.serving.service.Player.play`."""
        return self.play_while_prompt(table, arrivals, np.inf, progress)

    def play_while_prompt(
        self,
        table: Table,
        arrivals: Floats,
        most_late: float,
        progress: Callable[[float], None] | None = None,
    ) -> Outcome:
        """As `play`, ended early soon after more than so many requests are late."""
        true = self.known._replace(costs=costs_of(some_clocks(table)))
        arrival = np.ascontiguousarray(arrivals, dtype=np.float64)[None]
        cards, queues = new_cards(1, CLOCKS - 1), new_queues(arrival, np.array([arrival.size]))
        flight = Flight(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))
        price, desk = np.array([self.price * self.known.alone]), new_desk(self.network)
        late, until = 0, 0.0
        while queues.head[0] < queues.total[0] and late <= most_late:
            until += float(arrivals[-1]) / _LOOKS
            late += serve_by_network(
                self.known, true, cards, queues, flight, price, self.network, desk, until
            )
            if progress is not None:
                progress(float(queues.head[0] / queues.total[0]))
        return Outcome.of(cards, queues, self.known.objective)


def known_setting(situation: Situation) -> Setting:
    """What a network is shown of a card: at some clocks, with the batch sizes that it knows."""
    table = some_clocks(situation.table)
    setting = make_setting(table, situation.objective, situation.latency)
    return setting._replace(sizes=np.minimum(2 ** np.arange(SIZES), table.largest_batch))


def some_clocks(table: Table) -> Table:
    """A table at as many clocks as a network chooses from, spread over those that there are."""
    at = np.linspace(0, table.num_clocks - 1, CLOCKS).round().astype(int)
    return Table(
        clocks=table.clocks[at],
        batches=table.batches,
        time=np.ascontiguousarray(table.time[:, :, at]),
        power=np.ascontiguousarray(table.power[:, :, at]),
        idle_power=table.idle_power[at],
    )


def best_asked(network: Network, situation: Situation) -> Asked:
    """The network as it does best on the sample, by what the predictor says.

    The price that it is told is chosen together with the clocks that it may use: all up to one,
    all from one on, or one alone. These are tried on stretches of the sample first, the best of
    them on all of it; then, how much it leans to waiting.
    """
    plain = Asked(network, known_setting(situation), PRICES[-1])
    windows = [(0, highest) for highest in range(CLOCKS)]
    windows += [(lowest, CLOCKS - 1) for lowest in range(1, CLOCKS)]
    windows += [(clock, clock) for clock in range(1, CLOCKS - 1)]
    tried = [replace(plain, price=price).within(*window) for price in PRICES for window in windows]
    careful = replace(situation, allowed=_CARE * situation.allowed)
    # A short sample may be late by chance: twice the violations are let pass.
    lenient = replace(careful.brief, allowed=2.0 * careful.allowed)
    best = _by_cost(careful, _by_cost(lenient, tried)[:_KEPT])[0]
    return _by_cost(careful, [best, *(best.leaning(wait) for wait in TO_WAIT)])[0]


def _by_cost(situation: Situation, tried: Sequence[Asked]) -> list[Asked]:
    """The cheapest on the sample first."""
    most = HOPELESS * situation.allowed * situation.sample.size
    costs = [
        situation.cost(asked.play_while_prompt(situation.table, situation.sample, most))
        for asked in tried
    ]
    return [tried[place] for place in sorted(range(len(tried)), key=costs.__getitem__)]
