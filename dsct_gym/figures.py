"""The look that all pictures share: their colours, and axes with a faint grid and no frame.

Figures are made without pyplot, so they need no display and leave no state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK: Final = "#222222"
"""Of what is read."""
FAINT: Final = "#8a8a8a"
"""Of what helps to read it: axes, lines of reference, keys."""
GRID: Final = "#e8e8e8"
LATE: Final = "#d1242f"
"""Of what should not be: work beyond a deadline."""

BLUE: Final = "#0b62c4"
ORANGE: Final = "#d1570a"
GREEN: Final = "#3b8132"
PURPLE: Final = "#8b3fa8"
OCHRE: Final = "#8a6d00"
TEAL: Final = "#0a7f8c"
GREY: Final = "#666666"
COLOURS: Final = (BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY)
"""Of curves, in this order where they have no colour of their own."""
MARKS: Final = ("o", "s", "^", "D", "v", "P")

DPI: Final = 120


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a width and a height in inches, which lays out what is put into it."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def dress(ax: Axes) -> None:
    """Gives axes the grid, the two lines and the colours that all have."""
    ax.grid(color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(FAINT)
    ax.tick_params(which="both", color=FAINT, labelcolor=INK)
    for label in (ax.xaxis.label, ax.yaxis.label, ax.title):
        label.set_color(INK)
