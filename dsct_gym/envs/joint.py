"""``DSCT-EA-v0``: machine and compression level of the task at hand, chosen together."""

from __future__ import annotations

from dsct_gym.arrays import Ints
from dsct_gym.envs.bank import Bank
from dsct_gym.envs.machines import find_room, limit_to_energy, spend
from dsct_gym.envs.observation import Layout
from dsct_gym.envs.state import BLOCK, Feedback, Play, advance, begin_play
from dsct_gym.envs.tabled import TabledEnv, TabledEpisodes, TabledVectorEnv
from dsct_gym.envs.view import View, begin_view, observe
from dsct_gym.jit import helper, kernel


class JointEpisodes(TabledEpisodes):
    """Machine and compression level are chosen together; times follow from them."""

    env_id = "DSCT-EA-v0"
    leveled = True

    @classmethod
    def mask_size(cls, layout: Layout, levels: int) -> int:
        """One entry for each machine and level, and one to skip."""
        return layout.max_machines * levels + 1

    def _begin(self, envs: Ints, rows: Ints) -> None:
        begin_joint(self.library.bank, self.play, self.view, self.feedback, envs, rows)

    def _step(self, actions: Ints, first: int, last: int) -> None:
        bank = self.library.bank
        step_joint(bank, self.play, self.view, self.feedback, actions, first, last)


class JointEnv(TabledEnv):
    """``DSCT-EA-v0``: choose machine and compression level of the task at hand, or skip it.

    One episode is one instance. Its tasks are decided one a step, by earliest deadline first (EDF).
    Tasks of a machine run back to back.

    Action: ``Discrete(m·L + 1)``. Action ``r·L + (l − 1)``, l = 1..L, runs the task on machine r
    with the least work that brings it from ``a_j(0)`` to ``a_j(0) + (l/L)(a_j(f_j^max) − a_j(0))``;
    the last action skips it.

    Mask (m·L + 1,): levels that do work, end by the deadline and within the energy left; skipping
    always. A task with a flat curve can only be skipped. What fits exactly is allowed: limits count
    with a relative slack of 1e-12 for rounding.

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

    Options: ``levels`` is L (10); ``compact`` leaves out the table of tasks; and those
    of `SchedulingEnv`: ``guidance``, ``on_invalid``, ``render_mode``, ``copy``, and where instances
    come from, `dsct_gym.envs.options.make_source`.
    """

    _episodes_type = JointEpisodes


class JointVectorEnv(TabledVectorEnv):
    """``DSCT-EA-v0``, batched; see `JointEnv`."""

    _episodes_type = JointEpisodes


@kernel
def begin_joint(
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
def step_joint(
    bank: Bank, play: Play, view: View, feedback: Feedback, actions: Ints, first: int, last: int
) -> None:
    """Plays actions (N,) in the environments ``first`` to ``last``."""
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
    bank: Bank, play: Play, feedback: Feedback, actions: Ints, first: int, last: int
) -> None:
    """Reads machine and work from actions; forbidden ones count as skip."""
    levels = bank.level.shape[2]
    skip = feedback.mask.shape[1] - 1
    for env in range(first, last):
        action = actions[env]
        allowed = feedback.mask[env, action] == 1
        feedback.invalid[env] = not allowed
        play.choice[env] = -1
        if action != skip and allowed and not play.fresh[env]:
            play.choice[env] = action // levels
            play.amount[env] = bank.level[play.row[env], play.position[env], action % levels]


@helper
def _mask(bank: Bank, play: Play, feedback: Feedback, first: int, last: int) -> None:
    """Allows to skip, and the levels that do work and fit; those of a flat curve do none."""
    levels = bank.level.shape[2]
    skip = feedback.mask.shape[1] - 1
    for env in range(first, last):
        row, j = play.row[env], play.position[env]
        for action in range(skip):
            feedback.mask[env, action] = 0
        feedback.mask[env, skip] = 1
        if j == bank.tasks[row] or bank.level[row, j, 0] <= 0.0:
            continue
        for r in range(bank.machines[row]):
            room = play.room[env, r]
            for level in range(levels):
                feedback.mask[env, r * levels + level] = bank.level[row, j, level] <= room
