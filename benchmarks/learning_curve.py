"""The picture of docs/training.md: what is learned, from the logs in docs/training-runs/.

    python -m benchmarks.learning_curve [-o docs/images/learning-curve.png]

On the left `dsct-gym train --config quick`, on the right `--config shipped`, each with seeds 0, 1
and 2: thin lines are seeds, thick ones their mean.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dsct_gym.arrays import Floats
from dsct_gym.figures import BLUE, COLOURS, INK, dress, new_figure

RUNS: Final = Path(__file__).resolve().parents[1] / "docs" / "training-runs"
SEEDS: Final = (0, 1, 2)


class Logs(NamedTuple):
    """The logs of the seeds of one configuration.

    Attributes:
        steps: Steps at the evaluations that all seeds have (e,).
        columns: What was logged there, by name (seeds, e) each.
    """

    steps: Floats
    columns: dict[str, Floats]

    @classmethod
    def of(cls, name: str) -> Logs:
        """Those of a configuration."""
        logs = []
        for seed in SEEDS:
            with (RUNS / f"{name}-seed{seed}.csv").open(newline="", encoding="utf-8") as file:
                logs.append(list(csv.DictReader(file)))
        length = min(map(len, logs))
        columns = {
            column: np.array([[float(row[column]) for row in log[:length]] for log in logs])
            for column in logs[0][0]
        }
        return cls(columns["step"][0], columns)


def picture() -> Figure:
    """Both runs side by side."""
    figure = new_figure(11.0, 4.4)
    left, right = figure.subplots(1, 2)
    draw_quick(left, Logs.of("quick"))
    draw_shipped(right, Logs.of("shipped"))
    return figure


def draw_quick(ax: Axes, logs: Logs) -> None:
    """Mean accuracy below the best known, on a logarithmic scale, beside `approx-refined`."""
    accuracy, closed = logs.columns["accuracy"], logs.columns["mean"]
    # Accuracy is linear in the share closed: 0 is approx-refined, 1 the best known.
    slope, start = np.polyfit(closed.ravel(), accuracy.ravel(), 1)
    below = 100.0 * (start + slope - accuracy) / (start + slope)
    _draw_seeds(ax, logs.steps, below, BLUE, "PPO")
    ax.axhline(100.0 * slope / (start + slope), color=INK, linestyle=":", label="approx-refined")
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.set_xlabel("steps")
    ax.set_ylabel("mean accuracy below the best known, %")
    ax.set_title("quick: 20 tasks, 3 machines, seconds", fontsize=11)
    ax.legend(frameon=False)
    dress(ax)


def draw_shipped(ax: Axes, logs: Logs) -> None:
    """Share of the gap closed in one pass, by size."""
    sizes = [name for name in logs.columns if "x" in name]
    for size, colour in zip(sizes, COLOURS, strict=False):
        label = size.replace("x", " × ")
        _draw_seeds(ax, logs.steps, 100.0 * logs.columns[size], colour, label)
    ax.set_xlabel("steps")
    ax.set_ylabel("share of the gap closed in one pass, %")
    ax.set_title("shipped: the policy that ships, ten minutes", fontsize=11)
    ax.legend(frameon=False, ncols=4, fontsize=9, loc="lower right", title="tasks × machines")
    dress(ax)


def _draw_seeds(ax: Axes, steps: Floats, values: Floats, colour: str, label: str) -> None:
    for seed in values:
        ax.plot(steps, seed, color=colour, linewidth=0.7, alpha=0.35)
    ax.plot(steps, values.mean(axis=0), color=colour, linewidth=2.2, label=label)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/images/learning-curve.png"))
    picture().savefig(parser.parse_args().output)


if __name__ == "__main__":
    main()
