"""Fits time and power of the GPUs that serve, from the extracts beside it.

python benchmarks/serving/fit.py            # how far each source is off
python benchmarks/serving/fit.py --write    # and dsct_gym/serving/gpus.json

Time: robust least squares on logarithms. Voltage: grid over knee and rise, each application with a
spread of its own. Power: non-negative least squares on relative errors. Intervals hold 90 % of what
resampled kernels give; where nothing was measured, both ends are assumed, and said to be.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from extracts import Kernels, convolutions, kernels, products, run_times
from fitting import BANDWIDTH, LANES, Figure, errors, figure, fit_knee, fit_power, fit_times, pace

import dsct_gym.serving
from dsct_gym.arrays import Floats
from dsct_gym.serving.gpu import gpu_from
from dsct_gym.serving.networks import network
from dsct_gym.serving.power import dynamic_power, idle_power
from dsct_gym.serving.time import load_of

V100_CLOCKS: Final = [int(135 + 7.5 * step) for step in range(187)]
"""What nvidia-smi lists of a V100, up to the highest of the SXM2 card, MHz."""
M40_CLOCKS: Final = [*range(595, 976, 38), 1013, 1050, 1088, 1114]
"""Those measured of the chip, and the highest of the M40."""
IDLE: Final = 53.5
"""Of a V100 SXM2 at 1530 MHz, W: published with i-Gniter (Xu et al., TPDS 34(3), 2023,
github.com/icloud-ecnu/igniter), as is `BUSY`."""
BATCH: Final = 16
BUSY: Final = 288.0
"""Of the same, while it runs ResNet-50 in batches of `BATCH`, W."""
COMPUTE: Final = 3
"""Place of arithmetic among the columns of the M40."""
CARDS: Final = 0.08
"""By how much cards of one model differ in power, as a share: assumed."""
FANLESS: Final = 14.0
"""What fan and display part of a Titan X draw, W, and an M40 has not: assumed."""
KNEES: Final = {"V100": (1050.0, 1230.0), "M40": (937.0, 1013.0)}
"""Knees of samples of the chip, MHz: of three V100 and Titan V; of the M40's chip the clocks
measured on either side."""

Card = dict[str, Any]


def main() -> None:
    """Fits, tells the errors and, if asked, writes the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    told: list[tuple[str, str]] = []
    timed = {card: _time_sections(card, told) for card in LANES}
    volta, maxwell = _volta(told, timed["V100"]), _maxwell(told, timed["M40"])
    clocks = [clock for clock in V100_CLOCKS if clock <= 1380]
    gpus = {
        "V100": _card("Tesla V100 PCIe", clocks, timed["V100"], volta["V100"]),
        "V100-SXM2": _card("Tesla V100 SXM2", V100_CLOCKS, timed["V100"], volta["V100-SXM2"]),
        "M40": _card("Tesla M40 (modelled on its chip, GM200)", M40_CLOCKS, timed["M40"], maxwell),
    }
    for source, off in told:
        print(f"| {source} | {off} |")
    if arguments.write:
        source = "fitted by benchmarks/serving/fit.py; each figure: middle, low end, high end"
        folder = Path(dsct_gym.serving.__file__).parent
        text = json.dumps({"source": source, "gpus": gpus}, indent=1)
        (folder / "gpus.json").write_text(_folded(text) + "\n", encoding="utf-8")


def _card(title: str, clocks: list[int], timed: Card, power: Card) -> Card:
    return {"title": title, "clocks": clocks, **timed, "power": power}


def _folded(text: str) -> str:
    """JSON with each list of numbers on one line."""
    parts = text.split("[")
    for place, part in enumerate(parts[1:], start=1):
        numbers, _, rest = part.partition("]")
        parts[place] = " ".join(numbers.split()) + "]" + rest
    return "[".join(parts)


