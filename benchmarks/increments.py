"""The picture of docs/algorithms.md: the clocks of a machine, their hull, and its edges.

    python -m benchmarks.increments [-o docs/images/increments.png]

The clocks are those measured of one card of the catalogue.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from dsct_gym.catalog.clocks import clocks
from dsct_gym.catalog.hardware import device
from dsct_gym.figures import BLUE, FAINT, INK, ORANGE, dress, new_figure
from dsct_gym.points import OperatingPoints

DEVICE: Final = "Quadro-RTX-6000"
COLOURS: Final = ("#0b3d78", BLUE, "#4d94e0", ORANGE, "#e88a45", "#f0b184")


def measured() -> OperatingPoints:
    """The clocks of the card."""
    found = clocks(DEVICE)
    speeds = np.array([clock.share for clock in found]) * device(DEVICE).speed
    return OperatingPoints(speeds, np.array([clock.power_watts for clock in found]))


def picture(points: OperatingPoints) -> Figure:
    """Speed against power, with the edges named by what they add."""
    figure = new_figure(8.0, 4.4)
    ax = figure.subplots()
    powers = np.append(0.0, points.powers[points.hull])
    speeds = np.append(0.0, points.speeds[points.hull]) / 1e3
    for k, colour in zip(range(powers.size - 1), COLOURS, strict=False):
        gained, drawn = speeds[k + 1] - speeds[k], powers[k + 1] - powers[k]
        label = f"{k + 1}: {1e3 * gained:,.0f} GFLOP/s at {1e3 * gained / drawn:.1f} GFLOP/J"
        ax.plot(powers[k : k + 2], speeds[k : k + 2], color=colour, linewidth=2.6, label=label)
    ax.plot(powers, speeds, "o", color=INK, markersize=5.5)
    above = np.setdiff1d(np.arange(points.size), points.hull)
    ax.plot(
        points.powers[above],
        points.speeds[above] / 1e3,
        "o",
        markerfacecolor="white",
        markeredgecolor=FAINT,
        markersize=6,
        label="never used: a mix takes less power",
    )
    ax.annotate("stands still", (0.0, 0.0), (9.0, 0.05), fontsize=9, va="bottom")
    ax.set_xlim(-4.0, 1.04 * powers[-1])
    ax.set_ylim(-0.12, 1.06 * speeds[-1])
    ax.set_xlabel("power while busy, W")
    ax.set_ylabel("speed, TFLOP/s")
    ax.set_title(f"Clocks of a {DEVICE}: increments, cheapest first", fontsize=11)
    ax.legend(loc="lower right", frameon=False, fontsize=9, title="increment")
    dress(ax)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/images/increments.png"))
    picture(measured()).savefig(parser.parse_args().output)


if __name__ == "__main__":
    main()
