"""``DSCT-EA-Plan-v0``: a complete plan is improved, one task after the other."""

from __future__ import annotations

from typing import Any

from dsct_gym.allocation import allocate
from dsct_gym.arguments import as_integer
from dsct_gym.arrays import Floats, Ints
from dsct_gym.envs.bank import Bank
from dsct_gym.envs.curves import read_curves
from dsct_gym.envs.episodes import Episodes
from dsct_gym.envs.observation import Layout
from dsct_gym.envs.plan_stack import Outlooks, Stack, plan_of
from dsct_gym.envs.plan_view import PlanLayout, PlanView
from dsct_gym.envs.single import SchedulingEnv
from dsct_gym.envs.source import Source
from dsct_gym.envs.state import BLOCK, Feedback, Play, advance, begin_play
from dsct_gym.envs.vector import SchedulingVectorEnv
from dsct_gym.incremental import CURRENT
from dsct_gym.jit import helper, kernel
from dsct_gym.plan import Context, begin, check_order, decide, look, ranks_in
from dsct_gym.problem import Problem
from dsct_gym.schedule import Schedule


class PlanEpisodes(Episodes):
    """The plan is complete from the start; a decision moves the task at hand, or lets it be."""

    env_id = "DSCT-EA-Plan-v0"
    segmented = True
    layout_type = PlanLayout
    view_type = PlanView

    def __init__(
        self,
        count: int,
        source: Source,
        *,
        levels: int = 0,
        guidance: bool = False,
        threads: int = 1,
        order: str = "edf",
        passes: int = 1,
    ) -> None:
        self._order, self._passes = check_order(order), as_integer(passes, "passes", 1)
        super().__init__(count, source, levels=levels, guidance=False, threads=threads)
        bank = self.library.bank
        self._stack = Stack.empty(count, bank.tasks.size, self.layout, bank.task.shape[1])
        self._outlooks = Outlooks(bank.tasks.size)

    @property
    def passes(self) -> int:
        """How often each task is decided in an episode."""
        return self._passes

    @property
    def rules(self) -> dict[str, object]:
        """Order and number of the passes."""
        return {"order": self._order, "passes": self._passes}

    @classmethod
    def mask_size(cls, layout: Layout, levels: int) -> int:
        """One entry for each machine, and one to leave the task out."""
        return layout.max_machines + 1

    def waiting(self, env: int) -> Ints:
        """EDF ranks of the task at hand and of those to come in this pass; none at the end."""
        n, decided = self.instance(env).core.num_tasks, int(self.play.position[env])
        ranks = ranks_in(self._order, n)
        return ranks[decided % n :] if decided < self._passes * n else ranks[n:]

    def _begin(self, envs: Ints, rows: Ints) -> None:
        bank = self.library.bank
        self._stack = self._stack.widened(self.layout, bank.task.shape[1])
        self._outlooks.update(self.library, self._stack.outlook, rows)
        reverse = self._order == "reverse"
        begin_plan(bank, self.play, self.view, self.feedback, self._stack, reverse, envs, rows)

    def _step(self, actions: Ints, first: int, last: int) -> None:
        bank, reverse = self.library.bank, self._order == "reverse"
        step_plan(
            bank, self.play, self.view, self.feedback, self._stack, reverse, actions, first, last
        )

    @staticmethod
    def _schedule(problem: Problem, machine: Ints, work: Floats) -> Schedule:
        return allocate(problem, machine)


