"""The Metropolis walk over assignments and orders, for tasks that arrive over time.

Each task has a machine and a key, a moment in its window, and machines run their tasks by key: that
reaches every order that a schedule can have, for its own starts would do as keys. The works are the
exact ones for the order (`dsct_gym.online.sequences`).
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from dsct_gym.allocation import Packed
from dsct_gym.arrays import Floats, Ints
from dsct_gym.curves import CURRENT, SOURCE, TARGET, TRIAL, Curves
from dsct_gym.incremental import (
    cut_curves,
    merge_segments,
    net_change,
    pieces_worth,
    swap_slots,
)
from dsct_gym.jit import helper, kernel
from dsct_gym.online.sequences import Queues, accept_in_order, list_machines
from dsct_gym.random import States, draw_states, draw_xorshift

_SLACK = 1e-11  # relative to the total: the rounding by which a bound must miss what it rules out
_SWAPS = 0.3
_NEAR = 2  # how many machines' worth of tasks that arrived before or after are looked at to swap


class Count(IntEnum):
    """Places in `SequenceWalk.tally`: changes in all, those computed in full and those made."""

    PROPOSED = 0
    EVALUATED = 1
    ACCEPTED = 2


class SequenceWalk(NamedTuple):
    """State of a walk besides the machines; tasks in EDF order.

    Attributes:
        key: Key of each task (n,), s.
        random: State of the random numbers (2,).
        best_machine: Machines of the best so far (n,).
        best_key: Its keys (n,), s.
        best_total: Accuracy that it gains (1,).
        tally: By `Count` (3,).
        by_arrival: Tasks by arrival (n,).
        arrived: Place of each task among them (n,).
    """

    key: Floats
    random: States
    best_machine: Ints
    best_key: Floats
    best_total: Floats
    tally: Ints
    by_arrival: Ints
    arrived: Ints

    @classmethod
    def seeded(cls, arrival: Floats, seed: int) -> SequenceWalk:
        """A walk that has not begun; the same seed takes the same steps in every process."""
        by_arrival = np.argsort(arrival, kind="stable").astype(np.int64)
        return cls(
            key=arrival.copy(),
            random=draw_states(seed, 2),
            best_machine=np.full(arrival.size, -1, dtype=np.int64),
            best_key=arrival.copy(),
            best_total=np.full(1, -np.inf),
            tally=np.zeros(len(Count), dtype=np.int64),
            by_arrival=by_arrival,
            arrived=np.argsort(by_arrival, kind="stable").astype(np.int64),
        )


class Change(NamedTuple):
    """A change that is proposed.

    Attributes:
        task: The task that moves, −1 where nothing changes.
        machine: Where it goes, −1 for none.
        key: Its key there, s.
        other: A task on ``machine`` that goes where ``task`` was; −1 for none.
    """

    task: int
    machine: int
    key: float
    other: int


@kernel
def place_sequences(
    packed: Packed,
    queues: Queues,
    curves: Curves,
    walk: SequenceWalk,
    machine: Ints,
    sequence: Ints,
) -> None:
    """Puts the walk on machines (n,) with its keys; keeps them if they are the best so far.

    Args:
        packed: The prepared problem.
        queues: Arrivals and scratch.
        curves: The state to set.
        walk: Its keys.
        machine: Machine of each task (n,), −1 for none.
        sequence: Tasks by their keys (n,).
    """
    for index in range(machine.size):
        curves.machine[index] = machine[index]
    for slot in range(curves.load.size):
        curves.load[slot] = curves.length[slot] = 0
        if slot < curves.slot.size:
            curves.slot[slot] = slot
    curves.spare[SOURCE], curves.spare[TARGET] = curves.slot.size, curves.slot.size + 1
    list_machines(packed, machine, sequence, curves.tasks, curves.load, curves.order, curves.length)
    for r in range(curves.slot.size):
        _build(packed, queues, curves, r, r)
        curves.trial_taken[r] = curves.pieces[r]
    cut_curves(packed, curves)
    _settle(curves)
    if curves.total[CURRENT] > walk.best_total[0]:
        walk.best_total[0] = curves.total[CURRENT]
        _keep(curves, walk)


@kernel
def insert_by_arrival(packed: Packed, queues: Queues, curves: Curves, walk: SequenceWalk) -> None:
    """Gives each task without a machine, as they arrive, the one on which it gains most, if any."""
    for task in walk.by_arrival:
        if curves.machine[task] >= 0:
            continue
        most, best = curves.total[CURRENT], -1
        for r in range(curves.slot.size):
            change = Change(task=task, machine=r, key=walk.key[task], other=-1)
            total = _try(packed, queues, curves, walk, change, -np.inf)
            if total > most:
                most, best = total, r
        if best >= 0:
            change = Change(task=task, machine=best, key=walk.key[task], other=-1)
            _try(packed, queues, curves, walk, change, -np.inf)
            _accept(curves, walk, change)
    if curves.total[CURRENT] > walk.best_total[0]:
        walk.best_total[0] = curves.total[CURRENT]
        _keep(curves, walk)


@kernel
def step_sequences(
    packed: Packed,
    queues: Queues,
    curves: Curves,
    walk: SequenceWalk,
    temperature: float,
    count: int,
) -> None:
    """Proposes ``count`` changes by the Metropolis rule, as `step_walk` does.

    A task without a machine is given one only where that gains something: one that gets no work
    would be in the way of others.
    """
    ahead = False
    for _ in range(count):
        change = _propose(packed, queues, curves, walk)
        chance = draw_xorshift(walk.random)
        walk.tally[Count.PROPOSED] += 1
        if change.task < 0:
            continue
        least = curves.total[CURRENT] + temperature * np.log(chance)
        total = _try(packed, queues, curves, walk, change, least)
        if total < least:
            continue
        if curves.machine[change.task] < 0 and total <= curves.total[CURRENT]:
            continue
        if ahead and total < walk.best_total[0]:
            _keep(curves, walk)
            ahead = False
        _accept(curves, walk, change)
        walk.tally[Count.ACCEPTED] += 1
        if total > walk.best_total[0]:
            walk.best_total[0] = total
            ahead = True
    if ahead:
        _keep(curves, walk)


@kernel
def sample_sequence_losses(
    packed: Packed, queues: Queues, curves: Curves, walk: SequenceWalk, losses: Floats
) -> None:
    """Fills ``losses`` with the total accuracy that proposed changes would cost, 0 where none."""
    for index in range(losses.size):
        change = _propose(packed, queues, curves, walk)
        losses[index] = 0.0
        if change.task >= 0:
            total = _try(packed, queues, curves, walk, change, -np.inf)
            losses[index] = max(0.0, curves.total[CURRENT] - total)


@helper
def _keep(curves: Curves, walk: SequenceWalk) -> None:
    """Keeps where the walk stands as the best."""
    for task in range(curves.machine.size):
        walk.best_machine[task] = curves.machine[task]
        walk.best_key[task] = walk.key[task]


@helper
def _propose(packed: Packed, queues: Queues, curves: Curves, walk: SequenceWalk) -> Change:
    """A task to a machine, perhaps its own, at a moment of its window; or two that change places.

    Those that change places arrived about when each other did, and keep their keys.
    """
    n, m = curves.machine.size, curves.slot.size
    task = _below(walk, n)
    source = curves.machine[task]
    if draw_xorshift(walk.random) < _SWAPS:
        near = _NEAR * m
        place = walk.arrived[task] + _below(walk, 2 * near + 1) - near
        other = walk.by_arrival[min(max(place, 0), n - 1)]
        machine = curves.machine[other]
        if source < 0 or machine < 0 or machine == source:
            return Change(task=-1, machine=-1, key=0.0, other=-1)
        return Change(task=task, machine=machine, key=walk.key[task], other=other)
    machine = _below(walk, m + 1) - 1
    window = packed.deadline[task] - queues.arrival[task]
    key = queues.arrival[task] + draw_xorshift(walk.random) * window
    if machine < 0 and source < 0:
        task = -1
    return Change(task=task, machine=machine, key=key, other=-1)


@helper
def _below(walk: SequenceWalk, count: int) -> int:
    """A random integer in 0..count−1."""
    return int(draw_xorshift(walk.random) * count)


@helper
def _try(
    packed: Packed,
    queues: Queues,
    curves: Curves,
    walk: SequenceWalk,
    change: Change,
    least: float,
) -> float:
    """Total if a change were made, −∞ where it is certain to stay below ``least``.

    At the current price of energy the total changes by no more than what the machines earn net of
    their energy.
    """
    walk.tally[Count.EVALUATED] += 1
    source, machine = _sides(curves, change)
    least -= _SLACK * max(1.0, curves.total[CURRENT])
    net = curves.total[CURRENT]
    for r in range(curves.slot.size):
        curves.trial_taken[r] = curves.taken[r]
    if machine >= 0:
        leaving = change.task if machine == curves.machine[change.task] else change.other
        net += _rebuild(packed, queues, curves, walk, machine, TARGET, leaving, change)
    if source >= 0:
        net += _rebuild(packed, queues, curves, walk, source, SOURCE, change.task, change)
    if net < least:
        return -np.inf
    swap_slots(curves, source, machine)
    total = cut_curves(packed, curves)
    swap_slots(curves, source, machine)
    return total


@helper
def _sides(curves: Curves, change: Change) -> tuple[int, int]:
    """The machine that a task leaves, none where it stays on its own, and where it goes."""
    source = curves.machine[change.task]
    return (-1 if source == change.machine else source), change.machine


@helper
def _accept(curves: Curves, walk: SequenceWalk, change: Change) -> None:
    """Makes the change that was tried last."""
    source, machine = _sides(curves, change)
    swap_slots(curves, source, machine)
    curves.machine[change.task] = machine
    walk.key[change.task] = change.key
    if change.other >= 0:
        curves.machine[change.other] = source
    _settle(curves)


@helper
def _settle(curves: Curves) -> None:
    """Makes the trial's cut the current one."""
    for r in range(curves.taken.size):
        curves.taken[r] = curves.trial_taken[r]
    curves.total[CURRENT] = curves.total[TRIAL]
    curves.price[CURRENT] = curves.price[TRIAL]


