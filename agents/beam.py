"""Beam search: the most likely sequences of decisions, kept side by side."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax

from dsct_gym.agents.network import Network, Scratch
from dsct_gym.agents.rollout import Table, rate, settle, start
from dsct_gym.arrays import Ints


class _Beam(NamedTuple):
    """A sequence that may be kept: its parent, its next decision and its log-likelihood."""

    parent: int
    machine: int
    likely: float


def play_beam(
    network: Network, scratch: Scratch, table: Table, width: int, late: Callable[[], bool]
) -> tuple[Ints, float] | None:
    """Keeps the ``width`` most likely sequences of decisions, task after task.

    Each sequence has a table of its own, which is copied after every decision: time grows with
    the square of the number of tasks.

    Args:
        network: The policy.
        scratch: Where to work.
        table: The instance; its plan ends as one of the sequences, or on the way there.
        width: Number of sequences, at least 1.
        late: Whether the time is up.

    Returns:
        The machines (n,) of the sequence that gains most, tasks in EDF order, −1 for none, and the
        accuracy that it gains over no work at all; None when the time was up before.
    """
    tables = [table]
    while len(tables) < 2 * width:
        if late():
            return None
        tables.append(table.copy())
    here, there = tables[:width], tables[width:]
    start(table)
    kept = [_Beam(0, -1, 0.0)]
    machines = scratch.score.size - 1
    for task in range(table.curves.machine.size):
        open_ = [
            _following(network, scratch, here[i], task, i, b.likely) for i, b in enumerate(kept)
        ]
        kept = sorted(itertools.chain(*open_), key=lambda beam: -beam.likely)[:width]
        for into, beam in zip(there, kept, strict=False):
            if late():
                return None
            into.take(here[beam.parent])
            settle(into, task, beam.machine if beam.machine < machines else -1)
        here, there = there, here
    best = max(here[: len(kept)], key=lambda played: played.gain)
    return best.curves.machine.copy(), best.gain


def _following(
    network: Network, scratch: Scratch, table: Table, task: int, parent: int, likely: float
) -> list[_Beam]:
    """Every decision on a task after one of the sequences."""
    rate(network, scratch, table, task)
    chances = likely + log_softmax(scratch.score.astype(np.float64))
    return [_Beam(parent, r, chance) for r, chance in enumerate(chances.tolist())]
