"""How commands speak: results to stdout, progress and warnings to stderr."""

from __future__ import annotations

import ctypes
import json
import os
import re
import sys
from contextlib import contextmanager, redirect_stdout, suppress
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TextIO

    from rich.console import ConsoleOptions, RenderableType
    from rich.progress import Progress
    from rich.segment import Segment
    from rich.table import Table

    from dsct_gym.benchmark.score_table import Column, Row
    from dsct_gym.solver import Progress as News
    from dsct_gym.solver import ProgressCallback

_WIDE: Final = 200
"""Columns of what is not a terminal: nothing is cut or folded on its way into a file."""

_NARROW: Final = 16
"""Columns of prose, at least."""

_ENDLESS: Final = 10_000


_UNPRINTABLE: Final = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f"  # C0 but tab and line feed, DEL, C1
    "\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]"  # direction of writing, separators of lines
)


def plain(text: str) -> str:
    """Text for a terminal: what would command it, as names from files may, becomes ``\ufffd``."""
    return _UNPRINTABLE.sub("\ufffd", text)


class _Console(Console):
    """A console that shows text and obeys none, and lets `main` handle a reader who went away."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=plain(segment.text))

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


@contextmanager
def diverted() -> Iterator[None]:
    """Sends to stderr whatever solvers print, from Python and from C: stdout is for results."""
    with redirect_stdout(sys.stderr), _diverted_descriptor():
        yield


@contextmanager
def _diverted_descriptor() -> Iterator[None]:
    """The same below Python, where stdout and stderr are the process's own."""
    try:
        shown, told = sys.__stdout__.fileno(), sys.__stderr__.fileno()  # type: ignore[union-attr]
        kept = os.dup(shown)
    except (AttributeError, OSError, ValueError):  # one of them is closed
        yield
        return
    _flush(sys.__stdout__)
    os.dup2(told, shown)
    try:
        yield
    finally:
        _flush(sys.__stdout__)
        os.dup2(kept, shown)
        os.close(kept)


def _flush(stream: TextIO | None) -> None:
    """Writes out what Python and C still hold back."""
    if stream is not None:
        stream.flush()
    with suppress(OSError, AttributeError, TypeError):  # no C library to be had
        ctypes.CDLL(None).fflush(None)


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
    """One JSON document on stdout; what would command a terminal is escaped."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    escaped = _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
    sys.stdout.write(escaped + "\n")


def print_fields(title: str, fields: Mapping[str, str]) -> None:
    """A title and one aligned line a field."""
    console = out()
    if title:
        console.print(Text(title, style="bold"))
    width = max(map(len, fields))
    for name, value in fields.items():
        console.print(Text.assemble((f"  {name:<{width}}  ", "dim"), value))


class Heading(NamedTuple):
    """The heading of a column.

    Attributes:
        text: What it says.
        kind: ``"number"``: its cells keep their width; ``"name"``: they keep it up to half of the
            terminal, where they are folded; ``"prose"``: they may be wrapped.
        priority: Columns of the highest go first where a terminal is narrow; 0 always stays.
    """

    text: str
    kind: Literal["name", "number", "prose"] = "name"
    priority: int = 0


def print_table(
    headings: Sequence[Heading],
    rows: Sequence[Sequence[str]],
    *,
    title: str | None = None,
    caption: str | None = None,
    dense: bool = False,
) -> None:
    """A table that fits: headings are stacked, then columns left out, until it does.

    Args:
        headings: One a column.
        rows: The cells.
        title: Line above.
        caption: Line below.
        dense: Whether columns stand closer together.
    """
    console = out()
    lost: list[str] = []
    table = _table(console, headings, rows, dense=dense)
    if console.is_terminal and _width(console, table) > console.width:
        kept = list(range(len(headings)))
        table = _table(console, headings, rows, dense=dense, stacked=True)
        while _width(console, table) > console.width and any(headings[k].priority for k in kept):
            last = max(kept, key=lambda k: (headings[k].priority, k))
            kept.remove(last)
            lost.append(headings[last].text)
            table = _table(
                console,
                [headings[k] for k in kept],
                [[row[k] for k in kept] for row in rows],
                dense=dense,
                stacked=True,
            )
    if not console.is_terminal:
        console.width = max(console.width, _width(console, table))
    if lost:
        note = f"no room for {', '.join(reversed(lost))}"
        caption = f"{caption}\n{note}" if caption else note
    table.title = Text(title, style="bold") if title else None
    table.caption = Text(caption, style="dim") if caption else None
    console.print(table)


def print_scores(
    columns: Sequence[Column[Row]],
    rows: Sequence[Row],
    *,
    title: str,
    caption: str | None = None,
    last: Sequence[str] = (),
    dense: bool = False,
) -> None:
    """A table of scores; ``last`` is a row of its own, as far as it goes."""
    from dsct_gym.benchmark.score_table import as_cells

    headings = [
        Heading(column.heading, "number" if column.number else "name", column.priority)
        for column in columns
    ]
    cells = as_cells(columns, rows)
    if last:
        cells.append([*last, *[""] * (len(columns) - len(last))])
    print_table(headings, cells, title=title, caption=caption, dense=dense)


def _table(
    console: Console,
    headings: Sequence[Heading],
    rows: Sequence[Sequence[str]],
    *,
    dense: bool,
    stacked: bool = False,
) -> Table:
    """The table, in which names and numbers keep their width."""
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
        pad_edge=False,
        collapse_padding=dense,
    )
    longest = console.width // 2 if console.is_terminal else None
    for index, heading in enumerate(headings):
        widest = max((cell_len(row[index]) for row in rows), default=0)
        table.add_column(
            Text(heading.text.replace(" ", "\n") if stacked else heading.text),
            justify="right" if heading.kind == "number" else "left",
            no_wrap=heading.kind == "number",
            overflow="fold",
            min_width=widest if longest is None else min(widest, longest),
        )
        if heading.kind == "prose":
            table.columns[-1].min_width = min(widest, _NARROW)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _width(console: Console, table: Table) -> int:
    """The least width that the table can have."""
    from rich.measure import Measurement

    return Measurement.get(console, console.options.update(width=_ENDLESS), table).minimum


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
