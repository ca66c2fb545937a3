"""Exact allocations, one an environment, which kernels keep up to date as tasks are placed."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

from dsct_gym.allocation import Packed
from dsct_gym.arrays import Ints
from dsct_gym.envs.bank import Bank, copy_into
from dsct_gym.envs.observation import Layout
from dsct_gym.envs.state import Play
from dsct_gym.incremental import SOURCE, TARGET, Curves
from dsct_gym.jit import helper

Arrays = TypeVar("Arrays", bound=NamedTuple)


def empty_stack(count: int, layout: Layout, segments: int) -> Curves:
    """The curves of N allocations: the arrays of `Curves`, each with one more dimension."""
    return stacked(count, Curves.empty(layout.max_tasks, layout.max_machines, segments))


def stacked(count: int, part: Arrays) -> Arrays:
    """A named tuple of arrays so many times over: each with one more dimension."""
    arrays = {name: np.repeat(array[None], count, 0) for name, array in _arrays(part)}
    return part._replace(**arrays)


def _arrays(part: NamedTuple) -> list[tuple[str, Any]]:
    """The arrays of a named tuple, without what it does not have."""
    return [(name, array) for name, array in part._asdict().items() if array is not None]


def widened(stack: Curves, layout: Layout, segments: int) -> Curves:
    """The curves with room for instances of so many segments."""
    if segments <= stack.order.shape[2]:
        return stack
    wide = empty_stack(stack.order.shape[0], layout, segments)
    copy_into(cast("Any", wide), cast("Any", stack))
    return wide


@helper
def begin_curves(bank: Bank, play: Play, stack: Curves, envs: Ints) -> None:
    """Empties the curves of environments."""
    for env in envs:
        machines = bank.machines[play.row[env]]
        stack.machine[env] = -1
        for r in range(stack.slot.shape[1]):
            stack.slot[env, r] = r
        stack.spare[env, SOURCE] = machines
        stack.spare[env, TARGET] = machines + 1
        stack.load[env] = 0
        stack.length[env] = 0
        stack.pieces[env] = 0
        stack.energy[env, :, 0] = 0.0
        stack.gain[env, :, 0] = 0.0
        stack.taken[env] = 0
        stack.trial_taken[env] = 0
        stack.total[env] = 0.0
        stack.price[env] = 0.0


@helper
def problem_in(bank: Bank, row: int) -> Packed:
    """The instance in a row as the allocation kernels read it."""
    n, m, count = bank.tasks[row], bank.machines[row], bank.segments[row]
    return Packed(
        deadline=bank.deadline[row, :n],
        speed=bank.speed[row, :m],
        efficiency=bank.efficiency[row, :m],
        budget=bank.budget[row],
        task=bank.task[row, :count],
        slope=bank.slope[row, :count],
        width=bank.width[row, :count],
        first=bank.first[row, : n + 1],
        own=bank.own[row, :count],
        several=bank.several,
        levels=bank.levels,
    )


@helper
def curves_of(stack: Curves, env: int, n: int, m: int) -> Curves:
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
        layers=stack.layers,
    )


@helper
def read_curves(problem: Packed, curves: Curves, play: Play, env: int) -> None:
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
