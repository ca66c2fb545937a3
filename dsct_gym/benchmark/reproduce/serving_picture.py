"""The picture of the experiment on serving: agents by process, and the parts of `eali`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from dsct_gym.benchmark.reproduce.serving_cells import GPUS, PROCESSES
from dsct_gym.figures import BLUE, FAINT, GREY, INK, ORANGE, dress, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

SHOWN: Final = (
    "fmax-b1",
    "fmax-greedy",
    "batch-timeout",
    "dvfs-greedy",
    "eais",
    "eali",
    "replan",
    "rl-service",
    "smdp",
    "oracle",
)
TITLES: Final = {"poisson": "Poisson", "bursty": "Bursts", "trace": "Azure trace"}
COLOURS: Final = {"V100": BLUE, "M40": ORANGE}

_RANGE: Final = (0.6, 1.42)


def draw(
    compared: Mapping[tuple[str, str, str], Sequence[float]],
    ablated: Mapping[str, Sequence[tuple[str, float]]],
) -> Figure:
    """Above the agents, a panel for each process; below the parts of `eali`.

    Args:
        compared: Energy over that of `static` in each cell, by process, agent and card.
        ablated: Card and energy over that of `eali` as it is in each cell, by variant.
    """
    figure = new_figure(12.8, 8.6)
    grid = figure.add_gridspec(2, len(PROCESSES), height_ratios=(1.0, 1.05))
    for column, kind in enumerate(PROCESSES):
        ax = _axes(figure, grid[0, column], SHOWN)
        _draw_agents(ax, compared, kind)
        if column > 0:
            ax.set_yticklabels([])
    _draw_parts(_axes(figure, grid[1, :], list(ablated)), ablated)
    return figure


def _axes(figure: Figure, place: SubplotSpec, names: Sequence[str]) -> Axes:
    """Axes with a row for each name, the first at the top."""
    ax: Axes = figure.add_subplot(place)
    dress(ax)
    ax.grid(visible=False, axis="y")
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.axvline(1.0, color=FAINT, linestyle=":")
    return ax


def _draw_agents(
    ax: Axes, compared: Mapping[tuple[str, str, str], Sequence[float]], kind: str
) -> None:
    """Every cell as a dot; what is beyond the range is told in numbers."""
    for row, agent in enumerate(SHOWN):
        beyond = []
        for side, gpu in enumerate(GPUS):
            found = np.array(compared.get((kind, agent, gpu), ()))
            if found.size == 0:
                continue
            at = row + 0.34 * (side - 0.5)
            inside = found[found <= _RANGE[1]]
            ax.plot(inside, np.full(inside.size, at), "o", color=COLOURS[gpu], alpha=0.3, ms=4)
            mean = float(found.mean())
            if mean <= _RANGE[1]:
                ax.plot([mean], [at], "|", color=COLOURS[gpu], ms=13, mew=2.5)
            else:
                beyond.append(f"{gpu} {mean:.1f}")
        if beyond:
            told = f"mean {', '.join(beyond)} →"
            ax.text(_RANGE[1], row - 0.42, told, ha="right", va="center", fontsize=8)
        if not any(compared.get((kind, agent, gpu)) for gpu in GPUS):
            why = "for Poisson only" if agent == "smdp" else "never meets it"
            ax.text(_RANGE[0] + 0.02, row, why, va="center", fontsize=8, color=GREY)
    for gpu in GPUS:
        ax.plot([], [], "o", color=COLOURS[gpu], label=gpu)
    ax.set_xlim(*_RANGE)
    ax.set_xlabel("energy over that of static; | mean")
    ax.set_title(f"{TITLES[kind]}, where both meet the objective", fontsize=10)
    if kind == PROCESSES[0]:
        ax.legend(frameon=False, loc="upper left")


def _draw_parts(ax: Axes, ablated: Mapping[str, Sequence[tuple[str, float]]]) -> None:
    """Each cell as a dot, and the mean of all in numbers."""
    low, high = 0.84, 1.3
    for row, pairs in enumerate(ablated.values()):
        for gpu, over in pairs:
            at = row + 0.3 * (GPUS.index(gpu) - 0.5)
            ax.plot([min(over, high)], [at], "o", color=COLOURS[gpu], alpha=0.45, ms=5)
        ratio = [over for _, over in pairs]
        mean = float(np.mean(ratio))
        if mean <= high:
            ax.plot([mean], [row], "|", color=INK, ms=16, mew=2)
        ax.text(high + 0.006, row, f"{mean - 1.0:+.1%}", va="center", fontsize=8)
        if max(ratio) > high:
            told = f"up to {max(ratio):.1f} times →"
            ax.text(high - 0.006, row, told, ha="right", va="center", fontsize=8)
    ax.set_xlim(low, high)
    ax.set_xlabel("energy a request over that of eali as it is; | and number: mean")
    ax.set_title(
        "eali without one of its parts, or in another world: "
        "AlexNet and ResNet-50, Poisson at 80 %, bursty at 50 %",
        fontsize=10,
    )
