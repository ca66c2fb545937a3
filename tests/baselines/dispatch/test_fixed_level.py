"""`fixed-level` on an example worked out by hand."""

import pytest

from arriving import by_hand
from dsct_gym import make_solver
from dsct_gym.errors import InputError


def test_the_level_goes_where_it_ends_first_or_nowhere() -> None:
    # Speeds 1 and 2, level 5 of 10 is half of the work: 2, 2, 10 and 10 GFLOP. Task 0 ends first on
    # machine 1, at 1; task 1 at 2 on both; task 2 at 6 on machine 1. Task 3 would end at 12 or 11.
    problem = by_hand(
        [0.0, 0.0, 1.0, 1.0], [3.0, 3.0, 9.0, 10.0], [4.0, 4.0, 20.0, 20.0], speeds=(1.0, 2.0)
    )
    schedule = make_solver("fixed-level", level=5).solve(problem).schedule
    assert schedule.machine.tolist() == [1, 0, 1, -1]
    assert schedule.work == pytest.approx([2.0, 2.0, 10.0, 0.0])


def test_there_is_no_level_beyond_the_last() -> None:
    with pytest.raises(InputError, match="level"):
        make_solver("fixed-level", level=4, levels=3)
