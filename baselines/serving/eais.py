"""`eais`: batch and clock of least predicted energy that fill and run within the objective."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dsct_gym.serving.agent import Agent, Fixed, Situation
from dsct_gym.serving.rule import Rule, network_plans, waiting_rule
from dsct_gym.serving.service import Control
from dsct_gym.serving.table import batch_energy, batch_time

SHARES = (1.0, 0.85, 0.7, 0.6, 0.5, 0.4, 0.3)
"""Shares of the objective that filling and running may take: the rest is for waiting."""


class Eais(Agent):
    """A table of batch and clock: the least energy with fill and run time within the objective.

    Source: after Yao et al., "EAIS: energy-aware adaptive scheduling for CNN inference on high-
    performance GPUs", FGCS 130, 2022, doi 10.1016/j.future.2022.01.004, of which only the abstract
    was at hand: response time is filling plus running, the clock is that of the whole network. That
    leaves out what a batch waits for the card, so the share of the objective that they may take is
    the largest with no more violations on the sample than allowed.
    """

    name = "eais"

    def control(self, situation: Situation) -> Control:
        """As `Agent.control`."""
        return Fixed(situation.best(network_rules(situation)))


def network_rules(situation: Situation) -> Iterator[Rule]:
    """The batch and clock of least energy for each share of the objective."""
    table = situation.table
    time, energy = batch_time(table), batch_energy(table)
    if situation.idle_counts:
        energy = energy - time * table.idle_power
    size = table.batches[:, None]
    fill = (size - 1) / situation.rate
    for share in SHARES:
        within = fill + time <= share * situation.objective
        stable = situation.rate * time < 0.98 * size
        each = np.where(within & stable, energy / size, np.inf)
        place, clock = np.unravel_index(int(np.argmin(each)), each.shape)
        if not np.isfinite(each[place, clock]):
            place, clock = np.int64(situation.largest_batch - 1), np.int64(situation.fastest)
        wait = max(0.0, share * situation.objective - time[place, clock])
        batch = int(place) + 1
        yield waiting_rule(
            table,
            least=batch,
            largest=batch,
            timeout=wait,
            plan=int(clock),
            plans=network_plans(table),
        )