@helper
def _rebuild(
    packed: Packed,
    queues: Queues,
    curves: Curves,
    walk: SequenceWalk,
    r: int,
    side: int,
    leaving: int,
    change: Change,
) -> float:
    """Builds machine r as the change would leave it, on a side of the spare slots.

    Returns:
        The change of what it earns net of energy at the current price.
    """
    slot, target = curves.slot[r], curves.spare[side]
    coming = change.task if side == TARGET else change.other
    key = 0.0
    if coming >= 0:
        key = change.key if side == TARGET else walk.key[coming]
    _merge_sequence(curves, walk, slot, target, leaving, coming, key)
    if leaving == coming:
        _copy_segments(curves, slot, target)
    else:
        merge_segments(packed, curves, slot, target, leaving, coming)
    _build(packed, queues, curves, r, target)
    curves.trial_taken[r] = pieces_worth(curves, target, curves.price[CURRENT])
    return net_change(curves, r, target)


@helper
def _merge_sequence(
    curves: Curves,
    walk: SequenceWalk,
    source: int,
    target: int,
    leaving: int,
    coming: int,
    key: float,
) -> None:
    """Copies the tasks of a slot without one and with another, which comes in by its key."""
    load, waiting = 0, coming >= 0
    for place in range(curves.load[source]):
        task = curves.tasks[source, place]
        if task == leaving:
            continue
        if waiting and key < walk.key[task]:
            curves.tasks[target, load] = coming
            load += 1
            waiting = False
        curves.tasks[target, load] = task
        load += 1
    if waiting:
        curves.tasks[target, load] = coming
        load += 1
    curves.load[target] = load


@helper
def _copy_segments(curves: Curves, source: int, target: int) -> None:
    """Copies the segments of a slot."""
    for position in range(curves.length[source]):
        curves.order[target, position] = curves.order[source, position]
    curves.length[target] = curves.length[source]


@helper
def _build(packed: Packed, queues: Queues, curves: Curves, r: int, slot: int) -> None:
    """Builds in a slot the curve of machine r from the tasks and segments there."""
    speed, efficiency = packed.speed[r], packed.efficiency[r]
    accept_in_order(
        packed,
        queues,
        curves.tasks,
        curves.load,
        curves.order,
        curves.length,
        slot,
        speed,
    )
    pieces, energy, gain = 0, 0.0, 0.0
    curves.energy[slot, 0] = curves.gain[slot, 0] = 0.0
    for position in range(curves.length[slot]):
        worked = queues.accepted[position]
        if worked > 0.0:
            slope = packed.slope[curves.order[slot, position]]
            energy += worked / efficiency
            gain += worked * slope
            curves.steep[slot, pieces] = slope * efficiency
            pieces += 1
            curves.energy[slot, pieces] = energy
            curves.gain[slot, pieces] = gain
    curves.pieces[slot] = pieces
