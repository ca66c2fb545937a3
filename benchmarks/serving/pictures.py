"""The pictures of docs/serving.md: the model beside what was measured, and what is predicted.

python benchmarks/serving/pictures.py    # after predict.py, whose table it draws
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import numpy as np
from extracts import kernels
from fitting import pace
from matplotlib.axes import Axes
from predict import TABLE
from scipy.optimize import nnls

from dsct_gym.figures import COLOURS, FAINT, INK, TEAL, dress, new_figure
from dsct_gym.serving.gpu import gpu
from dsct_gym.serving.networks import network
from dsct_gym.serving.prediction import predicted_table
from dsct_gym.serving.profile import rows, table_of

IMAGES: Final = Path(__file__).resolve().parents[2] / "docs" / "images"
IGNITER: Final = {
    "alexnet": ((1, 0.707, 187), (16, 2.065, 288), (32, 3.597, 295)),
    "resnet50": ((1, 2.392, 133), (16, 11.54, 288), (32, 21.34, 293)),
}
"""Batch, ms and W of a V100 SXM2: published with i-Gniter (Xu et al., TPDS 34(3), 2023)."""


def main() -> None:
    """Writes both pictures."""
    figure = new_figure(11.0, 8.0)
    axes = figure.subplots(2, 2)
    draw_voltage(axes[0, 0])
    draw_energy(axes[0, 1])
    draw_batches(axes[1, 0], "time")
    draw_batches(axes[1, 1], "power")
    figure.savefig(IMAGES / "serving-model.png")
    figure = new_figure(11.0, 4.6)
    left, right = figure.subplots(1, 2)
    draw_predicted(left)
    draw_learners(right)
    figure.savefig(IMAGES / "serving-prediction.png")


def draw_voltage(axes: Axes) -> None:
    """Measured power against clock, and the law with the knee of each chip."""
    shown = (
        ("v100_pcie_applications", "V100", ("hotspot", "cutcp", "stream")),
        ("gm200_applications", "M40", ("old_matrixMulCUBLAS", "old_lbm")),
    )
    colours = iter(COLOURS)
    for table, card, names in shown:
        found, power = kernels(table), gpu(card).power
        for name in names:
            colour, measured = next(colours), found.power[found.names.index(name)]
            at = np.isfinite(measured) & (found.clocks > 600.0)
            clocks, watts = found.clocks[at], measured[at]
            law = np.stack([np.ones(at.sum()), pace(clocks, power.knee, power.rise)], axis=1)
            weights = nnls(law / watts[:, None], np.ones(at.sum()))[0]
            chip = "V100" if card == "V100" else "GM200"
            axes.plot(clocks, watts, ".", color=colour, markersize=5)
            label = f"{chip}, {name.removeprefix('old_')}"
            axes.plot(clocks, law @ weights, color=colour, linewidth=1.2, label=label)
        axes.axvline(power.knee, color=FAINT, linestyle=":", linewidth=1)
        axes.text(power.knee, 283, f" knee {power.knee:.0f}", color=FAINT, fontsize=8)
    axes.set(title="Power against clock: measured and a + c f V²", xlabel="clock, MHz")
    axes.set(ylabel="W", ylim=(0, 300))
    axes.legend(fontsize=8, frameon=False, ncols=2, loc="lower right")
    dress(axes)


def draw_energy(axes: Axes) -> None:
    """Energy of one picture against the clock, as a multiple of that at the highest."""
    cases = (("V100", "resnet50", 1), ("V100", "resnet50", 16), ("V100", "alexnet", 1))
    cases += (("M40", "resnet50", 1), ("M40", "resnet50", 16))
    for colour, (card, served, batch) in zip(COLOURS, cases, strict=False):
        found = rows(gpu(card), network(served), [batch], _usable(card))
        energy = np.array([row.energy for row in found])
        style = "-" if card == "V100" else "--"
        label = f"{card}, {served}, batch {batch}"
        axes.plot(_usable(card), energy / energy[-1], style, color=colour, label=label)
    axes.axhline(1.0, color=FAINT, linewidth=0.8)
    axes.set(title="Energy while busy, of that at the highest clock", xlabel="clock, MHz")
    axes.legend(fontsize=8, frameon=False)
    dress(axes)


def _usable(card: str) -> np.ndarray:
    clocks = gpu(card).clocks
    return clocks[clocks >= 0.4 * clocks[-1]]


def draw_batches(axes: Axes, figure: str) -> None:
    """Time or power of a batch on the V100 SXM2 beside the published rows."""
    batches = [1, 2, 4, 8, 16, 24, 32, 48, 64]
    for colour, (served, published) in zip(COLOURS, IGNITER.items(), strict=False):
        found = rows(gpu("V100-SXM2"), network(served), batches, [1530.0])
        values = [1e3 * row.time if figure == "time" else row.power for row in found]
        axes.plot(batches, values, color=colour, label=f"{served}, model")
        column = 1 if figure == "time" else 2
        dots = [row[column] for row in published]
        label = f"{served}, i-Gniter"
        axes.plot([row[0] for row in published], dots, "o", color=colour, label=label)
    axes.set_xscale("log", base=2)
    axes.set_xticks(batches[::2], [str(batch) for batch in batches[::2]])
    title = "Time of a batch, ms" if figure == "time" else "Power, W (cap at 300)"
    axes.set(title=f"{title}: V100 SXM2 at 1530 MHz", xlabel="batch")
    if figure == "time":
        axes.set_yscale("log")
    else:
        axes.axhline(300.0, color=FAINT, linestyle=":", linewidth=1)
        axes.set_ylim(0, None)
    axes.legend(fontsize=8, frameon=False)
    dress(axes)


def draw_predicted(axes: Axes) -> None:
    """Predicted against true power of all units of networks that were left out."""
    for colour, served in zip(COLOURS, ("alexnet", "vgg16", "googlenet", "resnet50"), strict=False):
        truth = table_of(gpu("V100"), network(served), 64).power[:, [0, 3, 15, 63], ::6]
        believed = predicted_table(gpu("V100"), network(served), 64).power
        dots = believed[:, [0, 3, 15, 63], ::6]
        axes.plot(truth.ravel(), dots.ravel(), ".", color=colour, markersize=4, label=served)
    axes.plot([30, 330], [30, 330], color=FAINT, linewidth=1)
    axes.set(title="Units of a network that was left out, V100", xlabel="true power, W")
    axes.set(ylabel="predicted power, W", aspect="equal")
    axes.legend(fontsize=8, frameon=False)
    dress(axes)


def draw_learners(axes: Axes) -> None:
    """Errors of the learners, split at random and by what is left out whole."""
    with TABLE.open(encoding="utf-8") as file:
        found = {
            (r["rows"], r["learner"], r["split"]): float(r["mape"]) for r in csv.DictReader(file)
        }
    titles = list(dict.fromkeys(key[0] for key in found))
    learners = list(dict.fromkeys(key[1] for key in found))
    for place, title in enumerate(titles):
        for index, learner in enumerate(learners):
            if (title, learner, "random") not in found:
                continue
            at, colour = place + 0.14 * (index - 2.5), (*COLOURS[:5], TEAL)[index]
            left = 100.0 * found[title, learner, "left out"]
            label = learner if place == 0 else None
            axes.bar(at, left, 0.12, color=colour, alpha=0.45, label=label)
            axes.plot(at, 100.0 * found[title, learner, "random"], "_", color=INK, markersize=9)
    axes.set_xticks(range(len(titles)), [title.replace(" ", "\n", 1) for title in titles])
    axes.set(title="Error (MAPE, %): bars left out whole, dashes random tenths")
    axes.legend(fontsize=8, frameon=False, ncols=2)
    dress(axes)


if __name__ == "__main__":
    main()
