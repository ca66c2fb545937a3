"""Real devices: data-centre, workstation, consumer and embedded GPUs."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from dsct_gym.catalog.sources import Source, sources
from dsct_gym.catalog.tables import by_name, find, normalised, read_table

UTILISATION: Final = 0.28
"""Share of the peak FP32 rate that image inference reaches, the same for every device.

For each of the five devices with measured rates, take the median over a family's models of
``2 · GMAC · images/s / peak GFLOP/s``, then the median over families; the factor is the median over
devices, to two digits (``throughput.csv``; a test recomputes it). The devices spread around it:
GTX 1080 Ti 0.16, Jetson TX2 0.18, V100 0.28, RTX 4090 0.30, RTX 3090 0.51. Tensor cores lift large
models on recent cards to the FP32 peak and beyond, narrow mobile networks stay near a tenth. One
factor keeps the published ratios between devices and only sets the common scale of time: at a
given ``rho`` and ``beta`` the works of a schedule do not depend on it.
"""


@dataclass(frozen=True)
class Device:
    """A device that can serve as a machine.

    Attributes:
        name: Short unique key, such as ``T4``.
        product: Full name of the product.
        kind: ``data-centre``, ``workstation``, ``consumer`` or ``embedded``.
        architecture: Name of the architecture.
        year: Year of release.
        peak_gflops: Peak FP32 rate at boost clock, GFLOP/s.
        tdp_watts: Thermal design power, W: what board or module may draw, not what it was measured
            to draw (`power_is`).
        source: Where the figures come from.
    """

    name: str
    product: str
    kind: str
    architecture: str
    year: int
    peak_gflops: float
    tdp_watts: float
    source: Source

    @property
    def speed(self) -> float:
        """Predicted sustained rate s_r, ``UTILISATION`` of the peak, GFLOP/s.

        `dsct_gym.catalog.prediction_interval` tells how far such a prediction may be off.
        """
        return UTILISATION * self.peak_gflops

    @property
    def efficiency(self) -> float:
        """Energy efficiency E_r at the thermal design power, GFLOP/J."""
        return self.speed / self.tdp_watts

    @property
    def power_is(self) -> str:
        """What ``tdp_watts`` is: a limit in any case, and never a measured power."""
        return "limit of the module" if self.kind == "embedded" else "limit of the board"


@cache
def devices() -> tuple[Device, ...]:
    """All devices of the catalogue, grouped by kind and family."""
    return tuple(
        Device(
            name=row["name"],
            product=row["product"],
            kind=row["kind"],
            architecture=row["architecture"],
            year=int(row["year"]),
            peak_gflops=float(row["peak_gflops"]),
            tdp_watts=float(row["tdp_watts"]),
            source=sources()[row["source"]],
        )
        for row in read_table("devices")
    )


def device(name: str) -> Device:
    """The device of that name; letter case, spaces and underscores do not matter.

    Raises:
        InputError: If there is none, with the closest names.
    """
    return find("device", name, _by_name(), (entry.name for entry in devices()))


def known_device(name: str) -> Device | None:
    """As `device`; None if there is none of that name."""
    return _by_name().get(normalised(name))


@cache
def _by_name() -> dict[str, Device]:
    return by_name((entry.name, entry) for entry in devices())
