"""Time of a layer as a function of batch and clock.

A layer's kernels compute while they move data, so the longer of the two counts; small ones do not
fill the chip. For a batch b at a clock f,

    occupancy  φ = o b / (o b + half)
    compute    t_c = F b / (share g C f φ)
    memory     t_m = (A b + W) / (share BW min(1, f / f_m))
    time       t = overhead + max(t_c, t_m)

with F the operations, o the outputs and A the bytes of one picture, W those of the weights, C the
operations a cycle, g what Winograd's algorithm saves, BW the bandwidth, which falls with the core
clock below f_m because caches and crossbar run on it. A roofline with occupancy, in the manner of
Paleo (Qi et al., ICLR 2017); the form is this project's own. Kernels are taken to be launched
without gaps, as inference engines do (CUDA graphs, TensorRT).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.serving.gpu import ELEMENTWISE, Gpu, Kernels
from dsct_gym.serving.network import BYTES, Layer


class Load(NamedTuple):
    """What layers do at each batch and clock; each figure is (L, S, C).

    Attributes:
        time: Time of the whole batch, s.
        occupancy: Share of the multiprocessors that have work, φ.
        compute: Arithmetic done over what the clock allows, u_c.
        memory: Bytes moved over what the bandwidth allows, u_m.
        active: Share of the time in which multiprocessors are busy, a.
    """

    time: Floats
    occupancy: Floats
    compute: Floats
    memory: Floats
    active: Floats


def load_of(gpu: Gpu, layers: Sequence[Layer], batches: Floats, clocks: Floats) -> Load:
    """Time and utilisation of layers.

    Args:
        gpu: The card.
        layers: The layers (L,).
        batches: Batch sizes, at least 1 (S,).
        clocks: Core clocks, MHz (C,).
    """
    batch, clock = batches[None, :, None], clocks[None, None, :]
    flop, outputs, moved, weights = (
        np.array(column, dtype=np.float64)[:, None, None]
        for column in zip(
            *((each.flop, each.outputs, each.moved, BYTES * each.parameters) for each in layers),
            strict=True,
        )
    )
    kernels = [_kernels(gpu, layer) for layer in layers]
    compute, half, share, winograd, overhead = (
        np.array(column)[:, None, None] for column in zip(*kernels, strict=True)
    )
    filled = outputs * batch / (outputs * batch + half) + 0.0 * clock
    peak = compute * winograd * gpu.cycle_flop * clock * 1e6
    bandwidth = share * gpu.bandwidth * 1e9
    data = moved * batch + weights
    busy = np.maximum(
        flop * batch / (peak * filled),
        data / (bandwidth * np.minimum(1.0, clock / gpu.memory_clock)),
    )
    time = overhead + busy
    memory = np.minimum(1.0, data / (bandwidth * time))
    return Load(
        time=time,
        occupancy=filled,
        compute=flop * batch / (peak * time),
        memory=memory,
        active=np.maximum(filled, memory) * busy / time,
    )


def _kernels(gpu: Gpu, layer: Layer) -> Kernels:
    """The kernels that run a layer."""
    if layer.kind == "linear":
        return gpu.linear
    if layer.kind == "convolution":
        saved = gpu.convolution.winograd if layer.winograd else 1.0
        return gpu.convolution._replace(winograd=saved)
    return gpu.convolution._replace(compute=ELEMENTWISE, winograd=1.0)
