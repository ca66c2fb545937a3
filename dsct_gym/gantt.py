"""Gantt charts: machines as rows, tasks coloured by the accuracy reached, deadlines marked.

Where machines have several clocks, a task has a bar for each piece, as high as its clock is beside
the machine's fastest. Where tasks arrive over time, a mark below its row tells when a task came,
and a line from there how long it waited.

Drawn on `Figure` objects, never through pyplot, so it needs no display and leaves no state.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import FuncNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dsct_gym.arrays import Floats, Ints
from dsct_gym.atomic import write_bytes
from dsct_gym.figures import FAINT, INK, LATE, ORANGE
from dsct_gym.fonts import cells, cut, drawable, families_for
from dsct_gym.schedule import measures, releases, value
from dsct_gym.schedule_table import machine_use
from dsct_gym.tolerances import FEASIBILITY
from dsct_gym.units import ENERGY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dsct_gym.instance import Instance
    from dsct_gym.schedule import Schedule

ACCURACY_COLOURS: Final = "viridis"

_WIDTH = 11.0
_ROW = 0.52
_TOP, _BOTTOM, _RIGHT = 0.85, 0.60, 1.10
_LOWEST, _TALLEST = 1.0, 24.0
_DPI = 110
_BAR = (0.14, 0.80)
"""Where a bar lies in its row, as shares of it from the top; deadlines are ticked above it."""
_TICK = (-0.02, 0.12)
_WAIT = (0.85, 0.97)
"""Where it is marked when a task arrived and how long it waited, below the bars of its row."""
_WAITING: Final = ORANGE
_STRIP = 0.16
"""Height of the strip that marks lateness, as a share of a bar's."""
_LONGEST_NAME = 26
_FULL_CLOCK: Final = "#ececec"
"""What a task has above its bars: the clock that it leaves unused."""
_SMALLEST = 5.0
"""Size of the smallest labels, points."""
_SMALL = 7.0
"""Size of what stands under the names of machines, points."""
_EM = 0.65
"""Width of a character as a share of the font size, generously."""


class Chart(Figure):
    """A figure that a notebook shows as the value of a cell, as it shows those of pyplot."""

    def _repr_png_(self) -> bytes:
        return _rendered(self, "png")


class Bars(NamedTuple):
    """Bars to draw, of tasks or of their pieces.

    Attributes:
        task: Task of each (k,).
        start: In s (k,).
        finish: In s (k,).
        height: Share of the full height (k,), in [0, 1].
    """

    task: Ints
    start: Floats
    finish: Floats
    height: Floats

    @classmethod
    def of_tasks(cls, schedule: Schedule) -> Bars:
        """One of full height for each task that runs."""
        placed = np.flatnonzero(schedule.duration > 0.0)
        return cls(placed, schedule.start[placed], schedule.finish[placed], np.ones(placed.size))

    @classmethod
    def of(cls, schedule: Schedule) -> Bars:
        """One for each task that runs or, where machines have several clocks, for its pieces."""
        pieces = schedule.pieces
        if pieces is None:
            return cls.of_tasks(schedule)
        runs = (pieces.duration > 0.0) & (schedule.machine[pieces.task] >= 0)
        task, fastest = pieces.task[runs], schedule.instance.core.speeds
        return cls(
            task,
            pieces.start[runs],
            (pieces.start + pieces.duration)[runs],
            np.clip(pieces.speed[runs] / fastest[schedule.machine[task]], 0.0, 1.0),
        )

    @property
    def longest(self) -> Ints:
        """The longest bar of each task that has any."""
        order = np.argsort(self.start - self.finish, kind="stable")
        return np.asarray(order[np.unique(self.task[order], return_index=True)[1]])


