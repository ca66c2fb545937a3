"""What each decision on the task at hand would change: bounds, and exact values for a few."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from dsct_gym.allocation import Packed
from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.incremental import CURRENT, Curves, try_above
from dsct_gym.jit import helper
from dsct_gym.plan.changes import arrival_bound, departure_bound, screen
from dsct_gym.plan.columns import FINE
from dsct_gym.plan.prices import Prices

EXACT: Final = 24
"""Most changes that are computed exactly: those with the best bounds."""
REFUSED: Final = -0.5
"""At most this, in hundredths of what a task gains, stands for a change that is no gain."""
PARTNERS: Final = 32
"""Following tasks that are looked at as partners of a swap."""

MOVE, SWAP = 0, 1
"""Places in `Options.known`."""


class Options(NamedTuple):
    """Changes of the total accuracy by what can be decided on the task at hand.

    Attributes:
        unit: Accuracy that a task gains on average in the first plan (1,).
        move: By moving the task to each machine, or a bound on it (m,).
        swap: By the best swap with a following task there, or a bound; −∞ where there is none (m,).
        partner: The task to swap with (m,), −1 for none.
        known: Whether ``move`` and ``swap`` are exact (2, m), by `MOVE` and `SWAP`.
        waiting: Bounds on swaps with the following tasks (W,); −∞ where there is none.
    """

    unit: Floats
    move: Floats
    swap: Floats
    partner: Ints
    known: Bools
    waiting: Floats

    @classmethod
    def empty(cls, machines: int) -> Options:
        """Room for the options of a task; `weigh` fills it."""
        return cls(
            unit=np.ones(1),
            move=np.zeros(machines),
            swap=np.zeros(machines),
            partner=np.full(machines, -1, dtype=np.int64),
            known=np.zeros((2, machines), dtype=np.bool_),
            waiting=np.zeros(PARTNERS),
        )


@helper
def weigh(packed: Packed, curves: Curves, prices: Prices, options: Options, task: int) -> None:
    """Works out what each decision on a task would change."""
    _bound(packed, curves, prices, options, task)
    _evaluate(packed, curves, prices, options, task)


@helper
def _bound(packed: Packed, curves: Curves, prices: Prices, options: Options, task: int) -> None:
    """Bounds what moving the task to each machine changes, and every swap with a following task."""
    source = curves.machine[task]
    leaves = departure_bound(packed, curves, prices, source, task) if source >= 0 else 0.0
    for r in range(packed.speed.size):
        options.known[MOVE, r] = options.known[SWAP, r] = r == source
        options.partner[r] = -1
        options.swap[r] = -np.inf
        options.move[r] = 0.0
        if r != source:
            options.move[r] = leaves + arrival_bound(packed, curves, prices, r, task)
    for index in range(PARTNERS):
        options.waiting[index] = -np.inf
        other = task + 1 + index
        r = curves.machine[other] if other < curves.machine.size else -1
        if source >= 0 and r >= 0 and r != source:
            change = options.move[r] + departure_bound(packed, curves, prices, r, other)
            change += arrival_bound(packed, curves, prices, source, other)
            options.waiting[index] = change
            if change > options.swap[r]:
                options.swap[r] = change
                options.partner[r] = other


@helper
def _evaluate(packed: Packed, curves: Curves, prices: Prices, options: Options, task: int) -> None:
    """Computes changes exactly, the best bounds first, until no bound is above the best change.

    Every move that gains is found, and every swap that gains more than any change before it.
    """
    refused = REFUSED / FINE * options.unit[0]
    top = 0.0
    for _ in range(EXACT):
        machine, other = _most_promising(curves, options, task, top)
        if machine < 0:
            break
        if other >= 0:
            options.waiting[other - task - 1] = -np.inf
        least = top if other >= 0 else 0.0
        change = gain_above(packed, curves, prices, task, machine, other, least)
        gains = change > least
        if other < 0:
            options.known[MOVE, machine] = gains
            options.move[machine] = change if gains else refused
        elif gains:
            options.known[SWAP, machine] = True
            options.swap[machine] = change
            options.partner[machine] = other
        top = max(top, change)
    for r in range(packed.speed.size):
        if not options.known[MOVE, r]:
            options.move[r] = min(options.move[r], refused)
        if not options.known[SWAP, r]:
            options.swap[r] = min(options.swap[r], refused)


@helper
def _most_promising(curves: Curves, options: Options, task: int, top: float) -> tuple[int, int]:
    """Machine and partner, −1 for none, of the change to compute next; machine −1 if none is left.

    The best bound of a swap that may bring more than ``top`` and all moves, else of a move.
    """
    machine, other, most = -1, -1, 0.0
    for r in range(options.move.size):
        if not options.known[MOVE, r] and options.move[r] > most:
            machine, most = r, options.move[r]
    most = max(most, top)
    for index in range(PARTNERS):
        if options.waiting[index] > most:
            other, most = task + 1 + index, options.waiting[index]
    return (curves.machine[other], other) if other >= 0 else (machine, other)


@helper
def gain_above(
    packed: Packed,
    curves: Curves,
    prices: Prices,
    task: int,
    machine: int,
    other: int,
    least: float,
) -> float:
    """What a move or a swap changes, −∞ where that is certain to be below ``least``.

    Arguments are those of `dsct_gym.plan.changes.screen`, but for ``least``: a change of the total.
    """
    total: float = curves.total[CURRENT]
    bound = screen(packed, curves, prices, task, machine, other, total + least)
    if bound == -np.inf:
        return bound
    return try_above(packed, curves, task, machine, other, total + least, bound) - total
