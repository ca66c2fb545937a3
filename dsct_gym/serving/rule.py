"""What an agent decides, as tables that kernels look up: when to start which batch at which clocks.

A rule is asked when the card is free and requests wait: at once, when another request comes, and
when the oldest has waited one step longer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Ints
from dsct_gym.serving.table import Table

STAY = -1
"""In place of a clock or a plan: no command, the card keeps its clock."""


class Rule(NamedTuple):
    """Decisions by requests waiting and age of the oldest.

    Attributes:
        batch: How many requests to start with q waiting, the last row for all that are more, and
            the oldest in the a-th step of its age, the last for all beyond (Q + 1, A); 0 to wait.
        plan: By which plan, likewise (Q + 1, A). Where it waits, the plan to make ready for: the
            clock of its first unit is commanded, so that waiting hides the latency; `STAY` for
            none.
        plans: Clock of each unit in each plan for each batch size, as places in the table
            (K, S, U).
        step: Width of a step of age, s, positive.
        park: The clock to command when nothing waits, `STAY` for none.
    """

    batch: Ints
    plan: Ints
    plans: Ints
    step: float
    park: int


def network_plans(table: Table) -> Ints:
    """One plan a clock: that clock throughout (C, S, U)."""
    shape = (table.num_clocks, table.largest_batch, table.num_units)
    plans = np.empty(shape, dtype=np.int64)
    plans[:] = np.arange(table.num_clocks)[:, None, None]
    return plans


def waiting_rule(
    table: Table, *, least: int, largest: int, timeout: float, plan: int, plans: Ints
) -> Rule:
    """Starts when enough requests wait or the oldest has waited long enough, always by one plan.

    Source: the dynamic batcher of NVIDIA Triton (preferred batch and maximum delay).

    Args:
        table: Of the network.
        least: Start at once with so many waiting.
        largest: Start no more than so many.
        timeout: Start whatever waits after so long, s; 0 never waits.
        plan: Place in ``plans``.
        plans: (K, S, U).
    """
    waiting = np.arange(table.largest_batch + 1)
    start = np.minimum(waiting, largest)
    batch = np.stack([np.where(waiting >= least, start, 0), start], axis=1)
    if timeout <= 0.0 or least <= 1:
        batch = start[:, None]
    return Rule(
        batch=np.ascontiguousarray(batch, dtype=np.int64),
        plan=np.full(batch.shape, plan, dtype=np.int64),
        plans=plans,
        step=timeout if timeout > 0.0 else 1.0,
        park=STAY,
    )


def greedy_rule(table: Table, largest: int, plan: int, plans: Ints) -> Rule:
    """Starts whatever waits as soon as the card is free, up to a largest batch.

    Source: greedy batching, Inoue, arXiv:1912.06322.
    """
    return waiting_rule(table, least=1, largest=largest, timeout=0.0, plan=plan, plans=plans)