def draw_gantt(schedule: Schedule) -> Figure:
    """Draws a schedule as a figure of its own.

    Args:
        schedule: What to draw.

    Returns:
        A figure; ``figure.savefig(path)`` or `save_gantt` writes it, and a notebook shows it.
    """
    instance = schedule.instance.core
    names = machine_labels(instance)
    rows = min(max(instance.num_machines * _ROW, _LOWEST), _TALLEST)
    height = _TOP + rows + _BOTTOM
    uses = _uses(schedule)
    left = 0.45 + max(0.085 * max(map(cells, names)), 0.066 * max(map(cells, uses)))
    figure = Chart(figsize=(_WIDTH, height), dpi=_DPI)
    FigureCanvasAgg(figure)
    ax = figure.add_axes(
        (left / _WIDTH, _BOTTOM / height, 1.0 - (left + _RIGHT) / _WIDTH, rows / height)
    )
    draw_gantt_axes(ax, schedule)
    if rows == instance.num_machines * _ROW:
        _tell_uses(figure, uses, left, height)
    strip = min(rows, 3.2)
    bar = figure.add_axes(
        (
            1.0 - (_RIGHT - 0.2) / _WIDTH,
            (_BOTTOM + (rows - strip) / 2) / height,
            0.16 / _WIDTH,
            strip / height,
        )
    )
    _draw_scale(figure, bar, accuracy_norm(instance), 1 + max(2, int(strip / 0.4)))
    _write_title(figure, schedule, left / _WIDTH, height)
    if schedule.pieces is not None:
        _draw_clocks(figure, left, height)
    if releases(schedule.instance) is not None:
        _tell_waiting(figure, left, height)
    return figure


def save_gantt(schedule: Schedule, path: str | Path) -> None:
    """Draws a schedule into a file, whole or not at all.

    Args:
        schedule: What to draw.
        path: The file; its suffix (png, svg, pdf) chooses the format.

    Raises:
        InputError: If the file cannot be written.
    """
    kind = Path(path).suffix.lstrip(".").lower() or "png"
    write_bytes(path, _rendered(draw_gantt(schedule), kind))


def _rendered(figure: Figure, kind: str) -> bytes:
    """A figure as a file of that kind."""
    content = io.BytesIO()
    figure.savefig(content, format=kind)
    return content.getvalue()


def draw_gantt_axes(ax: Axes, schedule: Schedule) -> None:
    """Draws the rows of a schedule into axes that are already placed in a figure.

    Bars take the colours of `accuracy_norm`, so that schedules of one instance compare; a task
    without work has no bar. Labels stand in the bars that they fit into.

    Args:
        ax: Axes; their size in pixels decides which labels fit.
        schedule: What to draw.
    """
    instance = schedule.instance.core
    scale, unit = time_scale(instance.horizon)
    # Where deadlines may be missed, machines may work beyond the latest.
    ax.set_xlim(0.0, max(instance.horizon, schedule.makespan) * scale * 1.01)
    ax.set_ylim(instance.num_machines, 0.0)
    _draw_rows(ax, instance)
    tasks, bars = Bars.of_tasks(schedule), Bars.of(schedule)
    colours = accuracy_colours(instance, schedule.accuracy[bars.task])
    widths = np.minimum(0.8, 0.1 * scale * _pixels_per_x(ax) * (tasks.finish - tasks.start))
    edges: dict[str, Any] = {"edgecolors": "white", "linewidths": widths}
    if schedule.pieces is None:
        _draw_bars(ax, schedule, tasks, facecolors=colours, zorder=2, **edges)
    else:  # tasks have edges, their pieces have none
        _draw_bars(ax, schedule, tasks, facecolors=_FULL_CLOCK, linewidths=0.0, zorder=1.5)
        _draw_bars(ax, schedule, bars, facecolors=colours, linewidths=0.0, zorder=2)
        _draw_bars(ax, schedule, tasks, facecolors="none", zorder=2.5, **edges)
    ax.add_collection(
        LineCollection(
            list(_ticks(instance.deadlines[tasks.task] * scale, schedule.machine[tasks.task])),
            colors=INK,
            linewidths=0.9 if tasks.task.size <= 300 else 0.4,
            zorder=3,
        )
    )
    _draw_waiting(ax, schedule, tasks)
    late = late_parts(schedule)
    if late.task.size:
        _draw_bars(ax, schedule, late, facecolors=LATE, linewidths=0.0, zorder=3)
    _label_bars(ax, schedule, bars, colours)
    ax.set_xlabel(f"time ({unit})", fontsize=9, color=INK)


