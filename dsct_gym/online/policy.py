"""What a rule is that decides without knowing what comes, and how it becomes a solver.

A rule sees a `Known` and gives a `Choice`. A compiled one is a function that Numba compiles into
the whole game; it is written once, short, and plays a hundred thousand tasks a second. A plain one
is a method in Python, for rules that call what cannot be compiled. Both are solvers: `solve` plays
the rule on an `OnlineInstance` from the first arrival on and gives the schedule that came of it.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, TypeAlias

import numpy as np

from dsct_gym.arguments import as_integer, as_number
from dsct_gym.arrays import Floats
from dsct_gym.jit import kernel
from dsct_gym.online.known import Choice, Known, room_from
from dsct_gym.online.simulator import (
    Counter,
    Game,
    Tasks,
    carry_out,
    know,
    settle,
    to_arrival,
    to_idle,
)
from dsct_gym.problem import Problem
from dsct_gym.solver import Answer, Solver

Decide: TypeAlias = Callable[[Known, Floats, Floats], Choice]
"""A compiled rule: what is known, its memory and its parameters give what it decides."""

Play: TypeAlias = Callable[[Game, Floats, Floats, int], int]
"""So many decisions of a game, or all that are left, by a compiled rule.

It gives `REFUSED`, `BEGUN` or `OVER`.
"""

Turns: TypeAlias = Callable[[Game], bool]
"""When a rule is asked: one of the functions of `dsct_gym.online.simulator` that go on."""

_FIRST_ROWS = 64
_SLICE = 0.01  # s, about, between looks at the clock
_FIRST_DECISIONS = 8  # before the first of them


REFUSED, BEGUN, OVER = 0, 1, 2
"""How far a compiled rule has come: it chose what is not possible, or there is more, or no more."""


class DispatchPolicy(Solver):
    """A rule that decides about tasks as they arrive; see `CompiledPolicy` and `PlainPolicy`.

    Args:
        levels: Number of compression levels L that it is shown.
        pace: None: all of the energy budget may be spent at any time. A share of the budget: at
            time t no more than ``B · (t / horizon + pace)`` may have been spent, so that a rule
            which does not think of energy has some until the end.

    Raises:
        InputError: If an option is out of range.
    """

    knows = frozenset({"arrivals"})

    def __init__(self, levels: int = 10, pace: float | None = None) -> None:
        self.levels = as_integer(levels, "levels", 1)
        self.pace = None if pace is None else as_number(pace, "pace", 0.0, 1.0)

    def _solve(self, instance: Problem, *, time_limit: float | None, seed: int | None) -> Answer:
        deadline = np.inf if time_limit is None else time.perf_counter() + time_limit
        game = Game.of(instance, self.levels, np.inf if self.pace is None else self.pace)
        interrupted = False
        try:
            self._play(game, deadline)
        except KeyboardInterrupt:
            interrupted = True
        return Answer(game.schedule(instance), interrupted=interrupted)

    @abstractmethod
    def _play(self, game: Game, deadline: float = np.inf) -> None:
        """Plays a game to its end, or to a moment on the clock of `time.perf_counter`.

        What is not decided by then is skipped.
        """

    def _refuse(self) -> RuntimeError:
        return RuntimeError(f"{self.name}: chose what is not possible")


class CompiledPolicy(DispatchPolicy):
    """A rule that is compiled, and the whole game with it.

    All there is to write is a function ``decide(known, memory, parameters) -> Choice`` and a class
    that names it. Here is a rule that runs every task at half of its gain on the first machine on
    which it fits::

        @helper
        def _decide(known: Known, memory: Floats, parameters: Floats) -> Choice:
            task = known.waiting[0]
            work = known.level[task, known.level.shape[1] // 2 - 1]
            for machine in range(known.speed.size):
                if 0.0 < work <= room(known, task, machine):
                    return Choice(task=task, machine=machine, work=work)
            return NOTHING


        @practises()
        class Half(CompiledPolicy):
            '''First fit at half of the gain.'''

            name = "half"
            play = at_arrival(_decide)

    `at_arrival` asks whenever a task arrives: ``known.waiting[0]`` is the task, `NOTHING` skips it.
    `when_idle` asks whenever a machine is idle and tasks wait: ``known.machine`` is the machine,
    ``known.waiting`` are the tasks, `NOTHING` waits. A choice must fit: its work is positive and at
    most `room`, which has pacing in it; anything else is a defect and ends the game with an error.

    A function marked `dsct_gym.jit.helper` may not make arrays; one that must is marked `kernel`.
    What a rule keeps from one decision to the next it writes into ``memory``, which is 0 at the
    beginning; what its user or its tuning sets it reads in ``parameters``. Their places are members
    of an `IntEnum`.

    Attributes:
        play: The game with the rule compiled into it: ``at_arrival(decide)`` or
            ``when_idle(decide)``.
    """

    play: ClassVar[Play]

    def memory(self, machines: int) -> int:
        """How many numbers it keeps in mind, for so many machines."""
        return 0

    @property
    def parameters(self) -> Floats:
        """What its user or its tuning sets (p,)."""
        return np.zeros(0)

    def _play(self, game: Game, deadline: float = np.inf) -> None:
        memory, decisions = np.zeros(self.memory(game.speed.size)), _FIRST_DECISIONS
        while (now := time.perf_counter()) < deadline:
            played = type(self).play(game, memory, self.parameters, decisions)
            if played == REFUSED:
                raise self._refuse()
            if played == OVER:
                return
            pace = _SLICE / max(1e-9, time.perf_counter() - now)
            decisions = max(1, int(decisions * min(16.0, pace)))


class PlainPolicy(DispatchPolicy):
    """A rule in Python, asked once a decision; for what cannot be compiled.

    The arrays that it is shown cannot be written to.

    Attributes:
        turns: When it is asked: `next_arrival` or `next_idle`, as ``staticmethod(next_idle)``.
    """

    turns: ClassVar[staticmethod[[Game], bool]]

    def begin(self) -> None:
        """Forgets everything: a game begins."""

    @abstractmethod
    def decide(self, known: Known) -> Choice:
        """Decides.

        Args:
            known: What is known now; valid until it returns.

        Returns:
            What is to be done, as `CompiledPolicy` says.
        """

    @staticmethod
    def room(known: Known, task: int, machine: int) -> float:
        """Largest work that fits, GFLOP; `dsct_gym.online.known.room` for those in Python."""
        return _room_from(
            max(known.clock, float(known.free[machine])),
            float(known.deadline[task]),
            known.left,
            float(known.speed[machine]),
            float(known.efficiency[machine]),
        )

    def _play(self, game: Game, deadline: float = np.inf) -> None:
        self.begin()
        shown = _Shown(game)
        while time.perf_counter() < deadline and type(self).turns(game):
            if not carry_out(game, self.decide(shown.known())):
                raise self._refuse()


@kernel
def _room_from(
    start: float, deadline: float, left: float, speed: float, efficiency: float
) -> float:
    return room_from(start, deadline, left, speed, efficiency)


class _Shown:
    """Copies of the tasks that have arrived, in arrays whose size does not tell how many come."""

    def __init__(self, game: Game) -> None:
        self._game = game
        self._rows = 0
        self._tasks = Tasks(*(column[:0] for column in game.arrived))

    def known(self) -> Known:
        """What is known now, for reading only."""
        known, size = know(self._game), int(self._game.counters[Counter.ARRIVED])
        while self._tasks.arrival.size < size:
            self._tasks = Tasks(*map(_doubled, self._tasks))
        for into, column in zip(self._tasks, self._game.arrived, strict=True):
            into[self._rows : size] = column[self._rows : size]
        self._rows = size
        tasks = {name: column[:size] for name, column in self._tasks._asdict().items()}
        machines = {name: getattr(known, name).copy() for name in ("speed", "efficiency", "free")}
        shown = known._replace(**tasks, **machines, waiting=known.waiting.copy())
        for array in shown:
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
        return shown


def _doubled(rows: Floats) -> Floats:
    """An array of twice as many rows that begins like this one."""
    wide = np.zeros((max(_FIRST_ROWS, 2 * rows.shape[0]), *rows.shape[1:]))
    wide[: rows.shape[0]] = rows
    return wide


def at_arrival(decide: Decide) -> Play:
    """The game in which a rule gives each task that arrives its machine and work, compiled."""
    return _compiled(to_arrival, decide)


def when_idle(decide: Decide) -> Play:
    """The game in which a rule gives each idle machine one of the tasks that wait, compiled."""
    return _compiled(to_idle, decide)


def _compiled(turns: Turns, decide: Decide) -> Play:
    """A kernel with a rule in it; what it is made of is all in the name under which it is kept."""

    def play(game: Game, memory: Floats, parameters: Floats, decisions: int) -> int:
        for _ in range(decisions):
            if not turns(game):
                return OVER
            if not settle(game, decide(know(game), memory, parameters)):
                return REFUSED
        return BEGUN

    # One name a rule: of kernels with the same name, only the latest version is kept.
    play.__qualname__ = f"play.{decide.__module__}.{decide.__qualname__}"
    return kernel(play)
