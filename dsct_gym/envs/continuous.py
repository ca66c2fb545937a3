"""``DSCT-EA-Continuous-v0``: a preference for each machine, and the share of work."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from dsct_gym.arrays import Bools, Ints
from dsct_gym.envs.bank import Bank, clip
from dsct_gym.envs.machines import find_room, limit_to_energy, spend
from dsct_gym.envs.observation import Layout
from dsct_gym.envs.state import BLOCK, Feedback, Play, advance, begin_play
from dsct_gym.envs.tabled import TabledEnv, TabledEpisodes, TabledVectorEnv
from dsct_gym.envs.view import View, begin_view, observe
from dsct_gym.errors import InputError
from dsct_gym.jit import helper, kernel

_LEAST: Final = 1e-9
"""A machine has room when this share of the task's full work fits."""

Actions = npt.NDArray[np.float32]


class ContinuousEpisodes(TabledEpisodes):
    """Preferences pick a machine among those that have room; the share of work is cut to fit."""

    env_id = "DSCT-EA-Continuous-v0"

    @classmethod
    def mask_size(cls, layout: Layout, levels: int) -> int:
        """One entry for each machine, and one, always allowed, for the share of work."""
        return layout.max_machines + 1

    @classmethod
    def make_action_space(cls, layout: Layout, levels: int) -> spaces.Space[Any]:
        """A preference for each machine, and the share of work."""
        return spaces.Box(-1.0, 1.0, (cls.mask_size(layout, levels),), dtype=np.float32)

    def check(self, actions: object) -> Actions:
        """Actions as floats (N, m+1); what lies outside [−1, 1] is clipped when it is played."""
        checked = np.asarray(actions, dtype=np.float32)
        if checked.shape != self.feedback.mask.shape:
            raise InputError(f"action: shape {checked.shape}, expected {self.feedback.mask.shape}")
        if not np.isfinite(checked).all():
            raise InputError("action: not a finite number")
        return np.ascontiguousarray(checked)

    def forbidden(self, actions: Actions) -> Bools:
        """None: machines without room are passed over."""
        return np.zeros(self.count, dtype=np.bool_)

    def _begin(self, envs: Ints, rows: Ints) -> None:
        begin_continuous(self.library.bank, self.play, self.view, self.feedback, envs, rows)

    def _step(self, actions: Actions, first: int, last: int) -> None:
        bank = self.library.bank
        step_continuous(bank, self.play, self.view, self.feedback, actions, first, last)


class ContinuousEnv(TabledEnv):
    """``DSCT-EA-Continuous-v0``: a preference for each machine, and the share of work.

    One episode is one instance. Its tasks are decided one a step, by earliest deadline first (EDF).
    Tasks of a machine run back to back.

    Action: ``Box(−1, 1, (m + 1,))``. The machine with the highest of the first m entries among
    those that have room runs the task (ties: the first); the last entry x asks for the share ``(x +
    1) / 2`` of the task's full work, cut to what deadline and energy left allow. −1 skips the task.
    Entries outside [−1, 1] are clipped.

    Mask (m + 1,): machines with room for some work; the last entry is always true. No action is
    forbidden: machines without room are passed over.

    Observation: a ``Dict`` of float32 boxes. n and m are the most tasks and machines that the
    environment can meet; rows of padding and of decided tasks are 0. Tables are flat, row after
    row; ``env.unwrapped.layout.tables(observation)`` gives them as (rows, columns). Logarithms are
    natural and clipped to [−5, 5]; λ and π_j are the prices of energy and work in the fractional
    relaxation, whose columns are there with ``guidance=True`` only. With ``compact=True`` there are
    neither ``tasks`` nor ``tasks_mask``.

    ``task`` (4,), guided (6,): the task at hand j; 0 at the end.

    * ``deadline`` [0, 1]: d_j / d_max
    * ``work`` [−5, 5]: ln(f_j^max / (d_max Σ_r s_r / n))
    * ``gain`` [0, 1]: a_j(f_j^max) − a_j(0)
    * ``half`` [0, 1]: work at which half of the gain is reached / f_j^max; 0 for a flat curve
    * ``fraction`` [0, 1], guided: work in the fractional relaxation / f_j^max
    * ``price`` [−5, 5], guided: ln(π_j f_j^max / gain); −5 when π_j is 0, else 5 for a flat curve

    ``tasks`` (n·4,), guided (n·6,): the same columns for the task at hand and those to come, in EDF
    order.

    ``tasks_mask`` (n,): 1 for the task at hand and those to come.

    ``machines`` (m·8,), guided (m·12,): each machine r, as it looks for the task at hand j; t_r is
    the time that it has used. Columns about j are 0 at the end.

    * ``speed`` [−5, 5]: ln(s_r / mean speed)
    * ``efficiency`` [−5, 5]: ln(E_r / mean efficiency)
    * ``used`` [0, 1]: time used t_r / d_max
    * ``load`` [0, 1]: t_r / d_j
    * ``room`` [0, 1]: largest work on j that fits now / f_j^max
    * ``time`` [−5, 5]: ln(f_j^max / s_r / d_j)
    * ``energy`` [−5, 5]: ln(f_j^max / E_r / (B / n)); 5 when B is 0
    * ``spent`` [0, 1]: energy spent on the machine / B; 0 when B is 0
    * ``profile`` [0, 1], guided: energy of the machine in the fractional relaxation / B; 0 when B
      is 0
    * ``profile_left`` [−1, 1], guided: profile − spent
    * ``price`` [−5, 5], guided: ln(λ / E_r / π_j); −5 when λ is 0, else 5 when π_j is 0
    * ``fraction_time`` [0, 5], guided: fractional work of j / s_r / d_j

    ``machines_mask`` (m,): 1 for a machine of the instance.

    ``budget`` (8,), guided (10,): the episode as a whole.

    * ``energy_left`` [0, 1]: (B − energy spent) / B; 0 when B is 0
    * ``tasks_left`` [0, 1]: tasks not yet decided / n
    * ``accuracy`` [0, 1]: Σ of rewards so far / n
    * ``rho`` [−5, 5]: ln(d_max Σ_r s_r / Σ_j f_j^max)
    * ``beta`` [−5, 5]: ln(B / (d_max Σ_r P_r)); −5 when B is 0
    * ``tasks`` [0, 5]: log10(n)
    * ``machines`` [0, 5]: log10(m)
    * ``price`` [−5, 5]: ln(λ B / n); λ of the optimum so far, −5 when it is 0; in all ids but
      Assign 0
    * ``relaxed_price`` [−5, 5], guided: ln(λ B / n); λ of the fractional relaxation, −5 when it is
      0
    * ``slack`` [−5, 5], guided: ln(Σ_r s_r (d_max − t_r) / fractional work of the tasks not yet
      decided); 5 when that work is 0

    Reward: the accuracy gained by the task, ``a_j(f_j) − a_j(0)``.

    End: the episode terminates after the last task; it is never truncated.

    Info: ``action_mask`` (int8) on reset and on every step, ``invalid_action`` on every step; at
    the end ``schedule`` (verified when it is looked at), ``mean_accuracy`` per task, ``energy`` (J)
    and, of an instance of a suite, ``reference``: the best-known mean accuracy.

    Options: ``levels`` is not used; ``compact`` leaves out the table of tasks; and those
    of `SchedulingEnv`: ``guidance``, ``on_invalid``, ``render_mode``, ``copy``, and where instances
    come from, `dsct_gym.envs.options.make_source`.
    """

    _episodes_type = ContinuousEpisodes


