"""``DSCT-EA-Online-v0``: machine and level of each task when it arrives, for good."""

from __future__ import annotations

import math

from dsct_gym.arrays import Floats, Ints
from dsct_gym.envs.arrival_bank import ArrivalBank
from dsct_gym.envs.arrival_columns import MachinePlace
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
    ArrivalView,
    begin_view,
    energy_left,
    log_energy,
    log_time,
    room_on,
    show_machines,
    show_state,
    show_task,
)
from dsct_gym.envs.arrivals import ArrivalEnv, ArrivalEpisodes, ArrivalVectorEnv
from dsct_gym.envs.bank import clip
from dsct_gym.envs.observation import Layout
from dsct_gym.envs.state import Feedback
from dsct_gym.jit import helper, kernel
from dsct_gym.online.known import NOTHING
from dsct_gym.online.simulator import Meter, settle, to_arrival


class OnlineEpisodes(ArrivalEpisodes):
    """A task is given its machine and its level when it arrives."""

    env_id = "DSCT-EA-Online-v0"
    view_type = ArrivalView

    @classmethod
    def mask_size(cls, layout: Layout, levels: int) -> int:
        """One entry for each machine and level, and one to skip."""
        return layout.max_machines * levels + 1

    def _begin(self, envs: Ints, rows: Ints) -> None:
        self._make_room()
        bank = self.library.bank
        begin_online(bank, self.play, self.view, self.feedback, envs, rows, self._limits)

    def _step(self, actions: Ints, first: int, last: int) -> None:
        bank = self.library.bank
        step_online(bank, self.play, self.view, self.feedback, actions, first, last)


class OnlineEnv(ArrivalEnv):
    """``DSCT-EA-Online-v0``: choose machine and compression level of each task as it arrives.

    One episode is one instance (`dsct_gym.online.OnlineInstance`). Its tasks are decided one a
    step, when they arrive, and what is decided stays. A machine does what it is given first come,
    first served: a task starts when it arrives or when its machine is free, whichever is later.
    Nobody knows what comes, nor how much: the number of tasks is random, and nothing that is shown
    depends on a task that has not arrived. What is known ahead are the machines, the energy budget
    and the horizon T that it is for.

    Action: ``Discrete(m·L + 1)``. Action ``r·L + (l − 1)``, l = 1..L, runs the task on machine r
    with the least work that brings it from ``a_j(0)`` to ``a_j(0) + (l/L)(a_j(f_j^max) − a_j(0))``;
    the last action skips it.

    Mask (m·L + 1,): levels that do work, end by the deadline and within the energy left; skipping
    always. What fits exactly is allowed: limits count with a relative slack of 1e-12 for rounding.

    Observation: a ``Dict`` of float32 boxes of fixed size. m is the most machines that the
    environment can meet; rows of padding are 0. The table is flat, row after row;
    ``env.unwrapped.layout.tables(observation)`` gives it as (rows, columns). t is the time;
    logarithms are natural and clipped to [−5, 5]; "so far" is over the tasks that have arrived, the
    one at hand among them.

    ``task`` (5,): the task at hand j; 0 at the end.

    * ``due`` [0, 1]: (d_j − t) / T, at most 1
    * ``slack`` [−5, 5]: ln((d_j − t) / mean time from arrival to deadline so far)
    * ``work`` [−5, 5]: ln(f_j^max / mean f^max so far)
    * ``gain`` [0, 1]: a_j(f_j^max) − a_j(0)
    * ``half`` [0, 1]: work at which half of the gain is reached / f_j^max; 0 for a flat curve

    ``machines`` (m·8,): each machine r, as it looks for the task at hand j. Columns about j are 0
    at the end.

    * ``speed`` [−5, 5]: ln(s_r / mean speed)
    * ``efficiency`` [−5, 5]: ln(E_r / mean efficiency)
    * ``spent`` [0, 1]: energy spent on the machine / B; 0 when B is 0
    * ``wait`` [0, 5]: time until it is free / mean time from arrival to deadline so far
    * ``load`` [0, 1]: time until it is free / (d_j − t)
    * ``room`` [0, 1]: largest work on j that fits / f_j^max
    * ``time`` [−5, 5]: ln(f_j^max / s_r / (d_j − t))
    * ``energy`` [−5, 5]: ln(f_j^max / E_r / (B (d_j − t) / T)); 5 when B is 0

    ``machines_mask`` (m,): 1 for a machine of the instance.

    ``budget`` (9,): the episode as a whole.

    * ``time`` [0, 1]: t / T, at most 1
    * ``energy_left`` [0, 1]: (B − energy spent) / B; 0 when B is 0
    * ``pace`` [−1, 1]: energy spent / B − t / T, t / T at most 1; 0 when B is 0
    * ``beta`` [−5, 5]: ln(B / (T Σ_r P_r)); −5 when B is 0
    * ``accuracy`` [0, 1]: Σ of rewards so far / tasks so far
    * ``demand`` [−5, 5]: ln(Σ f^max so far / (Σ_r s_r t)); 5 when t is 0
    * ``recent`` [−5, 5]: ln(recent f^max / (Σ_r s_r T/20), a task's share falling by e in T/20)
    * ``arrived`` [0, 5]: log10(1 + tasks so far)
    * ``machines`` [0, 5]: log10(m)

    Reward: the accuracy gained by the task, ``a_j(f_j) − a_j(0)``.

    End: the episode terminates after the last task; the time is then the horizon, for nobody knows
    that nothing comes any more. With ``mean_length`` it is also cut short: truncated at the first
    arrival after a moment drawn at its beginning, exponentially with that mean, in horizons. An
    instance that was given is played to its end.

    Info: ``action_mask`` (int8), ``time`` (s) and ``dt``, the time since the decision before (s),
    on reset and on every step, ``invalid_action`` on every step; at the end, or when cut short,
    ``schedule`` (verified when it is looked at), ``mean_accuracy`` per task, ``energy`` (J) and, of
    an instance of a suite, ``reference``: the best-known mean accuracy.

    Options: ``levels`` is L (10); ``mean_length``; ``guidance`` is not used; and those of
    `SchedulingEnv`: ``on_invalid``, ``render_mode``, ``copy``, and where instances come from,
    `dsct_gym.envs.options.make_source`. Where none are given they are drawn, each episode's from a
    random stream of its own: see `dsct_gym.envs.arrival_sampling.ArrivalScenario` for ``n``, the
    mean number of tasks, ``m``, ``mu``, ``rho``, ``beta``, ``burstiness`` and the rest.
    """

    _episodes_type = OnlineEpisodes


