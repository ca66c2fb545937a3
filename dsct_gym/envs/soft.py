"""``DSCT-EA-Soft-v0``: machine and compression level where deadlines may be missed at a price."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dsct_gym.arrays import Floats, Ints
from dsct_gym.envs.bank import clip, clip_log
from dsct_gym.envs.episodes import Episodes
from dsct_gym.envs.observation import LOG_LIMIT, Layout
from dsct_gym.envs.shelf import Shelf
from dsct_gym.envs.single import SchedulingEnv
from dsct_gym.envs.soft_bank import LEAST, SoftBank, SoftLibrary
from dsct_gym.envs.soft_columns import MachinePlace, SoftLayout, StatePlace, TaskPlace
from dsct_gym.envs.state import Feedback, Play, begin_play
from dsct_gym.envs.vector import SchedulingVectorEnv
from dsct_gym.jit import helper, kernel
from dsct_gym.levels import accuracy_for
from dsct_gym.problem import Problem
from dsct_gym.schedule import Schedule
from dsct_gym.soft.penalties import Shape, penalty_at
from dsct_gym.soft.sequences import run_in_order
from dsct_gym.soft.softened import softened
from dsct_gym.soft.toy import soft_toy
from dsct_gym.tolerances import ROUNDING


class SoftView(NamedTuple):
    """What the agents are shown: the arrays of `SoftLayout.space`, one row an environment."""

    budget: npt.NDArray[np.float32]
    machines: npt.NDArray[np.float32]
    machines_mask: npt.NDArray[np.float32]
    task: npt.NDArray[np.float32]

    @classmethod
    def empty(cls, count: int, layout: Layout) -> SoftView:
        """Arrays for N environments."""
        m = layout.max_machines
        return cls(
            budget=np.zeros((count, len(layout.budget)), dtype=np.float32),
            machines=np.zeros((count, m, len(layout.machine)), dtype=np.float32),
            machines_mask=np.zeros((count, m), dtype=np.float32),
            task=np.zeros((count, len(layout.task)), dtype=np.float32),
        )


class SoftEpisodes(Episodes):
    """Machine and compression level are chosen together; lateness costs what the penalty says."""

    env_id = "DSCT-EA-Soft-v0"
    layout_type = SoftLayout
    view_type = SoftView
    leveled = True

    def _make_library(self, levels: int) -> Shelf:
        prepared = self.source.prepared
        return SoftLibrary(self.count, prepared, self.layout, levels, workers=self.workers)

    def _make_play(self) -> Any:
        self._worth = np.zeros(self.count)
        return super()._make_play()

    @classmethod
    def toys(cls) -> Sequence[Problem]:
        """The toy of soft deadlines."""
        return (soft_toy(),)

    @classmethod
    def mask_size(cls, layout: Layout, levels: int) -> int:
        """One entry for each machine and level, and one to refuse."""
        return layout.max_machines * levels + 1

    def _begin(self, envs: Ints, rows: Ints) -> None:
        bank = self.library.bank
        begin_soft(bank, self.play, self.view, self.feedback, self._worth, envs, rows)

    def _step(self, actions: Ints, first: int, last: int) -> None:
        bank = self.library.bank
        step_soft(bank, self.play, self.view, self.feedback, self._worth, actions, first, last)

    @staticmethod
    def _schedule(problem: Problem, machine: Ints, work: Floats) -> Schedule:
        soft = softened(problem)
        return run_in_order(soft, machine, soft.core.edf_rank, work)


class SoftEnv(SchedulingEnv):
    """``DSCT-EA-Soft-v0``: choose machine and level of the task at hand, or refuse it.

    One episode is one instance (`dsct_gym.soft.SoftInstance`). Its tasks are decided one a step, by
    earliest deadline first (EDF). Tasks of a machine run back to back, late ones too. An `Instance`
    is played as `dsct_gym.soft.softened.softened` makes its deadlines soft.

    Action: ``Discrete(m·L + 1)``. Action ``r·L + (l − 1)``, l = 1..L, runs the task on machine r
    with the least work that brings it from ``a_j(0)`` to ``a_j(0) + (l/L)(a_j(f_j^max) − a_j(0))``;
    the last action refuses it. Where the penalty has no cap no task may be refused: the last action
    then gives a compressible task next to no work, 1e-9 of it, on the most efficient machine.

    Mask (m·L + 1,): levels that do work within the energy left, whatever the deadline; of a whole
    task the last level alone. The last action always, but for a whole task where the penalty has no
    cap. Energy that whole tasks still to come take at least is not there to be spent then. What
    fits exactly is allowed: limits count with a relative slack of 1e-12 for rounding. A forbidden
    action counts as the last one, or where that is forbidden as all of the work on the most
    efficient machine.

    Observation: a ``Dict`` of float32 boxes. m is the most machines that the environment can meet;
    rows of padding are 0. The table is flat, row after row;
    ``env.unwrapped.layout.tables(observation)`` gives it as (rows, columns). Logarithms are natural
    and clipped to [−5, 5].

    ``task`` (6,): the task at hand j; 0 at the end.

    * ``deadline`` [0, 1]: d_j / d_max
    * ``work`` [−5, 5]: ln(f_j^max / (d_max Σ_r s_r / n))
    * ``gain`` [0, 1]: a_j(f_j^max) − a_j(0)
    * ``half`` [0, 1]: work at which half of the gain is reached / f_j^max; 0 for a flat curve
    * ``weight`` [0, 5]: w_j, at most 5
    * ``whole`` [0, 1]: 1 for a task that is not compressible

    ``machines`` (m·9,): each machine r, as it looks for the task at hand j; t_r is the time that it
    has used. Columns about j are 0 at the end.

    * ``speed`` [−5, 5]: ln(s_r / mean speed)
    * ``efficiency`` [−5, 5]: ln(E_r / mean efficiency)
    * ``used`` [0, 5]: t_r / d_max, at most 5
    * ``load`` [0, 5]: t_r / d_j, at most 5
    * ``room`` [0, 1]: largest work on j that the budget allows / f_j^max
    * ``time`` [−5, 5]: ln(f_j^max / s_r / d_j)
    * ``late`` [0, 5]: lateness of j with all of its work / d_max, at most 5
    * ``penalty`` [0, 5]: what j then pays, at most 5
    * ``energy`` [0, 5]: what the energy of all of its work costs, at most 5

    ``machines_mask`` (m,): 1 for a machine of the instance.

    ``budget`` (11,): the episode as a whole.

    * ``energy_left`` [0, 1]: (B − energy spent) / B; 1 without a budget
    * ``tasks_left`` [0, 1]: tasks not yet decided / n
    * ``value`` [−5, 5]: Σ of rewards so far / n, within ±5
    * ``rho`` [−5, 5]: ln(d_max Σ_r s_r / Σ_j f_j^max)
    * ``tasks`` [0, 5]: log10(n)
    * ``machines`` [0, 5]: log10(m)
    * ``step`` [0, 1]: 1 where the penalty is a step
    * ``linear`` [0, 1]: 1 where it is linear
    * ``exponential`` [0, 1]: 1 where it is exponential
    * ``scale`` [−5, 5]: ln(scale / d_max); 0 for a step
    * ``cap`` [0, 5]: the cap, at most 5; 5 without one

    Reward: what the task is worth as it is decided, ``a_j(f_j) − w_j penalty − price × energy``,
    less what it is worth where nothing is done. So the rewards of an episode add up to the value of
    its schedule less that of doing nothing (`dsct_gym.schedule.idle`), and refusing earns 0.

    End: the episode terminates after the last task; it is never truncated.

    Info: ``action_mask`` (int8) on reset and on every step, ``invalid_action`` on every step; at
    the end ``schedule`` (verified when it is looked at), ``mean_accuracy`` per task, ``energy`` (J)
    and, of an instance of a suite, ``reference``: the best-known mean accuracy.

    Options: ``levels`` is L (10); ``guidance`` is not used; and those of `SchedulingEnv`:
    ``on_invalid``, ``render_mode``, ``copy``, and where instances come from,
    `dsct_gym.envs.options.make_source`.
    """

    _episodes_type = SoftEpisodes


class SoftVectorEnv(SchedulingVectorEnv):
    """``DSCT-EA-Soft-v0``, batched; see `SoftEnv`."""

    _episodes_type = SoftEpisodes


@kernel
def begin_soft(
    bank: SoftBank,
    play: Play,
    view: SoftView,
    feedback: Feedback,
    worth: Floats,
    envs: Ints,
    rows: Ints,
) -> None:
    """Begins episodes on the instances in ``rows``."""
    begin_play(play, feedback, envs, rows)
    for index in range(envs.size):
        env, row = envs[index], rows[index]
        worth[env] = 0.0
        _begin_view(bank, view, env, row)
        _observe(bank, play, view, worth, env)
        _mask(bank, play, feedback, env)


@kernel
def step_soft(
    bank: SoftBank,
    play: Play,
    view: SoftView,
    feedback: Feedback,
    worth: Floats,
    actions: Ints,
    first: int,
    last: int,
) -> None:
    """Plays actions (N,) in the environments ``first`` to ``last``."""
    for env in range(first, last):
        feedback.reward[env] = 0.0
        if play.fresh[env]:  # the reset state is only shown
            play.fresh[env] = False
            feedback.invalid[env] = False
            feedback.terminated[env] = False
            continue
        _decide(bank, play, feedback, actions[env], env)
        _carry_out(bank, play, feedback, worth, env)
        play.position[env] += 1
        feedback.terminated[env] = play.position[env] == bank.tasks[play.row[env]]
        _observe(bank, play, view, worth, env)
        _mask(bank, play, feedback, env)


@helper
def _decide(bank: SoftBank, play: Play, feedback: Feedback, action: int, env: int) -> None:
    """Reads machine and work from an action."""
    row, j, levels = play.row[env], play.position[env], bank.level.shape[2]
    refusal = feedback.mask.shape[1] - 1
    allowed = feedback.mask[env, action] == 1
    feedback.invalid[env] = not allowed
    play.choice[env] = -1
    if allowed and action != refusal:
        play.choice[env] = action // levels
        play.amount[env] = bank.level[row, j, action % levels]
    elif bank.cap[row] == np.inf:
        full = bank.reach[row, j, bank.reach.shape[2] - 1]
        play.choice[env] = bank.best[row]
        play.amount[env] = full if bank.whole[row, j] else LEAST * full


@helper
def _carry_out(bank: SoftBank, play: Play, feedback: Feedback, worth: Floats, env: int) -> None:
    """Does the work chosen; the reward is what that is worth more than nothing."""
    r = play.choice[env]
    if r < 0:
        return
    row, j, work = play.row[env], play.position[env], play.amount[env]
    energy = work / bank.efficiency[row, r]
    play.time[env, r] += work / bank.speed[row, r]
    play.energy[env, r] += energy
    play.spent[env] += energy
    play.machine[env, j] = r
    play.work[env, j] = work
    gain = accuracy_for(bank.reach[row, j], bank.value[row, j], work) - bank.value[row, j, 0]
    play.gained[env] += gain
    paid = _penalty(bank, row, j, play.time[env, r])
    feedback.reward[env] = gain - paid - bank.price[row] * energy + bank.idle[row, j]
    worth[env] += feedback.reward[env]


@helper
def _penalty(bank: SoftBank, row: int, j: int, end: float) -> float:
    """What a task pays that ends then."""
    late = end - bank.deadline[row, j]
    if late <= ROUNDING * bank.deadline[row, j]:
        return 0.0
    paid: float = bank.weight[row, j] * penalty_at(
        bank.shape[row], bank.scale[row], bank.cap[row], late
    )
    return paid


@helper
def _room(bank: SoftBank, play: Play, env: int, r: int) -> float:
    """Work on the task at hand that the budget allows on a machine, GFLOP."""
    row, j = play.row[env], play.position[env]
    kept = bank.reserve[row, j + 1]
    left = bank.budget[row] * (1.0 + ROUNDING) - play.spent[env] - kept
    room: float = max(0.0, left) * bank.efficiency[row, r]
    return room


@helper
def _begin_view(bank: SoftBank, view: SoftView, env: int, row: int) -> None:
    """Writes what stays the same for a whole episode."""
    n, m = bank.tasks[row], bank.machines[row]
    horizon = bank.deadline[row, n - 1]
    shown = view.budget[env]
    shown[StatePlace.RHO] = clip_log(bank.rho[row])
    shown[StatePlace.TASKS] = clip(math.log10(n), 0.0, LOG_LIMIT)
    shown[StatePlace.MACHINES] = clip(math.log10(m), 0.0, LOG_LIMIT)
    shown[StatePlace.STEP] = bank.shape[row] == Shape.STEP
    shown[StatePlace.LINEAR] = bank.shape[row] == Shape.LINEAR
    shown[StatePlace.EXPONENTIAL] = bank.shape[row] == Shape.EXPONENTIAL
    shown[StatePlace.SCALE] = 0.0
    if bank.shape[row] != Shape.STEP:
        shown[StatePlace.SCALE] = clip_log(math.log(bank.scale[row]) - math.log(horizon))
    shown[StatePlace.CAP] = min(bank.cap[row], LOG_LIMIT)
    speed, efficiency = 0.0, 0.0
    for r in range(m):
        speed += bank.speed[row, r]
        efficiency += bank.efficiency[row, r]
    speed, efficiency = math.log(speed / m), math.log(efficiency / m)
    view.machines[env] = 0.0
    for r in range(bank.speed.shape[1]):
        view.machines_mask[env, r] = r < m
    for r in range(m):
        at = view.machines[env, r]
        at[MachinePlace.SPEED] = clip_log(math.log(bank.speed[row, r]) - speed)
        at[MachinePlace.EFFICIENCY] = clip_log(math.log(bank.efficiency[row, r]) - efficiency)


@helper
def _observe(bank: SoftBank, play: Play, view: SoftView, worth: Floats, env: int) -> None:
    """Writes what an environment shows now."""
    row, j = play.row[env], play.position[env]
    n = bank.tasks[row]
    horizon = bank.deadline[row, n - 1]
    shown = view.budget[env]
    shown[StatePlace.ENERGY_LEFT] = 1.0
    if bank.budget[row] < np.inf:
        left = bank.budget[row] - play.spent[env]
        shown[StatePlace.ENERGY_LEFT] = (
            clip(left / bank.budget[row], 0.0, 1.0) if bank.budget[row] > 0.0 else 0.0
        )
    shown[StatePlace.TASKS_LEFT] = (n - j) / n
    shown[StatePlace.VALUE] = clip(worth[env] / n, -LOG_LIMIT, LOG_LIMIT)
    for r in range(bank.machines[row]):
        used = play.time[env, r] / horizon
        view.machines[env, r, MachinePlace.USED] = clip(used, 0.0, LOG_LIMIT)
    if j == n:
        view.task[env] = 0.0
        for r in range(bank.machines[row]):
            for column in range(MachinePlace.LOAD, view.machines.shape[2]):
                view.machines[env, r, column] = 0.0
        return
    _observe_task(bank, view, env, row, j)
    for r in range(bank.machines[row]):
        _observe_machine(bank, play, view, env, r)


@helper
def _observe_task(bank: SoftBank, view: SoftView, env: int, row: int, j: int) -> None:
    """Writes the task at hand."""
    last = bank.reach.shape[2] - 1
    shown = view.task[env]
    shown[TaskPlace.DEADLINE] = bank.deadline[row, j] / bank.deadline[row, bank.tasks[row] - 1]
    work = math.log(bank.reach[row, j, last]) - math.log(bank.mean_work[row])
    shown[TaskPlace.WORK] = clip_log(work)
    shown[TaskPlace.GAIN] = bank.value[row, j, last] - bank.value[row, j, 0]
    shown[TaskPlace.HALF] = bank.half[row, j]
    shown[TaskPlace.WEIGHT] = clip(bank.weight[row, j], 0.0, LOG_LIMIT)
    shown[TaskPlace.WHOLE] = bank.whole[row, j]


@helper
def _observe_machine(bank: SoftBank, play: Play, view: SoftView, env: int, r: int) -> None:
    """Writes how a machine looks for the task at hand."""
    row, j = play.row[env], play.position[env]
    full = bank.reach[row, j, bank.reach.shape[2] - 1]
    deadline, horizon = bank.deadline[row, j], bank.deadline[row, bank.tasks[row] - 1]
    end = play.time[env, r] + full / bank.speed[row, r]
    cost = bank.price[row] * full / bank.efficiency[row, r]
    shown = view.machines[env, r]
    shown[MachinePlace.LOAD] = clip(play.time[env, r] / deadline, 0.0, LOG_LIMIT)
    shown[MachinePlace.ROOM] = clip(_room(bank, play, env, r) / full, 0.0, 1.0)
    time = math.log(full) - math.log(bank.speed[row, r]) - math.log(deadline)
    shown[MachinePlace.TIME] = clip_log(time)
    shown[MachinePlace.LATE] = clip((end - deadline) / horizon, 0.0, LOG_LIMIT)
    shown[MachinePlace.PENALTY] = clip(_penalty(bank, row, j, end), 0.0, LOG_LIMIT)
    shown[MachinePlace.ENERGY] = clip(cost, 0.0, LOG_LIMIT)


@helper
def _mask(bank: SoftBank, play: Play, feedback: Feedback, env: int) -> None:
    """Allows the levels that do work within the budget, and the last action where it may be."""
    row, j, levels = play.row[env], play.position[env], bank.level.shape[2]
    refusal = feedback.mask.shape[1] - 1
    for action in range(refusal):
        feedback.mask[env, action] = 0
    feedback.mask[env, refusal] = 1
    if j == bank.tasks[row]:
        return
    for r in range(bank.machines[row]):
        room = _room(bank, play, env, r)
        for level in range(levels):
            work = bank.level[row, j, level]
            feedback.mask[env, r * levels + level] = 0.0 < work <= room
    if bank.whole[row, j] and bank.cap[row] == np.inf:
        feedback.mask[env, refusal] = 0