class ContinuousVectorEnv(TabledVectorEnv):
    """``DSCT-EA-Continuous-v0``, batched; see `ContinuousEnv`."""

    _episodes_type = ContinuousEpisodes


@kernel
def begin_continuous(
    bank: Bank, play: Play, view: View, feedback: Feedback, envs: Ints, rows: Ints
) -> None:
    """Begins episodes on the instances in ``rows``."""
    begin_play(play, feedback, envs, rows)
    begin_view(bank, view, envs, rows)
    for env in envs:
        find_room(bank, play, env, env + 1)
        limit_to_energy(bank, play, env, env + 1)
        observe(bank, play, view, env, env + 1)
        _mask(bank, play, feedback, env, env + 1)


@kernel
def step_continuous(
    bank: Bank, play: Play, view: View, feedback: Feedback, actions: Actions, first: int, last: int
) -> None:
    """Plays actions (N, m+1) in the environments ``first`` to ``last``."""
    for start in range(first, last, BLOCK):
        end = min(start + BLOCK, last)
        _decide(bank, play, feedback, actions, start, end)
        spend(bank, play, feedback, start, end)
        advance(bank, play, feedback, start, end)
        find_room(bank, play, start, end)
        limit_to_energy(bank, play, start, end)
        observe(bank, play, view, start, end)
        _mask(bank, play, feedback, start, end)


@helper
def _decide(
    bank: Bank, play: Play, feedback: Feedback, actions: Actions, first: int, last: int
) -> None:
    """Reads machine and work from preferences; what does not fit is passed over or cut."""
    full = bank.reach.shape[2] - 1
    for env in range(first, last):
        row, j = play.row[env], play.position[env]
        share = clip(0.5 * (1.0 + actions[env, actions.shape[1] - 1]), 0.0, 1.0)
        play.choice[env] = -1
        if share <= 0.0 or play.fresh[env]:
            continue
        best = -1
        for r in range(bank.machines[row]):
            likes = best < 0 or actions[env, r] > actions[env, best]
            if likes and feedback.mask[env, r] == 1:
                best = r
        play.choice[env] = best
        if best >= 0:
            play.amount[env] = min(share * bank.reach[row, j, full], play.room[env, best])


@helper
def _mask(bank: Bank, play: Play, feedback: Feedback, first: int, last: int) -> None:
    """Allows the machines with room for some work; the share of work is always free to choose."""
    share = feedback.mask.shape[1] - 1
    full = bank.reach.shape[2] - 1
    for env in range(first, last):
        row, j = play.row[env], play.position[env]
        for r in range(share):
            feedback.mask[env, r] = 0
        feedback.mask[env, share] = 1
        if j == bank.tasks[row]:
            continue
        for r in range(bank.machines[row]):
            feedback.mask[env, r] = play.room[env, r] > _LEAST * bank.reach[row, j, full]
