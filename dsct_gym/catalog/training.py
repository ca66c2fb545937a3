"""Measured training rates and powers of real GPUs (``training.csv``), and a measured curve."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.catalog.tables import by_name, find, read_table

NETWORKS: Final = ("alexnet", "inception3", "resnet50", "resnet152")

TOP1: Final = {"alexnet": 0.565, "inception3": 0.773, "resnet50": 0.761, "resnet152": 0.783}
"""ImageNet top-1 accuracy of the networks as torchvision trains them (first version of weights)."""

RESNET50_IMAGE: Final = 24.5
"""GFLOP of one training image of ResNet-50: 4.09 GMAC forward, three times that with backward."""

EPOCHS: Final = (0.0, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 16.0, 32.0, 61.0, 75.5)
REACHED: Final = (0.001, 0.10, 0.20, 0.35, 0.45, 0.50, 0.55, 0.60, 0.65, 0.70, 0.75)
"""Median epochs in which ResNet-50 reached each accuracy (Zeus, batch 128, Adadelta)."""


@dataclass(frozen=True)
class Trainer:
    """A GPU that trains.

    Attributes:
        device: Name of the device in the catalogue.
        rates: Images/s of each network.
        power_watts: Power while training, W.
        measured: Whether the power was measured; else it is estimated.
    """

    device: str
    rates: dict[str, float]
    power_watts: float
    measured: bool

    @property
    def speed(self) -> float:
        """GFLOP/s while it trains ResNet-50."""
        return self.rates["resnet50"] * RESNET50_IMAGE

    @property
    def efficiency(self) -> float:
        """GFLOP/J."""
        return self.speed / self.power_watts


def trainers() -> tuple[Trainer, ...]:
    """All GPUs of the table."""
    return tuple(_by_name().values())


def trainer(name: str) -> Trainer:
    """The GPU of that name.

    Raises:
        InputError: If there is none, naming those that there are.
    """
    listed = [each.device for each in trainers()]
    return find("device with measured training rates", name, _by_name(), listed)


@cache
def image_work() -> dict[str, float]:
    """Work of one training image of each network, GFLOP as ResNet-50 is trained.

    A machine has one speed, so a network costs what its rate says in units of ResNet-50's: the
    geometric mean over the GPUs, from which each one's own ratio differs by 15 % at most.
    """
    work = {}
    for network in NETWORKS:
        ratios = [each.rates["resnet50"] / each.rates[network] for each in trainers()]
        work[network] = RESNET50_IMAGE * float(np.exp(np.log(ratios).mean()))
    return work


def learning_curve(network: str) -> tuple[Floats, Floats]:
    """Epochs and accuracies of a network: ResNet-50's, scaled to the network's own top accuracy."""
    reached = np.array(REACHED) * TOP1[network] / REACHED[-1]
    reached[0] = REACHED[0]
    return np.array(EPOCHS), reached


@cache
def _by_name() -> dict[str, Trainer]:
    found = [
        Trainer(
            device=row["device"],
            rates={network: float(row[network]) for network in NETWORKS},
            power_watts=float(row["power_watts"]),
            measured=row["power_source"] != "estimated",
        )
        for row in read_table("training")
    ]
    return by_name((each.device, each) for each in found)