def _time_sections(card: str, told: list[tuple[str, str]]) -> Card:
    """Chip and kernels of a card."""
    memory_clock = figure(700.0, ends=[600.0, 800.0])  # M40: assumed
    if card == "V100":
        clocks, seconds = run_times("stream")
        bound = clocks * seconds / seconds[clocks > 1100.0].min()
        slow = bound[clocks < 950.0]
        memory_clock = figure(float(np.median(slow)), slow)
    sections: Card = {
        "chip": {
            "cycle_flop": figure(2.0 * LANES[card]),
            "bandwidth": figure(BANDWIDTH[card]),
            "memory_clock": memory_clock,
        }
    }
    for name, times in (("convolution", convolutions()), ("linear", products())):
        sections[name], off = fit_times(times, card)
        told.append((f"{card} {name}: time, DeepBench ({len(times.flop)} kernels)", off))
    return sections


def _volta(told: list[tuple[str, str]], timed: Card) -> dict[str, Card]:
    """Power of both V100, by applications and, for arithmetic, a whole network.

    Hardly any of the applications keep the arithmetic of the chip busy.
    """
    found = kernels("v100_pcie_applications")
    kept = found.clocks > 600.0  # below, clocks that were set were not reached
    found = found._replace(clocks=found.clocks[kept], power=found.power[:, kept])
    (knee, rise), samples, rest = fit_knee(found)
    told.append((f"V100 voltage: 24 applications; knee {knee:.0f} MHz, {rise:.2f}/GHz", rest))
    titan, _, rest = fit_knee(kernels("gv100_kernels"))
    told.append((f"Titan V voltage: 88 kernels; knee {titan[0]:.0f} MHz, {titan[1]:.2f}/GHz", rest))
    pace_of = pace(found.clocks, knee, rise)
    busy = [found.counters[name][:, None] * pace_of for name in ("gr", "fp32", "fp64")]
    dram = found.counters["dram"][:, None]
    watts, spread, off = fit_power(found, [np.ones_like(found.power), *busy, dram])
    told.append(("V100 power from activities: 24 applications", off))
    clock = _clock_tree(titan)
    common: Card = {
        "leakage": figure(0.0),
        "clock": clock,
        "active": figure(watts[1] - clock[0], np.maximum(0.0, spread[:, 1] - clock[0])),
        "compute": figure(0.0),
        "memory": figure(watts[4], spread[:, 4]),
        "knee": figure(knee, ends=[*KNEES["V100"]]),
        "rise": figure(rise, ends=[titan[1], float(np.quantile(samples[:, 1], 0.95))]),
    }
    constant = IDLE - clock[0] * float(pace(np.array([1530.0]), knee, rise)[0])
    sxm2 = {"constant": _spread(constant), **common, "cap": figure(300.0)}
    sxm2["compute"] = _anchored(_card("", V100_CLOCKS, timed, sxm2))
    pcie = {**sxm2, "constant": figure(watts[0], spread[:, 0]), "cap": figure(250.0)}
    return {"V100": pcie, "V100-SXM2": sxm2}


def _clock_tree(knee: Floats) -> Figure:
    """W/GHz of a running clock, by the idle Titan V."""
    found = kernels("gv100_kernels")
    idle = found._replace(power=found.power[_idle(found)])
    columns = [
        np.ones_like(idle.power),
        np.broadcast_to(pace(idle.clocks, *knee), idle.power.shape),
    ]
    return _spread(fit_power(idle._replace(names=["idle"]), columns)[0][1])


def _idle(found: Kernels) -> Floats:
    """Rows of kernels that use nothing."""
    return np.flatnonzero(sum(found.counters.values()) == 0.0)


