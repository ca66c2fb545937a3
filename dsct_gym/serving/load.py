"""How much a card can take: the highest rate that it sustains within the objective."""

from __future__ import annotations

import numpy as np

from dsct_gym.random import spawn
from dsct_gym.serving.rule import Rule, greedy_rule, network_plans
from dsct_gym.serving.service import serve_by_rule
from dsct_gym.serving.table import Table, batch_time

_REQUESTS = 20_000
_STEPS = 16


def highest_rate(table: Table, objective: float, allowed: float = 0.01) -> float:
    """The highest Poisson rate that the best batch at the highest clock sustains.

    Sustained is a rate at which no more requests than allowed take longer than the objective, with
    greedy batches up to the best of powers of two; found by bisection on one stream of arrivals,
    stretched.

    Args:
        table: Of the network.
        objective: s.
        allowed: Share of the requests that may take longer.

    Returns:
        Requests a second; 0 if not even a request alone is done in time.
    """
    time = batch_time(table)[:, -1]
    if time[0] > objective:
        return 0.0
    gaps = -np.log1p(-spawn(0, 0).random(_REQUESTS))
    moments = np.cumsum(gaps)
    plans = network_plans(table)
    found = 0.0
    for power in range(table.largest_batch.bit_length()):
        rule = greedy_rule(table, 2**power, table.num_clocks - 1, plans)
        found = max(found, _sustained(table, rule, moments, objective, allowed, found))
    return found


def _sustained(
    table: Table, rule: Rule, moments: np.ndarray, objective: float, allowed: float, low: float
) -> float:
    """The highest rate of one rule, if it is above another."""

    def fine(rate: float) -> bool:
        """Whether it is sustained."""
        return serve_by_rule(table, rule, moments / rate, objective).violations <= allowed

    if low > 0.0 and not fine(low):
        return low
    high = float((table.batches / batch_time(table)[:, -1]).max())
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if fine(middle) else (low, middle)
    return low
