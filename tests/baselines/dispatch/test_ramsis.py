"""`ramsis`: its tables where they are known, and a game by hand."""

import numpy as np
import pytest

from arriving import by_hand
from dsct_gym import make_solver
from dsct_gym.baselines.dispatch.waiting_process import BINS, level_table


def test_where_nothing_else_comes_slack_is_filled() -> None:
    levels = 10
    table = level_table(levels, 1e-3, 0.5, 1)
    shares = np.log1p(-0.99 * np.arange(1, levels + 1) / levels) / np.log(0.01)
    bins = np.maximum(1, np.ceil(0.5 * shares * BINS - 1e-9))
    fits = (bins[:, None] <= np.arange(BINS + 1)).sum(axis=0) - 1
    assert np.array_equal(table[1], np.maximum(fits, 0))


def test_the_more_wait_and_come_the_lower_the_level() -> None:
    at_ease, in_haste = level_table(10, 0.2, 0.5, 1), level_table(10, 8.0, 0.5, 1)
    assert (np.diff(in_haste[1:, BINS]) <= 0).all()
    assert in_haste[1, BINS] < at_ease[1, BINS]
    assert in_haste[5, BINS] < in_haste[1, BINS]


def test_those_that_came_long_after_each_other_do_not_compete() -> None:
    # Gaps are so long that the second has all of its time when the first is done.
    table = level_table(10, 1e-3, 0.5, 1)
    assert np.array_equal(table[2], table[1])


def test_a_game_by_hand() -> None:
    # One task at a time and no load: in full, or the highest level that its room allows.
    problem = by_hand([0.0, 10.0], [4.0, 14.0], [2.0, 8.0], horizon=100.0)
    schedule = make_solver("ramsis").solve(problem).schedule
    assert schedule.work == pytest.approx([2.0, 4.0])
