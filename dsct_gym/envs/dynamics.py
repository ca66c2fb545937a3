"""What an action does: the compiled stepping, masks and observations of all environments.

One place for the single and the batched form and for the three action modes: a single environment
is a batch of one. A kernel steps the environments ``first`` to ``last`` of a batch, so threads can
share a batch; environments never touch each other's rows. The steps of a kernel (decide, carry out,
observe, mask) each loop over a block of environments: passing all these arrays to a function costs
more than what it does for one environment, and a block stays in the cache.

In EDF order nothing has to be planned on a machine: its next task starts when the one ahead ends.
So the state of a machine is the time and the energy that it has used.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from dsct_gym.allocation import Problem
from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.envs.bank import Bank, accuracy_for, clip, clip_log
from dsct_gym.envs.observation import LOG_LIMIT, BudgetColumn, Layout, MachineColumn
from dsct_gym.incremental import Curves, accept_trial, try_change
from dsct_gym.jit import helper, kernel
from dsct_gym.tolerances import ROUNDING

_BLOCK = 16
_LEAST = 1e-9
"""A machine has room when this share of the task's full work fits."""


class Play(NamedTuple):
    """State of N episodes.

    Attributes:
        row: Row of the instance in the bank (N,).
        position: EDF rank of the task at hand (N,); n at the end.
        fresh: Whether the next step only shows the reset state (N,).
        choice: Machine chosen for the task at hand (N,), −1 for none.
        amount: Work chosen for the task at hand (N,), GFLOP.
        time: Time used on each machine (N, m), s.
        energy: Energy spent on each machine (N, m), J.
        room: Largest work on the task at hand that fits each machine (N, m), GFLOP.
        spent: Energy spent (N,), J.
        gained: Accuracy gained, the sum of the rewards (N,).
        price: Energy price of the allocation so far (N,); Assign only.
        machine: Machine of each task by EDF rank (N, n), −1 for none.
        work: Work of each task by EDF rank (N, n), GFLOP; not used by Assign.
    """

    row: Ints
    position: Ints
    fresh: Bools
    choice: Ints
    amount: Floats
    time: Floats
    energy: Floats
    room: Floats
    spent: Floats
    gained: Floats
    price: Floats
    machine: Ints
    work: Floats

    @classmethod
    def empty(cls, count: int, layout: Layout) -> Play:
        """N episodes that have not begun."""
        n, m = layout.max_tasks, layout.max_machines
        return cls(
            row=np.zeros(count, dtype=np.int64),
            position=np.zeros(count, dtype=np.int64),
            fresh=np.zeros(count, dtype=np.bool_),
            choice=np.full(count, -1, dtype=np.int64),
            amount=np.zeros(count),
            time=np.zeros((count, m)),
            energy=np.zeros((count, m)),
            room=np.zeros((count, m)),
            spent=np.zeros(count),
            gained=np.zeros(count),
            price=np.zeros(count),
            machine=np.full((count, n), -1, dtype=np.int64),
            work=np.zeros((count, n)),
        )


class View(NamedTuple):
    """What the agents are shown: the arrays of `Layout.space`, one row an environment.

    The tables have a row for each machine, or task, and a place for each column.
    """

    budget: npt.NDArray[np.float32]
    machines: npt.NDArray[np.float32]
    machines_mask: npt.NDArray[np.float32]
    task: npt.NDArray[np.float32]
    tasks: npt.NDArray[np.float32]
    tasks_mask: npt.NDArray[np.float32]

    @classmethod
    def empty(cls, count: int, layout: Layout) -> View:
        """Arrays for N environments."""

        def shown(*shape: int) -> npt.NDArray[np.float32]:
            return np.zeros((count, *shape), dtype=np.float32)

        n, m = layout.max_tasks, layout.max_machines
        return cls(
            budget=shown(len(layout.budget)),
            machines=shown(m, len(layout.machine)),
            machines_mask=shown(m),
            task=shown(len(layout.task)),
            tasks=shown(n, len(layout.task)),
            tasks_mask=shown(n),
        )


class Feedback(NamedTuple):
    """What a step answers besides the observation, one row an environment.

    Attributes:
        mask: Whether each action is allowed now (N, actions).
        reward: (N,).
        terminated: Whether the episode is over (N,).
        invalid: Whether the action was forbidden, and played as skip (N,).
    """

    mask: npt.NDArray[np.int8]
    reward: Floats
    terminated: Bools
    invalid: Bools

    @classmethod
    def empty(cls, count: int, actions: int) -> Feedback:
        """Arrays for N environments with so many actions."""
        return cls(
            mask=np.zeros((count, actions), dtype=np.int8),
            reward=np.zeros(count),
            terminated=np.zeros(count, dtype=np.bool_),
            invalid=np.zeros(count, dtype=np.bool_),
        )


