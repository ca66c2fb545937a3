"""The parts that chapters of the page are made of; whatever they are given as text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from dsct_gym.benchmark.report.marks import key


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        shown: What it says.
        value: What the table is sorted by; None for what it says.
        small: Small print below it.
        css: Its classes.
        bar: Share of its width that is shaded, in [0, 1].
    """

    shown: str
    value: float | str | None = None
    small: str = ""
    css: str = ""
    bar: float | None = None


@dataclass(frozen=True)
class Figure:
    """A chart with its heading and what to say below it.

    Attributes:
        name: Heading.
        drawing: The chart as SVG.
        told: How to read it.
    """

    name: str
    drawing: str
    told: str


def section(name: str, heading: str, body: str) -> str:
    """A chapter of the page; ``body`` is HTML."""
    return f"<section id='{name}'><h2>{escape(heading)}</h2>{body}</section>"


def note(told: str) -> str:
    """Small print."""
    return f"<p class='note'>{escape(told)}</p>"


def folded(heading: str, body: str, css: str = "") -> str:
    """What is unfolded by a press; ``body`` is HTML."""
    return f"<details{_class(css)}><summary>{escape(heading)}</summary>{body}</details>"


def figures(drawn: Iterable[Figure]) -> str:
    """Charts beside each other."""
    parts = "".join(
        f"<figure><h3>{escape(each.name)}</h3>{each.drawing}"
        f"<figcaption>{escape(each.told)}</figcaption></figure>"
        for each in drawn
    )
    return f"<div class='figures'>{parts}</div>"


def terms(pairs: Iterable[tuple[str, str]]) -> str:
    """Words with what there is to say of each."""
    rows = "".join(f"<dt>{escape(term)}</dt><dd>{escape(told)}</dd>" for term, told in pairs)
    return f"<dl>{rows}</dl>"


def sortable(heads: Sequence[tuple[str, str]], rows: Iterable[str], sorted_by: int = -1) -> str:
    """A table that is sorted by pressing a heading.

    Args:
        heads: Headings, with what each tells.
        rows: Made by `row`.
        sorted_by: The column by which it is sorted already.
    """
    parts = "".join(
        f"<th scope='col'{' aria-sort=ascending' if column == sorted_by else ''}"
        f" title='{escape(told)}'><button type='button'>{escape(name)}</button></th>"
        for column, (name, told) in enumerate(heads)
    )
    return (
        f"<div class='scroll'><table class='sortable'><thead><tr>{parts}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def row(name: str, cells: Iterable[Cell], rank: int | None = None) -> str:
    """A row of a table; where it is a solver's, its mark stands before its name."""
    mark = "" if rank is None else key(rank)
    head = f"<th scope='row' data-value='{escape(name)}'>{mark}{escape(name)}</th>"
    return f"<tr>{head}{''.join(map(_cell, cells))}</tr>"


def _cell(cell: Cell) -> str:
    value = "" if cell.value is None else f" data-value='{escape(str(cell.value))}'"
    small = f"<small>{escape(cell.small)}</small>" if cell.small else ""
    bar = ""
    if cell.bar is not None:
        bar = f" style='--share:{min(max(cell.bar, 0.0), 1.0):.3f}'"
    css = " ".join(filter(None, (cell.css, "barred" if cell.bar is not None else "")))
    return f"<td{value}{_class(css)}{bar}>{escape(cell.shown)}{small}</td>"


def _class(css: str) -> str:
    return f" class='{css}'" if css else ""
