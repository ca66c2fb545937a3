"""State of a batch of episodes in which tasks arrive: the simulator's, one row an environment.

The dynamics are those of `dsct_gym.online.simulator`, to the last bit: `game_of` shows the
simulator the row of an environment as a game, and an action becomes a choice there.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.envs.arrival_bank import ArrivalBank
from dsct_gym.envs.state import Feedback
from dsct_gym.jit import helper
from dsct_gym.online.known import Choice
from dsct_gym.online.simulator import Counter, Game, Meter, Tasks, settle

RECENT = 0.05
"""Share of the horizon over which recent work is averaged; older work counts e times less."""


class Tally(IntEnum):
    """Places of what is known of the past: sums over the tasks that have arrived, and clocks.

    GAIN: Σ of what they could gain in full.
    WORK: Σ f_j^max, GFLOP.
    PATIENCE: Σ (d_j − arrival), s.
    RECENT: The same work, each task's less by e for every `RECENT` of the horizon since, GFLOP.
    SEEN: How many tasks are in these sums.
    SINCE: Clock to which the recent work is brought down, s.
    BEFORE: Clock at the decision before, s.
    """

    GAIN = 0
    WORK = 1
    PATIENCE = 2
    RECENT = 3
    SEEN = 4
    SINCE = 5
    BEFORE = 6


class ArrivalPlay(NamedTuple):
    """State of N episodes; n tasks in the order of their arrival, m machines.

    Attributes:
        row: Row of the instance in the bank (N,).
        position: Decisions so far (N,).
        fresh: Whether the next step only shows the reset state (N,).
        limit: When the episode is cut short (N,), s; infinity if never.
        gained: Accuracy gained, the sum of the rewards (N,).
        energy: Energy spent on each machine (N, m), J.
        tally: What is known of the past (N, places of `Tally`).
        free: As in `Game` (N, m), like the rest.
        meters: (N, places of `Meter`).
        counters: (N, places of `Counter`).
        waiting: (N, n).
        outcome: (N, n).
        machine: (N, n).
        start: (N, n), s.
        work: (N, n), GFLOP.
    """

    row: Ints
    position: Ints
    fresh: Bools
    limit: Floats
    gained: Floats
    energy: Floats
    tally: Floats
    free: Floats
    meters: Floats
    counters: Ints
    waiting: Ints
    outcome: Ints
    machine: Ints
    start: Floats
    work: Floats

    @classmethod
    def empty(cls, count: int, tasks: int, machines: int) -> ArrivalPlay:
        """N episodes that have not begun."""
        return cls(
            row=np.zeros(count, dtype=np.int64),
            position=np.zeros(count, dtype=np.int64),
            fresh=np.zeros(count, dtype=np.bool_),
            limit=np.full(count, np.inf),
            gained=np.zeros(count),
            energy=np.zeros((count, machines)),
            tally=np.zeros((count, len(Tally))),
            free=np.zeros((count, machines)),
            meters=np.zeros((count, len(Meter))),
            counters=np.zeros((count, len(Counter)), dtype=np.int64),
            waiting=np.zeros((count, tasks), dtype=np.int64),
            outcome=np.zeros((count, tasks), dtype=np.int64),
            machine=np.full((count, tasks), -1, dtype=np.int64),
            start=np.zeros((count, tasks)),
            work=np.zeros((count, tasks)),
        )

    @property
    def spent(self) -> Floats:
        """Energy spent (N,), J."""
        return self.meters[:, Meter.SPENT]

    @property
    def clock(self) -> Floats:
        """Time of the decision at hand (N,), s."""
        return self.meters[:, Meter.CLOCK]

    @property
    def elapsed(self) -> Floats:
        """Time since the decision before (N,), s."""
        return np.asarray(self.clock - self.tally[:, Tally.BEFORE])


@helper
def game_of(bank: ArrivalBank, play: ArrivalPlay, env: int) -> Game:
    """The game of an environment; what has arrived is not copied, for nobody else reads it."""
    row = play.row[env]
    n, m = bank.tasks[row], bank.machines[row]
    coming = Tasks(
        arrival=bank.arrival[row, :n],
        deadline=bank.deadline[row, :n],
        reach=bank.reach[row, :n],
        value=bank.value[row, :n],
        level=bank.level[row, :n],
        gain=bank.gain[row, :n],
    )
    return Game(
        coming=coming,
        arrived=coming,
        speed=bank.speed[row, :m],
        efficiency=bank.efficiency[row, :m],
        free=play.free[env, :m],
        meters=play.meters[env],
        counters=play.counters[env],
        waiting=play.waiting[env, :n],
        outcome=play.outcome[env, :n],
        machine=play.machine[env, :n],
        start=play.start[env, :n],
        work=play.work[env, :n],
    )


@helper
def begin_row(
    bank: ArrivalBank, play: ArrivalPlay, feedback: Feedback, env: int, row: int, limit: float
) -> None:
    """Puts an environment at the start of the instance in a row, before the first arrival."""
    play.row[env] = row
    play.position[env] = 0
    play.fresh[env] = False
    play.limit[env] = limit
    play.gained[env] = 0.0
    for place in range(play.tally.shape[1]):
        play.tally[env, place] = 0.0
    for place in range(play.meters.shape[1]):
        play.meters[env, place] = 0.0
    play.meters[env, Meter.HORIZON] = bank.horizon[row]
    play.meters[env, Meter.BUDGET] = bank.budget[row]
    play.meters[env, Meter.AHEAD] = np.inf
    play.counters[env, Counter.ARRIVED] = 0
    play.counters[env, Counter.WAITING] = 0
    play.counters[env, Counter.MACHINE] = -1
    for r in range(play.free.shape[1]):
        play.free[env, r] = 0.0
        play.energy[env, r] = 0.0
    for task in range(bank.tasks[row]):
        play.outcome[env, task] = 0
        play.machine[env, task] = -1
        play.start[env, task] = 0.0
        play.work[env, task] = 0.0
    feedback.reward[env] = 0.0
    feedback.terminated[env] = False
    feedback.truncated[env] = False
    feedback.invalid[env] = False


@helper
def stays(play: ArrivalPlay, feedback: Feedback, env: int) -> bool:
    """Whether an environment stays where its reset has put it, as a fresh one does for a step."""
    if not play.fresh[env]:
        return False
    play.fresh[env] = False
    feedback.reward[env] = 0.0
    feedback.invalid[env] = False
    feedback.terminated[env] = False
    feedback.truncated[env] = False
    return True


@helper
def begin_turn(play: ArrivalPlay, feedback: Feedback, action: int, env: int) -> bool:
    """Notes a decision; whether it gives a task: the last action and a forbidden one do not."""
    allowed = feedback.mask[env, action] == 1
    feedback.invalid[env] = not allowed
    feedback.reward[env] = 0.0
    play.position[env] += 1
    return bool(allowed and action != feedback.mask.shape[1] - 1)


@helper
def give(
    bank: ArrivalBank,
    play: ArrivalPlay,
    feedback: Feedback,
    env: int,
    game: Game,
    task: int,
    machine: int,
    level: int,
) -> None:
    """Gives a machine a task at a level, if it fits."""
    row = play.row[env]
    work = bank.level[row, task, level]
    if settle(game, Choice(task=task, machine=machine, work=work)):
        play.energy[env, machine] += work / bank.efficiency[row, machine]
        feedback.reward[env] = bank.gain[row, task, level]
        play.gained[env] += bank.gain[row, task, level]


@helper
def take_in(bank: ArrivalBank, play: ArrivalPlay, env: int) -> None:
    """Counts the tasks that have arrived since this was called last."""
    row, last = play.row[env], bank.reach.shape[2] - 1
    sums, horizon = play.tally[env], bank.horizon[row]
    for task in range(int(sums[Tally.SEEN]), play.counters[env, Counter.ARRIVED]):
        full, arrival = bank.reach[row, task, last], bank.arrival[row, task]
        sums[Tally.GAIN] += bank.value[row, task, last] - bank.value[row, task, 0]
        sums[Tally.WORK] += full
        sums[Tally.PATIENCE] += bank.deadline[row, task] - arrival
        sums[Tally.RECENT] *= math.exp((sums[Tally.SINCE] - arrival) / (RECENT * horizon))
        sums[Tally.RECENT] += full
        sums[Tally.SINCE] = arrival
        sums[Tally.SEEN] += 1.0


@helper
def go_on(
    bank: ArrivalBank, play: ArrivalPlay, feedback: Feedback, env: int, playing: bool, before: float
) -> None:
    """Notes what there is to note when the simulator has gone on to the next decision, or the end.

    Args:
        bank: The instances.
        play: The state.
        feedback: Where to say that the episode is over.
        env: The environment.
        playing: Whether there is another decision.
        before: Clock at the decision before, s.
    """
    play.tally[env, Tally.BEFORE] = before
    feedback.terminated[env] = not playing
    if playing:
        take_in(bank, play, env)
        feedback.truncated[env] = play.meters[env, Meter.CLOCK] >= play.limit[env]
    else:
        # Nobody knows that nothing comes any more: the episode is over when the horizon is.
        horizon = bank.horizon[play.row[env]]
        play.meters[env, Meter.CLOCK] = max(play.meters[env, Meter.CLOCK], horizon)