def empty_curves(count: int, layout: Layout, segments: int) -> Curves:
    """The curves of N allocations: the arrays of `Curves`, each with one more dimension."""
    one = Curves.empty(layout.max_tasks, layout.max_machines, segments)
    arrays: Any = [np.repeat(array[None], count, axis=0) for array in cast("Any", one)]
    return Curves(*arrays)


# Beginning an episode.


@kernel
def begin_joint(
    bank: Bank, play: Play, view: View, feedback: Feedback, envs: Ints, rows: Ints
) -> None:
    """Begins episodes of the joint environment."""
    _begin(bank, play, view, feedback, envs, rows)
    for env in envs:
        _observe(bank, play, view, env, env + 1, True)
        _mask_joint(bank, play, feedback, env, env + 1)


@kernel
def begin_continuous(
    bank: Bank, play: Play, view: View, feedback: Feedback, envs: Ints, rows: Ints
) -> None:
    """Begins episodes of the continuous environment."""
    _begin(bank, play, view, feedback, envs, rows)
    for env in envs:
        _observe(bank, play, view, env, env + 1, True)
        _mask_continuous(bank, play, feedback, env, env + 1)


@kernel
def begin_assign(
    bank: Bank, play: Play, view: View, feedback: Feedback, stack: Curves, envs: Ints, rows: Ints
) -> None:
    """Begins episodes of the Assign environment."""
    _begin(bank, play, view, feedback, envs, rows)
    _begin_curves(bank, play, stack, envs)
    for env in envs:
        _observe(bank, play, view, env, env + 1, False)
        _mask_assign(bank, play, feedback, env, env + 1)


@helper
def _begin(bank: Bank, play: Play, view: View, feedback: Feedback, envs: Ints, rows: Ints) -> None:
    """Puts environments at the start of the instances in ``rows``."""
    columns = bank.columns.shape[2]
    for index in range(envs.size):
        env, row = envs[index], rows[index]
        n, m = bank.tasks[row], bank.machines[row]
        play.row[env] = row
        play.position[env] = 0
        play.fresh[env] = False
        play.time[env] = 0.0
        play.energy[env] = 0.0
        play.spent[env] = 0.0
        play.gained[env] = 0.0
        play.price[env] = 0.0
        play.machine[env] = -1
        play.work[env] = 0.0
        feedback.reward[env] = 0.0
        feedback.terminated[env] = False
        feedback.invalid[env] = False
        for task in range(n):
            for column in range(columns):
                view.tasks[env, task, column] = bank.columns[row, task, column]
        view.tasks[env, n:] = 0.0
        view.tasks_mask[env, :n] = 1.0
        view.tasks_mask[env, n:] = 0.0
        view.machines_mask[env, :m] = 1.0
        view.machines_mask[env, m:] = 0.0
        view.budget[env, BudgetColumn.RHO] = bank.rho[row]
        view.budget[env, BudgetColumn.BETA] = bank.beta[row]
        view.budget[env, BudgetColumn.TASKS] = clip(math.log10(n), 0.0, LOG_LIMIT)
        view.budget[env, BudgetColumn.MACHINES] = clip(math.log10(m), 0.0, LOG_LIMIT)
        if bank.guided:
            view.budget[env, BudgetColumn.RELAXED_PRICE] = _log_ratio(
                bank.energy_price[row], -bank.log_ration[row]
            )
        _begin_machines(bank, view, env, row)


@helper
def _begin_machines(bank: Bank, view: View, env: int, row: int) -> None:
    """Writes the columns of machines that stay the same for a whole episode."""
    m = bank.machines[row]
    view.machines[env] = 0.0
    speed, efficiency = 0.0, 0.0
    for r in range(m):
        speed += bank.speed[row, r]
        efficiency += bank.efficiency[row, r]
    speed, efficiency = math.log(speed / m), math.log(efficiency / m)
    for r in range(m):
        shown = view.machines[env, r]
        shown[MachineColumn.SPEED] = clip_log(bank.log_speed[row, r] - speed)
        shown[MachineColumn.EFFICIENCY] = clip_log(bank.log_efficiency[row, r] - efficiency)
        if bank.guided:
            shown[MachineColumn.PROFILE] = _part(bank.profile[row, r], bank.budget[row, 0])


