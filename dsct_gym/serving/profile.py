"""What a network costs on a GPU at each batch and clock: the truth that is simulated.

What a scheduler is told instead is `dsct_gym.serving.prediction.predicted_table`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from dsct_gym.arguments import as_integer
from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError
from dsct_gym.serving.gpu import Gpu
from dsct_gym.serving.network import Network, Units
from dsct_gym.serving.power import deviations, dynamic_power, idle_power
from dsct_gym.serving.table import Table
from dsct_gym.serving.time import load_of

LARGEST_BATCH: Final = 256
SLOWEST: Final = 0.4
"""Share of the highest clock of the slowest that schedulers choose from."""
CHOICES: Final = 24
"""Clocks that they choose from, where none are named."""


class Profile(NamedTuple):
    """Time and power of the parts of a network before the cap.

    Attributes:
        time: s, of a whole batch (U, S, C).
        power: W while it runs (U, S, C).
    """

    time: Floats
    power: Floats


def table_of(
    gpu: Gpu,
    network: Network,
    largest_batch: int,
    clocks: npt.ArrayLike | None = None,
    units: Units = "units",
) -> Table:
    """What a network costs on a GPU, power cap included.

    Args:
        gpu: The card.
        network: The network.
        largest_batch: Every batch up to this size is told.
        clocks: Clocks, MHz, ascending; those of `choices` by default.
        units: What has a clock of its own: ``"units"``, the whole ``"network"`` or ``"layers"``.

    Raises:
        InputError: If a clock or the batch is out of range.
    """
    batches = np.arange(1, as_integer(largest_batch, "batch", 1, LARGEST_BATCH) + 1)
    chosen = choices(gpu) if clocks is None else check_clocks(gpu, clocks)
    card = with_clocks(gpu, chosen)
    return capped(card, batches, chosen, profile(card, network, batches, card.clocks, units))


def profile(
    gpu: Gpu, network: Network, batches: Ints, clocks: Floats, units: Units = "units"
) -> Profile:
    """Time and power of the parts of a network, were there no cap."""
    load = load_of(gpu, network.layers, batches.astype(np.float64), clocks)
    drawn = dynamic_power(gpu, load, clocks) * deviations(gpu, network)[:, None, None]
    return combine(network, units, load.time, idle_power(gpu, clocks) + drawn)


def combine(network: Network, units: Units, time: Floats, power: Floats) -> Profile:
    """Times and mean powers of parts from those of layers (L, S, C)."""
    parts = [list(part) for part in network.parts(units)]
    times = np.stack([time[part].sum(axis=0) for part in parts])
    energies = np.stack([(time[part] * power[part]).sum(axis=0) for part in parts])
    return Profile(times, energies / times)


def capped(gpu: Gpu, batches: Ints, clocks: Floats, found: Profile) -> Table:
    """A table of the clocks chosen, from a profile at all clocks of a card."""
    at = running_clocks(gpu, found)[:, np.searchsorted(gpu.clocks, clocks)]
    rows = np.arange(batches.size)[:, None]
    return Table(
        clocks=clocks,
        batches=batches.astype(np.int64),
        time=found.time[:, rows, at],
        power=found.power[:, rows, at],
        idle_power=idle_power(gpu, clocks),
    )


def running_clocks(gpu: Gpu, found: Profile) -> Ints:
    """Place of the clock that a card runs at, for each batch and each clock set (S, C).

    The card holds its mean power over tens of milliseconds, longer than a batch: where a batch at
    one clock would pass the cap, all its parts run at the highest clock at which it does not.
    """
    mean = (found.time * found.power).sum(axis=0) / found.time.sum(axis=0)
    allowed = mean <= gpu.power.cap
    allowed[:, 0] = True  # there is no slower clock to fall to
    places = np.arange(gpu.clocks.size)
    return np.asarray(np.maximum.accumulate(np.where(allowed, places, 0), axis=1))


class Row(NamedTuple):
    """What one batch costs.

    Attributes:
        part: Name of the layer or of the network.
        batch: Pictures.
        clock: Clock that was set, MHz.
        runs_at: Clock at which the card runs, below the other where the cap holds it, MHz.
        time: s.
        power: Mean while it runs, W.
        energy: J of the whole batch.
    """

    part: str
    batch: int
    clock: float
    runs_at: float
    time: float
    power: float
    energy: float


def rows(
    gpu: Gpu,
    network: Network,
    batches: Sequence[int],
    clocks: npt.ArrayLike | None = None,
    units: Units = "network",
) -> list[Row]:
    """Costs for reading: by batch, then clock, then part.

    Args:
        gpu: The card.
        network: The network.
        batches: Batch sizes.
        clocks: Clocks, MHz; for each batch the highest that the power cap allows by default.
        units: What has a row: the whole ``"network"``, each of its ``"units"`` or ``"layers"``.

    Raises:
        InputError: If a clock or a batch is out of range.
    """
    chosen = None if clocks is None else check_clocks(gpu, clocks)
    card = gpu if chosen is None else with_clocks(gpu, chosen)
    sizes = np.array([as_integer(batch, "batch", 1, LARGEST_BATCH) for batch in batches])
    found = profile(card, network, sizes, card.clocks, units)
    running = running_clocks(card, found)
    listed = []
    for place, batch in enumerate(sizes.tolist()):
        allowed = card.clocks[running[place, -1:]] if chosen is None else chosen
        for clock in allowed.tolist():
            at = running[place, np.searchsorted(card.clocks, clock)]
            for part, name in enumerate(network.names(units)):
                time, power = found.time[part, place, at], found.power[part, place, at]
                figures = (float(card.clocks[at]), float(time), float(power), float(time * power))
                listed.append(Row(name, batch, clock, *figures))
    return listed


def choices(gpu: Gpu) -> Floats:
    """Clocks for a scheduler to choose from: spread from `SLOWEST` to the highest, MHz (C,)."""
    usable = gpu.clocks[gpu.clocks >= SLOWEST * gpu.clocks[-1]]
    spread = np.linspace(0, usable.size - 1, min(CHOICES, usable.size)).round().astype(int)
    return np.asarray(usable[spread])


def serving_clocks(gpu: Gpu) -> Floats:
    """As `choices`, and the lowest of all to rest at, MHz (C,)."""
    return np.union1d(gpu.clocks[:1], choices(gpu))


def check_clocks(gpu: Gpu, clocks: npt.ArrayLike) -> Floats:
    """Clocks as an array, ascending and each one once.

    Raises:
        InputError: If one is beyond what the card can be set to.
    """
    wanted = np.unique(np.asarray(clocks, dtype=np.float64))
    if wanted.size == 0:
        raise InputError("clock: needs at least one")
    low, high = gpu.clocks[[0, -1]].tolist()
    for clock in wanted.tolist():
        if not low <= clock <= high:
            raise InputError(f"clock: {gpu.name} runs at {low:g}..{high:g} MHz, got {clock:g}")
    return wanted


def with_clocks(gpu: Gpu, clocks: Floats) -> Gpu:
    """The card with clocks between those that it lists: the formulas hold there as well."""
    return replace(gpu, clocks=np.union1d(gpu.clocks, clocks))
