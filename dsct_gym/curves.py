"""The state of the incremental kernels: what each machine makes of energy, and where it is cut."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from dsct_gym.allocation import Packed
from dsct_gym.arrays import Floats, Ints

CURRENT, TRIAL = 0, 1
"""Places in `Curves.total` and `Curves.price`."""
SOURCE, TARGET = 0, 1
"""Places in `Curves.spare`: the trial of the machine that a task leaves, and of where it goes."""


class Layers(NamedTuple):
    """State for machines with several increments, of which the first k make layer k.

    Attributes:
        cutoff: Accuracy per joule down to which a curve lists its pieces (m+2,), 0 where it lists
            them all; its prices ``exhausted`` are known as far.
        increment: Which of its machine's increments each piece of a curve is on (m+2, DS).
        accepted: Scratch (2, D, S): work that each segment gets with so many increments, GFLOP, by
            `SOURCE` and `TARGET`.
        reach: Scratch (2, D): number of segments that may have a piece on each increment.
        span: Scratch (n+1,): time before each deadline since the one ahead, s.
        until: Scratch (S,): place of the task of each segment of a slot, plus one.
        width: Scratch (S,): width of each of these segments, GFLOP.
        slope: Scratch (S,): slope of each of them.
        head: Scratch (D,): the piece on each increment that is next, by its segment's position.
        best: Scratch (D,): what it earns, accuracy per joule.
    """

    cutoff: Floats
    increment: npt.NDArray[np.int32]
    accepted: Floats
    reach: Ints
    span: Floats
    until: Ints
    width: Floats
    slope: Floats
    head: Ints
    best: Floats

    @classmethod
    def empty(cls, tasks: int, slots: int, segments: int, depth: int) -> Layers:
        """Layers of no curve."""
        return cls(
            cutoff=np.zeros(slots),
            increment=np.zeros((slots, depth * segments), dtype=np.int32),
            accepted=np.zeros((2, depth, segments)),
            reach=np.zeros((2, depth), dtype=np.int64),
            span=np.zeros(tasks + 1),
            until=np.zeros(segments, dtype=np.int64),
            width=np.zeros(segments),
            slope=np.zeros(segments),
            head=np.zeros(depth, dtype=np.int64),
            best=np.zeros(depth),
        )


class Curves(NamedTuple):
    """State of the incremental kernels; m machines, n tasks in EDF order, S segments.

    D is the most increments of a machine, 1 where machines have one clock.

    Attributes:
        machine: Machine of each task (n,), −1 for none.
        slot: Slot of each machine's curve (m,).
        spare: The two slots in which a trial is built, `SOURCE` and `TARGET` (2,).
        tasks: Tasks in each slot (m+2, n), ascending; the first ``load`` count.
        load: Number of tasks (m+2,).
        order: Segments of these tasks (m+2, S), ascending; the first ``length`` count.
        length: Number of segments (m+2,).
        steep: Accuracy per joule of the curve's pieces (m+2, DS), non-increasing.
        energy: Energy up to each piece (m+2, DS+1), J, from 0.
        gain: Accuracy gained up to each piece (m+2, DS+1), from 0.
        pieces: Number of pieces (m+2,).
        exhausted: Slope of the segment that used up the time before each task's deadline, since
            the deadline ahead of it (m+2, Dn); 0 where time is left, infinite where there is none.
            On a machine with several increments, n entries for each number of them, and no entry
            is above the one ahead of it.
        taken: Number of pieces bought on each machine (m,).
        trial_taken: The same in a trial (m,).
        total: Accuracy gained over no work at all, `CURRENT` and in a `TRIAL` (2,).
        price: λ, the accuracy per joule at the cut, 0 when the budget does not bind; likewise (2,).
        place: Scratch (n,): position of a task in its slot, plus one.
        free: Scratch (n+1,), GFLOP.
        parent: Scratch (n+1,), the union-find forest.
        layers: What it takes where machines have several increments, else None; see `Packed`.
    """

    machine: Ints
    slot: Ints
    spare: Ints
    tasks: npt.NDArray[np.int32]
    load: Ints
    order: npt.NDArray[np.int32]
    length: Ints
    steep: Floats
    energy: Floats
    gain: Floats
    pieces: Ints
    exhausted: Floats
    taken: Ints
    trial_taken: Ints
    total: Floats
    price: Floats
    place: Ints
    free: Floats
    parent: Ints
    layers: Layers = cast("Layers", None)

    @classmethod
    def of(cls, packed: Packed) -> Curves:
        """The state of a problem in which no task has a machine."""
        sizes = packed.deadline.size, packed.speed.size, packed.task.size
        return cls.empty(*sizes, depth=1 if packed.several is None else packed.levels.depth)

    @classmethod
    def empty(cls, tasks: int, machines: int, segments: int, *, depth: int = 1) -> Curves:
        """The state in which no task has a machine, for machines of so many increments."""
        slots = machines + 2
        pieces = depth * segments
        return cls(
            machine=np.full(tasks, -1, dtype=np.int64),
            slot=np.arange(machines),
            spare=np.array([machines, machines + 1]),
            tasks=np.zeros((slots, tasks), dtype=np.int32),
            load=np.zeros(slots, dtype=np.int64),
            order=np.zeros((slots, segments), dtype=np.int32),
            length=np.zeros(slots, dtype=np.int64),
            steep=np.zeros((slots, pieces)),
            energy=np.zeros((slots, pieces + 1)),
            gain=np.zeros((slots, pieces + 1)),
            pieces=np.zeros(slots, dtype=np.int64),
            exhausted=np.zeros((slots, depth * tasks)),
            taken=np.zeros(machines, dtype=np.int64),
            trial_taken=np.zeros(machines, dtype=np.int64),
            total=np.zeros(2),
            price=np.zeros(2),
            place=np.zeros(tasks, dtype=np.int64),
            free=np.zeros(tasks + 1),
            parent=np.zeros(tasks + 1, dtype=np.int64),
            layers=Layers.empty(tasks, slots, segments, depth)
            if depth > 1
            else cast("Layers", None),
        )