class PlanEnv(SchedulingEnv):
    """``DSCT-EA-Plan-v0``: improve the complete plan of `approx-refined`, task by task.

    One episode is one instance. It begins with the schedule of `approx-refined`: every task has a
    machine, and the works are the exact optimum for these machines. Each step gives the task at
    hand a machine, and the works of all tasks are the exact optimum anew (`dsct_gym.allocate`). A
    pass takes the n tasks by earliest deadline first (EDF), or latest first with
    ``order="reverse"``; an episode is ``passes`` passes, ``passes``·n steps.

    Action: ``Discrete(m + 1)``. The machine of the task at hand. The one that it has leaves all as
    it is; to another it goes by a move or, where ``swap`` tells more than ``move`` for that
    machine, by a swap with a task there, one of the 32 next in EDF order. The last action leaves
    the task out: it does no work, unless a later pass gives it a machine again.

    Mask (m + 1,): every machine of the instance; leaving out always. No machine of the instance
    makes a schedule infeasible. An action that the mask forbids is played as leaving out.

    Observation: a ``Dict`` of float32 boxes, what the policy that ships sees. m is the most
    machines that the environment can meet; rows of padding are 0, and so is everything but the mask
    at the end. The table is flat, row after row; ``env.unwrapped.layout.tables(observation)`` gives
    it as (rows, columns). f_j (work), π_j (price of work at d_j), b_r (busy time) and λ are those
    of the fractional relaxation, where nothing else is said; prices of the plan are those of its
    optimum. "Compressed" is sign(x) ln(1 + |x|), for changes of accuracy in units of a hundredth of
    what a task gains on average in the first plan. "Decided" tasks are those of this pass. A ratio
    of nothing to nothing is shown as 0, and what is beyond a bound as that bound.

    ``task`` (15,): the task at hand j.

    * ``deadline`` [0, 1]: d_j / d_max
    * ``tasks_left`` [0, 1]: share of the tasks not yet decided, this one among them
    * ``tasks`` [0, 5]: ln(n) / 3
    * ``machines`` [0, 5]: ln(m)
    * ``rho`` [−5, 5]: ln(d_max Σ s_r / Σ f_j^max)
    * ``beta`` [−5, 5]: ln(B / (d_max Σ P_r))
    * ``fraction`` [0, 1]: f_j / f_j^max
    * ``work`` [−5, 5]: ln(f_j / mean f)
    * ``price`` [−5, 5]: ln(π_j f_j^max / gain)
    * ``gain`` [0, 1]: a_j(f_j^max) − a_j(0)
    * ``gap`` [0, 5]: time to the next deadline, in units of d_max / n
    * ``next`` [0, 5]: f of the next task / mean f
    * ``soon`` [0, 5]: mean f of the next m tasks / mean f
    * ``rush`` [−5, 5]: ln(f of the next m tasks / what all machines can do until the last is
      due)
    * ``energy_price`` [−5, 5]: ln(λ of the plan / λ)

    ``machines`` (m·16,): each machine r, as it looks for the task at hand j.

    * ``here`` [0, 1]: 1 where the plan has j
    * ``change`` [−5, 5]: the better of the two changes below; 0 where the plan has j
    * ``move`` [−5, 5]: what moving j to r changes, compressed; a bound where that is no gain
    * ``swap`` [−5, 5]: what the best swap with a following task on r changes, likewise
    * ``exact`` [0, 1]: 1 where the better one is exact
    * ``surplus`` [0, 1]: what j would earn beyond the price of its time and energy there / gain
    * ``speed`` [−5, 5]: ln(s_r / mean s)
    * ``efficiency`` [−5, 5]: ln(E_r / mean E)
    * ``price`` [−5, 5]: ln(the plan's price of work on r at d_j / π_j)
    * ``scarcity`` [−5, 5]: ln(the plan's price of work on r at d_j / that of its energy)
    * ``full_time`` [−5, 5]: ln(f_j^max / s_r / d_j)
    * ``full_energy`` [−5, 5]: ln(f_j^max / E_r / (B / n))
    * ``slack`` [−5, 5]: min(d_j, b_r) less the time of f decided on r, in units of mean f,
      compressed
    * ``left`` [−5, 5]: b_r less the time of all f planned on r without j, likewise
    * ``size`` [0, 5]: the time of f_j on r, likewise: f_j / mean f, compressed
    * ``busy`` [0, 1]: b_r / d_max

    ``machines_mask`` (m,): 1 for a machine of the instance.

    Reward: the change of the optimum. The rewards of an episode add up to what the last plan is
    better than the first: always staying returns exactly 0, so learning begins where
    `approx-refined` ends.

    End: the episode terminates after the last task of the last pass; it is never truncated.

    Info: ``action_mask`` (int8) on reset and on every step, ``invalid_action`` on every step; at
    the end ``schedule`` (verified when it is looked at), ``mean_accuracy`` per task, ``energy`` (J)
    and, of an instance of a suite, ``reference``: the best-known mean accuracy.

    Options: ``order`` is ``"edf"`` or ``"reverse"``, ``passes`` at least 1; ``levels`` and
    ``guidance`` are not used, the relaxation is always in sight; and those of `SchedulingEnv`:
    ``on_invalid``, ``render_mode``, ``copy``, and where instances come from,
    `dsct_gym.envs.options.make_source`.
    """

    _episodes_type = PlanEpisodes

    def __init__(self, *, order: str = "edf", passes: int = 1, **options: Any) -> None:
        super().__init__(rules={"order": order, "passes": passes}, **options)


class PlanVectorEnv(SchedulingVectorEnv):
    """``DSCT-EA-Plan-v0``, batched; see `PlanEnv`."""

    _episodes_type = PlanEpisodes

    def __init__(
        self, num_envs: int = 1, *, order: str = "edf", passes: int = 1, **options: Any
    ) -> None:
        super().__init__(num_envs, rules={"order": order, "passes": passes}, **options)


