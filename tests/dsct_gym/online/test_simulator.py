"""The game of deciding as tasks come, against its rules worked out by hand and anew."""

from collections.abc import Callable

import numpy as np
import pytest

from arriving import arriving, by_hand
from dsct_gym import generate
from dsct_gym.online.known import NOTHING, Choice, Known
from dsct_gym.online.policy import PlainPolicy
from dsct_gym.online.simulator import Game, Meter, Outcome, next_arrival, next_idle
from dsct_gym.problem import Problem


class Scripted(PlainPolicy):
    """Does what a function says, and keeps what it was shown."""

    name = "scripted"
    turns = staticmethod(next_arrival)

    def __init__(self, say: Callable[[Known], Choice], **options: object) -> None:
        super().__init__(**options)
        self.say, self.seen = say, []

    def decide(self, known: Known) -> Choice:
        self.seen.append(known)
        return self.say(known)

    def played(self, problem: Problem) -> Game:
        game = Game.of(problem, self.levels, np.inf if self.pace is None else self.pace)
        self._play(game)
        return game


class ScriptedQueue(Scripted):
    turns = staticmethod(next_idle)


def in_full(known: Known) -> Choice:
    """The most urgent task in full, on the machine that is asked, or the first."""
    task = int(known.waiting[0])
    return Choice(task, max(known.machine, 0), float(known.reach[task, -1]))


def test_tasks_run_first_come_first_served_from_their_arrival() -> None:
    # Two arrive together at 1: the first in the order of the instance starts, the other queues.
    problem = by_hand([5.0, 1.0, 1.0], [9.0, 4.0, 4.0], [2.0, 1.0, 2.0], speeds=(1.0,))
    rule = Scripted(in_full)
    game = rule.played(problem)
    schedule = game.schedule(problem)
    assert schedule.start.tolist() == [5.0, 1.0, 2.0]
    assert [known.clock for known in rule.seen] == [1.0, 1.0, 5.0]
    assert [known.arrival.tolist() for known in rule.seen] == [[1.0], [1.0, 1.0], [1.0, 1.0, 5.0]]
    assert [known.waiting.tolist() for known in rule.seen] == [[0], [1], [2]]
    assert [float(known.free[0]) for known in rule.seen] == [0.0, 2.0, 4.0]
    assert [known.spent for known in rule.seen] == [0.0, 1.0, 3.0]
    assert [known.machine for known in rule.seen] == [-1] * 3
    assert game.outcome.tolist() == [Outcome.SERVED] * 3


def test_a_skipped_task_is_gone() -> None:
    problem = by_hand([0.0, 1.0], [9.0, 9.0], [1.0, 1.0])
    game = Scripted(lambda known: in_full(known) if known.clock > 0.0 else NOTHING).played(problem)
    assert game.outcome.tolist() == [Outcome.SKIPPED, Outcome.SERVED]
    assert game.schedule(problem).machine.tolist() == [-1, 0]


def test_idle_machines_are_asked_in_turn_at_every_event() -> None:
    # Machine 1 is twice as fast. At 0 both are idle and tasks 0, 1 wait; task 2 comes at 1.
    problem = by_hand(
        [0.0, 0.0, 1.0], [9.0, 8.0, 7.0], [4.0, 4.0, 4.0], speeds=(1.0, 2.0), horizon=1.0
    )
    rule = ScriptedQueue(in_full)
    schedule = rule.played(problem).schedule(problem)
    asked = [(known.clock, known.machine, known.waiting.tolist()) for known in rule.seen]
    assert asked == [(0.0, 0, [1, 0]), (0.0, 1, [0]), (2.0, 1, [2])]
    assert schedule.start.tolist() == [0.0, 0.0, 2.0]
    assert schedule.machine.tolist() == [1, 0, 1]


def test_whoever_waits_is_asked_again_when_something_happens() -> None:
    problem = by_hand([0.0, 1.0], [9.0, 5.0], [1.0, 1.0], speeds=(1.0, 1.0))
    rule = ScriptedQueue(lambda known: NOTHING if known.clock < 1.0 else in_full(known))
    game = rule.played(problem)
    asked = [(known.clock, known.machine, known.waiting.tolist()) for known in rule.seen]
    assert asked == [(0.0, 0, [0]), (0.0, 1, [0]), (1.0, 0, [1, 0]), (1.0, 1, [0])]
    assert game.outcome.tolist() == [Outcome.SERVED] * 2


def test_what_waits_too_long_is_dropped() -> None:
    # Task 0 is due when task 1 arrives; after that nothing happens any more.
    problem = by_hand([0.0, 2.0, 2.0], [2.0, 3.0, 9.0], [1.0, 1.0, 1.0])
    rule = ScriptedQueue(lambda known: NOTHING)
    game = rule.played(problem)
    assert [known.waiting.tolist() for known in rule.seen] == [[0], [1, 2]]
    assert game.outcome.tolist() == [Outcome.DROPPED] * 3


