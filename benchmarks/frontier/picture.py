"""The picture: quality against time, one panel for each size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.frontier.measuring import APPROX, CLASSICAL, POLICY
from benchmarks.frontier.results import Results
from dsct_gym.benchmark.statistics import Interval

BLUE, ORANGE = "#0b62c4", "#d1570a"


def picture(results: Sequence[Results]) -> Figure:
    figure = Figure(figsize=(11.0, 7.6), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    for place, result in enumerate(results):
        draw_panel(figure.add_subplot(math.ceil(len(results) / 2), 2, place + 1), result)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False, fontsize=11)
    figure.supxlabel("CPU seconds for an instance, relaxation and start included")
    figure.supylabel("share of the gap from approx-refined to the best known that is closed")
    return figure


def draw_panel(ax: Axes, result: Results) -> None:
    floor = float(result.plain(APPROX, "seconds").mean())
    curves = []
    for names in (CLASSICAL, (POLICY,)):
        curve = [(floor, Interval(0.0, 0.0, 0.0))] if names is CLASSICAL else []
        for amount in result.case.times:
            if names is CLASSICAL or amount >= 1.0:
                _, found = result.side(names, "times", amount)
                if found["moves"].mean() > 0 or names is not CLASSICAL:
                    curve.append((float(found["seconds"].mean()), result.closed(found["accuracy"])))
        curves.append(curve)
    for curve, colour, label in zip(
        curves,
        (ORANGE, BLUE),
        ("annealing from the best classical start", "policy, then annealing"),
        strict=True,
    ):
        x = [seconds for seconds, _ in curve]
        band = [np.array([getattr(share, end) for _, share in curve]) for end in ("low", "high")]
        ax.fill_between(x, *band, color=colour, alpha=0.13, linewidth=0)
        y = [share.mean for _, share in curve]
        ax.plot(x, y, "-o", color=colour, markersize=4, linewidth=1.8, label=label)
    seconds, share = curves[1][0]
    ax.plot(seconds, share.mean, "*", color=BLUE, markersize=15, label="policy alone")
    ax.set_xscale("log")
    ax.set_ylim(-0.03, 1.03)
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    ax.xaxis.set_major_formatter(
        lambda value, _: f"{1e3 * value:g} ms" if value < 1 else f"{value:g} s"
    )
    ax.grid(color="#e8e8e8", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_title(f"{result.case.n:,} tasks, {result.case.m} machines", fontsize=11)
