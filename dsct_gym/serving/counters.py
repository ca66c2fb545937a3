"""What the performance counters of a GPU show while layers run: what power is predicted from.

EALI predicts power from CUDA's counters; which, only its full text says. Here they are what the
time model knows of a layer, and no more: by how much a kernel draws more or less than others with
the same counters (`dsct_gym.serving.power.deviations`) is in the power that is measured alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.serving.gpu import Gpu
from dsct_gym.serving.network import BYTES, Network
from dsct_gym.serving.power import idle_power
from dsct_gym.serving.profile import profile
from dsct_gym.serving.time import load_of

BATCHES: Final = (1, 4, 16, 64)
"""Batches that are measured."""
CLOCKS: Final = 6
"""Clocks that are measured, spread from `SLOWEST` of the highest."""
SLOWEST: Final = 0.4
NOISE: Final = 0.02
"""Spread (of the logarithm) of a measured power around the true one."""


class Counter(IntEnum):
    """Columns of what is seen of a layer.

    Attributes:
        CLOCK: Core clock, GHz.
        COMPUTE: Arithmetic done over what the clock allows.
        MEMORY: Bytes moved over what the bandwidth allows.
        OCCUPANCY: Share of the multiprocessors that have work.
        ACTIVE: Share of the time in which they are busy.
        BATCH: Logarithm (base 2) of the batch.
        FLOP: Logarithm (base 10) of the operations of the batch.
        BYTES: Logarithm (base 10) of the bytes moved.
        INTENSITY: Logarithm (base 10) of operations a byte.
    """

    CLOCK = 0
    COMPUTE = 1
    MEMORY = 2
    OCCUPANCY = 3
    ACTIVE = 4
    BATCH = 5
    FLOP = 6
    BYTES = 7
    INTENSITY = 8


class Samples(NamedTuple):
    """Measured powers of layers.

    Attributes:
        counters: Columns as `Counter` (N, 9).
        power: W (N,).
        groups: Place of the network that each is of (N,).
    """

    counters: Floats
    power: Floats
    groups: Ints


def counters_of(gpu: Gpu, network: Network, batches: Ints, clocks: Floats) -> Floats:
    """What is seen of each layer (L, S, C, 9), in no need of a measured power."""
    load = load_of(gpu, network.layers, batches.astype(np.float64), clocks)
    flop, moved, weights = np.array(
        [(each.flop, each.moved, BYTES * each.parameters) for each in network.layers],
        dtype=np.float64,
    ).T[:, :, None, None]
    batch = batches.astype(np.float64)[None, :, None]
    done, data = flop * batch, moved * batch + weights
    columns = {
        Counter.CLOCK: clocks / 1e3,
        Counter.COMPUTE: load.compute,
        Counter.MEMORY: load.memory,
        Counter.OCCUPANCY: load.occupancy,
        Counter.ACTIVE: load.active,
        Counter.BATCH: np.log2(batch),
        Counter.FLOP: np.log10(done),
        Counter.BYTES: np.log10(data),
        Counter.INTENSITY: np.log10(done / data),
    }
    every = [np.broadcast_to(columns[column], load.time.shape) for column in Counter]
    return np.stack(every, axis=-1)


def measure(gpu: Gpu, networks: Sequence[Network]) -> Samples:
    """Powers of all layers of networks as a campaign of measurements would give them.

    The noise is that of the campaign: measured twice, a layer gives the same.
    """
    batches, clocks = np.array(BATCHES), measured_clocks(gpu)
    parts = []
    for group, served in enumerate(networks):
        seen = counters_of(gpu, served, batches, clocks).reshape(-1, len(Counter))
        power = profile(gpu, served, batches, clocks, "layers").power.ravel()
        rng = np.random.default_rng(zlib.crc32(f"{gpu.name}/{served.name}/noise".encode()))
        noisy = power * np.exp(NOISE * rng.normal(size=power.size))
        parts.append(Samples(seen, noisy, np.full(power.size, group, dtype=np.int64)))
    return Samples(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def measured_idle(gpu: Gpu) -> Samples:
    """Power with nothing running at the clocks that are measured."""
    clocks = measured_clocks(gpu)
    counters = np.zeros((clocks.size, len(Counter)))
    counters[:, Counter.CLOCK] = clocks / 1e3
    return Samples(counters, idle_power(gpu, clocks), np.full(clocks.size, -1, dtype=np.int64))


def measured_clocks(gpu: Gpu) -> Floats:
    """The clocks of the campaign, MHz."""
    usable = gpu.clocks[gpu.clocks >= SLOWEST * gpu.clocks[-1]]
    return np.asarray(usable[np.linspace(0, usable.size - 1, CLOCKS).round().astype(int)])
