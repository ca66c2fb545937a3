"""Tasks arrive, are decided and run: the game that a rule plays, as compiled kernels.

A machine does what it is given one after the other, first come, first served: a task starts when
it is given or when its machine is free, whichever is later. There are two games. In one a task is
decided when it arrives, machine and work for good (`to_arrival`). In the other tasks wait, and
whenever a machine is idle and tasks wait, it is given one, or told to wait (`to_idle`); idle
machines are asked in their order, each once between two events, an event being an arrival or that a
machine becomes free. A task whose deadline has come before it was decided is dropped. Every task is
served, skipped or dropped, exactly one of them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.jit import helper, kernel
from dsct_gym.levels import fill_levels
from dsct_gym.online.instance import as_online
from dsct_gym.online.known import Choice, Known, room_from
from dsct_gym.online.schedule import started_at
from dsct_gym.problem import Problem
from dsct_gym.schedule import Schedule
from dsct_gym.tolerances import ROUNDING


class Outcome(IntEnum):
    """What has become of a task."""

    OPEN = 0
    SERVED = 1
    SKIPPED = 2
    DROPPED = 3


class Meter(IntEnum):
    """Places of the numbers of a game."""

    CLOCK = 0
    HORIZON = 1
    BUDGET = 2
    SPENT = 3
    AHEAD = 4


class Counter(IntEnum):
    """Places of the counters of a game."""

    ARRIVED = 0
    WAITING = 1
    MACHINE = 2


class Tasks(NamedTuple):
    """Tasks in the order of their arrival; the columns are those of `Known`."""

    arrival: Floats
    deadline: Floats
    reach: Floats
    value: Floats
    level: Floats
    gain: Floats


class Game(NamedTuple):
    """A game and where it stands.

    Attributes:
        coming: All n tasks, which only the simulator reads.
        arrived: Copies of those that have arrived; rows of others are 0.
        speed: Of each machine (m,), GFLOP/s.
        efficiency: Of each machine (m,), GFLOP/J.
        free: When each machine has done what was given to it (m,), s.
        meters: Numbers by `Meter`: clock and horizon (s), budget and energy spent (J), and the
            share of the budget by which spending may be ahead of time.
        counters: By `Counter`: tasks that have arrived, tasks that wait, and the machine that is
            asked, −1 for none.
        waiting: The tasks that wait, most urgent first (n,); what counts are the first ones.
        outcome: `Outcome` of each task (n,).
        machine: Machine of each task (n,), −1 for none.
        start: Start of each task (n,), s.
        work: Work of each task (n,), GFLOP.
    """

    coming: Tasks
    arrived: Tasks
    speed: Floats
    efficiency: Floats
    free: Floats
    meters: Floats
    counters: Ints
    waiting: Ints
    outcome: Ints
    machine: Ints
    start: Floats
    work: Floats

    @classmethod
    def of(cls, problem: Problem, levels: int, ahead: float = np.inf) -> Game:
        """The game at its beginning.

        Args:
            problem: What is played. All tasks of an `Instance` are there from the start, and its
                horizon is the latest deadline.
            levels: Number of compression levels L.
            ahead: Share of the budget by which spending may be ahead of time: at time t no more
                than ``B · (t / horizon + ahead)`` is spent. Infinity: the budget alone counts.
        """
        problem = as_online(problem)
        core, order, n = problem.core, problem.arrival_order, problem.core.num_tasks
        coming = Tasks(
            arrival=problem.arrivals[order],
            deadline=core.deadlines[order],
            reach=core.work[order],
            value=core.accuracy[order],
            level=np.zeros((n, levels)),
            gain=np.zeros((n, levels)),
        )
        find_levels(coming)
        meters = np.zeros(len(Meter))
        meters[Meter.HORIZON] = problem.horizon
        meters[Meter.BUDGET] = core.energy_budget
        meters[Meter.AHEAD] = ahead
        return cls(
            coming=coming,
            arrived=Tasks(*(np.zeros_like(column) for column in coming)),
            speed=core.speeds.copy(),
            efficiency=core.efficiencies.copy(),
            free=np.zeros(core.num_machines),
            meters=meters,
            counters=np.array([0, 0, -1]),
            waiting=np.zeros(n, dtype=np.int64),
            outcome=np.zeros(n, dtype=np.int64),
            machine=np.full(n, -1, dtype=np.int64),
            start=np.zeros(n),
            work=np.zeros(n),
        )

    def schedule(self, problem: Problem) -> Schedule:
        """The schedule of what was decided so far; it is not verified here."""
        place = np.argsort(as_online(problem).arrival_order, kind="stable")
        return started_at(problem, self.machine[place], self.start[place], self.work[place])


@kernel
def find_levels(tasks: Tasks) -> None:
    """Fills in the compression levels of tasks whose curves are there."""
    levels, last = tasks.level.shape[1], tasks.reach.shape[1] - 1
    for task in range(tasks.arrival.size):
        fill_levels(tasks.reach[task], tasks.value[task], tasks.level[task])
        full = tasks.value[task, last] - tasks.value[task, 0]
        for level in range(levels):
            tasks.gain[task, level] = full * ((level + 1) / levels)


@kernel
def next_arrival(game: Game) -> bool:
    """As `to_arrival`, for Python."""
    return to_arrival(game)


@kernel
def next_idle(game: Game) -> bool:
    """As `to_idle`, for Python."""
    return to_idle(game)


@kernel
def carry_out(game: Game, choice: Choice) -> bool:
    """As `settle`, for Python."""
    return settle(game, choice)


@helper
def to_arrival(game: Game) -> bool:
    """Goes on to the next task that is to be decided, the one that arrives next.

    Returns:
        Whether there is one; otherwise the game is over.
    """
    if game.counters[Counter.ARRIVED] == game.coming.arrival.size:
        return False
    game.meters[Meter.CLOCK] = game.coming.arrival[game.counters[Counter.ARRIVED]]
    _arrive(game)
    return True


@helper
def to_idle(game: Game) -> bool:
    """Goes on to the next machine that is idle while tasks wait.

    Returns:
        Whether there is one; otherwise the game is over, and what still waits is dropped.
    """
    while True:
        machine = game.counters[Counter.MACHINE] + 1
        while machine < game.free.size and game.counters[Counter.WAITING] > 0:
            if game.free[machine] <= game.meters[Meter.CLOCK]:
                game.counters[Counter.MACHINE] = machine
                return True
            machine += 1
        game.counters[Counter.MACHINE] = -1
        now = _next_event(game)
        if now == np.inf:
            _drop_until(game, np.inf)
            return False
        game.meters[Meter.CLOCK] = now
        _arrive_until(game, now)
        _drop_until(game, now)


@helper
def _next_event(game: Game) -> float:
    """When a task arrives next, or a machine becomes free while tasks wait; infinity if never."""
    arrived = game.counters[Counter.ARRIVED]
    event = np.inf
    if arrived < game.coming.arrival.size:
        event = game.coming.arrival[arrived]
    if game.counters[Counter.WAITING] > 0:
        for machine in range(game.free.size):
            if game.meters[Meter.CLOCK] < game.free[machine] < event:
                event = game.free[machine]
    return float(event)


@helper
def _arrive_until(game: Game, now: float) -> None:
    """Lets all tasks arrive that are there by now."""
    arrived = game.counters[Counter.ARRIVED]
    while arrived < game.coming.arrival.size and game.coming.arrival[arrived] <= now:
        _arrive(game)
        arrived += 1


@helper
def _arrive(game: Game) -> None:
    """Shows the next task, and puts it where its deadline belongs among those that wait."""
    task, waiting = game.counters[Counter.ARRIVED], game.counters[Counter.WAITING]
    coming, arrived = game.coming, game.arrived
    arrived.arrival[task] = coming.arrival[task]
    arrived.deadline[task] = coming.deadline[task]
    for k in range(coming.reach.shape[1]):
        arrived.reach[task, k] = coming.reach[task, k]
        arrived.value[task, k] = coming.value[task, k]
    for level in range(coming.level.shape[1]):
        arrived.level[task, level] = coming.level[task, level]
        arrived.gain[task, level] = coming.gain[task, level]
    place = waiting
    while place > 0 and arrived.deadline[game.waiting[place - 1]] > coming.deadline[task]:
        game.waiting[place] = game.waiting[place - 1]
        place -= 1
    game.waiting[place] = task
    game.counters[Counter.ARRIVED] = task + 1
    game.counters[Counter.WAITING] = waiting + 1


@helper
def _drop_until(game: Game, now: float) -> None:
    """Drops the tasks that wait and whose deadline has come."""
    late = 0
    while late < game.counters[Counter.WAITING]:
        task = game.waiting[late]
        if game.arrived.deadline[task] > now:
            break
        game.outcome[task] = Outcome.DROPPED
        late += 1
    game.counters[Counter.WAITING] -= late
    for place in range(game.counters[Counter.WAITING] if late > 0 else 0):
        game.waiting[place] = game.waiting[place + late]


@kernel
def know(game: Game) -> Known:
    """What whoever decides knows now."""
    arrived, waiting = game.counters[Counter.ARRIVED], game.counters[Counter.WAITING]
    return Known(
        clock=game.meters[Meter.CLOCK],
        horizon=game.meters[Meter.HORIZON],
        budget=game.meters[Meter.BUDGET],
        spent=game.meters[Meter.SPENT],
        left=_energy_left(game),
        machine=game.counters[Counter.MACHINE],
        speed=game.speed,
        efficiency=game.efficiency,
        free=game.free,
        waiting=game.waiting[:waiting],
        arrival=game.arrived.arrival[:arrived],
        deadline=game.arrived.deadline[:arrived],
        reach=game.arrived.reach[:arrived],
        value=game.arrived.value[:arrived],
        level=game.arrived.level[:arrived],
        gain=game.arrived.gain[:arrived],
    )


@helper
def _energy_left(game: Game) -> float:
    """Energy that may be spent now; rounding is forgiven."""
    clock, horizon = game.meters[Meter.CLOCK], game.meters[Meter.HORIZON]
    released = min(1.0, clock / horizon + game.meters[Meter.AHEAD])
    budget = game.meters[Meter.BUDGET] * released
    left: float = budget * (1.0 + ROUNDING) - game.meters[Meter.SPENT]
    return max(0.0, left)


@helper
def settle(game: Game, choice: Choice) -> bool:
    """Does what was decided.

    Returns:
        Whether that is possible; if not, nothing has happened.
    """
    asked = game.counters[Counter.MACHINE]
    if choice.task < 0:
        if asked < 0:
            game.outcome[game.waiting[0]] = Outcome.SKIPPED
            _forget(game, 0)
        return True
    place = _place_of(game, choice.task)
    machines = game.free.size
    if place < 0 or not 0 <= choice.machine < machines or asked not in (-1, choice.machine):
        return False
    task, machine = choice.task, choice.machine
    start = max(game.meters[Meter.CLOCK], game.free[machine])
    speed, efficiency = game.speed[machine], game.efficiency[machine]
    most = room_from(start, game.arrived.deadline[task], _energy_left(game), speed, efficiency)
    full = game.arrived.reach[task, game.arrived.reach.shape[1] - 1]
    if not 0.0 < choice.work <= min(most, full * (1.0 + ROUNDING)):
        return False
    game.outcome[task] = Outcome.SERVED
    game.machine[task] = machine
    game.start[task] = start
    game.work[task] = choice.work
    game.free[machine] = start + choice.work / speed
    game.meters[Meter.SPENT] += choice.work / efficiency
    _forget(game, place)
    return True


@helper
def _place_of(game: Game, task: int) -> int:
    """Where a task waits; −1 if it does not."""
    for place in range(game.counters[Counter.WAITING]):
        if game.waiting[place] == task:
            return place
    return -1


@helper
def _forget(game: Game, decided: int) -> None:
    """Takes a task from those that wait."""
    game.counters[Counter.WAITING] -= 1
    for place in range(decided, game.counters[Counter.WAITING]):
        game.waiting[place] = game.waiting[place + 1]
