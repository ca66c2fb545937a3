"""Operating points for the machines of an instance: drawn from a power law, or measured.

Power at a share x of full clock is ``P (c + (1 − c) x V(x)² / V(1)²)``: a constant part c and one
that grows with the clock and the square of the voltage V, which is flat up to a knee and rises
linearly from there, as on every card measured (`dsct_gym.catalog`, ``clocks.csv``). The ranges from
which machines draw are this project's own choice, around what fits of such cards give.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from dsct_gym.arguments import as_integer
from dsct_gym.arrays import Floats
from dsct_gym.catalog.clocks import clocks
from dsct_gym.catalog.hardware import device
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.points.operating_points import OperatingPoints
from dsct_gym.rounding import round_number, round_significant

SLOWEST: Final = 0.4
"""Share of full clock of the slowest point drawn."""
CONSTANT: Final = (0.05, 0.25)
"""Range of the constant part of the power at full clock."""
KNEE: Final = (0.6, 0.9)
"""Range of the share of full clock from which the voltage rises."""
RISE: Final = (0.05, 0.35)
"""Range of what the voltage rises by from the knee to full clock."""
MOST: Final = 1000
"""Most points of a machine."""


def draw_points(instance: Instance, count: int, *, seed: int = 0) -> DvfsInstance:
    """Gives each machine points evenly spaced in speed, the fastest being the machine as it is.

    Args:
        instance: The problem; its tasks and its budget stay.
        count: Points of each machine, at least 1.
        seed: Seed, at least 0.

    Raises:
        InputError: If an argument is out of range.
    """
    count = as_integer(count, "points", 1, MOST)
    # A stream of its own: the instance of the same seed stays as it is.
    rng = np.random.default_rng((as_integer(seed, "seed", 0), 1))
    share = np.linspace(SLOWEST, 1.0, count) if count > 1 else np.ones(1)
    points = []
    for speed, power in zip(instance.speeds, instance.powers, strict=True):
        constant, knee, rise = (
            low + (high - low) * rng.random() for low, high in (CONSTANT, KNEE, RISE)
        )
        voltage = 1.0 + rise * np.maximum(0.0, share - knee) / (1.0 - knee)
        drawn = constant + (1.0 - constant) * share * (voltage / voltage[-1]) ** 2
        points.append(_rounded(speed * share, power * drawn))
    return DvfsInstance.of(instance, points)


def measured_points(instance: Instance, count: int) -> DvfsInstance:
    """Gives each machine, a device of the catalogue, up to so many of its measured clocks.

    Deadlines and budget are scaled so that deadline tolerance and energy budget ratio stay what
    they are, at the measured speeds and powers of the fastest clocks.

    Args:
        instance: A problem whose machines are called as devices of the catalogue, as those that
            `dsct_gym.generate` draws from it.
        count: Points of each machine, at least 1; spread over its clocks, the fastest included.

    Raises:
        InputError: If a machine is no device whose clocks were measured.
    """
    count = as_integer(count, "points", 1, MOST)
    points = []
    for name in device_names(instance):
        found = clocks(name)
        chosen = np.unique(
            np.linspace(len(found) - 1, 0, min(count, len(found))).round().astype(int)
        )
        share = np.array([found[index].share for index in chosen])
        power = np.array([found[index].power_watts for index in chosen])
        points.append(_rounded(share * device(name).speed, power))
    return on_points(instance, points)


def on_points(instance: Instance, points: Sequence[OperatingPoints]) -> DvfsInstance:
    """The problem on other machines: deadlines and budget keep their tolerance and their ratio.

    Args:
        instance: The problem.
        points: Those of each machine (m,).
    """
    plain = DvfsInstance.of(instance, points)
    slower = instance.speeds.sum() / plain.core.speeds.sum()
    hungrier = plain.core.powers.sum() / instance.powers.sum()
    tasks = Instance(
        speeds=instance.speeds,
        efficiencies=instance.efficiencies,
        deadlines=round_significant(instance.deadlines * slower),
        work=instance.work,
        accuracy=instance.accuracy,
        energy_budget=round_number(instance.energy_budget * slower * hungrier),
        name=instance.name,
        machine_names=instance.machine_names,
        task_names=instance.task_names,
    )
    return DvfsInstance.of(tasks, points)


def device_names(instance: Instance) -> list[str]:
    """The device of the catalogue that each machine is (m,).

    Raises:
        InputError: If machines have no names.
    """
    if instance.machine_names is None:
        raise InputError("points: machines have no names, so no measured clocks")
    return [_device_of(name) for name in instance.machine_names]


def _device_of(name: str | None) -> str:
    """The device that a machine is, which may be one of several and numbered."""
    if name is None:
        raise InputError("points: a machine without a name has no measured clocks")
    try:
        return device(name).name
    except InputError:
        return name.rpartition("-")[0]


def _rounded(speeds: Floats, powers: Floats) -> OperatingPoints:
    return OperatingPoints(round_significant(speeds), round_significant(powers))
