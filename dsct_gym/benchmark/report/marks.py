"""What tells solvers apart in charts: marks that differ in shape, and dashes, besides colours."""

from __future__ import annotations

from html import escape
from typing import Final

COLOURS: Final = 10
"""Number of colours that the page defines."""
DASHES: Final = 8
"""Number of dashes that the page defines, so that curves differ without colour."""

SHAPES: Final = (
    "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0z",
    "M-4.5,-4.5h9v9h-9z",
    "M0,-6.2l6.2,6.2l-6.2,6.2l-6.2,-6.2z",
    "M0,-6l5.8,10.4h-11.6z",
    "M0,6l5.8,-10.4h-11.6z",
    "M-2,-6h4v4h4v4h-4v4h-4v-4h-4v-4h4z",
    "M-5.5,-3l2.5,-2.5l3,3l3,-3l2.5,2.5l-3,3l3,3l-2.5,2.5l-3,-3l-3,3l-2.5,-2.5l3,-3z",
    "M0,-6.6l1.9,4.4l4.8,0.4l-3.7,3.1l1.2,4.7l-4.2,-2.6l-4.2,2.6l1.2,-4.7l-3.7,-3.1l4.8,-0.4z",
    "M-6,-6h12l-4,6l4,6h-12l4,-6z",
    "M-6,-6l6,4l6,-4v12l-6,-4l-6,4z",
)
"""Circle, square, diamond, triangles up and down, plus, cross, star, hourglass, bow tie."""
FILLS: Final = 3
"""Ways to fill a shape: full, empty, light."""


def series(index: int) -> str:
    """CSS classes of the solver of that rank."""
    return f"s s{index % COLOURS} n{index} d{index % DASHES} f{index // len(SHAPES) % FILLS}"


def mark(x: float, y: float, index: int, told: str = "") -> str:
    """The mark of the solver of that rank, with a tooltip."""
    title = f"<title>{escape(told)}</title>" if told else ""
    return (
        f'<path class="{series(index)} mark" transform="translate({x:.1f} {y:.1f})" '
        f'd="{SHAPES[index % len(SHAPES)]}">{title}</path>'
    )


def key(index: int) -> str:
    """The mark of a solver with its rank, which stands for its name where there is no room."""
    return (
        f"<span class='rank'>{index + 1}</span>"
        f"<svg class='key' viewBox='-8 -8 16 16' aria-hidden='true'>{mark(0.0, 0.0, index)}</svg>"
    )
