"""`myopic` on an example worked out by hand."""

import pytest

from arriving import by_hand
from dsct_gym import make_solver
from dsct_gym.online.simulator import Game, Outcome


def test_a_task_gets_the_highest_level_that_fits_where_it_ends_first() -> None:
    # Speeds 1 and 2, levels of a tenth. Task 0 ends first on machine 1, at 2. Task 1 can be done in
    # full on machine 0 alone, until 3.5. Task 2 has 1 s on machine 1, that is 2 of its 8 GFLOP:
    # level 2, until 2.8. Task 3 has half a second on machine 0, on machine 1 time for 2.4 of its
    # 4 GFLOP: level 6. That leaves 1 of 12 J: one level of task 4 and nothing of task 5.
    problem = by_hand(
        [0.0, 0.5, 1.0, 1.0, 9.0, 10.0],
        [3.0, 3.6, 3.0, 4.0, 30.0, 30.0],
        [4.0, 3.0, 8.0, 4.0, 10.0, 20.0],
        speeds=(1.0, 2.0),
        budget=12.0,
    )
    rule = make_solver("myopic")
    game = Game.of(problem, rule.levels)
    rule._play(game)
    assert game.machine.tolist() == [1, 0, 1, 1, 1, -1]
    assert game.start == pytest.approx([0.0, 0.5, 2.0, 2.8, 9.0, 0.0])
    assert game.work == pytest.approx([4.0, 3.0, 1.6, 2.4, 1.0, 0.0])
    assert game.outcome.tolist() == [Outcome.SERVED] * 5 + [Outcome.SKIPPED]
