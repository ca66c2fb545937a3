"""`edf-online` on an example worked out by hand."""

from arriving import by_hand
from dsct_gym import make_solver
from dsct_gym.online.simulator import Game, Outcome


def test_an_idle_machine_takes_the_most_urgent_task_that_it_can_do_in_full() -> None:
    # Speeds 1 and 2. At 0 task 0 comes: machine 0 needs 4 s for it until 3, machine 1 but 2 s.
    # At 1 tasks 1 and 2 come: machine 0 takes 1, the more urgent one, until 3; machine 1 is free at
    # 2, when task 2 needs 3.5 s of its 3. Task 3 comes at 5 when the energy left is 4 of 5 J.
    problem = by_hand(
        [0.0, 1.0, 1.0, 5.0, 6.0],
        [3.0, 4.0, 5.0, 20.0, 20.0],
        [4.0, 2.0, 7.0, 5.0, 4.0],
        speeds=(1.0, 2.0),
        budget=10.0,
    )
    rule = make_solver("edf-online")
    game = Game.of(problem, rule.levels)
    rule._play(game)
    assert game.machine.tolist() == [1, 0, -1, -1, 0]
    assert game.start.tolist() == [0.0, 1.0, 0.0, 0.0, 6.0]
    assert game.work.tolist() == [4.0, 2.0, 0.0, 0.0, 4.0]
    dropped, served = Outcome.DROPPED, Outcome.SERVED
    assert game.outcome.tolist() == [served, served, dropped, dropped, served]