def test_energy_is_released_with_time_where_asked() -> None:
    problem = by_hand([0.0, 5.0], [20.0, 20.0], [1.0, 1.0], budget=10.0, horizon=10.0)
    rule = Scripted(in_full, pace=0.1)
    rule.played(problem)
    assert [known.left for known in rule.seen] == pytest.approx([1.0, 5.0], rel=1e-9)
    free = Scripted(in_full)
    free.played(problem)
    assert [known.left for known in free.seen] == pytest.approx([10.0, 9.0], rel=1e-9)


@pytest.mark.parametrize(
    "choice",
    [
        Choice(0, 1, 1.0),  # no such machine
        Choice(0, -1, 1.0),
        Choice(1, 0, 1.0),  # not there yet
        Choice(0, 0, 0.0),
        Choice(0, 0, 4.0 + 1e-6),  # more than its curve has
        Choice(0, 0, 3.0 + 1e-6),  # too late
        Choice(0, 0, np.nan),
    ],
)
@pytest.mark.parametrize("kind", [Scripted, ScriptedQueue])
def test_what_is_not_possible_is_a_defect(kind: type[Scripted], choice: Choice) -> None:
    problem = by_hand([0.0, 1.0], [3.0, 9.0], [4.0, 1.0])
    with pytest.raises(RuntimeError, match="chose what is not possible"):
        kind(lambda known: choice).played(problem)
    poor = by_hand([0.0], [3.0], [2.0], budget=1.5, horizon=1.0)
    with pytest.raises(RuntimeError, match="chose what is not possible"):
        kind(in_full).played(poor)


def test_what_fits_exactly_is_possible() -> None:
    problem = by_hand([0.1, 0.2], [0.4, 0.7], [0.3, 0.3], budget=0.6)
    assert Scripted(in_full).played(problem).outcome.tolist() == [Outcome.SERVED] * 2


@pytest.mark.parametrize("kind", [Scripted, ScriptedQueue])
def test_nothing_shown_can_be_changed_or_tells_how_many_come(kind: type[Scripted]) -> None:
    def look(known: Known) -> Choice:
        arrays = [array for array in known if isinstance(array, np.ndarray)]
        assert not any(array.flags.writeable for array in arrays)
        size = known.arrival.size
        assert known.arrival.max() <= known.clock
        for array in (known.arrival, known.deadline, known.reach, known.level):
            assert array.shape[0] == size
            assert array.base.shape[0] == max(64, 1 << (size - 1).bit_length())
            assert not array.base[size:].any()
        return NOTHING

    rule = kind(look)
    rule.played(arriving(0, n=100))
    assert len(rule.seen) >= 100


def test_levels_are_those_of_the_environments() -> None:
    core = generate(6, 2, seed=4)
    rule = Scripted(lambda known: NOTHING, levels=7)
    rule.played(core)
    last = rule.seen[-1]
    gain = core.top_accuracy - core.base_accuracy
    for level in range(7):
        assert last.gain[:, level] == pytest.approx((level + 1) / 7 * gain)
        for task in range(6):
            reached = np.interp(last.level[task, level], core.work[task], core.accuracy[task])
            assert reached - core.base_accuracy[task] == pytest.approx(last.gain[task, level])


def random_choice(rng: np.random.Generator) -> Callable[[Known], Choice]:
    """A rule that does anything that is possible."""

    def say(known: Known) -> Choice:
        task = int(rng.choice(known.waiting))
        machine = known.machine if known.machine >= 0 else int(rng.integers(known.speed.size))
        start = max(known.clock, known.free[machine])
        most = min(
            (known.deadline[task] - start) * known.speed[machine],
            known.left * known.efficiency[machine] * (1.0 - 1e-9),
            known.reach[task, -1],
        )
        work = most * rng.random()
        return Choice(task, machine, work) if work > 0.0 and rng.random() < 0.7 else NOTHING

    return say


@pytest.mark.parametrize("kind", [Scripted, ScriptedQueue])
@pytest.mark.parametrize("seed", range(8))
def test_every_game_is_a_schedule_and_no_task_is_lost(kind: type[Scripted], seed: int) -> None:
    problem = arriving(seed, n=60, crowds=20 * (seed % 2))
    rule = kind(random_choice(np.random.default_rng(seed)))
    game = rule.played(problem)
    schedule = game.schedule(problem)
    assert schedule.verify()
    assert (game.outcome != Outcome.OPEN).all()
    assert ((game.machine >= 0) == (game.outcome == Outcome.SERVED)).all()
    decided = game.outcome != Outcome.DROPPED
    if kind is Scripted:
        assert decided.all()
        assert len(rule.seen) == 60
    else:
        assert not (game.outcome == Outcome.SKIPPED).any()
    assert game.meters[Meter.SPENT] == pytest.approx(schedule.energy)
