"""Measured inference rates (``throughput.csv``), and how far predicted speeds are from them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from statistics import median

from dsct_gym.catalog.hardware import Device, device
from dsct_gym.catalog.models import Model, families
from dsct_gym.catalog.sources import Source, sources
from dsct_gym.catalog.tables import read_table


@dataclass(frozen=True)
class Rate:
    """What a device was measured to do with a network, at a large batch.

    Attributes:
        device: Name of the device.
        family: Name of the model family.
        model: The network.
        images_per_second: As published.
        source: Where the figure comes from.
    """

    device: str
    family: str
    model: Model
    images_per_second: float
    source: Source

    @property
    def speed(self) -> float:
        """Work that the device does of the network, GFLOP/s."""
        return self.model.work * self.images_per_second

    @property
    def predicted_share(self) -> float:
        """Speed that the catalogue predicts for the device, over the measured one."""
        return device(self.device).speed / self.speed


@cache
def rates() -> tuple[Rate, ...]:
    """All measured rates."""
    networks = {
        (family.name, model.name, model.resolution): model
        for family in families()
        for model in family.models
    }
    return tuple(
        Rate(
            device=row["device"],
            family=row["family"],
            model=networks[
                row["family"],
                row["model"],
                int(row["resolution"]) if row["resolution"] else None,
            ],
            images_per_second=float(row["images_per_second"]),
            source=sources()[row["source"]],
        )
        for row in read_table("throughput")
    )


@cache
def prediction_interval() -> tuple[float, float]:
    """Least and largest of predicted over measured speed: what a predicted speed may be off by."""
    shares = [rate.predicted_share for rate in rates()]
    return min(shares), max(shares)


def measured_families(name: str) -> list[str]:
    """The model families of which rates on a device were measured, in order of their names."""
    return sorted({rate.family for rate in rates() if rate.device == name})


def measured_speed(name: str, wanted: Iterable[str]) -> float | None:
    """The sustained speed of a device on some model families, as measured.

    Args:
        name: Name of the device in the catalogue.
        wanted: Names of the model families.

    Returns:
        The median over a family's networks, then over the families, GFLOP/s; None where no
        families are wanted or one of them was not measured on the device.
    """
    speeds = []
    for family in wanted:
        found = [rate.speed for rate in rates() if (rate.device, rate.family) == (name, family)]
        if not found:
            return None
        speeds.append(median(found))
    return median(speeds) if speeds else None


def sustained_speed(found: Device, wanted: Iterable[str] = ()) -> float:
    """The speed of a device on some model families: as measured, as predicted where it was not.

    Args:
        found: The device.
        wanted: Names of the model families; none where what runs is not known.

    Returns:
        GFLOP/s.
    """
    measured = measured_speed(found.name, wanted)
    return found.speed if measured is None else measured
