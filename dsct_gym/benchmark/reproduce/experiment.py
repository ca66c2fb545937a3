"""What an experiment is, and how its outcome is written."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from dsct_gym import figures
from dsct_gym.atomic import make_folder, write_bytes, write_text
from dsct_gym.instance import Instance
from dsct_gym.schedule import Schedule
from dsct_gym.solver import make_solver

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = dict[str, float | int | str]
Effort = Literal["full", "quick"]
Advance = Callable[[str], None]

COLOURS: Final = {
    "upper bound": figures.GREY,
    "approx": figures.PURPLE,
    "approx-refined": figures.ORANGE,
    "mip": figures.BLUE,
    "edf-3-levels": figures.TEAL,
    "edf-no-compression": figures.OCHRE,
}
"""Colours of the curves, the same in all figures."""


@dataclass(frozen=True)
class Claim:
    """A claim of a paper beside what was measured.

    Attributes:
        what: What is claimed.
        paper: The paper's number.
        measured: The number found here.
    """

    what: str
    paper: str
    measured: str


@dataclass(frozen=True)
class Outcome:
    """What an experiment found.

    Attributes:
        rows: The table behind the figure.
        claims: The claims it bears on.
        figure: The drawing.
    """

    rows: Sequence[Row]
    claims: Sequence[Claim]
    figure: Figure


@dataclass(frozen=True)
class Experiment:
    """An experiment of the papers.

    Attributes:
        name: Name of its figure.
        title: What it shows.
        steps: Number of steps that `run` takes.
        run: Runs it; calls its second argument after each step with what comes next.
        resume: As ``run``, keeping the rows of each step in a folder and taking those that are
            there; None where a run is short.
    """

    name: str
    title: str
    steps: Callable[[Effort], int]
    run: Callable[[Effort, Advance], Outcome]
    resume: Callable[[Effort, Advance, Path], Outcome] | None = None


def solve(name: str, instance: Instance, time_limit: float | None = None) -> Schedule:
    """The schedule of a solver without options.

    Raises:
        KeyboardInterrupt: If Ctrl-C cut the search short.
    """
    return make_solver(name).solve(instance, time_limit=time_limit, seed=0).whole().schedule


def new_figure(columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure with axes side by side, in the style that all figures share."""
    figure = figures.new_figure(6.4 * columns, 4.2)
    axes = [figure.add_subplot(1, columns, column + 1) for column in range(columns)]
    for ax in axes:
        figures.dress(ax)
    return figure, axes


def draw_mean(ax: Axes, x: Sequence[float], samples: Sequence[Any], label: str) -> None:
    """A curve of means with a band of 95 % intervals (normal); one array of samples a point."""
    mean = np.array([np.mean(values) for values in samples])
    error = np.array([1.96 * np.std(values) / np.sqrt(len(values)) for values in samples])
    dashed = "--" if label == "upper bound" else "-"
    ax.plot(x, mean, dashed, marker="o", markersize=3.5, color=COLOURS[label], label=label)
    ax.fill_between(x, mean - error, mean + error, color=COLOURS[label], alpha=0.15, linewidth=0)


def write_outcome(name: str, outcome: Outcome, folder: Path) -> list[str]:
    """Writes picture, table and claims, each whole or not at all.

    Returns:
        The names of the files.

    Raises:
        InputError: If they cannot be written.
    """
    make_folder(folder)
    for suffix in ("png", "svg"):
        content = io.BytesIO()
        outcome.figure.savefig(content, format=suffix)
        write_bytes(folder / f"{name}.{suffix}", content.getvalue())
    write_text(folder / f"{name}.csv", _as_csv(outcome.rows))
    claims: list[Row] = [vars(claim) for claim in outcome.claims]
    write_text(folder / f"{name}.claims.csv", _as_csv(claims))
    return [f"{name}.{suffix}" for suffix in ("png", "svg", "csv", "claims.csv")]


def _as_csv(rows: Sequence[Row]) -> str:
    content = io.StringIO()
    writer = csv.DictWriter(content, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return content.getvalue()
