"""The network of `rl-service`, and a service that asks it at every decision."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Bools, Floats, Floats32, Ints
from dsct_gym.envs.service_episodes import Step, play_batches
from dsct_gym.envs.service_view import FIXED, Column, Flight, PerClock, Setting, look
from dsct_gym.jit import helper, kernel
from dsct_gym.serving.card import Cards
from dsct_gym.serving.queue import Queues

CLOCKS = 8
"""Clocks that it chooses from."""

SIZES = 7
"""Batch sizes that it chooses from: 1, 2, 4, ..., 64."""

INPUTS = FIXED + len(PerClock) * CLOCKS
OUTPUTS = 1 + SIZES + CLOCKS

PATIENCE = 1.0
"""Once the oldest is so many objectives old, it is late, and all start at the highest clock."""


class Network(NamedTuple):
    """Weights of two hidden layers of tanh; scores of batch choices, then of clocks.

    Attributes:
        first: (INPUTS, W).
        bias1: (W,).
        second: (W, W).
        bias2: (W,).
        last: (W, OUTPUTS).
        keep: What the clock commanded last adds to the scores (CLOCKS, OUTPUTS).
        bias3: (OUTPUTS,).
    """

    first: Floats32
    bias1: Floats32
    second: Floats32
    bias2: Floats32
    last: Floats32
    keep: Floats32
    bias3: Floats32

    @property
    def width(self) -> int:
        """Hidden units W."""
        return int(self.bias1.size)


def shapes(width: int) -> dict[str, tuple[int, ...]]:
    """Shape of each array of a network with so many hidden units."""
    return {
        "first": (INPUTS, width),
        "bias1": (width,),
        "second": (width, width),
        "bias2": (width,),
        "last": (width, OUTPUTS),
        "keep": (CLOCKS, OUTPUTS),
        "bias3": (OUTPUTS,),
    }


class Desk(NamedTuple):
    """Room for one decision of one service.

    Attributes:
        seen: (1, INPUTS).
        mask: (1, 1 + SIZES).
        hidden1: (W,).
        hidden2: (W,).
        scores: (OUTPUTS,).
        action: (1, 2).
        playing: (1,).
        step: What it gave.
    """

    seen: Floats32
    mask: Bools
    hidden1: Floats32
    hidden2: Floats32
    scores: Floats32
    action: Ints
    playing: Bools
    step: Step


def new_desk(network: Network) -> Desk:
    """Room for the decisions of a network."""
    return Desk(
        seen=np.zeros((1, INPUTS), dtype=np.float32),
        mask=np.zeros((1, 1 + SIZES), dtype=np.bool_),
        hidden1=np.zeros(network.width, dtype=np.float32),
        hidden2=np.zeros(network.width, dtype=np.float32),
        scores=np.zeros(OUTPUTS, dtype=np.float32),
        action=np.zeros((1, 2), dtype=np.int64),
        playing=np.ones(1, dtype=np.bool_),
        step=Step(np.zeros(1), np.zeros(1, dtype=np.int64), np.zeros(1)),
    )


@kernel
def serve_by_network(
    known: Setting,
    true: Setting,
    cards: Cards,
    queues: Queues,
    flight: Flight,
    price: Floats,
    network: Network,
    desk: Desk,
    until: float,
) -> int:
    """Serves one service until a moment, when a batch may still run, or to its last request.

    Args:
        known: What the network is shown of the card.
        true: What the card does.
        cards: One card.
        queues: Its requests.
        flight: Nothing in it.
        price: What the network is told a late request costs, J (1,).
        network: The weights.
        desk: Room.
        until: s.

    Returns:
        How many requests were late.
    """
    late = 0
    while queues.head[0] < queues.total[0] and cards.now[0] < until:
        look(known, cards, queues, flight, price, desk.seen, desk.mask)
        decide(network, desk)
        play_batches(true, cards, queues, desk.action, desk.playing, desk.step)
        late += desk.step.violations[0]
    return int(late)


@kernel
def decide(network: Network, desk: Desk) -> None:
    """Writes the batch choice and the clock with the highest scores."""
    seen = desk.seen[0]
    _layer(seen, network.first, network.bias1, desk.hidden1)
    _squash(desk.hidden1)
    _layer(desk.hidden1, network.second, network.bias2, desk.hidden2)
    _squash(desk.hidden2)
    _layer(desk.hidden2, network.last, network.bias3, desk.scores)
    for clock in range(CLOCKS):
        if seen[FIXED + PerClock.TOLD * CLOCKS + clock] > 0.0:
            for place in range(OUTPUTS):
                desk.scores[place] += network.keep[clock, place]
    batch = 0
    for choice in range(1, 1 + SIZES):
        if desk.scores[choice] > desk.scores[batch]:
            batch = choice
    clock = 0
    for choice in range(1, CLOCKS):
        if desk.scores[1 + SIZES + choice] > desk.scores[1 + SIZES + clock]:
            clock = choice
    if seen[Column.OLDEST] >= PATIENCE:
        batch, clock = SIZES, CLOCKS - 1
    desk.action[0, 0], desk.action[0, 1] = batch, clock


@helper
def _layer(given: Floats32, weights: Floats32, bias: Floats32, out: Floats32) -> None:
    """Writes ``given @ weights + bias``."""
    for unit in range(out.size):
        out[unit] = bias[unit]
    for place in range(given.size):
        value = given[place]
        if value != 0.0:
            for unit in range(out.size):
                out[unit] += value * weights[place, unit]


@helper
def _squash(values: Floats32) -> None:
    """The hyperbolic tangent of all."""
    for place in range(values.size):
        values[place] = math.tanh(values[place])