class OnlineVectorEnv(ArrivalVectorEnv):
    """``DSCT-EA-Online-v0``, batched; see `OnlineEnv`."""

    _episodes_type = OnlineEpisodes


@kernel
def begin_online(
    bank: ArrivalBank,
    play: ArrivalPlay,
    view: ArrivalView,
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
def step_online(
    bank: ArrivalBank,
    play: ArrivalPlay,
    view: ArrivalView,
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
    """Gives the task its machine and level; a forbidden action counts as skip."""
    game, levels = game_of(bank, play, env), bank.level.shape[2]
    if begin_turn(play, feedback, action, env):
        task, machine, level = game.waiting[0], action // levels, action % levels
        give(bank, play, feedback, env, game, task, machine, level)
    else:
        settle(game, NOTHING)


@helper
def _go_on(bank: ArrivalBank, play: ArrivalPlay, feedback: Feedback, env: int) -> None:
    """Waits for the next task."""
    before = play.meters[env, Meter.CLOCK]
    playing = to_arrival(game_of(bank, play, env))
    go_on(bank, play, feedback, env, playing, before)


@helper
def _observe(
    bank: ArrivalBank, play: ArrivalPlay, view: ArrivalView, feedback: Feedback, env: int
) -> None:
    """Writes what an environment shows now, and what it allows."""
    show_state(bank, play, env, view.budget[env])
    show_machines(bank, play, env, view.machines[env])
    for action in range(feedback.mask.shape[1] - 1):
        feedback.mask[env, action] = 0
    feedback.mask[env, feedback.mask.shape[1] - 1] = 1
    if feedback.terminated[env]:
        _show_no_task(bank, play, view, env)
    else:
        _show_task(bank, play, view, feedback, env)


@helper
def _show_no_task(bank: ArrivalBank, play: ArrivalPlay, view: ArrivalView, env: int) -> None:
    """Empties what is about the task at hand."""
    for column in range(view.task.shape[1]):
        view.task[env, column] = 0.0
    for r in range(bank.machines[play.row[env]]):
        shown = view.machines[env, r]
        shown[MachinePlace.LOAD] = 0.0
        shown[MachinePlace.ROOM] = 0.0
        shown[MachinePlace.TIME] = 0.0
        shown[MachinePlace.ENERGY] = 0.0


@helper
def _show_task(
    bank: ArrivalBank, play: ArrivalPlay, view: ArrivalView, feedback: Feedback, env: int
) -> None:
    """Writes the task at hand, how each machine looks for it, and the levels that fit there."""
    row, task, levels = play.row[env], play.waiting[env, 0], bank.level.shape[2]
    clock, left = play.meters[env, Meter.CLOCK], energy_left(bank, play, env)
    time_left = bank.deadline[row, task] - clock
    log_left = math.log(time_left)
    full = bank.reach[row, task, bank.reach.shape[2] - 1]
    show_task(bank, play, env, task, log_left, view.task[env])
    for r in range(bank.machines[row]):
        room = room_on(bank, play, env, task, r, left)
        wait = max(play.free[env, r] - clock, 0.0)
        shown = view.machines[env, r]
        shown[MachinePlace.LOAD] = clip(wait / time_left, 0.0, 1.0)
        shown[MachinePlace.ROOM] = clip(room / full, 0.0, 1.0)
        shown[MachinePlace.TIME] = log_time(bank, row, task, r, log_left)
        shown[MachinePlace.ENERGY] = log_energy(bank, row, task, r, log_left)
        for level in range(levels):
            fits = 0.0 < bank.level[row, task, level] <= room
            feedback.mask[env, r * levels + level] = fits