def _anchored(card: Card) -> Figure:
    """What arithmetic takes, W/GHz, so that batches of ResNet-50 draw what they drew."""
    gpu, clock = gpu_from("V100-SXM2", card), np.array([1530.0])
    load = load_of(gpu, network("resnet50").layers, np.array([float(BATCH)]), clock)
    share = load.time[:, 0, 0] / load.time[:, 0, 0].sum()
    rest = idle_power(gpu, clock) + share @ dynamic_power(gpu, load, clock)[:, 0, 0]
    pace_of = float(pace(clock, gpu.power.knee, gpu.power.rise)[0])
    return _spread(float(BUSY - rest[0]) / (pace_of * float(share @ load.compute[:, 0, 0])))


def _spread(middle: float) -> Figure:
    """A power and by how much cards of one kind are assumed to differ in it."""
    return figure(middle, ends=[middle * (1.0 - CARDS), middle * (1.0 + CARDS)])


def _maxwell(told: list[tuple[str, str]], timed: Card) -> Card:
    """Power of the M40: voltage and power of the chip as measured in a Titan X.

    Its kernels reach a share of the peak, which is what counts as busy arithmetic there.
    """
    share = timed["convolution"]["compute"][0]
    applications, found = kernels("gm200_applications"), kernels("gm200_kernels")
    (knee, rise), samples, rest = fit_knee(applications)
    told.append((f"GM200 voltage: 35 applications; knee {knee:.0f} MHz, {rise:.2f}/GHz", rest))
    columns = _maxwell_columns(found, knee, rise)
    watts, spread, off = fit_power(found, columns)
    told.append(("GM200 power from utilisations: 102 kernels", off))
    elsewhere = np.stack(_maxwell_columns(applications, knee, rise), axis=-1)
    there = (elsewhere @ watts)[np.isfinite(applications.power)]
    told.append(
        (
            "the same, at 35 applications that it was not fitted to",
            errors(np.abs(there / applications.power[np.isfinite(applications.power)] - 1.0)),
        )
    )
    leakage = figure(watts[0] - FANLESS, ends=[watts[0] - 2.0 * FANLESS, watts[0]])
    names = ("clock", "active")
    chip = {name: figure(watts[k], spread[:, k]) for k, name in enumerate(names, start=1)}
    return {
        "constant": figure(0.0),
        "leakage": leakage,
        **chip,
        "compute": _spread(_product(applications, elsewhere, watts) * share),
        "memory": figure(watts[5], spread[:, 5]),
        "knee": figure(knee, ends=[*KNEES["M40"]]),
        "rise": figure(rise, samples[:, 1]),
        "cap": figure(250.0),
    }


def _product(applications: Kernels, columns: Floats, watts: Floats) -> float:
    """W/GHz of arithmetic at the peak of the chip, by the product of matrices of cuBLAS.

    None of the small kernels keeps arithmetic, registers and shared memory busy together, as
    convolutions do; what they give is a quarter too little for this one.
    """
    place = applications.names.index("old_matrixMulCUBLAS")
    at = np.isfinite(applications.power[place])
    rest = columns[place, at] @ np.where(np.arange(watts.size) == COMPUTE, 0.0, watts)
    pace_of = columns[place, at, COMPUTE]
    return float(pace_of @ (applications.power[place, at] - rest) / (pace_of @ pace_of))


def _maxwell_columns(found: Kernels, knee: float, rise: float) -> list[Floats]:
    """Leakage, clock, busy, single and double precision, memory (each K, C)."""
    pace_of, every = pace(found.clocks, knee, rise), found.counters
    volts = np.sqrt(pace_of / found.clocks * 1e3)
    single = sum(v for k, v in every.items() if "FP32" in k or k == "u_SP")
    double = sum(v for k, v in every.items() if "FP64" in k or k == "u_DP")
    busy = np.minimum(1.0, np.max([*every.values()], axis=0))
    dynamic = [np.ones_like(busy), busy, single, double]
    columns = [volts * np.ones_like(found.power), *(x[:, None] * pace_of for x in dynamic)]
    return [*columns, every["u_DRAM"][:, None] * np.ones_like(found.power)]


if __name__ == "__main__":
    main()
