"""The curve of a sweep: accuracy against energy, or against deadlines."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dsct_gym.atomic import write_bytes
from dsct_gym.figures import COLOURS, FAINT, INK, MARKS, dress, new_figure
from dsct_gym.fonts import cut, drawable, families_for
from dsct_gym.operator.savings import Saving
from dsct_gym.operator.sweep import Point
from dsct_gym.units import ENERGY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LONGEST = 28
_STEP: Final = 0.075
"""Share of the height of the axes from the arrow of one saving to that of the next."""
_BEFORE: Final = 0.45
"""Share of the width up to which a saving is told on its arrow, beyond it before the arrow."""


def save_curve(
    points: Sequence[Point],
    path: Path,
    *,
    title: str,
    solver: str | None,
    savings: Sequence[Saving] = (),
    measure: str = "accuracy",
) -> None:
    """Draws a sweep into a file, whole or not at all.

    Args:
        points: Of one alternative or several, along budgets or along deadlines.
        path: The file; its suffix (png, svg, pdf) chooses the format.
        title: What stands above it.
        solver: What found the schedules; None where there are bounds alone.
        savings: What is marked on the curve where there is one alternative.
        measure: What the points measure.

    Raises:
        InputError: If the file cannot be written.
    """
    figure = draw_curve(points, title=title, solver=solver, savings=savings, measure=measure)
    content = io.BytesIO()
    figure.savefig(content, format=path.suffix.lstrip(".").lower() or "png")
    write_bytes(path, content.getvalue())


def draw_curve(
    points: Sequence[Point],
    *,
    title: str,
    solver: str | None,
    savings: Sequence[Saving] = (),
    measure: str = "accuracy",
) -> Figure:
    """Draws a sweep as `save_curve` does, as a figure of its own."""
    figure = new_figure(8.0, 5.0)
    ax = figure.add_subplot()
    along_deadlines = len({point.deadlines for point in points}) > 1
    unit = ENERGY.fitting(max(point.budget for point in points))
    scale = 1.0 / ENERGY.units[unit]
    names = list(dict.fromkeys(point.machines for point in points))
    marks = [] if len(names) > 1 or along_deadlines else _marks(points, savings, scale)
    for index, name in enumerate(names):
        mine = [point for point in points if point.machines == name]
        x = [point.deadlines if along_deadlines else point.budget * scale for point in mine]
        _draw_cluster(ax, x, mine, index, name if len(names) > 1 else "", solver, marks)
    if marks:
        whole = max(points, key=lambda point: point.budget)
        _mark_savings(ax, marks, whole.budget * scale, whole.mean_bound)
    dress(ax)
    label = "deadlines, as a multiple of the instance's" if along_deadlines else f"energy ({unit})"
    ax.set_xlabel(label)
    ax.set_ylabel(f"mean {measure}")
    shown = cut(drawable(title), 70)
    ax.set_title(
        shown, loc="left", fontsize=12, color=INK, fontfamily=families_for(shown), parse_math=False
    )
    legend = figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


class _Mark(NamedTuple):
    """Where on the curve a saving is.

    Attributes:
        saving: What is told of it.
        at: Energy, in the unit of the axis.
        height: Mean accuracy.
    """

    saving: Saving
    at: float
    height: float


def _marks(points: Sequence[Point], savings: Sequence[Saving], scale: float) -> list[_Mark]:
    """The savings within a sweep of energy, the least loss first."""
    whole = max(points, key=lambda point: point.budget)
    least = min(point.budget for point in points)
    return [
        _Mark(saving, saving.bound_energy * scale, (1.0 - saving.loss) * whole.mean_bound)
        for saving in sorted(savings, key=lambda saving: saving.loss)
        if saving.loss > 0.0
        and saving.bound_saved is not None
        and saving.bound_energy is not None
        and least <= saving.bound_energy < whole.budget
    ]


def _draw_cluster(
    ax: Axes,
    x: list[float],
    points: list[Point],
    index: int,
    name: str,
    solver: str | None,
    marks: Sequence[_Mark],
) -> None:
    """The bound of one alternative as a line, through marks on it too, its schedules as dots."""
    colour, mark = COLOURS[index % len(COLOURS)], MARKS[index % len(MARKS)]
    prefix = f"{cut(drawable(name), _LONGEST)}: " if name else ""
    alone: dict[str, Any] = {"marker": mark} if len(x) == 1 or solver is None else {}
    line = [(at, point.mean_bound) for at, point in zip(x, points, strict=True)]
    line = sorted([*line, *((mark.at, mark.height) for mark in marks)])
    ax.plot(
        [at for at, _ in line],
        [height for _, height in line],
        color=colour,
        linewidth=1.6,
        label=f"{prefix}upper bound",
        **alone,
    )
    if solver is not None:
        ax.plot(
            x,
            [point.mean_value or 0.0 for point in points],
            mark,
            color=colour,
            markersize=5,
            markeredgecolor="white",
            label=f"{prefix}{cut(drawable(solver), _LONGEST)}",
        )


def _mark_savings(ax: Axes, marks: Sequence[_Mark], end: float, best: float) -> None:
    """Rings on the curve where a loss is, and from each an arrow as long as the energy saved.

    The arrows begin at the whole budget, ``end``; the least loss has the lowest, so that what is
    told before an arrow crosses no other's line.
    """
    _make_room(ax, min(mark.height for mark in marks), len(marks))
    low, high = ax.get_ylim()
    left, right = ax.get_xlim()
    ax.vlines(end, low, best, color=FAINT, linewidth=0.9, linestyles="dotted")
    for place, (saving, at, height) in enumerate(marks):
        level = low + (high - low) * _STEP * (place + 0.55)
        ax.vlines(at, level, height, color=FAINT, linewidth=0.9, linestyles="dotted")
        ax.plot(at, height, "o", color=INK, markersize=8, markerfacecolor="none", zorder=4)
        ax.annotate(
            "",
            (at, level),
            xytext=(end, level),
            arrowprops={"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0},
        )
        early = (at - left) / (right - left) < _BEFORE
        ax.annotate(
            f"{100 * saving.loss:g} % less accuracy: {100 * (saving.bound_saved or 0.0):.0f} % "
            "less energy",
            ((at + end) / 2.0 if early else at, level),
            xytext=(0, 3) if early else (-5, 0),
            textcoords="offset points",
            ha="center" if early else "right",
            va="bottom" if early else "center",
            fontsize=8.5,
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )


def _make_room(ax: Axes, lowest: float, arrows: int) -> None:
    """Lowers the axes until as many arrows fit below the lowest ring."""
    low, high = ax.get_ylim()
    share = min(0.8, _STEP * (arrows + 0.5))
    ax.set_ylim(min(low, (lowest - share * high) / (1.0 - share)), high)
