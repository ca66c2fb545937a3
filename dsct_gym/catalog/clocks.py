"""Measured clocks and power limits of real devices (``clocks.csv``)."""

from dataclasses import dataclass
from functools import cache

from dsct_gym.catalog.hardware import device
from dsct_gym.catalog.sources import Source, sources
from dsct_gym.catalog.tables import find, normalised, read_table


@dataclass(frozen=True)
class Clock:
    """A setting at which a device was measured.

    Attributes:
        device: Name of the device in the catalogue.
        clock_mhz: Core clock, MHz; None where a power limit was set instead.
        limit_watts: Power limit, W; None where a clock was set.
        share: Rate there, as a share of the device's rate at full clock.
        power_watts: Mean power while busy, W.
        source: Where the figures come from.
    """

    device: str
    clock_mhz: float | None
    limit_watts: float | None
    share: float
    power_watts: float
    source: Source


def clocks(name: str) -> tuple[Clock, ...]:
    """The measured settings of a device, slowest first.

    Raises:
        InputError: If there is no such device or it was not measured, naming those that were.
    """
    return find("device with measured clocks", device(name).name, _by_device(), measured())


def measured() -> list[str]:
    """Names of the devices whose clocks were measured."""
    return [found[0].device for found in _by_device().values()]


@cache
def _by_device() -> dict[str, tuple[Clock, ...]]:
    listed: dict[str, list[Clock]] = {}
    for row in read_table("clocks"):
        clock = Clock(
            device=row["device"],
            clock_mhz=float(row["clock_mhz"]) if row["clock_mhz"] else None,
            limit_watts=float(row["limit_watts"]) if row["limit_watts"] else None,
            share=float(row["share"]),
            power_watts=float(row["power_watts"]),
            source=sources()[row["source"]],
        )
        listed.setdefault(normalised(clock.device), []).append(clock)
    return {
        name: tuple(sorted(found, key=lambda clock: clock.share)) for name, found in listed.items()
    }