@kernel
def begin_plan(
    bank: Bank,
    play: Play,
    view: PlanView,
    feedback: Feedback,
    stack: Stack,
    reverse: bool,
    envs: Ints,
    rows: Ints,
) -> None:
    """Begins episodes on the instances in ``rows``."""
    begin_play(play, feedback, envs, rows)
    for env in envs:
        _begin_one(bank, play, stack, env)
        _observe_one(bank, play, view, stack, reverse, env)
        _mask(bank, play, feedback, env, env + 1)


@kernel
def step_plan(
    bank: Bank,
    play: Play,
    view: PlanView,
    feedback: Feedback,
    stack: Stack,
    reverse: bool,
    actions: Ints,
    first: int,
    last: int,
) -> None:
    """Plays actions (N,) in the environments ``first`` to ``last``."""
    for start in range(first, last, BLOCK):
        end = min(start + BLOCK, last)
        for env in range(start, end):
            _decide_one(bank, play, feedback, stack, reverse, actions, env)
        advance(bank, play, feedback, start, end)
        for env in range(start, end):
            _observe_one(bank, play, view, stack, reverse, env)
        _mask(bank, play, feedback, start, end)


@helper
def _rank(play: Play, n: int, reverse: bool, env: int) -> int:
    """EDF rank of the task at hand, before the end."""
    rank: int = play.position[env] % n
    return n - 1 - rank if reverse else rank


@helper
def _begin_one(bank: Bank, play: Play, stack: Stack, env: int) -> None:
    """Puts an environment on the plan of approx-refined."""
    row = play.row[env]
    plan = plan_of(bank, stack, env, row)
    begin(plan)
    for task in range(bank.tasks[row]):
        play.machine[env, task] = plan.curves.machine[task]
    play.gained[env] = plan.curves.total[CURRENT]
    read_curves(plan.packed, plan.curves, play, env)


@helper
def _decide_one(
    bank: Bank,
    play: Play,
    feedback: Feedback,
    stack: Stack,
    reverse: bool,
    actions: Ints,
    env: int,
) -> None:
    """Gives the task at hand its machine; the reward is the change of the optimum."""
    feedback.reward[env] = 0.0
    if play.fresh[env]:
        feedback.invalid[env] = False
        return
    row, skip = play.row[env], feedback.mask.shape[1] - 1
    allowed = feedback.mask[env, actions[env]] == 1
    feedback.invalid[env] = not allowed
    play.choice[env] = actions[env] if allowed and actions[env] != skip else -1
    plan = plan_of(bank, stack, env, row)
    n, before = bank.tasks[row], plan.curves.total[CURRENT]
    decide(plan, _rank(play, n, reverse, env), play.choice[env])
    for task in range(n):
        play.machine[env, task] = plan.curves.machine[task]
    play.gained[env] = plan.curves.total[CURRENT]
    read_curves(plan.packed, plan.curves, play, env)
    feedback.reward[env] = plan.curves.total[CURRENT] - before


@helper
def _observe_one(
    bank: Bank, play: Play, view: PlanView, stack: Stack, reverse: bool, env: int
) -> None:
    """Writes what an environment shows now, and works out what can be decided next."""
    row = play.row[env]
    n, m = bank.tasks[row], bank.machines[row]
    for r in range(view.machines.shape[1]):
        view.machines_mask[env, r] = 1.0 if r < m else 0.0
    if play.position[env] == 0:
        view.machines[env, m:] = 0.0
    if play.position[env] == play.passes * n:
        view.task[env] = 0.0
        view.machines[env] = 0.0
        return
    plan = plan_of(bank, stack, env, row)
    decided = play.position[env] % n
    if decided == 0:
        plan.loads.decided[:] = 0.0
    look(plan, _rank(play, n, reverse, env), view.task[env], view.machines[env, :m])
    view.task[env, Context.TASKS_LEFT] = 1.0 - decided / n


@helper
def _mask(bank: Bank, play: Play, feedback: Feedback, first: int, last: int) -> None:
    """Allows every machine, for works are allocated anew and a task always fits; and to skip."""
    skip = feedback.mask.shape[1] - 1
    for env in range(first, last):
        row = play.row[env]
        over = play.position[env] == play.passes * bank.tasks[row]
        machines = 0 if over else bank.machines[row]
        for action in range(skip):
            feedback.mask[env, action] = action < machines
        feedback.mask[env, skip] = 1
