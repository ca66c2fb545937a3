"""``DSCT-EA-Assign-v0``: only the machine is chosen, the works are the exact optimum."""

from __future__ import annotations

from dsct_gym.allocation import allocate
from dsct_gym.arrays import Floats, Ints
from dsct_gym.envs.bank import Bank
from dsct_gym.envs.curves import (
    begin_curves,
    curves_of,
    empty_stack,
    problem_in,
    read_curves,
    widened,
)
from dsct_gym.envs.machines import find_room
from dsct_gym.envs.observation import BudgetColumn, Layout
from dsct_gym.envs.source import Source
from dsct_gym.envs.state import BLOCK, Feedback, Play, advance, begin_play
from dsct_gym.envs.tabled import TabledEnv, TabledEpisodes, TabledVectorEnv
from dsct_gym.envs.view import View, begin_view, log_ratio, observe
from dsct_gym.incremental import CURRENT, Curves, accept_trial, try_change
from dsct_gym.jit import helper, kernel
from dsct_gym.problem import Problem
from dsct_gym.schedule import Schedule


class AssignEpisodes(TabledEpisodes):
    """Only the machine is chosen; works are the exact optimum for the assignment so far."""

    env_id = "DSCT-EA-Assign-v0"
    segmented = True

    def __init__(
        self,
        count: int,
        source: Source,
        *,
        levels: int = 0,
        guidance: bool = False,
        threads: int = 1,
        compact: bool = False,
    ) -> None:
        super().__init__(
            count, source, levels=levels, guidance=guidance, threads=threads, compact=compact
        )
        self._stack = empty_stack(count, self.layout, self.library.bank)

    @classmethod
    def mask_size(cls, layout: Layout, levels: int) -> int:
        """One entry for each machine, and one to skip."""
        return layout.max_machines + 1

    def _begin(self, envs: Ints, rows: Ints) -> None:
        bank = self.library.bank
        self._stack = widened(self._stack, self.layout, bank)
        begin_assign(bank, self.play, self.view, self.feedback, self._stack, envs, rows)

    def _step(self, actions: Ints, first: int, last: int) -> None:
        bank = self.library.bank
        step_assign(bank, self.play, self.view, self.feedback, self._stack, actions, first, last)

    @staticmethod
    def _schedule(problem: Problem, machine: Ints, work: Floats) -> Schedule:
        return allocate(problem, machine)


class AssignEnv(TabledEnv):
    """``DSCT-EA-Assign-v0``: choose only the machine of the task at hand, or skip it.

    One episode is one instance, or one problem whose machines have operating points
    (`dsct_gym.points.DvfsInstance`). Its tasks are decided one a step, by earliest deadline first
    (EDF). After every step the works of all tasks placed so far, and the clocks at which they run,
    are the exact optimum for their assignment (`dsct_gym.allocate`).

    Action: ``Discrete(m + 1)``. The machine; the last action skips the task.

    Mask (m + 1,): every machine of the instance; skipping always.

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
    the time that it has used. Here ``used``, ``load`` and ``spent`` are those of the optimal works
    so far, and ``room`` is limited by the deadline alone, because energy is shared out anew.
    Columns about j are 0 at the end. Where a machine has operating points, s_r, E_r and P_r are
    those of its fastest, in all columns; t_r and the energy spent are those of the pieces in which
    its tasks run at the clocks of the optimum; and ``room`` is what fits if it did all its work at
    the fastest.

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

    Reward: the change of that optimum, negative by rounding at most. The rewards of an episode add
    up to ``Σ_j (a_j(f_j) − a_j(0))``.

    End: the episode terminates after the last task; it is never truncated.

    Info: ``action_mask`` (int8) on reset and on every step, ``invalid_action`` on every step; at
    the end ``schedule`` (verified when it is looked at), ``mean_accuracy`` per task, ``energy`` (J)
    and, of an instance of a suite, ``reference``: the best-known mean accuracy.

    Options: ``levels`` is not used; ``compact`` leaves out the table of tasks; and those
    of `SchedulingEnv`: ``guidance``, ``on_invalid``, ``render_mode``, ``copy``, and where instances
    come from, `dsct_gym.envs.options.make_source`.
    """

    _episodes_type = AssignEpisodes