def facts(schedule: Schedule) -> list[str]:
    """What a schedule reached, what it spent, and how many tasks it leaves out, in a few words."""
    instance = schedule.instance.core
    used = f"energy {_joules(schedule.energy)}"
    # A variant may have no budget; its core then has one that nothing can exceed.
    if getattr(schedule.instance, "budget", instance.energy_budget) is not None:
        used += f" of {_joules(instance.energy_budget)}"
        if instance.energy_budget > 0.0:
            used += f" ({schedule.energy / instance.energy_budget:.0%})".replace("%", " %")
    what, unit = ("value", 1) if measures(schedule) else ("mean accuracy", instance.num_tasks)
    reached = f"{what} {value(schedule) / unit:.4f}"
    if schedule.upper_bound is not None:
        reached += f" (at most {schedule.upper_bound / unit:.4f})"
    idle = int((schedule.duration <= 0.0).sum())
    left_out = [f"{idle} of {instance.num_tasks} tasks not run"] if idle else []
    return [reached, used, *left_out]


def accuracy_norm(instance: Instance) -> Normalize:
    """The scale of colours of an instance, the same for all its schedules.

    It moves from breakpoint to breakpoint of the accuracy curves in steps as even as can be, so
    that compression shows where a curve leaps to 0.75 at once and then creeps to 0.80. Curves with
    breakpoints equally spaced in accuracy give the plain linear scale.
    """
    values, uses = np.unique(instance.accuracy, return_counts=True)
    middle = np.cumsum(uses) - uses / 2.0
    if values.size < 2:
        return Normalize(values[0], values[0] + 1.0)
    place = (middle - middle[0]) / (middle[-1] - middle[0])

    def forward(accuracy: Floats) -> Floats:
        return np.asarray(np.interp(accuracy, values, place))

    def inverse(share: Floats) -> Floats:
        return np.asarray(np.interp(share, place, values))

    return FuncNorm((forward, inverse), vmin=values[0], vmax=values[-1])


def is_linear(norm: Normalize) -> bool:
    """Whether even steps of colour are even steps of accuracy."""
    steps = np.diff([float(norm.inverse(share)) for share in np.linspace(0.0, 1.0, 5)])
    return bool(np.allclose(steps, steps.mean(), rtol=0.05))


def accuracy_colours(instance: Instance, accuracy: Floats) -> Floats:
    """RGBA in [0, 1] (k, 4) of accuracies (k,) on the scale of the instance."""
    shades = colormaps[ACCURACY_COLOURS](accuracy_norm(instance)(accuracy))
    return np.asarray(shades, dtype=np.float64)


def machine_labels(instance: Instance) -> list[str]:
    """Names of the machines, ``machine r`` where there is none, long ones cut."""
    names = instance.machine_names or (None,) * instance.num_machines
    return [cut(name or f"machine {r}", _LONGEST_NAME) for r, name in enumerate(names)]


def _uses(schedule: Schedule) -> list[str]:
    """Utilisation and energy of each machine."""
    return [
        f"{use.utilisation:.0%} · {ENERGY.show(use.energy)}".replace("%", " %")
        for use in machine_use(schedule)
    ]


def _tell_uses(figure: Figure, uses: list[str], left: float, height: float) -> None:
    """Writes under each machine's name what it does, where rows have their full height."""
    top = height - _TOP
    for row, use in enumerate(uses):
        figure.text(
            (left - 0.05) / _WIDTH,
            (top - (row + _BAR[1]) * _ROW) / height,
            use,
            ha="right",
            va="center",
            fontsize=_SMALL,
            color=FAINT,
            parse_math=False,
        )


def _draw_rows(ax: Axes, instance: Instance) -> None:
    """Rows, their names and grid; every second or tenth name only where rows get too low."""
    rows = instance.num_machines
    row_points = ax.get_window_extent().height / rows * 72.0 / ax.figure.dpi
    every = max(1, int(np.ceil(9.0 / row_points)))
    for r in range(1, rows):
        ax.axhline(r, color="#e3e3e3", linewidth=0.7, zorder=0)
    middle = np.arange(0, rows, every) + sum(_BAR) / 2.0
    labels = [drawable(name) for name in machine_labels(instance)[::every]]
    ax.set_yticks(middle, labels=labels, parse_math=False, fontfamily=families_for(labels))
    ax.tick_params(axis="y", length=0, labelsize=9, colors=INK)
    ax.tick_params(axis="x", labelsize=8, colors=INK)
    ax.xaxis.set_major_locator(MaxNLocator(9))
    ax.grid(axis="x", color="#ededed", linewidth=0.7, zorder=0)
    ax.set_axisbelow(True)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.spines["bottom"].set_color(FAINT)


