"""``DSCT-EA-Queue-v0``: tasks wait, and idle machines take one of them or wait as well."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from dsct_gym.arguments import as_integer
from dsct_gym.arrays import Floats, Ints
from dsct_gym.envs.arrival_bank import ArrivalBank
from dsct_gym.envs.arrival_columns import QueueLayout, StatePlace, TaskPlace
from dsct_gym.envs.arrival_play import (
    ArrivalPlay,
    begin_row,
    begin_turn,
    game_of,
    give,
    go_on,
    stays,
)
from dsct_gym.envs.arrival_view import (
    QueueView,
    begin_view,
    energy_left,
    log_energy,
    log_time,
    room_on,
    show_asked,
    show_machines,
    show_state,
    show_task,
)
from dsct_gym.envs.arrivals import ArrivalEnv, ArrivalEpisodes, ArrivalVectorEnv
from dsct_gym.envs.bank import clip
from dsct_gym.envs.observation import LOG_LIMIT, Layout
from dsct_gym.envs.source import Source
from dsct_gym.envs.state import Feedback
from dsct_gym.jit import helper, kernel
from dsct_gym.online.known import NOTHING
from dsct_gym.online.simulator import Counter, Meter, settle, to_idle

DEFAULT_WINDOW = 8
_MOST = 1000


class QueueEpisodes(ArrivalEpisodes):
    """An idle machine is given one of the tasks that wait.

    Args:
        count: N.
        source: Where the instances come from.
        window: How many tasks that wait are shown and can be chosen.
        **options: Those of `ArrivalEpisodes`.

    Raises:
        InputError: Naming the argument out of range.
    """

    env_id = "DSCT-EA-Queue-v0"
    view_type = QueueView

    def __init__(
        self, count: int, source: Source, *, window: int = DEFAULT_WINDOW, **options: Any
    ) -> None:
        self._window = as_integer(window, "window", 1, _MOST)
        super().__init__(count, source, **options)

    @property
    def rules(self) -> dict[str, object]:
        """How many tasks are shown, and the mean length of an episode, where it is cut short."""
        return {"window": self._window, **super().rules}

    @classmethod
    def layout_for(cls, rules: Mapping[str, object]) -> Callable[[int, int, bool], Layout]:
        """The layout with so many tasks."""
        window = as_integer(rules.get("window", DEFAULT_WINDOW), "window", 1, _MOST)
        return partial(QueueLayout, window=window)

    @classmethod
    def mask_size(cls, layout: Layout, levels: int) -> int:
        """One entry for each task that is shown and level, and one to wait."""
        assert isinstance(layout, QueueLayout)
        return layout.window * levels + 1

    def _begin(self, envs: Ints, rows: Ints) -> None:
        self._make_room()
        bank = self.library.bank
        begin_queue(bank, self.play, self.view, self.feedback, envs, rows, self._limits)

    def _step(self, actions: Ints, first: int, last: int) -> None:
        bank = self.library.bank
        step_queue(bank, self.play, self.view, self.feedback, actions, first, last)


class QueueEnv(ArrivalEnv):
    """``DSCT-EA-Queue-v0``: choose which task that waits an idle machine does, and its level.

    One episode is one instance (`dsct_gym.online.OnlineInstance`). Tasks wait until a machine takes
    them. Whenever tasks wait, each idle machine is asked once, in the order of the machines, one a
    step; they are asked again when something happens: a task arrives or a machine becomes free. A
    task that still waits at its deadline is dropped. Nobody knows what comes, nor how much; see
    ``DSCT-EA-Online-v0``, where tasks are decided when they arrive.

    Action: ``Discrete(W·L + 1)``. Action ``w·L + (l − 1)``, w = 0..W−1, l = 1..L, has the machine
    begin the w-th most urgent task that waits, with the least work that brings it from ``a_j(0)``
    to ``a_j(0) + (l/L)(a_j(f_j^max) − a_j(0))``; the last action has it wait until something
    happens.

    Mask (W·L + 1,): levels that do work, end by the deadline on this machine and within the energy
    left; waiting always. What fits exactly is allowed: limits count with a relative slack of 1e-12
    for rounding.

    Observation: a ``Dict`` of float32 boxes of fixed size. W tasks are shown, those with the
    earliest deadlines, of equal ones the first to have arrived; m is the most machines that the
    environment can meet. Rows of padding are 0. Tables are flat, row after row;
    ``env.unwrapped.layout.tables(observation)`` gives them as (rows, columns). t is the time, T the
    horizon, r the machine that is asked; logarithms are natural and clipped to [−5, 5]; "so far" is
    over the tasks that have arrived.

    ``tasks`` (W·8,): the most urgent tasks j that wait; 0 at the end.

    * ``due`` [0, 1]: (d_j − t) / T, at most 1
    * ``slack`` [−5, 5]: ln((d_j − t) / mean time from arrival to deadline so far)
    * ``work`` [−5, 5]: ln(f_j^max / mean f^max so far)
    * ``gain`` [0, 1]: a_j(f_j^max) − a_j(0)
    * ``half`` [0, 1]: work at which half of the gain is reached / f_j^max; 0 for a flat curve
    * ``room`` [0, 1]: largest work on j that fits the machine / f_j^max
    * ``time`` [−5, 5]: ln(f_j^max / s_r / (d_j − t))
    * ``energy`` [−5, 5]: ln(f_j^max / E_r / (B (d_j − t) / T)); 5 when B is 0

    ``tasks_mask`` (W,): 1 for a task that waits.

    ``machines`` (m·5,): each machine.

    * ``speed`` [−5, 5]: ln(s_r / mean speed)
    * ``efficiency`` [−5, 5]: ln(E_r / mean efficiency)
    * ``spent`` [0, 1]: energy spent on the machine / B; 0 when B is 0
    * ``wait`` [0, 5]: time until it is free / mean time from arrival to deadline so far
    * ``asked`` [0, 1]: 1 for the machine that is asked

    ``machines_mask`` (m,): 1 for a machine of the instance.

    ``budget`` (10,): the episode as a whole.

    * ``time`` [0, 1]: t / T, at most 1
    * ``energy_left`` [0, 1]: (B − energy spent) / B; 0 when B is 0
    * ``pace`` [−1, 1]: energy spent / B − t / T, t / T at most 1; 0 when B is 0
    * ``beta`` [−5, 5]: ln(B / (T Σ_r P_r)); −5 when B is 0
    * ``accuracy`` [0, 1]: Σ of rewards so far / tasks so far
    * ``demand`` [−5, 5]: ln(Σ f^max so far / (Σ_r s_r t)); 5 when t is 0
    * ``recent`` [−5, 5]: ln(recent f^max / (Σ_r s_r T/20), a task's share falling by e in T/20)
    * ``arrived`` [0, 5]: log10(1 + tasks so far)
    * ``machines`` [0, 5]: log10(m)
    * ``waiting`` [0, 5]: log10(1 + tasks that wait)

    Reward: the accuracy gained by the task, ``a_j(f_j) − a_j(0)``; 0 for waiting.

    End: the episode terminates when every task that arrives is done or dropped; the time is then
    the horizon at least. With ``mean_length`` it is also cut short: truncated at the first decision
    after a moment drawn at its beginning, exponentially with that mean, in horizons. An instance
    that was given is played to its end.

    Info: ``action_mask`` (int8), ``time`` (s) and ``dt``, the time since the decision before (s),
    on reset and on every step, ``invalid_action`` on every step; at the end, or when cut short,
    ``schedule`` (verified when it is looked at), ``mean_accuracy`` per task, ``energy`` (J) and, of
    an instance of a suite, ``reference``: the best-known mean accuracy.

    Options: ``window`` is W (8), ``levels`` L (10); ``mean_length``; ``guidance`` is not used; and
    those of `SchedulingEnv`: ``on_invalid``, ``render_mode``, ``copy``, and where instances come
    from, as for ``DSCT-EA-Online-v0``. An action that the mask forbids is played as waiting.
    """

    _episodes_type = QueueEpisodes

    def __init__(self, *, window: int = DEFAULT_WINDOW, **options: Any) -> None:
        super().__init__(rules={"window": window}, **options)


class QueueVectorEnv(ArrivalVectorEnv):
    """``DSCT-EA-Queue-v0``, batched; see `QueueEnv`."""

    _episodes_type = QueueEpisodes

    def __init__(self, num_envs: int = 1, *, window: int = DEFAULT_WINDOW, **options: Any) -> None:
        super().__init__(num_envs, rules={"window": window}, **options)


@kernel
def begin_queue(
    bank: ArrivalBank,
    play: ArrivalPlay,
    view: QueueView,
    feedback: Feedback,
    envs: Ints,
    rows: Ints,
    limits: Floats,
) -> None:
    """Begins episodes on the instances in ``rows``, to be cut short after ``limits`` horizons."""
    for index in range(envs.size):
        env, row = envs[index], rows[index]
        begin_row(bank, play, feedback, env, row, limits[env] * bank.horizon[row])
        begin_view(bank, env, row, view.budget, view.machines, view.machines_mask)
        _go_on(bank, play, feedback, env)
        _observe(bank, play, view, feedback, env)


@kernel
def step_queue(
    bank: ArrivalBank,
    play: ArrivalPlay,
    view: QueueView,
    feedback: Feedback,
    actions: Ints,
    first: int,
    last: int,
) -> None:
    """Plays actions (N,) in the environments ``first`` to ``last``."""
    for env in range(first, last):
        if stays(play, feedback, env):
            continue
        _decide(bank, play, feedback, actions[env], env)
        _go_on(bank, play, feedback, env)
        _observe(bank, play, view, feedback, env)


@helper
def _decide(
    bank: ArrivalBank, play: ArrivalPlay, feedback: Feedback, action: int, env: int
) -> None:
    """Gives the machine that is asked a task; a forbidden action has it wait."""
    game, levels = game_of(bank, play, env), bank.level.shape[2]
    if begin_turn(play, feedback, action, env):
        task, machine = game.waiting[action // levels], game.counters[Counter.MACHINE]
        give(bank, play, feedback, env, game, task, machine, action % levels)
    else:
        settle(game, NOTHING)


@helper
def _go_on(bank: ArrivalBank, play: ArrivalPlay, feedback: Feedback, env: int) -> None:
    """Goes on to the next machine that is idle while tasks wait."""
    before = play.meters[env, Meter.CLOCK]
    playing = to_idle(game_of(bank, play, env))
    go_on(bank, play, feedback, env, playing, before)


@helper
def _observe(
    bank: ArrivalBank, play: ArrivalPlay, view: QueueView, feedback: Feedback, env: int
) -> None:
    """Writes what an environment shows now, and what it allows."""
    row, waiting = play.row[env], play.counters[env, Counter.WAITING]
    show_state(bank, play, env, view.budget[env])
    view.budget[env, StatePlace.WAITING] = clip(math.log10(1.0 + waiting), 0.0, LOG_LIMIT)
    show_machines(bank, play, env, view.machines[env])
    show_asked(play, env, bank.machines[row], view.machines[env])
    for action in range(feedback.mask.shape[1] - 1):
        feedback.mask[env, action] = 0
    feedback.mask[env, feedback.mask.shape[1] - 1] = 1
    left = energy_left(bank, play, env)
    for place in range(view.tasks.shape[1]):
        if place < waiting and not feedback.terminated[env]:
            view.tasks_mask[env, place] = 1.0
            _show_waiting(bank, play, view, feedback, env, place, left)
        elif view.tasks_mask[env, place] > 0.0:
            view.tasks_mask[env, place] = 0.0
            for column in range(view.tasks.shape[2]):
                view.tasks[env, place, column] = 0.0


@helper
def _show_waiting(
    bank: ArrivalBank,
    play: ArrivalPlay,
    view: QueueView,
    feedback: Feedback,
    env: int,
    place: int,
    left: float,
) -> None:
    """Writes a task that waits, and the levels of it that fit the machine that is asked."""
    row, task, levels = play.row[env], play.waiting[env, place], bank.level.shape[2]
    machine = play.counters[env, Counter.MACHINE]
    log_left = math.log(bank.deadline[row, task] - play.meters[env, Meter.CLOCK])
    room = room_on(bank, play, env, task, machine, left)
    shown = view.tasks[env, place]
    show_task(bank, play, env, task, log_left, shown)
    full = bank.reach[row, task, bank.reach.shape[2] - 1]
    shown[TaskPlace.ROOM] = clip(room / full, 0.0, 1.0)
    shown[TaskPlace.TIME] = log_time(bank, row, task, machine, log_left)
    shown[TaskPlace.ENERGY] = log_energy(bank, row, task, machine, log_left)
    for level in range(levels):
        fits = 0.0 < bank.level[row, task, level] <= room
        feedback.mask[env, place * levels + level] = fits
