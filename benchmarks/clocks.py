"""What setting clocks is worth: accuracy against the energy budget, and the energy saved.

    python -m benchmarks.clocks [--quick] [-o docs/images/clocks.png]

30 requests of a real model family on three real devices with six measured clocks each, under
tight and loose deadlines, in three ways to run: every machine at full clock; every machine at one
clock, the best of all combinations for that budget; and every machine at all its clocks, changed
while tasks run. Of the combinations the three best by the fractional bound are solved. All are
solved by `annealing` with the same number of moves. The saving at a budget of full clock is how
much less energy the same accuracy takes; curves are linear between their budgets. Prints the table
of docs/algorithms.md and writes the picture, in some minutes.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.progress import track

from dsct_gym import generate, make_solver
from dsct_gym.arrays import Floats
from dsct_gym.benchmark.statistics import Interval, mean_interval
from dsct_gym.figures import BLUE, GREY, ORANGE, dress, new_figure
from dsct_gym.instance import Instance
from dsct_gym.points import DvfsInstance, OperatingPoints
from dsct_gym.points.generator import measured_points
from dsct_gym.problem import Problem
from dsct_gym.relaxation import upper_bound

DEVICES: Final = "V100,A40,Quadro-RTX-6000"
FAMILY: Final = "ofa-resnet50"
TASKS: Final = 30
CLOCKS: Final = 6
DEADLINES: Final = {"tight deadlines (ρ = 0.35)": 0.35, "loose deadlines (ρ = 1.2)": 1.2}
BUDGETS: Final = np.geomspace(0.03, 0.9, 17).round(3)
SEEDS: Final = 10
MOVES: Final = 10_000
FINALISTS: Final = 3
SAME: Final = 1e-4
"""Accuracy up to which two are the same, so that a level curve is not read far to the right."""
FULL, SINGLE, ALL = "full clock", "best single clock", "all clocks"
MODES: Final = (FULL, SINGLE, ALL)
COLOURS: Final = {FULL: GREY, SINGLE: ORANGE, ALL: BLUE}
TOLD: Final = (4, 7, 9, 10, 11, 13, 15, 16)
"""Which budgets the table has."""


class Measured(NamedTuple):
    """What one kind of deadlines gave.

    Attributes:
        title: Which deadlines.
        budgets: Energy budgets, as shares of all machines at full clock to the end (b,).
        accuracy: Mean accuracy of each way to run (seeds, b).
    """

    title: str
    budgets: Floats
    accuracy: dict[str, Floats]

    def saved(self, mode: str) -> Floats:
        """Share of the energy of full clock that the same accuracy takes less (seeds, b).

        NaN where the least budget already gives more, or the largest not enough.
        """
        pairs = zip(self.accuracy[FULL], self.accuracy[mode], strict=True)
        return np.array(
            [
                1.0 - self._needed(own, full - SAME) / self._needed(full, full - SAME)
                for full, own in pairs
            ]
        )

    def _needed(self, curve: Floats, levels: Floats) -> Floats:
        """The least budgets at which a curve reaches some accuracies (b,)."""
        rising = np.maximum.accumulate(curve)
        at = np.minimum(np.searchsorted(rising, levels), rising.size - 1)
        reached = (levels >= rising[0]) & (levels <= rising[-1])
        before = np.maximum(at - 1, 0)
        rise = np.where(reached, rising[at] - rising[before], np.nan)
        part = np.divide(levels - rising[before], rise, out=rise * 0.0 + 1.0, where=rise > 0.0)
        return self.budgets[before] + np.clip(part, 0.0, 1.0) * (
            self.budgets[at] - self.budgets[before]
        )


def measure(title: str, rho: float, budgets: Floats, seeds: int) -> Measured:
    """Solves every seed at every budget in every way."""
    accuracy = {mode: np.zeros((seeds, budgets.size)) for mode in MODES}
    for seed in track(range(seeds), description=title):
        tasks = generate(
            TASKS, devices=DEVICES, family=FAMILY, mu=8.0, rho=rho, beta=1.0, seed=seed
        )
        whole = measured_points(tasks, CLOCKS)
        for place, share in enumerate(budgets):
            problem = with_budget(whole, share * whole.core.energy_budget)
            singles = combinations(problem)
            best = np.argsort([-upper_bound(each) for each in singles])[:FINALISTS]
            full = solved(problem.core)
            accuracy[FULL][seed, place] = full
            accuracy[SINGLE][seed, place] = max(full, *(solved(singles[index]) for index in best))
            accuracy[ALL][seed, place] = solved(problem)
    return Measured(title, budgets, accuracy)


def with_budget(problem: DvfsInstance, joules: float) -> DvfsInstance:
    """The problem with another energy budget."""
    return DvfsInstance(replace(problem.core, energy_budget=joules), problem.points)


def combinations(problem: DvfsInstance) -> list[Instance]:
    """The problem with every machine at one of its clocks, for every combination."""
    single = [
        [
            OperatingPoints(points.speeds[k : k + 1], points.powers[k : k + 1])
            for k in range(points.size)
        ]
        for points in problem.points
    ]
    return [DvfsInstance.of(problem.core, chosen).core for chosen in product(*single)]


def solved(problem: Problem) -> float:
    """Mean accuracy of the best schedule found."""
    schedule = make_solver("annealing", moves=MOVES).solve(problem, seed=0).schedule
    return schedule.total_accuracy / problem.core.num_tasks


def table(results: list[Measured]) -> str:
    """Accuracies and savings at some budgets, as Markdown."""
    lines = [
        "| deadlines | budget | full clock | best single | all clocks | saved: single | all |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for result in results:
        for place in TOLD:
            cells = [result.title.split()[0], f"{100 * result.budgets[place]:.0f} %"]
            cells += [f"{result.accuracy[mode][:, place].mean():.4f}" for mode in MODES]
            cells += [f"{100 * result.saved(mode)[:, place].mean():.0f} %" for mode in MODES[1:]]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def picture(results: list[Measured]) -> Figure:
    """Accuracy above, energy saved below, one column for each kind of deadlines."""
    figure = new_figure(10.0, 6.4)
    axes = figure.subplots(2, len(results), sharex=True, squeeze=False, height_ratios=(3, 2))
    for (upper, lower), result in zip(axes.T, results, strict=True):
        upper.set_title(result.title, fontsize=11)
        draw(upper, result.budgets, {mode: result.accuracy[mode] for mode in MODES})
        draw(lower, result.budgets, {mode: 100.0 * result.saved(mode) for mode in MODES[1:]})
        lower.set_xlabel("energy budget, % of all machines at full clock to the end")
        lower.set_ylim(0.0, 27.0)
        lower.set_xscale("log")
        lower.set_xticks([3, 5, 10, 20, 30, 50, 90])
        lower.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        lower.xaxis.set_minor_formatter(lambda *_: "")
    axes[0, 0].set_ylabel("mean accuracy")
    axes[1, 0].set_ylabel("energy saved\nat equal accuracy, %")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False, fontsize=11)
    return figure


def draw(ax: Axes, budgets: Floats, curves: dict[str, Floats]) -> None:
    """Means over seeds with their bootstrap intervals."""
    for mode, every in curves.items():
        told = ~np.isnan(every).any(axis=0)
        spans: list[Interval] = [mean_interval(column) for column in every[:, told].T]
        x, colour = 100.0 * budgets[told], COLOURS[mode]
        band = [span.low for span in spans], [span.high for span in spans]
        ax.fill_between(x, *band, color=colour, alpha=0.13, linewidth=0)
        mean = [span.mean for span in spans]
        style = {"dashes": (3, 2), "zorder": 3} if mode == SINGLE else {}
        ax.plot(x, mean, "o", color=colour, markersize=3.5)
        ax.plot(x, mean, color=colour, linewidth=1.8, label=mode, **style)
    dress(ax)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="two seeds")
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/images/clocks.png"))
    given = parser.parse_args()
    seeds = 2 if given.quick else SEEDS
    results = [measure(title, rho, BUDGETS, seeds) for title, rho in DEADLINES.items()]
    print(table(results))
    picture(results).savefig(given.output)


if __name__ == "__main__":
    main()