def _draw_bars(ax: Axes, schedule: Schedule, bars: Bars, **style: Any) -> None:
    """Draws bars in the rows of their machines."""
    scale, _ = time_scale(schedule.instance.core.horizon)
    machine = schedule.machine[bars.task]
    boxes = _boxes(bars.start * scale, bars.finish * scale, machine, bars.height)
    ax.add_collection(PolyCollection(list(boxes), **style))


def _boxes(start: Floats, finish: Floats, machine: Ints, height: Floats) -> Floats:
    """Corners (k, 4, 2) of the bars, which stand on the ground of their rows."""
    bottom = machine + _BAR[1]
    top = bottom - height * (_BAR[1] - _BAR[0])
    x = np.stack([start, finish, finish, start], axis=1)
    y = np.stack([bottom, bottom, top, top], axis=1)
    return np.stack([x, y], axis=2)


def late_parts(schedule: Schedule) -> Bars:
    """What tasks run for beyond their deadlines: a strip on the ground of their bars."""
    due = schedule.instance.core.deadlines
    late = np.flatnonzero((schedule.work > 0.0) & (schedule.finish > due * (1.0 + FEASIBILITY)))
    start, finish = np.maximum(schedule.start, due)[late], schedule.finish[late]
    return Bars(late, start, finish, np.full(late.size, _STRIP))


def _ticks(deadline: Floats, machine: Ints) -> Floats:
    """End points (k, 2, 2) of the ticks that mark deadlines above their row's bars."""
    x = np.stack([deadline, deadline], axis=1)
    y = np.stack([machine + _TICK[0], machine + _TICK[1]], axis=1)
    return np.stack([x, y], axis=2)


def _draw_waiting(ax: Axes, schedule: Schedule, bars: Bars) -> None:
    """Marks when tasks arrived and how long they waited; the more wait at once, the darker."""
    arrivals = releases(schedule.instance)
    if arrivals is None:
        return
    scale, _ = time_scale(schedule.instance.core.horizon)
    arrival, machine = arrivals[bars.task] * scale, schedule.machine[bars.task]
    middle = machine + sum(_WAIT) / 2.0
    waits = np.stack([arrival, middle, bars.start * scale, middle], axis=1).reshape(-1, 2, 2)
    common: dict[str, Any] = {"colors": _WAITING, "zorder": 3}
    ax.add_collection(
        LineCollection(list(waits), linewidths=2.5, alpha=0.3, capstyle="butt", **common)
    )
    marks = np.stack([arrival, machine + _WAIT[0], arrival, machine + _WAIT[1]], axis=1)
    ax.add_collection(LineCollection(list(marks.reshape(-1, 2, 2)), linewidths=0.9, **common))


def _label_bars(ax: Axes, schedule: Schedule, bars: Bars, colours: Floats) -> None:
    """Writes a task's name, or its index, into its longest bar where it fits."""
    core = schedule.instance.core
    names = core.task_names or (None,) * core.num_tasks
    row_pixels = ax.get_window_extent().height / core.num_machines * (_BAR[1] - _BAR[0])
    pixel = ax.figure.dpi / 72.0
    if 0.7 * row_pixels / pixel < _SMALLEST:
        return
    scale, _ = time_scale(core.horizon)
    pixels = (bars.finish - bars.start) * scale * _pixels_per_x(ax)
    sizes = np.minimum(8.0, 0.7 * bars.height * row_pixels / pixel)
    bright = colours[:, :3] @ np.array([0.299, 0.587, 0.114]) > 0.5
    for bar in bars.longest.tolist():
        j, size = int(bars.task[bar]), float(sizes[bar])
        text = names[j] or str(j)
        if size < _SMALLEST or (cells(text) + 0.8) * _EM * size * pixel > pixels[bar]:
            continue
        text = drawable(text)
        ax.text(
            (bars.start[bar] + bars.finish[bar]) / 2.0 * scale,
            schedule.machine[j] + _BAR[1] - bars.height[bar] * (_BAR[1] - _BAR[0]) / 2.0,
            text,
            fontsize=size,
            color=INK if bright[bar] else "white",
            ha="center",
            va="center_baseline",
            zorder=4,
            parse_math=False,
            fontfamily=families_for(text),
        )


