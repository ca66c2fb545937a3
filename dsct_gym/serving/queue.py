"""The requests of a service: those that wait are a stretch of all, first come, first served."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.jit import helper
from dsct_gym.serving.card import Cards, Costs, command, idle, run_batch
from dsct_gym.serving.rule import Rule

_ROUNDING = 1e-9
"""A request that has waited so little less than a step is in the next one."""


class Queues(NamedTuple):
    """Requests of N services of up to M each.

    Attributes:
        arrival: When each comes, s, ascending (N, M).
        total: How many there are (N,).
        head: The first that was not started yet (N,).
        come: How many have come (N,).
        latency: From arrival to the end of its batch, s (N, M); of those that were started.
        batches: Batches started (N,).
    """

    arrival: Floats
    total: Ints
    head: Ints
    come: Ints
    latency: Floats
    batches: Ints


def new_queues(arrival: Floats, total: Ints) -> Queues:
    """Queues before anything has come."""
    rows = arrival.shape[0]
    return Queues(
        arrival=arrival,
        total=total,
        head=np.zeros(rows, dtype=np.int64),
        come=np.zeros(rows, dtype=np.int64),
        latency=np.zeros(arrival.shape),
        batches=np.zeros(rows, dtype=np.int64),
    )


@helper
def receive(queues: Queues, row: int, now: float) -> int:
    """Lets those come whose time it is.

    Returns:
        How many wait.
    """
    come = queues.come[row]
    while come < queues.total[row] and queues.arrival[row, come] <= now:
        come += 1
    queues.come[row] = come
    return int(come - queues.head[row])


@helper
def start(
    costs: Costs,
    cards: Cards,
    queues: Queues,
    row: int,
    batch: int,
    plans: Ints,
    plan: int,
    latency: float,
) -> None:
    """Runs the oldest requests as one batch to its end."""
    run_batch(costs, cards, row, batch, plans, plan, latency)
    head = queues.head[row]
    for request in range(head, head + batch):
        queues.latency[row, request] = cards.now[row] - queues.arrival[row, request]
    queues.head[row] = head + batch
    queues.batches[row] += 1


@helper
def serve_until(
    costs: Costs, cards: Cards, queues: Queues, row: int, rule: Rule, latency: float, until: float
) -> None:
    """Serves by a rule until a moment, when a batch may still run, or to the last request."""
    rows, steps = rule.batch.shape
    while cards.now[row] < until and queues.head[row] < queues.total[row]:
        waiting = receive(queues, row, cards.now[row])
        head, come = queues.head[row], queues.come[row]
        following = queues.arrival[row, come] if come < queues.total[row] else np.inf
        if waiting == 0:
            if rule.park >= 0:
                command(cards, row, rule.park, latency)
            idle(costs, cards, row, min(following, until))
            continue
        age = int((cards.now[row] - queues.arrival[row, head]) / rule.step + _ROUNDING)
        age = min(age, steps - 1)
        place = min(waiting, rows - 1)
        batch = rule.batch[place, age]
        if batch == 0:
            ready = rule.plan[place, age]
            if ready >= 0:
                size = min(waiting, rule.plans.shape[1])
                command(cards, row, rule.plans[ready, size - 1, 0], latency)
            older = queues.arrival[row, head] + (age + 1) * rule.step
            following = min(following, older if age < steps - 1 else np.inf)
            if following < np.inf:
                idle(costs, cards, row, min(max(following, cards.now[row]), until))
                continue
            batch = min(waiting, rule.plans.shape[1])  # nothing else will ever happen
        plan = max(rule.plan[place, age], 0)
        start(costs, cards, queues, row, batch, rule.plans, plan, latency)
