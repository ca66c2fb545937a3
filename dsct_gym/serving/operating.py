"""The bridge to the core: the clocks of a GPU that serves are operating points of a machine.

A machine that runs batches of one network does so many GFLOP/s at each clock and draws so many W:
the figures of `dsct_gym.serving.profile`, so that what is scheduled with DSCT-EA and what is served
stand on the same table.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from dsct_gym.arguments import as_integer
from dsct_gym.instance import Instance
from dsct_gym.points.generator import MOST, device_names, on_points
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.points.operating_points import OperatingPoints
from dsct_gym.rounding import round_significant
from dsct_gym.serving.gpu import Gpu, gpu
from dsct_gym.serving.network import Network
from dsct_gym.serving.profile import SLOWEST, rows

BATCH: Final = 16
"""Pictures in a batch, where nothing else is said."""


def operating_points(
    card: Gpu, network: Network, count: int, *, batch: int = BATCH
) -> OperatingPoints:
    """What a GPU does and draws while it runs a network, at clocks that its cap allows.

    Args:
        card: The GPU.
        network: The network.
        count: Clocks, at least 1; spread from `SLOWEST` to the highest allowed, which is included.
        batch: Pictures in a batch.

    Raises:
        InputError: If an argument is out of range.
    """
    count = as_integer(count, "points", 1, MOST)
    (highest,) = rows(card, network, [batch])
    usable = card.clocks[
        (card.clocks >= SLOWEST * card.clocks[-1]) & (card.clocks <= highest.clock)
    ]
    places = np.linspace(usable.size - 1, 0, min(count, usable.size)).round().astype(int)
    found = rows(card, network, [batch], usable[np.unique(places)])
    work = network.gflop * batch
    return OperatingPoints(
        round_significant(np.array([work / row.time for row in found])),
        round_significant(np.array([row.power for row in found])),
    )


def serving_points(
    instance: Instance, network: Network, count: int, *, batch: int = BATCH
) -> DvfsInstance:
    """Gives each machine, a GPU that serves, the operating points of one network.

    Deadlines and budget are scaled so that deadline tolerance and energy budget ratio stay.

    Args:
        instance: A problem whose machines are called V100, V100-SXM2 or M40.
        network: The network that they run.
        count: Points of each machine, at least 1.
        batch: Pictures in a batch.

    Raises:
        InputError: If a machine is another device, or an argument is out of range.
    """
    cards = [gpu(name) for name in device_names(instance)]
    return on_points(
        instance, [operating_points(card, network, count, batch=batch) for card in cards]
    )
