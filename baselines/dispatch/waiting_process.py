"""One machine whose tasks arrive at random, as a Markov decision process solved by value iteration.

A state is how many tasks wait, n, and how much time the most urgent one has until its deadline, in
bins of what a task has when it arrives. An action is a level for this task; it earns its gain and
takes its time, in which others arrive. What comes to the machine is every k-th task of a Poisson
stream. The next task in the queue has arrived one such gap after the task served, so its slack is
that much longer and by the time served shorter; one whose deadline has come is dropped.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from scipy.stats import gamma

from dsct_gym.arrays import Floats, Ints

BINS: Final = 40
"""Bins of slack."""

MOST: Final = 12
"""Number waiting beyond which no more are counted."""

_CUT: Final = 0.01
"""What the exponential curve of the generator is short of its limit in the end."""

_DISCOUNT: Final = 0.8
"""What is earned one latency later counts this much."""

_SWEEPS: Final = 200
_SETTLED: Final = 1e-4


class _Model(NamedTuple):
    """What the process is made of; times are in bins, b of them.

    Attributes:
        gain: Of each level (L,).
        bins: How long each level takes (L,), at least 1 bin.
        gap: Probability of each gap between arrivals (b+1,); the last stands for all longer ones.
        wait: What the value of the next task counts when nothing waits.
        come: Probability that so many arrive while a level runs (L, MOST+1).
    """

    gain: Floats
    bins: Ints
    gap: Floats
    wait: float
    come: Floats


@lru_cache(maxsize=4096)
def level_table(levels: int, rate: float, whole: float, sources: int) -> Ints:
    """The best level by state.

    Args:
        levels: Number of levels L.
        rate: Tasks that come to the machine in the latency of a task.
        whole: Time that a task takes in full, in latencies.
        sources: Every how many-th task of the stream comes to this machine, k.

    Returns:
        Level, from 0, by number waiting and slack (MOST+1, BINS+1); 0 where none is in time.
    """
    return _solve(_model(levels, rate, whole, sources))


def _model(levels: int, rate: float, whole: float, sources: int) -> _Model:
    """The numbers of the process."""
    gain = np.arange(1, levels + 1) / levels
    time = whole * np.log1p(-(1.0 - _CUT) * gain) / np.log(_CUT)
    edges = gamma.cdf(np.arange(BINS + 1) / BINS, sources, scale=1.0 / (rate * sources))
    bins = np.maximum(1, np.ceil(time * BINS - 1e-9)).astype(np.int64)
    # k arrive within a time if the k-th gap is over by then.
    over = gamma.cdf(
        np.minimum(bins, BINS)[:, None] / BINS,
        sources * np.arange(1, MOST + 1),
        scale=1.0 / (rate * sources),
    )
    reached = np.hstack((np.ones((levels, 1)), over, np.zeros((levels, 1))))
    return _Model(
        gain=gain,
        bins=bins,
        gap=np.append(np.diff(edges), 1.0 - edges[-1]),
        wait=(1.0 - np.log(_DISCOUNT) / (rate * sources)) ** -sources,
        come=reached[:, :-1] - reached[:, 1:],
    )


def _solve(model: _Model) -> Ints:
    """Value iteration; the best level by state."""
    value = np.zeros((MOST + 1, BINS + 1))
    worth = np.zeros((model.gain.size, MOST + 1, BINS + 1))
    for _ in range(_SWEEPS):
        following = _following(model, value)
        for level in range(model.gain.size):
            worth[level] = _worth(model, following, level)
        after = np.maximum(worth.max(axis=0), 0.0)
        # Or the most urgent one is dropped and the next looked at.
        after[1:] = np.maximum(after[1:], following[:-1, BINS:])
        # Nothing waits: the next to come finds the machine idle, with all its time.
        after[0, :] = model.wait * after[1, BINS]
        moved = float(np.abs(after - value).max())
        value = after
        if moved < _SETTLED:
            break
    table: Ints = worth.argmax(axis=0)
    return table


def _following(model: _Model, value: Floats) -> Floats:
    """Expected value when n wait and the task served last would now have y bins (MOST+1, 2b+1).

    y runs from −b to b and is that of the task just done; the next one has a gap more.
    """
    least = np.arange(-BINS, BINS + 1)
    slack = np.clip(least[:, None] + np.arange(model.gap.size)[None, :], 0, BINS)
    found = np.empty((MOST + 1, least.size))
    for waiting in range(MOST + 1):
        found[waiting] = value[waiting][slack] @ model.gap
    return found


def _worth(model: _Model, following: Floats, level: int) -> Floats:
    """What a level is worth in each state; −1 where it is not in time."""
    worth = np.full((MOST + 1, BINS + 1), -1.0)
    took = int(model.bins[level])
    if took > BINS:
        return worth
    later = _DISCOUNT ** (took / BINS)
    left = np.minimum(np.arange(MOST)[:, None] + np.arange(MOST + 1), MOST)
    then = model.come[level] @ following[left, BINS : 2 * BINS + 1 - took]
    worth[1:, took:] = model.gain[level] + later * then
    return worth
