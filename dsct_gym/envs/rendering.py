"""Frames of an episode: the schedule as it grows, the task at hand, accuracy and energy so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from dsct_gym.arrays import Floats
from dsct_gym.envs.scene import Scene, as_time
from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dsct_gym.schedule import Schedule

RENDER_MODES: Final = ("rgb_array", "human", "ansi")

_WIDTH, _HEIGHT = 960, 544
_DPI = 100
_COLUMNS = 60


class Renderer:
    """Draws episodes in one of `RENDER_MODES`.

    Args:
        mode: The render mode.
        fps: Frames per second of the window.
    """

    def __init__(self, mode: str, fps: int) -> None:
        self._mode, self._fps = mode, fps
        self._window: Any = None

    def render(self, scene: Scene) -> npt.NDArray[np.uint8] | str | None:
        """A frame (H, W, 3), the same as text, or None when it went to the window."""
        if self._mode == "ansi":
            return draw_text(scene)
        frame = draw_frame(scene)
        if self._mode == "rgb_array":
            return frame
        self._show(frame)
        return None

    def _show(self, frame: npt.NDArray[np.uint8]) -> None:
        try:
            import pygame
        except ImportError as error:
            raise InputError("render_mode: 'human' needs pygame (extra: render)") from error
        if self._window is None:
            pygame.display.init()
            pygame.display.set_caption("dsct-gym")
            self._window = pygame.display.set_mode((frame.shape[1], frame.shape[0]))
        surface = pygame.surfarray.make_surface(frame.swapaxes(0, 1))
        self._window.blit(surface, (0, 0))
        pygame.event.pump()
        pygame.display.flip()
        pygame.time.Clock().tick(self._fps)

    def close(self) -> None:
        """Closes the window."""
        if self._window is not None:
            import pygame

            pygame.display.quit()
            self._window = None


def draw_frame(scene: Scene) -> npt.NDArray[np.uint8]:
    """The scene as an image (544, 960, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from dsct_gym.figures import FAINT, INK
    from dsct_gym.fonts import cells, drawable, families_for
    from dsct_gym.gantt import draw_gantt_axes, machine_labels

    figure = Figure(figsize=(_WIDTH / _DPI, _HEIGHT / _DPI), dpi=_DPI)
    canvas = FigureCanvasAgg(figure)
    left = min(0.28, 0.03 + 0.0085 * max(map(cells, machine_labels(scene.instance))))
    axes = figure.add_axes((left, 0.25, 0.97 - left, 0.62))
    draw_gantt_axes(axes, scene.schedule)
    _mark_deadlines(axes, scene)
    _mark_time(axes, scene)
    headline = drawable(scene.headline)
    figure.text(
        left,
        0.925,
        headline,
        fontsize=13,
        fontweight="bold",
        fontfamily=families_for(headline),
        color=INK,
        parse_math=False,
    )
    figure.text(left, 0.015, scene.legend, fontsize=8, color=FAINT)
    schedule, instance = scene.schedule, scene.instance
    half = (0.97 - left) / 2.0
    _draw_gauge(
        figure,
        (left, 0.055, half - 0.03),
        scene.gain_share,
        f"mean accuracy {schedule.mean_accuracy:.3f}"
        f"  (at full work {float(instance.top_accuracy.mean()):.3f})",
    )
    left_over = max(0.0, instance.energy_budget - schedule.energy)
    _draw_gauge(
        figure,
        (left + half + 0.03, 0.055, half - 0.03),
        scene.energy_share,
        f"energy {_energy(schedule.energy)} of {_energy(instance.energy_budget)}"
        f"  ({_energy(left_over)} left)",
    )
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return pixels[:, :, :3].copy()


def _mark_deadlines(axes: Axes, scene: Scene) -> None:
    """Ticks along the top edge for the deadlines to come, a line for the one at hand."""
    from dsct_gym.figures import FAINT, ORANGE
    from dsct_gym.gantt import time_scale

    scale, _ = time_scale(scene.instance.horizon)
    top = axes.get_xaxis_transform()
    for deadline in scene.instance.deadlines[scene.waiting] * scale:
        axes.plot(
            [deadline, deadline], [1.0, 1.025], color=FAINT, lw=0.8, transform=top, clip_on=False
        )
    if scene.task is not None:
        axes.axvline(scene.instance.deadlines[scene.task] * scale, color=ORANGE, lw=1.4, zorder=5)


def _mark_time(axes: Axes, scene: Scene) -> None:
    """Ticks along the bottom edge for the arrivals until now, and a shade over what is to come."""
    from dsct_gym.figures import BLUE, FAINT, INK
    from dsct_gym.gantt import time_scale

    if scene.now is None:
        return
    scale, _ = time_scale(scene.instance.horizon)
    bottom = axes.get_xaxis_transform()
    for arrival in scene.arrivals * scale:
        axes.plot([arrival, arrival], [0.0, 0.025], color=INK, lw=0.8, transform=bottom)
    now, end = scene.now * scale, axes.get_xlim()[1]
    axes.axvspan(now, end, color=FAINT, alpha=0.15, lw=0.0, zorder=0.5)
    axes.axvline(now, color=BLUE, lw=1.8, zorder=6)


def _draw_gauge(
    figure: Figure, place: tuple[float, float, float], share: float, label: str
) -> None:
    """A bar filled to ``share`` at (left, bottom, width), its label above it."""
    from dsct_gym.figures import BLUE, GRID, INK

    left, bottom, width = place
    bar = figure.add_axes((left, bottom, width, 0.032))
    bar.barh([0], [1.0], color=GRID, height=1.0)
    bar.barh([0], [share], color=BLUE, height=1.0)
    bar.set_xlim(0.0, 1.0)
    bar.set_ylim(-0.5, 0.5)
    bar.set_axis_off()
    figure.text(left, bottom + 0.048, label, fontsize=9.5, color=INK, parse_math=False)


def draw_text(scene: Scene) -> str:
    """The scene as text: one line a machine, each column a stretch of time.

    ``#`` is a column at work for more than half of its time, ``-`` for less, ``|`` the deadline of
    the task at hand; where time passes, ``>`` stands in the column that is now.
    """
    from dsct_gym.gantt import machine_labels

    instance, schedule = scene.instance, scene.schedule
    names = machine_labels(instance)
    wide = max(map(len, names))
    lines = [scene.headline]
    for r, name in enumerate(names):
        busy = _busy_shares(schedule, r)
        bar = np.where(busy > 0.5, "#", np.where(busy > 0.0, "-", "."))
        if scene.task is not None:
            share = float(instance.deadlines[scene.task]) / instance.horizon
            bar[min(_COLUMNS - 1, int(share * _COLUMNS))] = "|"
        if scene.now is not None:
            bar[min(_COLUMNS - 1, int(scene.now / instance.horizon * _COLUMNS))] = ">"
        lines.append(f"{name:>{wide}} {''.join(bar)}")
    lines.append(f"{'':>{wide}} 0{as_time(instance.horizon):>{_COLUMNS - 1}}")
    lines.append(
        f"mean accuracy {schedule.mean_accuracy:.4f}, energy {_energy(schedule.energy)} of "
        f"{_energy(instance.energy_budget)} ({scene.energy_share:.0%})"
    )
    return "\n".join(lines) + "\n"


def _busy_shares(schedule: Schedule, machine: int) -> Floats:
    """Share of each column of time in which a machine works."""
    edges = np.linspace(0.0, schedule.instance.core.horizon, _COLUMNS + 1)
    rows = (schedule.machine == machine) & (schedule.duration > 0.0)
    start, finish = schedule.start[rows, None], schedule.finish[rows, None]
    within = np.minimum(finish, edges[1:]) - np.maximum(start, edges[:-1])
    return np.asarray(np.clip(within, 0.0, None).sum(axis=0) / (edges[1] - edges[0]))


def _energy(joules: float) -> str:
    for factor, unit in ((1e6, "MJ"), (1e3, "kJ"), (1.0, "J"), (1e-3, "mJ")):
        if joules >= factor:
            return f"{joules / factor:.3g} {unit}"
    return f"{joules:.3g} J"
