"""The Metropolis walk over assignments: propose a move or a swap, bound it, evaluate it, decide."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.allocation import Packed
from dsct_gym.arrays import Floats, Ints
from dsct_gym.incremental import CURRENT, Curves, accept_trial, place_all, try_above
from dsct_gym.jit import helper, kernel
from dsct_gym.plan import Prices, begin_prices, renew_prices, screen
from dsct_gym.random import States, draw_states, draw_xorshift

_SLACK = 1e-11  # relative to the total: the rounding by which a bound must miss what it rules out

PROPOSED, EVALUATED, ACCEPTED = 0, 1, 2
"""Places in `Walk.tally`."""

_ANY = 0.4  # share of swaps with any task, however few deserve it


class Walk(NamedTuple):
    """State of a walk besides the assignment itself.

    Attributes:
        random: State of the random numbers (2,).
        best: Best assignment so far (n,), tasks in EDF order.
        best_total: Accuracy that it gains (1,).
        tally: Moves `PROPOSED`, `EVALUATED` in full and `ACCEPTED` (3,).
        partners: EDF ranks of the tasks with which to swap each task, as often as they deserve it
            (n, k); with k = 0 all deserve it alike.
    """

    random: States
    best: Ints
    best_total: Floats
    tally: Ints
    partners: Ints

    @classmethod
    def seeded(cls, tasks: int, seed: int, partners: Ints | None = None) -> Walk:
        """A walk that has not begun; the same seed takes the same steps in every process."""
        return cls(
            random=draw_states(seed, 2),
            best=np.full(tasks, -1, dtype=np.int64),
            best_total=np.full(1, -np.inf),
            tally=np.zeros(3, dtype=np.int64),
            partners=np.empty((tasks, 0), np.int64) if partners is None else partners,
        )


@kernel
def begin_walk(packed: Packed, curves: Curves, prices: Prices, walk: Walk, machine: Ints) -> None:
    """Puts the walk on an assignment (n,), tasks in EDF order; keeps the best if it is better."""
    total = place_all(packed, curves, machine)
    begin_prices(packed, curves, prices)
    if total > walk.best_total[0]:
        walk.best_total[0] = total
        _keep(walk, machine)


@kernel
def step_walk(
    packed: Packed,
    curves: Curves,
    prices: Prices,
    walk: Walk,
    swaps: float,
    temperature: float,
    count: int,
) -> None:
    """Proposes ``count`` changes.

    The Metropolis rule accepts a change with probability ``exp(change / temperature)``: the number
    that decides is drawn first, so a bound on the change rejects what it would reject. A task never
    goes to no machine: it loses nothing where it is, as it may get no work there.

    Args:
        packed: The prepared instance; at least two machines, one rising segment.
        curves: The current assignment.
        prices: Its prices.
        walk: Best so far and random numbers.
        swaps: Share of swaps among the proposals.
        temperature: Total accuracy; what is worse by as much is accepted once in e times.
        count: Number of proposals.
    """
    ahead = False
    for _ in range(count):
        task, machine, other = _propose(curves, walk, swaps)
        chance = draw_xorshift(walk.random)
        walk.tally[PROPOSED] += 1
        if task < 0:
            continue
        least = curves.total[CURRENT] + temperature * np.log(chance)
        total = _evaluate(packed, curves, prices, walk, task, machine, other, least)
        if total < least:
            continue
        if ahead and total < walk.best_total[0]:
            _keep(walk, curves.machine)
            ahead = False
        source = curves.machine[task]
        accept_trial(curves, task, machine, other)
        renew_prices(packed, curves, prices, source, machine)
        walk.tally[ACCEPTED] += 1
        if total > walk.best_total[0]:
            walk.best_total[0] = total
            ahead = True
    if ahead:
        _keep(walk, curves.machine)


@helper
def _keep(walk: Walk, machine: Ints) -> None:
    """Keeps an assignment as the best."""
    for task in range(machine.size):
        walk.best[task] = machine[task]


@kernel
def sample_losses(packed: Packed, curves: Curves, walk: Walk, swaps: float, losses: Floats) -> None:
    """Fills ``losses`` with the total accuracy that proposed changes would cost, 0 where none."""
    for index in range(losses.size):
        task, machine, other = _propose(curves, walk, swaps)
        losses[index] = 0.0
        if task >= 0:
            total = try_above(packed, curves, task, machine, other, -np.inf, np.inf)
            losses[index] = max(0.0, curves.total[CURRENT] - total)


@kernel
def gain_by_swaps(packed: Packed, curves: Curves, one: Ints, other: Ints, gains: Floats) -> None:
    """Fills ``gains`` with what each swap would change, NaN where it would change nothing."""
    for swap in range(gains.size):
        source, machine = curves.machine[one[swap]], curves.machine[other[swap]]
        gains[swap] = np.nan
        if source >= 0 and machine >= 0 and source != machine:
            total = try_above(packed, curves, one[swap], machine, other[swap], -np.inf, np.inf)
            gains[swap] = total - curves.total[CURRENT]


@helper
def _evaluate(
    packed: Packed,
    curves: Curves,
    prices: Prices,
    walk: Walk,
    task: int,
    machine: int,
    other: int,
    least: float,
) -> float:
    """Total after a change, or −∞ when a bound shows that it is below ``least``."""
    least -= _SLACK * max(1.0, curves.total[CURRENT])
    here = screen(packed, curves, prices, task, machine, other, least)
    if here == -np.inf:
        return -np.inf
    walk.tally[EVALUATED] += 1
    return try_above(packed, curves, task, machine, other, least, here)


@helper
def _propose(curves: Curves, walk: Walk, swaps: float) -> tuple[int, int, int]:
    """A task, where it goes, and a task that takes its place; task −1 if nothing changes."""
    task = _below(walk, curves.machine.size)
    source = curves.machine[task]
    if draw_xorshift(walk.random) < swaps:
        other = _partner(walk, task)
        machine = curves.machine[other]
        if source < 0 or machine < 0 or machine == source:
            return -1, -1, -1
        return task, machine, other
    if source < 0:
        return task, _below(walk, curves.slot.size), -1
    machine = _below(walk, curves.slot.size - 1)
    return task, machine + 1 if machine >= source else machine, -1


@helper
def _partner(walk: Walk, task: int) -> int:
    """A task to swap with."""
    tasks, listed = walk.partners.shape
    if listed > 0 and draw_xorshift(walk.random) >= _ANY:
        return int(walk.partners[task, _below(walk, listed)])
    return _below(walk, tasks)


@helper
def _below(walk: Walk, count: int) -> int:
    """A random integer in 0..count−1."""
    return int(draw_xorshift(walk.random) * count)
