"""Turns in proportion to weights."""

import numpy as np

from dsct_gym.baselines.dispatch.round_robin import RoundRobin


def test_turns_are_spread() -> None:
    turns = RoundRobin(np.array([5.0, 1.0, 1.0]))
    assert [turns.next() for _ in range(7)] == [0, 0, 1, 0, 2, 0, 0]


def test_whoever_has_no_weight_has_no_turn() -> None:
    turns = RoundRobin(np.array([0.0, 1.0]))
    assert [turns.next() for _ in range(5)] == [1] * 5
