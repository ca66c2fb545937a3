"""The policy network as arrays, and its compiled forward pass.

One small network is shared by all machines, and what they have in common reaches each of them by
mean and maximum, so the same weights serve any number of machines and tasks:

    h_r = relu(A_c c + A_m x_r + a)                    for each machine r
    p   = B_p [mean_r h_r, max_r h_r] + b
    g_r = relu(p + B_h h_r)
    score_r = v · g_r + u · x_r + v_0,   score of skipping = w · relu(p) + w_0

``c`` and ``x_r`` are the columns of `dsct_gym.plan.columns`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from dsct_gym.arrays import Floats32
from dsct_gym.jit import helper, kernel
from dsct_gym.plan import Context, Machine

ARCHITECTURE: Final = "pooled/1"
"""Name of the architecture that this file computes; checkpoints state theirs."""


class Network(NamedTuple):
    """Weights; H hidden units. Matrices are (inputs, outputs).

    Attributes:
        context: A_c (C, H).
        machine: A_m (M, H).
        bias: a (H,).
        pooled: B_p (2 H, H), mean first.
        hidden: B_h (H, H).
        bias2: b (H,).
        score: v (H,).
        direct: u (M,).
        skip: w (H,).
        offset: v_0 and w_0 (2,).
    """

    context: Floats32
    machine: Floats32
    bias: Floats32
    pooled: Floats32
    hidden: Floats32
    bias2: Floats32
    score: Floats32
    direct: Floats32
    skip: Floats32
    offset: Floats32

    @property
    def width(self) -> int:
        """Hidden units H."""
        return int(self.bias.size)


def shapes(width: int) -> dict[str, tuple[int, ...]]:
    """Shape of each array of a `Network` with ``width`` hidden units."""
    return {
        "context": (len(Context), width),
        "machine": (len(Machine), width),
        "bias": (width,),
        "pooled": (2 * width, width),
        "hidden": (width, width),
        "bias2": (width,),
        "score": (width,),
        "direct": (len(Machine),),
        "skip": (width,),
        "offset": (2,),
    }


class Scratch(NamedTuple):
    """Where a forward pass works; m machines.

    Attributes:
        context: Columns of the task (C,).
        machine: Columns of the machines (m, M).
        hidden: h_r (m, H).
        shared: What all machines have in common (H,).
        pool: Mean and maximum (2 H,).
        unit: g_r (H,).
        score: Scores of the machines and, last, of skipping (m+1,).
    """

    context: Floats32
    machine: Floats32
    hidden: Floats32
    shared: Floats32
    pool: Floats32
    unit: Floats32
    score: Floats32

    @classmethod
    def empty(cls, network: Network, machines: int) -> Scratch:
        """Room for a pass over ``machines`` machines."""

        def zeros(*shape: int) -> Floats32:
            return np.zeros(shape, dtype=np.float32)

        width = network.width
        return cls(
            context=zeros(len(Context)),
            machine=zeros(machines, len(Machine)),
            hidden=zeros(machines, width),
            shared=zeros(width),
            pool=zeros(2 * width),
            unit=zeros(width),
            score=zeros(machines + 1),
        )


@kernel
def forward(network: Network, scratch: Scratch) -> None:
    """Fills in the scores for the columns in ``scratch``."""
    width, machines = network.bias.size, scratch.hidden.shape[0]
    zero = np.float32(0.0)
    _start(scratch.shared, network.bias)
    _add(scratch.shared, scratch.context, network.context)
    for unit in range(width):
        scratch.pool[unit] = scratch.pool[width + unit] = zero
    share = np.float32(1.0) / np.float32(machines)
    for r in range(machines):
        hidden = scratch.hidden[r]
        _start(hidden, scratch.shared)
        _add(hidden, scratch.machine[r], network.machine)
        for unit in range(width):
            value = max(hidden[unit], zero)
            hidden[unit] = value
            scratch.pool[unit] += value * share
            scratch.pool[width + unit] = max(scratch.pool[width + unit], value)
    _start(scratch.shared, network.bias2)
    _add(scratch.shared, scratch.pool, network.pooled)
    for r in range(machines):
        _start(scratch.unit, scratch.shared)
        _add(scratch.unit, scratch.hidden[r], network.hidden)
        score = _read(scratch.unit, network.score, network.offset[0])
        for column in range(network.direct.size):
            score += network.direct[column] * scratch.machine[r, column]
        scratch.score[r] = score
    scratch.score[machines] = _read(scratch.shared, network.skip, network.offset[1])


@helper
def _start(into: Floats32, values: Floats32) -> None:
    """Copies."""
    for unit in range(into.size):
        into[unit] = values[unit]


@helper
def _add(into: Floats32, factor: Floats32, rows: Floats32) -> None:
    """Adds multiples of rows, four at a time, in their order.

    This form vectorises without reordering a sum.
    """
    first = 0
    while first + 4 <= factor.size:
        f0, f1 = factor[first], factor[first + 1]
        f2, f3 = factor[first + 2], factor[first + 3]
        row0, row1, row2, row3 = rows[first], rows[first + 1], rows[first + 2], rows[first + 3]
        for unit in range(into.size):
            value = into[unit] + f0 * row0[unit]
            value += f1 * row1[unit]
            value += f2 * row2[unit]
            into[unit] = value + f3 * row3[unit]
        first += 4
    for index in range(first, factor.size):
        row = rows[index]
        for unit in range(into.size):
            into[unit] += factor[index] * row[unit]


@helper
def _read(units: Floats32, weights: Floats32, offset: np.float32) -> np.float32:
    """Offset + weights · relu(units)."""
    total = offset
    for unit in range(units.size):
        total += weights[unit] * max(units[unit], np.float32(0.0))
    return total
