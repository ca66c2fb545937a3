"""The GPUs that serve: what their time and power depend on, each figure with its interval.

The figures (``gpus.json``) are what ``benchmarks/serving/fit.py`` fits to published measurements;
docs/serving.md tells the sources, the errors and what is assumed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

import numpy as np

from dsct_gym.arguments import as_integer
from dsct_gym.arrays import Floats
from dsct_gym.catalog.tables import find, normalised


class Kernels(NamedTuple):
    """How well the kernels of one kind of layer use a chip.

    Attributes:
        compute: Share of the peak that the largest reach.
        half: Outputs, of the whole batch, at which half of that is reached.
        memory: Share of the bandwidth that they reach.
        winograd: Factor that Winograd's algorithm saves of the operations where it fits.
        overhead: Time that each takes beside its work, s.
    """

    compute: float
    half: float
    memory: float
    winograd: float
    overhead: float


class Power(NamedTuple):
    """What a card draws; see `dsct_gym.serving.power`.

    Attributes:
        constant: W, whatever it does.
        leakage: W at the voltage below the knee.
        clock: W/GHz of a running clock.
        active: W/GHz of multiprocessors that are busy.
        compute: W/GHz of arithmetic at the peak.
        memory: W of memory at its bandwidth.
        knee: Clock up to which the voltage is flat, MHz.
        rise: By how much the voltage rises above it, as a share, for each GHz.
        cap: Power that it does not pass, W.
    """

    constant: float
    leakage: float
    clock: float
    active: float
    compute: float
    memory: float
    knee: float
    rise: float
    cap: float


@dataclass(frozen=True, eq=False)
class Gpu:
    """One card, or the typical one of its kind.

    Attributes:
        name: Of this card.
        kind: Name of its kind, as on the command line.
        title: In full.
        clocks: Clocks that can be set, MHz, ascending (C,).
        cycle_flop: Floating-point operations a clock cycle at the peak.
        bandwidth: Of memory, GB/s.
        memory_clock: Core clock below which the bandwidth falls with it, MHz.
        convolution: Its convolutions.
        linear: Its fully connected layers.
        power: What it draws.
    """

    name: str
    kind: str
    title: str
    clocks: Floats
    cycle_flop: float
    bandwidth: float
    memory_clock: float
    convolution: Kernels
    linear: Kernels
    power: Power


ELEMENTWISE: Final = 0.3
"""Share of the peak that pooling and additions reach; what bounds them is memory (assumed)."""

GPUS: Final = ("V100", "V100-SXM2", "M40")
"""Their names."""

_ALIASES: Final = {"v100-pcie": "V100", "tesla-v100": "V100", "tesla-m40": "M40"}


def gpu(name: str) -> Gpu:
    """The typical card of that name; ``V100`` is the PCIe card, as in the catalogue.

    Raises:
        InputError: If there is none, with the closest names.
    """
    key = _ALIASES.get(normalised(name), name)
    return _typical(find("GPU", key, {normalised(each): each for each in GPUS}, GPUS))


def draw_device(name: str, seed: int) -> Gpu:
    """One card of its kind: knee, rise of the voltage and powers are its own.

    Each is drawn evenly between the ends of its interval, which the fits give and which is as
    wide as samples of one model differ (docs/serving.md); time is that of the typical card.

    Args:
        name: Name of the kind.
        seed: Seed of the draw, at least 0.

    Raises:
        InputError: If there is no such kind or the seed is none.
    """
    typical = gpu(name)
    rng = np.random.default_rng((as_integer(seed, "seed", 0), GPUS.index(typical.name)))
    drawn = {}
    for field in DRAWN:
        low, high = interval(typical.name, f"power.{field}")
        drawn[field] = low + (high - low) * rng.random()
    return replace(typical, name=f"{typical.name} #{seed}", power=typical.power._replace(**drawn))


DRAWN: Final = ("constant", "active", "compute", "knee", "rise")
"""Figures of the power in which cards of one kind differ."""


def interval(name: str, figure: str) -> tuple[float, float]:
    """The interval of a figure of `gpu`, as ``"power.knee"``; its ends."""
    section, _, field = figure.partition(".")
    _, low, high = _figures()[gpu(name).name][section][field]
    return low, high


def gpu_from(name: str, card: Mapping[str, Any]) -> Gpu:
    """A card from its figures, as in ``gpus.json``: the middle of each interval."""

    def middles(section: str) -> dict[str, float]:
        return {field: figure[0] for field, figure in card[section].items()}

    clocks = np.array(card["clocks"], dtype=np.float64)
    clocks.setflags(write=False)
    return Gpu(
        name=name,
        kind=name,
        title=card["title"],
        clocks=clocks,
        **middles("chip"),
        convolution=Kernels(**middles("convolution")),
        linear=Kernels(**middles("linear")),
        power=Power(**middles("power")),
    )


@cache
def _typical(name: str) -> Gpu:
    return gpu_from(name, _figures()[name])


@cache
def _figures() -> dict[str, dict[str, Any]]:
    """All figures by card, section and field: the middle and the ends of the interval."""
    text = files("dsct_gym.serving").joinpath("gpus.json").read_text(encoding="utf-8")
    cards: dict[str, dict[str, Any]] = json.loads(text)["gpus"]
    return cards