def _draw_scale(figure: Figure, bar: Axes, norm: Normalize, count: int) -> None:
    """The colour bar, with ``count`` marks at even steps of colour."""
    steps = np.linspace(0.0, 1.0, count)
    marks = [float(norm.inverse(step)) for step in steps]
    digits = 2 if np.diff(marks).min() >= 0.02 else 3
    colour_bar = figure.colorbar(ScalarMappable(norm, ACCURACY_COLOURS), cax=bar)
    colour_bar.set_ticks(marks, labels=[f"{mark:.{digits}f}" for mark in marks])
    told = "accuracy" if is_linear(norm) else "accuracy (scale not linear)"
    bar.set_ylabel(told, fontsize=9, color=INK)
    bar.tick_params(labelsize=8, colors=INK)


def _draw_clocks(figure: Figure, left: float, height: float) -> None:
    """Tells what the heights of bars mean, below the rows on the left (inches)."""
    key = figure.add_axes((left / _WIDTH, 0.08 / height, 0.44 / _WIDTH, 0.18 / height))
    shares = (0.5, 0.75, 1.0)
    key.bar(range(len(shares)), [1.0] * len(shares), width=1.0, color=_FULL_CLOCK, ec="white")
    key.bar(range(len(shares)), shares, width=1.0, color=FAINT, ec="white")
    key.set_axis_off()
    figure.text(
        (left + 0.54) / _WIDTH,
        0.17 / height,
        "height of a bar: its clock, full at the machine's fastest",
        fontsize=8,
        va="center",
        ha="left",
        color=FAINT,
    )


def _tell_waiting(figure: Figure, left: float, height: float) -> None:
    """Tells what the marks below rows mean, below the rows on the left (inches)."""
    figure.text(
        left / _WIDTH,
        0.17 / height,
        "marks below a row: its tasks' arrivals, and how long they wait",
        fontsize=8,
        va="center",
        ha="left",
        color=_WAITING,
    )


def _write_title(figure: Figure, schedule: Schedule, left: float, height: float) -> None:
    """What was solved by whom, and what it reached, above the rows."""
    who = " — ".join(filter(None, (schedule.instance.name, schedule.solver)))
    title = cut(drawable(who or "schedule"), 80)
    parts = facts(schedule)
    common: dict[str, Any] = {"color": INK, "ha": "left", "parse_math": False}
    figure.text(
        left,
        1.0 - 0.30 / height,
        title,
        fontsize=12,
        fontweight="bold",
        fontfamily=families_for(title),
        va="center",
        **common,
    )
    figure.text(left, 1.0 - 0.57 / height, "   ·   ".join(parts), fontsize=9, va="center", **common)
    figure.text(
        1.0 - _RIGHT / _WIDTH,
        0.17 / height,
        "ticks above a row: its tasks' deadlines" + _key_to_lateness(schedule),
        fontsize=8,
        va="center",
        **{**common, "ha": "right", "color": FAINT},
    )


def _key_to_lateness(schedule: Schedule) -> str:
    """What the strips mean, where there are any."""
    return "; red: late" if late_parts(schedule).task.size else ""


def time_scale(horizon: float) -> tuple[float, str]:
    """Factor and unit in which times up to ``horizon`` seconds read well."""
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if horizon * factor >= 1.0:
            return factor, unit
    return 1e9, "ns"


def _joules(energy: float) -> str:
    for factor, unit in ((1e9, "GJ"), (1e6, "MJ"), (1e3, "kJ")):
        if energy >= factor:
            return f"{energy / factor:.4g} {unit}"
    return f"{energy:.4g} J"


def _pixels_per_x(ax: Axes) -> float:
    low, high = ax.get_xlim()
    return float(ax.get_window_extent().width / (high - low))
