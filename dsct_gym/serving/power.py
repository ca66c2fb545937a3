"""Power as a function of clock and of what runs.

With the clock f in GHz and a voltage, relative to its lowest, of ``V = 1 + rise max(0, f − knee)``,

    P = constant + leakage V + f V² (clock + active a + compute u_c) + memory u_m

where a, u_c and u_m are what `dsct_gym.serving.time` says of the layer; a, u_c and u_m are 0 while
nothing runs. The voltage law is that of Schoonhoven et al. (PMBS 2022), which every card measured
follows; the split is this project's own. NVML averages over tens of milliseconds, so that the power
of one layer cannot be measured: what is fitted are whole kernels that run for seconds.
"""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.serving.gpu import Gpu, Power
from dsct_gym.serving.network import Network
from dsct_gym.serving.time import Load

DEVIATION: Final = 0.1
"""Spread (of the logarithm) of what a kernel draws beyond idle, around what the formula says: what
remains of measured kernels when the formula is fitted to them (docs/serving.md)."""


def voltage(power: Power, clocks: Floats) -> Floats:
    """Voltage at clocks in MHz, as a multiple of that below the knee; the shape of the clocks."""
    return np.asarray(1.0 + power.rise * np.maximum(0.0, clocks - power.knee) / 1e3)


def idle_power(gpu: Gpu, clocks: Floats) -> Floats:
    """Power with nothing running, W, at clocks in MHz (C,)."""
    power, volts = gpu.power, voltage(gpu.power, clocks)
    return np.asarray(
        power.constant + power.leakage * volts + power.clock * clocks / 1e3 * volts**2
    )


def dynamic_power(gpu: Gpu, load: Load, clocks: Floats) -> Floats:
    """What layers draw beyond idle, W, by the formula and before the cap (L, S, C)."""
    power = gpu.power
    pace = clocks / 1e3 * voltage(power, clocks) ** 2
    chip = power.active * load.active + power.compute * load.compute
    return np.asarray(pace * chip + power.memory * load.memory)


def deviations(gpu: Gpu, network: Network) -> Floats:
    """Factor by which each layer's kernel draws more or less than the formula says (L,).

    Kernels of one card differ in ways that no counter shows. The factors are fixed: the same layer
    of the same network draws the same on every card of one kind, at every batch and clock.
    """
    keys = [
        zlib.crc32(f"{gpu.kind}/{network.name}/{layer.name}".encode()) for layer in network.layers
    ]
    spread = [np.random.default_rng(key).normal() for key in keys]
    return np.exp(DEVIATION * np.array(spread))
