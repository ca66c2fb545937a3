"""The curve of a machine with several increments, layer by layer.

Layer k has the first k increments. On each of them alone the deadline greedy of
`dsct_gym.allocation` runs as if energy were free; what a segment gets with k increments less what
it gets with k − 1 is its piece on increment k, and the curve is all pieces by accuracy per joule
(`dsct_gym.points.allocation` says why). `dsct_gym.incremental` calls these helpers.
"""

from __future__ import annotations

import numpy as np

from dsct_gym.allocation import Packed, find_free
from dsct_gym.curves import Curves
from dsct_gym.jit import helper


@helper
def accept_on_levels(
    packed: Packed,
    curves: Curves,
    r: int,
    slot: int,
    side: int,
    cutoff: float,
) -> None:
    """Runs the deadline greedy with the first k increments of machine r, for every k.

    Each run stops at the slope whose work is not worth the energy of increment k any more: what is
    found before is the same, to the last bit, whatever the cutoff.

    Args:
        packed: The prepared problem.
        curves: The state.
        r: The machine.
        slot: The slot that holds its tasks and segments.
        side: Where in ``accepted``, `SOURCE` or `TARGET`.
        cutoff: Accuracy per joule down to which pieces are wanted.
    """
    curves.layers.cutoff[slot] = cutoff
    since = 0.0
    for position in range(curves.load[slot]):
        task = curves.tasks[slot, position]
        curves.place[task] = position + 1
        curves.layers.span[position + 1] = packed.deadline[task] - since
        since = packed.deadline[task]
    reach, first, whole = curves.length[slot], packed.levels.first[r], False
    for position in range(reach):
        segment = curves.order[slot, position]
        curves.layers.until[position] = curves.place[packed.task[segment]]
        curves.layers.width[position] = packed.width[segment]
        curves.layers.slope[position] = packed.slope[segment]
    for k in range(packed.levels.first[r + 1] - first):
        least = cutoff / packed.levels.efficiency[first + k]
        while reach > 0 and curves.layers.slope[reach - 1] < least:
            reach -= 1
        curves.layers.reach[side, k] = 0 if whole else reach
        _begin_layer(curves, slot, packed.levels.speed[first + k], k)
        # Where all get all that they want, they get no more with more speed.
        whole = whole or _accept(curves, slot, side, k)


@helper
def _begin_layer(curves: Curves, slot: int, speed: float, k: int) -> None:
    """Frees the time before each deadline, at the speed of layer k."""
    offset = k * curves.machine.size - 1
    curves.parent[0] = 0
    for at in range(1, curves.load[slot] + 1):
        curves.free[at] = speed * curves.layers.span[at]
        some = curves.free[at] > 0.0
        curves.parent[at] = at if some else at - 1
        curves.exhausted[slot, offset + at] = 0.0 if some else np.inf


@helper
def _accept(curves: Curves, slot: int, side: int, k: int) -> bool:
    """Fills the time with the segments in reach, steepest first, as if energy were free.

    Returns:
        Whether each of them got all that it wants.
    """
    load, reach, whole = curves.load[slot], curves.layers.reach[side, k], True
    offset = k * curves.machine.size - 1
    position = 0
    while position < reach:
        wanted = curves.layers.width[position]
        worked = 0.0
        at = find_free(curves.parent, curves.layers.until[position])
        while at > 0:
            if curves.free[at] > wanted:
                curves.free[at] -= wanted
                worked = curves.layers.width[position]
                break
            worked += curves.free[at]
            wanted -= curves.free[at]
            curves.parent[at] = at - 1
            curves.exhausted[slot, offset + at] = curves.layers.slope[position]
            at = find_free(curves.parent, at - 1)
        whole = whole and worked == curves.layers.width[position]
        if worked == 0.0 and find_free(curves.parent, load) == 0:
            break
        curves.layers.accepted[side, k, position] = worked
        position += 1
    for rest in range(position, reach):
        curves.layers.accepted[side, k, rest] = 0.0
    return whole


@helper
def earned(
    packed: Packed,
    curves: Curves,
    r: int,
    side: int,
    price: float,
) -> float:
    """What machine r earns net of energy at a price, at least the cutoff, by what it last accepted.

    What a segment gets with k increments but not with fewer earns its slope less λ/E_k; with one
    more they get the more, on which energy costs λ/E_{k+1}: so each amount counts once.
    """
    first, depth = packed.levels.first[r], packed.levels.first[r + 1] - packed.levels.first[r]
    total = 0.0
    for k in range(depth):
        cost = price / packed.levels.efficiency[first + k]
        further = np.inf
        if k + 1 < depth and curves.layers.reach[side, k + 1] > 0:
            further = price / packed.levels.efficiency[first + k + 1]
        for position in range(curves.layers.reach[side, k]):
            slope = curves.layers.slope[position]
            if slope <= cost:
                break
            total += curves.layers.accepted[side, k, position] * (min(slope, further) - cost)
    return total


@helper
def list_pieces(
    packed: Packed,
    curves: Curves,
    r: int,
    slot: int,
    side: int,
) -> None:
    """Lists the pieces of all increments by accuracy per joule, of equal ones the cheaper first.

    What a segment gets with k increments less what it gets with k − 1 is its piece on increment k.
    """
    first, depth = packed.levels.first[r], packed.levels.first[r + 1] - packed.levels.first[r]
    for k in range(depth):
        curves.layers.head[k] = -1
        _next_piece(packed, curves, r, slot, side, k)
        lowest = np.inf
        offset = k * curves.machine.size
        for position in range(curves.load[slot]):
            lowest = min(lowest, curves.exhausted[slot, offset + position])
            curves.exhausted[slot, offset + position] = lowest
    pieces, energy, gain = 0, 0.0, 0.0
    while True:
        best, most = -1, 0.0
        for k in range(depth):
            if curves.layers.best[k] > most:
                best, most = k, curves.layers.best[k]
        if best < 0:
            break
        position = curves.layers.head[best]
        worked = _piece(curves, side, best, position)
        energy += worked / packed.levels.efficiency[first + best]
        gain += worked * packed.slope[curves.order[slot, position]]
        curves.steep[slot, pieces] = most
        curves.layers.increment[slot, pieces] = best
        pieces += 1
        curves.energy[slot, pieces] = energy
        curves.gain[slot, pieces] = gain
        _next_piece(packed, curves, r, slot, side, best)
    curves.energy[slot, 0] = 0.0
    curves.gain[slot, 0] = 0.0
    curves.pieces[slot] = pieces


@helper
def _next_piece(
    packed: Packed,
    curves: Curves,
    r: int,
    slot: int,
    side: int,
    k: int,
) -> None:
    """Goes to the next piece on an increment and notes what it earns, 0 when there is none."""
    position, reach = curves.layers.head[k] + 1, curves.layers.reach[side, k]
    while position < reach and _piece(curves, side, k, position) <= 0.0:
        position += 1
    curves.layers.head[k] = position
    curves.layers.best[k] = 0.0
    if position < reach:
        slope = packed.slope[curves.order[slot, position]]
        curves.layers.best[k] = slope * packed.levels.efficiency[packed.levels.first[r] + k]


@helper
def _piece(curves: Curves, side: int, k: int, position: int) -> float:
    """Work of a segment on increment k, GFLOP; rounding may take it below 0."""
    more: float = curves.layers.accepted[side, k, position]
    return more - curves.layers.accepted[side, k - 1, position] if k > 0 else more
