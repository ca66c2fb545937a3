"""Beam search: the most likely sequences of decisions, kept side by side."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax

from dsct_gym.agents.network import Network, Scratch
from dsct_gym.agents.rollout import rate
from dsct_gym.arrays import Ints
from dsct_gym.plan import Plan, begin, decide


class _Beam(NamedTuple):
    """A sequence that may be kept: its parent, its next decision and its log-likelihood."""

    parent: int
    machine: int
    likely: float


def play_beam(
    network: Network, scratch: Scratch, plan: Plan, width: int, late: Callable[[], bool]
) -> tuple[Ints, float] | None:
    """Keeps the ``width`` most likely sequences of decisions, task after task.

    Each sequence has a plan of its own, which is copied after every decision: time grows with
    the square of the number of tasks.

    Args:
        network: The policy.
        scratch: Where to work.
        plan: It ends as one of the sequences, or on the way there.
        width: Number of sequences, at least 1.
        late: Whether the time is up.

    Returns:
        The machines (n,) of the sequence that gains most, tasks in EDF order, −1 for none, and the
        accuracy that it gains over no work at all; None when the time was up before.
    """
    plans = [plan]
    while len(plans) < 2 * width:
        if late():
            return None
        plans.append(plan.copy())
    here, there = plans[:width], plans[width:]
    begin(plan)
    kept = [_Beam(0, -1, 0.0)]
    machines = scratch.score.size - 1
    for task in range(plan.curves.machine.size):
        open_ = [
            _following(network, scratch, here[i], task, i, b.likely) for i, b in enumerate(kept)
        ]
        kept = sorted(itertools.chain(*open_), key=lambda beam: -beam.likely)[:width]
        for into, beam in zip(there, kept, strict=False):
            if late():
                return None
            into.take(here[beam.parent])
            decide(into, task, beam.machine if beam.machine < machines else -1)
        here, there = there, here
    best = max(here[: len(kept)], key=lambda played: played.gain)
    return best.curves.machine.copy(), best.gain


def _following(
    network: Network, scratch: Scratch, plan: Plan, task: int, parent: int, likely: float
) -> list[_Beam]:
    """Every decision on a task after one of the sequences."""
    rate(network, scratch, plan, task)
    chances = likely + log_softmax(scratch.score.astype(np.float64))
    return [_Beam(parent, r, chance) for r, chance in enumerate(chances.tolist())]
