"""The Metropolis walk over sequences and works: propose a change, weigh it, decide."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.sequencing.moves import make_shift, make_swap, try_shift, try_swap
from dsct_gym.baselines.sequencing.state import (
    IN_TIME,
    LEAST,
    Data,
    Sequences,
    place_all,
    settle_all,
)
from dsct_gym.jit import helper, kernel
from dsct_gym.random import States, draw_states, draw_xorshift
from dsct_gym.tolerances import ROUNDING

_SWAPS = 0.4
"""Share of swaps among the proposals that leave works as they are."""
_NEAR = 0.5
"""Share of proposals whose new place is near the old one."""
_WORKS = 0.4
"""Share of proposals that change works, where tasks are compressible."""
_REFUSALS = 0.1
"""Share of moves to no machine among moves, where tasks may be refused."""

_CHANGES = 3
"""Most changes of a kick."""
_SWAPS_OF_KICKS = 0.7
"""Share of swaps among them."""

STAGES = 10
"""Temperatures of a short walk."""
_OFTEN = 100
"""Proposals after which the fee for what is above the budget is looked at again."""
_DEARER, _CHEAPER = 1.1, 0.97
_RANGE = 1e4
"""By how much the fee may differ from what a joule is worth on average."""


class Walk(NamedTuple):
    """State of a walk besides the sequences themselves.

    Attributes:
        random: State of the random numbers (2,).
        machine: Machines of the best so far (n,).
        place: Its places (n,).
        work: Its works (n,).
        best_total: Its value (1,).
        proposed: Number of proposals (1,).
        soft: Tasks that are compressible (k,).
        fee: What a joule above the budget costs, and what it is thought to be worth (2,).
    """

    random: States
    machine: Ints
    place: Ints
    work: Floats
    best_total: Floats
    proposed: Ints
    soft: Ints
    fee: Floats

    @classmethod
    def seeded(cls, data: Data, seed: int) -> Walk:
        """A walk that has not begun; the same seed takes the same steps in every process."""
        n = data.deadline.size
        return cls(
            random=draw_states(seed, 2),
            machine=np.full(n, -1, dtype=np.int64),
            place=np.zeros(n, dtype=np.int64),
            work=np.zeros(n),
            best_total=np.full(1, -np.inf),
            proposed=np.zeros(1, dtype=np.int64),
            soft=np.flatnonzero(~data.whole).astype(np.int64),
            fee=np.full(2, _worth_of_joules(data)),
        )


def _worth_of_joules(data: Data) -> float:
    """What a joule of the budget is worth on average, or all of it where it is nothing."""
    worth = float(data.accuracy[:, -1].sum() + data.weight.sum())
    return worth / (data.budget if data.budget > 0.0 else 1.0)


@kernel
def begin_walk(
    data: Data, lines: Sequences, walk: Walk, machine: Ints, order: Ints, work: Floats
) -> None:
    """Puts the walk on sequences, as `place_all`; keeps them if they are the best."""
    total = place_all(data, lines, machine, order, work)
    if total > walk.best_total[0] and _over(data, lines.energy[0]) == 0.0:
        _keep(lines, walk, total)


@kernel
def step_walk(data: Data, lines: Sequences, walk: Walk, temperature: float, count: int) -> None:
    """Proposes ``count`` changes; what is worse by the temperature is taken once in e times.

    A walk may exceed the budget, for a fee that rises until it returns; what it keeps does not.
    """
    settle_all(data, lines)
    ahead = False
    for _ in range(count):
        walk.proposed[0] += 1
        if walk.proposed[0] % _OFTEN == 0:
            _renew_fee(data, lines, walk)
        least = temperature * np.log(draw_xorshift(walk.random))
        kind, task, r, place, other, work = _propose(data, lines, walk)
        if kind < 0:
            continue
        if kind == 0:
            gain, energy = try_shift(data, lines, task, r, place, work)
        else:
            gain, energy = try_swap(data, lines, task, other)
        if gain - _charge(data, lines, walk, energy) < least:
            continue
        fits = _over(data, lines.energy[0] + energy) == 0.0
        if ahead and (gain < 0.0 or not fits):
            _keep(lines, walk, lines.total[0])
            ahead = False
        if kind == 0:
            make_shift(data, lines, task, r, place, work, gain)
        else:
            make_swap(data, lines, task, other, gain)
        if fits and lines.total[0] > walk.best_total[0]:
            walk.best_total[0] = lines.total[0]
            ahead = True
    if ahead:
        _keep(lines, walk, lines.total[0])


@kernel
def kick_walk(
    data: Data,
    lines: Sequences,
    walk: Walk,
    warm: float,
    cold: float,
    lenient: float,
    count: int,
    kicks: int,
) -> None:
    """Goes from one local optimum to a next: changes at random, then a short walk that cools.

    What ends worse than it began is taken back, but for what costs ``lenient`` once in e times:
    the large-step Markov chain of Martin, Otto and Felten, "Large-step Markov chains for the
    traveling salesman problem", Complex Systems 5, 1991.

    Args:
        data: The problem.
        lines: The state.
        walk: Best so far and random numbers.
        warm: Temperature at which a short walk begins.
        cold: Temperature at which it ends.
        lenient: Temperature between local optima.
        count: Proposals of each short walk.
        kicks: How many kicks.
    """
    machine, place, work = lines.machine.copy(), lines.place.copy(), lines.work.copy()
    for _ in range(kicks):
        for task in range(machine.size):
            machine[task], place[task] = lines.machine[task], lines.place[task]
            work[task] = lines.work[task]
        settle_all(data, lines)
        before = lines.total[0] - walk.fee[0] * _over(data, lines.energy[0])
        for _ in range(1 + _below(walk, _CHANGES)):
            _change_at_random(data, lines, walk)
        step_walk(data, lines, walk, cold, count)
        least = lenient * np.log(draw_xorshift(walk.random))
        after = lines.total[0] - walk.fee[0] * _over(data, lines.energy[0])
        if after - before < least:
            _return_to(lines, machine, place, work)
            settle_all(data, lines)


@helper
def _change_at_random(data: Data, lines: Sequences, walk: Walk) -> None:
    """Swaps two tasks, or moves one anywhere, whatever it costs."""
    task = _below(walk, lines.machine.size)
    other = _below(walk, lines.machine.size)
    placed = lines.machine[task] >= 0 and lines.machine[other] >= 0
    if task != other and placed and draw_xorshift(walk.random) < _SWAPS_OF_KICKS:
        gain, _ = try_swap(data, lines, task, other)
        make_swap(data, lines, task, other, gain)
        return
    r = _below(walk, lines.length.size)
    most = lines.length[r] - (1 if lines.machine[task] == r else 0)
    place = _below(walk, most + 1)
    gain, _ = try_shift(data, lines, task, r, place, lines.work[task])
    make_shift(data, lines, task, r, place, lines.work[task], gain)


@helper
def _return_to(lines: Sequences, machine: Ints, place: Ints, work: Floats) -> None:
    """Puts back machines, places and works; the rest is for `settle_all`."""
    for r in range(lines.length.size):
        lines.length[r] = 0
    for task in range(machine.size):
        lines.machine[task], lines.work[task] = machine[task], work[task]
        if machine[task] >= 0:
            lines.order[machine[task], place[task]] = task
            lines.length[machine[task]] += 1


@kernel
def sample_losses(data: Data, lines: Sequences, walk: Walk, losses: Floats) -> None:
    """Fills ``losses`` with the value that proposed changes would cost, 0 where none."""
    for index in range(losses.size):
        losses[index] = 0.0
        kind, task, r, place, other, work = _propose(data, lines, walk)
        if kind == 0:
            losses[index] = max(0.0, -try_shift(data, lines, task, r, place, work)[0])
        elif kind > 0:
            losses[index] = max(0.0, -try_swap(data, lines, task, other)[0])


@helper
def _over(data: Data, energy: float) -> float:
    """By how much an energy is above the budget, J; 0 where there is none."""
    return max(0.0, energy - data.budget * (1.0 + ROUNDING))


@helper
def _charge(data: Data, lines: Sequences, walk: Walk, energy: float) -> float:
    """What a change of the energy costs for what is above the budget."""
    before = _over(data, lines.energy[0])
    charged: float = walk.fee[0] * (_over(data, lines.energy[0] + energy) - before)
    return charged


@helper
def _renew_fee(data: Data, lines: Sequences, walk: Walk) -> None:
    """Raises the fee while the budget is exceeded, lowers it while it is not."""
    above = _over(data, lines.energy[0]) > 0.0
    walk.fee[0] *= _DEARER if above else _CHEAPER
    walk.fee[0] = min(max(walk.fee[0], walk.fee[1] / _RANGE), walk.fee[1] * _RANGE)


@helper
def _keep(lines: Sequences, walk: Walk, total: float) -> None:
    """Keeps the sequences as the best."""
    walk.best_total[0] = total
    for task in range(lines.machine.size):
        walk.machine[task] = lines.machine[task]
        walk.place[task] = lines.place[task]
        walk.work[task] = lines.work[task]


@helper
def _propose(data: Data, lines: Sequences, walk: Walk) -> tuple[int, int, int, int, int, float]:
    """A change: 0 and task, machine, place and work; or 1 and two tasks; or −1 for none."""
    if walk.soft.size > 0 and draw_xorshift(walk.random) < _WORKS:
        task = walk.soft[_below(walk, walk.soft.size)]
        r = lines.machine[task]
        if r < 0:
            return -1, 0, 0, 0, 0, 0.0
        return 0, task, r, lines.place[task], 0, _new_work(data, lines, walk, task)
    task = _below(walk, lines.machine.size)
    r = lines.machine[task]
    if r >= 0 and draw_xorshift(walk.random) < _SWAPS:
        other = _partner(lines, walk, task)
        if other == task or lines.machine[other] < 0:
            return -1, 0, 0, 0, 0, 0.0
        return 1, task, 0, 0, other, 0.0
    return _propose_shift(data, lines, walk, task)


@helper
def _propose_shift(
    data: Data, lines: Sequences, walk: Walk, task: int
) -> tuple[int, int, int, int, int, float]:
    """A task going somewhere else, or being refused where it may."""
    r = lines.machine[task]
    if r >= 0 and data.refused[task] > -np.inf and draw_xorshift(walk.random) < _REFUSALS:
        return 0, task, -1, 0, 0, 0.0
    work = lines.work[task]
    if r < 0 and not data.whole[task]:
        work = data.work[task, 1 + _below(walk, data.last[task])]
    if r >= 0 and (lines.length.size == 1 or draw_xorshift(walk.random) < _NEAR):
        most = lines.length[r] - 1
        if most == 0:
            return -1, 0, 0, 0, 0, 0.0
        return 0, task, r, _other_place(lines, walk, task, most), 0, work
    target = _below(walk, lines.length.size)
    most = lines.length[target] - (1 if target == r else 0)
    return 0, task, target, _below(walk, most + 1), 0, work


@helper
def _other_place(lines: Sequences, walk: Walk, task: int, most: int) -> int:
    """Another place on the same machine, of ``0..most``; near ones more often."""
    at = int(lines.place[task])
    if draw_xorshift(walk.random) < _NEAR:
        reach = min(most, 8)
        place = at - reach + _below(walk, 2 * reach)
        place = place + 1 if place >= at else place
        return min(max(int(place), 0), most)
    place = _below(walk, most)
    return place + 1 if place >= at else place


@helper
def _partner(lines: Sequences, walk: Walk, task: int) -> int:
    """A task to swap with: one nearby on the same machine, or any."""
    if draw_xorshift(walk.random) < _NEAR:
        r = lines.machine[task]
        place = lines.place[task] + _below(walk, 17) - 8
        return int(lines.order[r, min(max(place, 0), lines.length[r] - 1)])
    return _below(walk, lines.machine.size)


@helper
def _new_work(data: Data, lines: Sequences, walk: Walk, task: int) -> float:
    """Another work for a task: a breakpoint, what ends a task behind it in time, or any."""
    kind = draw_xorshift(walk.random)
    most = data.work[task, data.last[task]]
    if kind < 0.4:
        listed: float = data.work[task, 1 + _below(walk, data.last[task])]
        return listed
    r = lines.machine[task]
    if kind < 0.7:
        behind = lines.length[r] - lines.place[task]
        due = lines.order[r, lines.place[task] + _below(walk, min(behind, 8))]
        slack = data.deadline[due] * IN_TIME - lines.end[due]
        work = lines.work[task] + slack * data.speed[r]
    else:
        side = 2.0 * draw_xorshift(walk.random) - 1.0
        work = lines.work[task] + most * side * side * side
    within: float = min(max(work, LEAST * most), most)
    return within


@helper
def _below(walk: Walk, count: int) -> int:
    """A random integer in 0..count−1."""
    return int(draw_xorshift(walk.random) * count)
