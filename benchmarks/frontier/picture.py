"""The picture: quality against time, one panel for each size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.frontier.measuring import ONE, POLICY, THREE, TRAINED, UNTRAINED
from benchmarks.frontier.results import Results, Way, span
from dsct_gym.figures import BLUE, ORANGE, dress, new_figure


def picture(results: Sequence[Results]) -> Figure:
    figure = new_figure(11.0, 7.6)
    for place, result in enumerate(results):
        draw_panel(figure.add_subplot(math.ceil(len(results) / 2), 2, place + 1), result)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False, fontsize=11)
    figure.supxlabel("CPU seconds for an instance, relaxation and start included")
    figure.supylabel("share of the gap from approx-refined to the best known that is closed")
    return figure


def draw_panel(ax: Axes, result: Results) -> None:
    for ways, colour, label in (
        (UNTRAINED, ORANGE, "the best untrained: descent, then annealing"),
        (TRAINED, BLUE, "the best with something learned"),
    ):
        draw_side(ax, result, ways, colour, label)
    for start, mark, colour in ((POLICY, "*", BLUE), (ONE, "D", ORANGE), (THREE, "s", ORANGE)):
        share = result.closed(result.plain(start)).mean
        name = start if start != POLICY else "policy, 1 pass"
        ax.plot(
            result.plain(start, "seconds").mean(),
            share,
            mark,
            color=colour,
            markersize=13 if mark == "*" else 7,
            markeredgecolor="white",
            label=name,
        )
    ax.set_xscale("log")
    ax.set_ylim(0.6, 1.0)
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    times = [passes * result.unit for passes in result.case.times]
    ax.set_xticks(times, [span(seconds) for seconds in times])
    ax.minorticks_off()
    dress(ax)
    ax.set_title(f"{result.case.n:,} tasks, {result.case.m} machines", fontsize=11)


def draw_side(ax: Axes, result: Results, ways: Sequence[Way], colour: str, label: str) -> None:
    """What the best way of a side reaches in the times that there are, with its interval."""
    curve = []
    for passes in result.case.times:
        _, found = result.side(ways, passes)
        curve.append((passes * result.unit, result.closed(found["accuracy"])))
    x = [seconds for seconds, _ in curve]
    band = [np.array([getattr(share, end) for _, share in curve]) for end in ("low", "high")]
    ax.fill_between(x, *band, color=colour, alpha=0.13, linewidth=0)
    y = [share.mean for _, share in curve]
    ax.plot(x, y, "-o", color=colour, markersize=4, linewidth=1.8, label=label)
