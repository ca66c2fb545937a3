"""How commands speak: results to stdout, progress and warnings to stderr."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.progress import Progress

    from dsct_gym.solver import Progress as News
    from dsct_gym.solver import ProgressCallback

_WIDE = 200
"""Columns of what is not a terminal: nothing is cut or wrapped on its way into a file."""


class _Console(Console):
    """A console that lets the main function handle a reader who went away."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def out() -> Console:
    """The console of results."""
    return _console(stderr=False)


def err() -> Console:
    """The console of progress and warnings."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _WIDE
    return _Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def print_json(document: object) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def print_fields(title: str, fields: Mapping[str, str]) -> None:
    """A title and one aligned line a field."""
    console = out()
    if title:
        console.print(Text(title, style="bold"))
    width = max(map(len, fields))
    for name, value in fields.items():
        console.print(Text.assemble((f"  {name:<{width}}  ", "dim"), value))


def print_table(
    columns: Sequence[tuple[str, str]],
    rows: Sequence[Sequence[str]],
    *,
    title: str | None = None,
    caption: str | None = None,
) -> None:
    """A table; each column is its heading and ``"left"`` or ``"right"``."""
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD,
        title=Text(title, style="bold") if title else None,
        caption=Text(caption, style="dim") if caption else None,
        title_justify="left",
        caption_justify="left",
        pad_edge=False,
    )
    for heading, side in columns:
        table.add_column(heading, justify="right" if side == "right" else "left")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out().print(table)


def show_seconds(seconds: float) -> str:
    """A duration with as many decimals as it deserves."""
    return f"{seconds:.4f}" if seconds < 1.0 else f"{seconds:.1f}"


def warn(message: str) -> None:
    """One line of warning on stderr."""
    err().print(Text(f"Warning: {message}", style="yellow"))


def progress_bar() -> Progress:
    """A progress bar on stderr that leaves nothing behind; silent where that is no terminal."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = err()
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[state]}", markup=False),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def listener(bar: Progress, name: str, tasks: int, time_limit: float | None) -> ProgressCallback:
    """Puts a line on a bar and returns what to call with the progress of a search.

    Args:
        bar: The progress bar.
        name: What runs.
        tasks: Number of tasks: mean accuracies are shown.
        time_limit: Wall-clock limit of the search, s.
    """
    line = bar.add_task(name, total=None, state="")

    def show(news: News) -> None:
        found = "" if news.best is None else f"{news.best / tasks:.4f}"
        bound = "" if news.bound is None else f" ≤ {news.bound / tasks:.4f}"
        done = news.done
        if done is None and time_limit is not None:
            done = min(1.0, news.seconds / time_limit)
        bar.update(line, completed=done or 0.0, total=None if done is None else 1.0)
        bar.update(line, state=found + bound)

    return show
