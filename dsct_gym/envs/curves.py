"""Exact allocations, one an environment, which kernels keep up to date as tasks are placed."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

from dsct_gym.allocation import Levels, Packed
from dsct_gym.arrays import Ints
from dsct_gym.curves import SOURCE, TARGET, Curves, Layers
from dsct_gym.envs.bank import Bank, copy_into
from dsct_gym.envs.observation import Layout
from dsct_gym.envs.state import Play
from dsct_gym.jit import helper

Arrays = TypeVar("Arrays", bound=NamedTuple)


def empty_stack(count: int, layout: Layout, bank: Bank) -> Curves:
    """The curves of N allocations: the arrays of `Curves`, each with one more dimension.

    Args:
        count: N.
        layout: Says the most tasks and machines.
        bank: Says the most segments, and increments of a machine.
    """
    sizes = layout.max_tasks, layout.max_machines, bank.task.shape[1]
    return stacked(count, Curves.empty(*sizes, depth=bank.depth))


def stacked(count: int, part: Arrays) -> Arrays:
    """A named tuple of arrays so many times over: each with one more dimension."""
    return part._replace(**{name: _repeated(count, each) for name, each in part._asdict().items()})


def _repeated(count: int, part: Any) -> Any:
    """An array so many times over, or those of a named tuple; what is neither as it is."""
    if isinstance(part, np.ndarray):
        return np.repeat(part[None], count, 0)
    return stacked(count, cast("Any", part)) if isinstance(part, tuple) else part


def widened(stack: Curves, layout: Layout, bank: Bank) -> Curves:
    """The curves with room for the instances in the bank.

    Curves of machines with one clock are those of machines with one increment.
    """
    if bank.task.shape[1] <= stack.order.shape[2] and bank.depth <= _depth(stack):
        return stack
    wide = empty_stack(stack.order.shape[0], layout, bank)
    copy_into(wide, stack)
    return wide


def _depth(stack: Curves) -> int:
    """Most increments of a machine that there is room for."""
    return 1 if stack.layers is None else int(stack.layers.head.shape[1])


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
        levels=levels_in(bank, bank.several, row),
    )


@helper
def levels_in(bank: Bank, several: bool | None, row: int) -> Levels:
    """The increments of the machines in a row, None where there are none but whole machines."""
    if several is None:
        return None  # type: ignore[return-value]
    m = bank.machines[row]
    return Levels(
        first=bank.levels.first[row, : m + 1],
        speed=bank.levels.speed[row],
        efficiency=bank.levels.efficiency[row],
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
        layers=_layers_of(stack.layers, env),
    )


@helper
def _layers_of(layers: Layers | None, env: int) -> Layers:
    """What the curves of one environment have for increments, None where they have nothing."""
    if layers is None:
        return None  # type: ignore[return-value]
    return Layers(
        cutoff=layers.cutoff[env],
        increment=layers.increment[env],
        accepted=layers.accepted[env],
        reach=layers.reach[env],
        span=layers.span[env],
        until=layers.until[env],
        width=layers.width[env],
        slope=layers.slope[env],
        head=layers.head[env],
        best=layers.best[env],
    )


@helper
def read_curves(problem: Packed, curves: Curves, play: Play, env: int) -> None:
    """Energy and time of each machine at the cut of the curves, and work where it needs telling.

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
    play.spent[env] = spent
    _read_times(problem, curves, problem.several, play, env)


@helper
def _read_times(
    problem: Packed, curves: Curves, several: bool | None, play: Play, env: int
) -> None:
    """Time of each machine, from its energy; with several increments, that of the first of them.

    A machine that works at all works on its first increment.
    """
    for r in range(problem.speed.size):
        if several is None:
            play.time[env, r] = play.energy[env, r] * problem.efficiency[r] / problem.speed[r]
        else:
            slot, first = curves.slot[r], problem.levels.first[r]
            play.time[env, r] = play.done[env, r] = 0.0
            for piece in range(min(curves.taken[r] + 1, curves.pieces[slot])):
                end = min(curves.energy[slot, piece + 1], play.energy[env, r])
                k = curves.layers.increment[slot, piece]
                work = (end - curves.energy[slot, piece]) * problem.levels.efficiency[first + k]
                play.done[env, r] += work
                if k == 0:
                    play.time[env, r] += work / problem.levels.speed[first]