class AssignVectorEnv(TabledVectorEnv):
    """``DSCT-EA-Assign-v0``, batched; see `AssignEnv`."""

    _episodes_type = AssignEpisodes


@kernel
def begin_assign(
    bank: Bank, play: Play, view: View, feedback: Feedback, stack: Curves, envs: Ints, rows: Ints
) -> None:
    """Begins episodes on the instances in ``rows``."""
    begin_play(play, feedback, envs, rows)
    begin_curves(bank, play, stack, envs)
    begin_view(bank, view, envs, rows)
    for env in envs:
        find_room(bank, play, env, env + 1)
        observe(bank, play, view, env, env + 1)
        _observe_price(bank, play, view, stack, env, env + 1)
        _mask(bank, play, feedback, env, env + 1)


@kernel
def step_assign(
    bank: Bank,
    play: Play,
    view: View,
    feedback: Feedback,
    stack: Curves,
    actions: Ints,
    first: int,
    last: int,
) -> None:
    """Plays actions (N,) in the environments ``first`` to ``last``."""
    for start in range(first, last, BLOCK):
        end = min(start + BLOCK, last)
        _decide(play, feedback, actions, start, end)
        _allocate(bank, play, feedback, stack, start, end)
        advance(bank, play, feedback, start, end)
        find_room(bank, play, start, end)
        observe(bank, play, view, start, end)
        _observe_price(bank, play, view, stack, start, end)
        _mask(bank, play, feedback, start, end)


@helper
def _decide(play: Play, feedback: Feedback, actions: Ints, first: int, last: int) -> None:
    """Reads the machine from actions; forbidden ones count as skip."""
    skip = feedback.mask.shape[1] - 1
    for env in range(first, last):
        allowed = feedback.mask[env, actions[env]] == 1
        feedback.invalid[env] = not allowed
        placed = actions[env] != skip and allowed and not play.fresh[env]
        play.choice[env] = actions[env] if placed else -1


@helper
def _allocate(
    bank: Bank, play: Play, feedback: Feedback, stack: Curves, first: int, last: int
) -> None:
    """Gives tasks to the machines chosen and allocates anew; the reward is the optimum's change."""
    for env in range(first, last):
        feedback.reward[env] = 0.0
        r = play.choice[env]
        if r < 0:
            continue
        row, j = play.row[env], play.position[env]
        problem = problem_in(bank, row)
        curves = curves_of(stack, env, bank.tasks[row], bank.machines[row])
        before = curves.total[CURRENT]
        try_change(problem, curves, j, r, -1)
        accept_trial(curves, j, r, -1)
        play.machine[env, j] = r
        play.gained[env] = curves.total[CURRENT]
        read_curves(problem, curves, play, env)
        feedback.reward[env] = curves.total[CURRENT] - before


@helper
def _observe_price(
    bank: Bank, play: Play, view: View, stack: Curves, first: int, last: int
) -> None:
    """Writes the price of energy in the allocation so far."""
    for env in range(first, last):
        price = log_ratio(stack.price[env, CURRENT], -bank.log_ration[play.row[env]])
        view.budget[env, BudgetColumn.PRICE] = price


@helper
def _mask(bank: Bank, play: Play, feedback: Feedback, first: int, last: int) -> None:
    """Allows every machine, for times are allocated anew and a task always fits; and to skip."""
    skip = feedback.mask.shape[1] - 1
    for env in range(first, last):
        row = play.row[env]
        machines = bank.machines[row] if play.position[env] < bank.tasks[row] else 0
        for action in range(skip):
            feedback.mask[env, action] = action < machines
        feedback.mask[env, skip] = 1
