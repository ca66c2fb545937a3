"""The curve of a sweep: accuracy against energy, or against deadlines."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dsct_gym.atomic import write_bytes
from dsct_gym.fonts import cut, drawable, families_for
from dsct_gym.gantt import FAINT, INK
from dsct_gym.operator.savings import Saving
from dsct_gym.operator.sweep import Point
from dsct_gym.units import ENERGY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS: Final = ("#0b62c4", "#d1570a", "#3b8132", "#8b3fa8", "#8a6d00", "#333333")
MARKS: Final = ("o", "s", "^", "D", "v", "P")
_DPI = 120
_APART = 0.03
"""Share of the axis that the marks of two savings are apart, at least."""
_LONGEST = 28


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
    figure = Figure(figsize=(8.0, 5.0), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    along_deadlines = len({point.deadlines for point in points}) > 1
    unit = ENERGY.fitting(max(point.budget for point in points))
    scale = 1.0 / ENERGY.units[unit]
    names = list(dict.fromkeys(point.machines for point in points))
    for index, name in enumerate(names):
        mine = [point for point in points if point.machines == name]
        x = [point.deadlines if along_deadlines else point.budget * scale for point in mine]
        _draw_cluster(ax, x, mine, index, name if len(names) > 1 else "", solver)
    if len(names) == 1 and not along_deadlines:
        _mark_savings(ax, points, savings, scale)
    label = "deadlines, as a multiple of the instance's" if along_deadlines else f"energy ({unit})"
    ax.set_xlabel(label, color=INK)
    ax.set_ylabel(f"mean {measure}", color=INK)
    ax.grid(color="#e8e8e8", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(FAINT)
    ax.tick_params(colors=INK)
    shown = cut(drawable(title), 70)
    ax.set_title(
        shown, loc="left", fontsize=12, color=INK, fontfamily=families_for(shown), parse_math=False
    )
    legend = figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


def _draw_cluster(
    ax: Axes, x: list[float], points: list[Point], index: int, name: str, solver: str | None
) -> None:
    """The bound of one alternative as a line, its schedules as marks."""
    colour, mark = COLOURS[index % len(COLOURS)], MARKS[index % len(MARKS)]
    prefix = f"{cut(drawable(name), _LONGEST)}: " if name else ""
    alone: dict[str, Any] = {"marker": mark} if len(x) == 1 or solver is None else {}
    ax.plot(
        x,
        [point.mean_bound for point in points],
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


def _mark_savings(
    ax: Axes, points: Sequence[Point], savings: Sequence[Saving], scale: float
) -> None:
    """Where on the curve a loss is, and the energy saved there."""
    best = max(point.mean_bound for point in points)
    budgets = [point.budget for point in points]
    apart = _APART * (max(budgets) - min(budgets))
    last = max(budgets) + apart
    bottom = ax.get_ylim()[0]
    for saving in savings:
        energy = saving.bound_energy
        if saving.loss == 0.0 or energy is None or saving.bound_saved is None:
            continue
        if not min(budgets) <= energy <= last - apart:
            continue
        last, at = energy, energy * scale
        ax.vlines(at, bottom, (1.0 - saving.loss) * best, color=INK, linewidth=0.9)
        ax.annotate(
            f"{100 * saving.loss:g} % less accuracy: {100 * saving.bound_saved:.0f} % less energy",
            (at, bottom),
            xytext=(-3, 4),
            textcoords="offset points",
            rotation=90,
            ha="right",
            va="bottom",
            fontsize=8,
            color=INK,
        )
    ax.set_ylim(bottom=bottom)
