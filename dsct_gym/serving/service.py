"""Requests served by a rule, or by a control that changes its rule as it sees how it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.jit import kernel
from dsct_gym.serving.card import Cards, Costs, costs_of, new_cards
from dsct_gym.serving.outcome import Outcome
from dsct_gym.serving.queue import Queues, new_queues, serve_until
from dsct_gym.serving.rule import Rule
from dsct_gym.serving.table import Table

_PARTS = 16
"""How often a trial is looked at."""

_LOOKS = 100
"""How often progress is told of."""


class Seen(NamedTuple):
    """What a control is told of the time since it was last asked.

    Attributes:
        start: s.
        end: s.
        arrivals: When requests came in it, s.
        latency: Of the requests that were started in it, s.
        waiting: How many wait.
    """

    start: float
    end: float
    arrivals: Floats
    latency: Floats
    waiting: int


class Control(Protocol):
    """Serves by a rule and, every so often, by another one."""

    @property
    def rule(self) -> Rule:
        """What to begin with."""
        ...

    @property
    def period(self) -> float:
        """How often it is asked, s; infinite for never."""
        ...

    def adapt(self, seen: Seen) -> Rule:
        """The rule from now on."""
        ...


@runtime_checkable
class Player(Protocol):
    """Serves without rules, deciding for itself at every decision."""

    def play(
        self, table: Table, arrivals: Floats, progress: Callable[[float], None] | None
    ) -> Outcome:
        """Serves all requests.

        Args:
            table: What the card really takes.
            arrivals: When requests come, s, ascending (M,).
            progress: Told now and then which share is served.
        """
        ...


@kernel
def play(costs: Costs, rule: Rule, cards: Cards, queues: Queues, latency: float) -> None:
    """Serves all requests of all services by one rule."""
    for row in range(cards.now.size):
        serve_until(costs, cards, queues, row, rule, latency, np.inf)


@kernel
def play_until(
    costs: Costs, rule: Rule, cards: Cards, queues: Queues, latency: float, until: float
) -> None:
    """Serves by one rule until a moment."""
    for row in range(cards.now.size):
        serve_until(costs, cards, queues, row, rule, latency, until)


@kernel
def play_while_prompt(
    costs: Costs,
    rule: Rule,
    cards: Cards,
    queues: Queues,
    latency: float,
    objective: float,
    most_late: int,
) -> None:
    """Serves one service by one rule, and gives up soon after more are late than may be."""
    late, counted = 0, 0
    last = queues.arrival[0, queues.total[0] - 1]
    for part in range(1, _PARTS + 1):
        until = last * part / _PARTS if part < _PARTS else np.inf
        serve_until(costs, cards, queues, 0, rule, latency, until)
        for request in range(counted, queues.head[0]):
            late += queues.latency[0, request] > objective
        counted = queues.head[0]
        if late > most_late:
            return


def serve_while_prompt(
    costs: Costs, rule: Rule, arrivals: Floats, objective: float, latency: float, allowed: float
) -> Outcome:
    """As `serve_by_rule`, ended early where more than a share allowed of all requests is late."""
    cards, queues = _begin(costs.whole_time.shape[1], arrivals)
    most = int(allowed * arrivals.size)
    play_while_prompt(costs, rule, cards, queues, latency, objective, most)
    return Outcome.of(cards, queues, objective)


def serve_by_rule(
    table: Table, rule: Rule, arrivals: Floats, objective: float, latency: float = 0.0
) -> Outcome:
    """Serves all requests by one rule.

    Args:
        table: What the card really takes.
        rule: What it is told to do.
        arrivals: When requests come, s, ascending from 0 on (M,).
        objective: What a request should take at most, s.
        latency: Of a command to change the clock, s.
    """
    cards, queues = _begin(table.num_clocks, arrivals)
    play(costs_of(table), rule, cards, queues, latency)
    return Outcome.of(cards, queues, objective)


def serve(
    table: Table,
    control: Control | Player,
    arrivals: Floats,
    objective: float,
    latency: float = 0.0,
    progress: Callable[[float], None] | None = None,
) -> Outcome:
    """As `serve_by_rule`, for a control; ``progress`` is told the share that is served."""
    if isinstance(control, Player):
        return control.play(table, arrivals, progress)
    cards, queues = _begin(table.num_clocks, arrivals)
    costs, rule = costs_of(table), control.rule
    last = float(arrivals[-1])
    look = last / _LOOKS if progress is not None and last > 0.0 else np.inf
    asked, told, head, come = 0.0, 0.0, 0, 0
    while queues.head[0] < queues.total[0]:
        until = min(asked + control.period, told + look)
        play_until(costs, rule, cards, queues, latency, until)
        now = float(cards.now[0])
        if progress is not None and now >= told + look:
            told = now
            progress(float(queues.head[0] / queues.total[0]))
        if now >= asked + control.period:
            start, first = (head, come), asked
            head, come, asked = int(queues.head[0]), int(queues.come[0]), now
            rule = control.adapt(
                Seen(
                    start=first,
                    end=now,
                    arrivals=queues.arrival[0, start[1] : come],
                    latency=queues.latency[0, start[0] : head],
                    waiting=come - head,
                )
            )
    return Outcome.of(cards, queues, objective)


def _begin(clocks: int, arrivals: Floats) -> tuple[Cards, Queues]:
    """One card at the highest clock, and its requests."""
    arrival = np.ascontiguousarray(arrivals, dtype=np.float64)[None]
    total = np.array([arrivals.size], dtype=np.int64)
    return new_cards(1, clocks - 1), new_queues(arrival, total)