@helper
def _begin_curves(bank: Bank, play: Play, stack: Curves, envs: Ints) -> None:
    """Empties the curves of environments."""
    for env in envs:
        machines = bank.machines[play.row[env]]
        stack.machine[env] = -1
        for r in range(stack.slot.shape[1]):
            stack.slot[env, r] = r
        stack.spare[env, 0] = machines
        stack.spare[env, 1] = machines + 1
        stack.load[env] = 0
        stack.length[env] = 0
        stack.pieces[env] = 0
        stack.energy[env, :, 0] = 0.0
        stack.gain[env, :, 0] = 0.0
        stack.taken[env] = 0
        stack.trial_taken[env] = 0
        stack.total[env] = 0.0
        stack.price[env] = 0.0


# Stepping.


@kernel
def step_joint(
    bank: Bank, play: Play, view: View, feedback: Feedback, actions: Ints, first: int, last: int
) -> None:
    """Plays machine and level, or skip, in environments ``first`` to ``last``."""
    for start in range(first, last, _BLOCK):
        end = min(start + _BLOCK, last)
        _decide_joint(bank, play, feedback, actions, start, end)
        _spend(bank, play, feedback, start, end)
        _advance(bank, play, view, feedback, start, end)
        _observe(bank, play, view, start, end, True)
        _mask_joint(bank, play, feedback, start, end)


@kernel
def step_continuous(
    bank: Bank,
    play: Play,
    view: View,
    feedback: Feedback,
    actions: npt.NDArray[np.float32],
    first: int,
    last: int,
) -> None:
    """Plays preferences and the share of work in environments ``first`` to ``last``."""
    for start in range(first, last, _BLOCK):
        end = min(start + _BLOCK, last)
        _decide_continuous(bank, play, feedback, actions, start, end)
        _spend(bank, play, feedback, start, end)
        _advance(bank, play, view, feedback, start, end)
        _observe(bank, play, view, start, end, True)
        _mask_continuous(bank, play, feedback, start, end)


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
    """Plays a machine, or skip, in environments ``first`` to ``last``."""
    for start in range(first, last, _BLOCK):
        end = min(start + _BLOCK, last)
        _decide_assign(play, feedback, actions, start, end)
        _assign(bank, play, feedback, stack, start, end)
        _advance(bank, play, view, feedback, start, end)
        _observe(bank, play, view, start, end, False)
        _mask_assign(bank, play, feedback, start, end)


@helper
def _decide_joint(
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
def _decide_continuous(
    bank: Bank,
    play: Play,
    feedback: Feedback,
    actions: npt.NDArray[np.float32],
    first: int,
    last: int,
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
def _decide_assign(play: Play, feedback: Feedback, actions: Ints, first: int, last: int) -> None:
    """Reads the machine from actions; forbidden ones count as skip."""
    skip = feedback.mask.shape[1] - 1
    for env in range(first, last):
        allowed = feedback.mask[env, actions[env]] == 1
        feedback.invalid[env] = not allowed
        placed = actions[env] != skip and allowed and not play.fresh[env]
        play.choice[env] = actions[env] if placed else -1


@helper
def _spend(bank: Bank, play: Play, feedback: Feedback, first: int, last: int) -> None:
    """Does the work chosen; the reward is the accuracy gained."""
    for env in range(first, last):
        feedback.reward[env] = 0.0
        r = play.choice[env]
        if r < 0:
            continue
        row, j, work = play.row[env], play.position[env], play.amount[env]
        energy = work / bank.efficiency[row, r]
        play.time[env, r] += work / bank.speed[row, r]
        play.energy[env, r] += energy
        play.spent[env] += energy
        play.machine[env, j] = r
        play.work[env, j] = work
        gain = accuracy_for(bank.reach[row, j], bank.value[row, j], work) - bank.value[row, j, 0]
        play.gained[env] += gain
        feedback.reward[env] = gain


@helper
def _assign(
    bank: Bank, play: Play, feedback: Feedback, stack: Curves, first: int, last: int
) -> None:
    """Gives tasks to the machines chosen and allocates anew; the reward is the optimum's change."""
    for env in range(first, last):
        feedback.reward[env] = 0.0
        r = play.choice[env]
        if r < 0:
            continue
        row, j = play.row[env], play.position[env]
        problem = _problem(bank, row)
        curves = _curves(stack, env, bank.tasks[row], bank.machines[row])
        before = curves.total[0]
        try_change(problem, curves, j, r, -1)
        accept_trial(curves, j, r, -1)
        play.machine[env, j] = r
        play.gained[env] = curves.total[0]
        play.price[env] = curves.price[0]
        _read_curves(problem, curves, play, env)
        feedback.reward[env] = curves.total[0] - before


@helper
def _problem(bank: Bank, row: int) -> Problem:
    """The instance in a row as the allocation kernels read it."""
    n, m, count = bank.tasks[row], bank.machines[row], bank.segments[row]
    return Problem(
        deadline=bank.deadline[row, :n],
        speed=bank.speed[row, :m],
        efficiency=bank.efficiency[row, :m],
        budget=bank.budget[row],
        task=bank.task[row, :count],
        slope=bank.slope[row, :count],
        width=bank.width[row, :count],
        first=bank.first[row, : n + 1],
        own=bank.own[row, :count],
    )


@helper
def _curves(stack: Curves, env: int, n: int, m: int) -> Curves:
    """The curves of one environment, cut to its numbers of tasks and machines."""
    return Curves(
        machine=stack.machine[env, :n],
        slot=stack.slot[env, :m],
        spare=stack.spare[env],
        tasks=stack.tasks[env],
        load=stack.load[env],
        order=stack.order[env],
        length=stack.length[env],
        steep=stack.steep[env],
        energy=stack.energy[env],
        gain=stack.gain[env],
        pieces=stack.pieces[env],
        exhausted=stack.exhausted[env],
        taken=stack.taken[env, :m],
        trial_taken=stack.trial_taken[env, :m],
        total=stack.total[env],
        price=stack.price[env],
        place=stack.place[env],
        free=stack.free[env],
        parent=stack.parent[env],
    )


@helper
def _read_curves(problem: Problem, curves: Curves, play: Play, env: int) -> None:
    """Energy and time of each machine at the cut of the curves.

    What is left of the budget goes to the piece at the price, the first one if several tie.
    """
    m = problem.speed.size
    spent, most, marginal = 0.0, 0.0, -1
    for r in range(m):
        slot, taken = curves.slot[r], curves.taken[r]
        play.energy[env, r] = curves.energy[slot, taken]
        spent += curves.energy[slot, taken]
        if taken < curves.pieces[slot] and curves.steep[slot, taken] > most:
            most, marginal = curves.steep[slot, taken], r
    if marginal >= 0:
        left = max(0.0, problem.budget[0] - spent)
        play.energy[env, marginal] += left
        spent += left
    for r in range(m):
        play.time[env, r] = play.energy[env, r] * problem.efficiency[r] / problem.speed[r]
    play.spent[env] = spent


@helper
def _advance(bank: Bank, play: Play, view: View, feedback: Feedback, first: int, last: int) -> None:
    """Goes on to the next task; the row of the one decided becomes 0.

    A fresh environment stays where its reset has put it.
    """
    for env in range(first, last):
        if play.fresh[env]:
            play.fresh[env] = False
            feedback.invalid[env] = False
            feedback.terminated[env] = False
            continue
        j = play.position[env]
        view.tasks[env, j] = 0.0
        view.tasks_mask[env, j] = 0.0
        play.position[env] = j + 1
        feedback.terminated[env] = j + 1 == bank.tasks[play.row[env]]


# Masks. Skipping is always allowed, so a mask is never all false.


@helper
def _mask_joint(bank: Bank, play: Play, feedback: Feedback, first: int, last: int) -> None:
    """Allows the levels that do work and fit; those of a flat curve do none."""
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


@helper
def _mask_assign(bank: Bank, play: Play, feedback: Feedback, first: int, last: int) -> None:
    """Allows every machine: times are allocated anew, so a task always fits."""
    skip = feedback.mask.shape[1] - 1
    for env in range(first, last):
        row = play.row[env]
        machines = bank.machines[row] if play.position[env] < bank.tasks[row] else 0
        for action in range(skip):
            feedback.mask[env, action] = action < machines
        feedback.mask[env, skip] = 1


@helper
def _mask_continuous(bank: Bank, play: Play, feedback: Feedback, first: int, last: int) -> None:
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


# Observations.


@helper
def _observe(bank: Bank, play: Play, view: View, first: int, last: int, energy_binds: bool) -> None:
    """Writes what environments show now, and the room of each machine.

    Args:
        bank: Instances.
        play: State.
        view: Where to write.
        first: First environment.
        last: One past the last.
        energy_binds: Whether the energy spent so far is gone for good.
    """
    width = bank.columns.shape[2]
    for env in range(first, last):
        row, j = play.row[env], play.position[env]
        n, budget = bank.tasks[row], bank.budget[row, 0]
        shown = view.budget[env]
        shown[BudgetColumn.ENERGY_LEFT] = _part(budget - play.spent[env], budget)
        shown[BudgetColumn.TASKS_LEFT] = (n - j) / n
        shown[BudgetColumn.ACCURACY] = clip(play.gained[env] / n, 0.0, 1.0)
        if not energy_binds:
            shown[BudgetColumn.PRICE] = _log_ratio(play.price[env], -bank.log_ration[row])
        for column in range(width):
            view.task[env, column] = bank.columns[row, j, column] if j < n else 0.0
    _observe_machines(bank, play, view, first, last, energy_binds)
    if bank.guided:
        _observe_guidance(bank, play, view, first, last)


@helper
def _observe_machines(
    bank: Bank, play: Play, view: View, first: int, last: int, energy_binds: bool
) -> None:
    """Writes the columns of machines that change; at the end those about a task are 0."""
    top = bank.reach.shape[2] - 1
    for env in range(first, last):
        row, j = play.row[env], play.position[env]
        n, budget = bank.tasks[row], bank.budget[row, 0]
        horizon = bank.deadline[row, n - 1]
        for r in range(bank.machines[row]):
            shown = view.machines[env, r]
            shown[MachineColumn.USED] = clip(play.time[env, r] / horizon, 0.0, 1.0)
            shown[MachineColumn.SPENT] = _part(play.energy[env, r], budget)
        if j == n:
            for r in range(bank.machines[row]):
                play.room[env, r] = 0.0
                shown = view.machines[env, r]
                shown[MachineColumn.LOAD] = 0.0
                shown[MachineColumn.ROOM] = 0.0
                shown[MachineColumn.TIME] = 0.0
                shown[MachineColumn.ENERGY] = 0.0
            continue
        deadline, full = bank.deadline[row, j], bank.reach[row, j, top]
        log_time = bank.log_work[row, j] - bank.log_deadline[row, j]
        log_energy = bank.log_work[row, j] - bank.log_ration[row]
        left = max(0.0, budget * (1.0 + ROUNDING) - play.spent[env])
        for r in range(bank.machines[row]):
            time = play.time[env, r]
            room = max(0.0, (deadline * (1.0 + ROUNDING) - time) * bank.speed[row, r])
            if energy_binds:
                room = min(room, left * bank.efficiency[row, r])
            play.room[env, r] = room
            shown = view.machines[env, r]
            shown[MachineColumn.LOAD] = clip(time / deadline, 0.0, 1.0)
            shown[MachineColumn.ROOM] = clip(room / full, 0.0, 1.0)
            shown[MachineColumn.TIME] = clip_log(log_time - bank.log_speed[row, r])
            shown[MachineColumn.ENERGY] = clip_log(log_energy - bank.log_efficiency[row, r])


@helper
def _observe_guidance(bank: Bank, play: Play, view: View, first: int, last: int) -> None:
    """Writes the columns of the relaxation that change."""
    for env in range(first, last):
        row, j = play.row[env], play.position[env]
        n = bank.tasks[row]
        horizon = bank.deadline[row, n - 1]
        able = 0.0
        for r in range(bank.machines[row]):
            able += bank.speed[row, r] * (horizon - play.time[env, r])
            shown = view.machines[env, r]
            left = shown[MachineColumn.PROFILE] - shown[MachineColumn.SPENT]
            shown[MachineColumn.PROFILE_LEFT] = left
            shown[MachineColumn.PRICE] = 0.0
            shown[MachineColumn.FRACTION_TIME] = 0.0
            if j < n:
                shown[MachineColumn.PRICE] = _log_prices(
                    bank.energy_price[row], bank.efficiency[row, r], bank.work_price[row, j]
                )
                time = bank.fraction[row, j] / bank.speed[row, r]
                time_share = time / bank.deadline[row, j]
                shown[MachineColumn.FRACTION_TIME] = clip(time_share, 0.0, LOG_LIMIT)
        waiting = 0.0
        for task in range(j, n):
            waiting += bank.fraction[row, task]
        slack = _log_ratio(able, math.log(waiting)) if waiting > 0.0 else LOG_LIMIT
        view.budget[env, BudgetColumn.SLACK] = slack


@helper
def _part(value: float, whole: float) -> float:
    """Share of a whole in [0, 1]; 0 when there is no whole."""
    return clip(value / whole, 0.0, 1.0) if whole > 0.0 else 0.0


@helper
def _log_ratio(value: float, log_unit: float) -> float:
    """Logarithm of ``value`` in a unit given by its own, the lower bound when not positive."""
    return clip_log(math.log(value) - log_unit) if value > 0.0 else -LOG_LIMIT


@helper
def _log_prices(energy_price: float, efficiency: float, work_price: float) -> float:
    """Logarithm of the price of a machine's energy over the price of work."""
    if energy_price <= 0.0:
        return -LOG_LIMIT
    if work_price <= 0.0:
        return LOG_LIMIT
    return clip_log(math.log(energy_price / efficiency / work_price))
