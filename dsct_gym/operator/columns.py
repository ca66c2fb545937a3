"""Columns of a table, wherever it comes from: a CSV file, a data frame, a mapping, rows.

Frames are taken as what they look like (``frame.columns`` and ``frame[name]``), so none of their
libraries is needed. A cell is text or a number, empty where it is None, NaN or blank; a column
called ``deadline_ms`` or ``Deadline (ms)`` is ``deadline`` in ms.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from dsct_gym.errors import InputError, similar_to
from dsct_gym.files import read_text
from dsct_gym.refusals import shown_key
from dsct_gym.units import Dimension

MOST_ROWS: Final = 5_000_000
MOST_COLUMNS: Final = 1_000
DELIMITERS: Final = ",;\t"
"""What may stand between the cells of a CSV file."""
_LONGEST: Final = 1_000_000
"""Characters of a cell."""


@dataclass(frozen=True)
class Columns:
    """A table.

    Attributes:
        where: What it is called in errors: an argument, or a file.
        cells: Cells by name of the column, all of the same length.
        rows: Number of rows.
        lines: Where each row stands in its file; empty where there is none.
    """

    where: str
    cells: Mapping[str, Sequence[object]]
    rows: int
    lines: Sequence[int] = ()

    def named(self, known: Mapping[str, Dimension | None], needed: Iterable[str] = ()) -> Columns:
        """The table with its columns called as they are known: ``Deadline (ms)`` ``deadline_ms``.

        Refuses columns that nobody reads, and misses those that somebody needs.

        Args:
            known: The columns that there may be, with what they measure.
            needed: Those that must be there.

        Raises:
            InputError: Naming the first at fault.
        """
        cells: dict[str, Sequence[object]] = {}
        told: dict[str, str] = {}
        for column, values in self.cells.items():
            name = _known_name(column, known)
            if name is None:
                close = _similar(column, known)
                meant = f"did you mean {close}" if close else f"there are {', '.join(known)}"
                raise InputError(f"{self.where}: unknown column {shown_key(column)}; {meant}")
            base = str(_base(name, known))
            if base in told:
                both = f"{shown_key(told[base])} and {shown_key(column)}"
                raise InputError(f"{self.where}: columns {both} say the same")
            cells[name], told[base] = values, column
        table = replace(self, cells=cells)
        for column in needed:
            if not table.has(column, known[column]):
                raise InputError(f"{self.where}: column {column} is missing")
        return table

    def unread(self, known: Mapping[str, Dimension | None]) -> list[str]:
        """The columns that nobody reads, but for those that look like a slip of one that is."""
        return [
            column
            for column in self.cells
            if _known_name(column, known) is None and _similar(column, known) is None
        ]

    def without(self, columns: Iterable[str]) -> Columns:
        """The table without some of its columns."""
        left_out = set(columns)
        cells = {name: values for name, values in self.cells.items() if name not in left_out}
        return replace(self, cells=cells)

    def has(self, column: str, dimension: Dimension | None = None) -> bool:
        """Whether there is such a column, with a unit in its name perhaps."""
        return self._find(column, dimension) is not None

    def quantities(
        self, column: str, dimension: Dimension, default: float | None = None
    ) -> list[float]:
        """A column of quantities in the package's own unit.

        Args:
            column: Its name, without a unit.
            dimension: What it measures.
            default: What an empty cell, or a column that is not there, means; None where it must
                be told.

        Raises:
            InputError: Naming the first cell at fault.
        """
        found = self._find(column, dimension)
        if found is None:
            if default is None:
                raise InputError(f"{self.where}: column {column} is missing")
            return [default] * self.rows
        unit = found[len(column) + 1 :]
        values = []
        for row, cell in enumerate(self.cells[found]):
            if is_empty(cell):
                if default is None:
                    raise InputError(f"{self.place(row, found)}: missing")
                values.append(default)
            else:
                values.append(_quantity(cell, unit, dimension, self.place(row, found)))
        return values

    def counts(self, column: str, most: int) -> list[int]:
        """A column of whole numbers from 1 to ``most``; 1 where nothing stands.

        Raises:
            InputError: Naming the first cell at fault.
        """
        counted = []
        for row, cell in enumerate(self.cells.get(column, [None] * self.rows)):
            number = 1.0 if is_empty(cell) else _number(cell, self.place(row, column))
            if not (1 <= number <= most and number == int(number)):
                raise InputError(
                    f"{self.place(row, column)}: must be a whole number from 1 to {most},"
                    f" got {number:g}"
                )
            counted.append(int(number))
        return counted

    def texts(self, column: str) -> list[str | None]:
        """A column of texts; None where nothing stands."""
        cells = self.cells.get(column, [None] * self.rows)
        return [None if is_empty(cell) else str(cell).strip() for cell in cells]

    def place(self, row: int, column: str) -> str:
        """What a cell is called in errors."""
        if self.lines:
            return f"{self.where}: line {self.lines[row]}: {column}"
        return f"{self.where}[{row}].{column}"

    def _find(self, column: str, dimension: Dimension | None) -> str | None:
        if column in self.cells:
            return column
        for unit in dimension.units if dimension is not None else ():
            if unit and f"{column}_{unit}" in self.cells:
                return f"{column}_{unit}"
        return None


def read_csv(path: str | Path) -> Columns:
    """Reads a CSV file with a heading; lines that begin with ``#`` are comments.

    Between cells are commas, semicolons or tabs, whichever the heading has most of.

    Raises:
        InputError: One line, if it cannot be read or its rows do not fit its heading.
    """
    text = read_text(path)
    delimiter = max(DELIMITERS, key=next(_Lines(text), "").count)
    file = _Lines(text)
    reader = csv.reader(file, strict=True, delimiter=delimiter)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        heading = [name.strip() for name in next(reader, [])]
        _check_heading(heading, path)
        file.between_rows = True
        for row in reader:
            file.between_rows = True
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(heading):
                raise InputError(
                    f"{path}: line {file.number}: {len(row)} cells for {len(heading)} columns"
                )
            if len(rows) >= MOST_ROWS:
                raise InputError(f"{path}: more than {MOST_ROWS} rows")
            rows.append(row)
            lines.append(file.number)
    except csv.Error as error:
        raise InputError(f"{path}: line {file.number}: not CSV: {error}") from error
    if not rows:
        raise InputError(f"{path}: no rows below the heading")
    cells = {name: [row[place] for row in rows] for place, name in enumerate(heading)}
    return Columns(str(path), cells, len(rows), lines)


class _Lines:
    """The lines of a text without comments and empty ones, but for those within a cell.

    Attributes:
        number: Of the line that was read last, from 1.
        between_rows: Whether the next line begins a row, as whoever makes rows of them tells.
    """

    def __init__(self, text: str) -> None:
        self.number = 0
        self.between_rows = True
        self._lines = io.StringIO(text, newline="")

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for line in self._lines:
            self.number += 1
            if not self.between_rows or (line.strip() and not line.startswith("#")):
                self.between_rows = False
                return line
        raise StopIteration


def as_columns(table: Any, where: str) -> Columns:
    """The columns of a data frame, a mapping of columns or a sequence of rows as mappings.

    Args:
        table: The table; `Columns` are taken as they are.
        where: What it is called in errors.

    Raises:
        InputError: If it is none of these, or columns differ in length.
    """
    if isinstance(table, Columns):
        return table
    cells: dict[str, list[object]]
    if isinstance(table, Mapping):
        cells = {str(name): _listed(column, where) for name, column in table.items()}
    elif hasattr(table, "columns") and hasattr(table, "__getitem__"):
        cells = {str(name): _listed(table[name], where) for name in table.columns}
    elif isinstance(table, Sequence) and all(isinstance(row, Mapping) for row in table):
        names = dict.fromkeys(name for row in table for name in row)
        cells = {str(name): [row.get(name) for row in table] for name in names}
    else:
        raise InputError(f"{where}: must be a data frame, columns by name, or rows as mappings")
    lengths = {len(column) for column in cells.values()}
    if len(lengths) > 1:
        raise InputError(f"{where}: columns of {', '.join(map(str, sorted(lengths)))} rows")
    rows = lengths.pop() if lengths else 0
    if rows == 0:
        raise InputError(f"{where}: has no rows")
    if rows > MOST_ROWS:
        raise InputError(f"{where}: more than {MOST_ROWS} rows")
    return Columns(where, cells, rows)


def is_empty(cell: object) -> bool:
    """Whether nothing stands in a cell."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return True
    if isinstance(cell, str):
        return not cell.strip()
    # The missing values of data frames are unequal to themselves, or of a type of that name.
    return type(cell).__name__ in ("NAType", "NaTType")


def read_numbers(cell: object, dimension: Dimension, where: str) -> list[float]:
    """The numbers in a cell: a list, or text with blanks or semicolons between them.

    Raises:
        InputError: Naming the place.
    """
    if isinstance(cell, str):
        if len(cell) > _LONGEST:
            raise InputError(f"{where}: more than {_LONGEST} characters")
        listed: list[object] = [*cell.replace(";", " ").split()]
    else:
        listed = _listed(cell, where)
    return [_quantity(each, "", dimension, where) for each in listed]


def _quantity(cell: object, unit: str, dimension: Dimension, where: str) -> float:
    if isinstance(cell, str):
        return dimension.read(cell, where, unit)
    number = _number(cell, where)
    return dimension.converted(number, unit) if unit else number


def _number(cell: object, where: str) -> float:
    """A number, of whatever numeric type, or as text."""
    try:
        number = math.nan if isinstance(cell, bool) else float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{where}: must be a number, got {str(cell)[:40]!r}")
    return number


def _listed(column: Any, where: str) -> list[object]:
    if isinstance(column, (str, bytes)) or not hasattr(column, "__iter__"):
        raise InputError(f"{where}: must be a list, got {type(column).__name__}")
    return list(column.tolist() if hasattr(column, "tolist") else column)


def _base(column: str, known: Mapping[str, Dimension | None]) -> str | None:
    """The known column that a name stands for, with its unit perhaps."""
    if column in known:
        return column
    name, _, unit = column.rpartition("_")
    dimension = known.get(name)
    return name if dimension is not None and unit and unit in dimension.units else None


def _known_name(column: str, known: Mapping[str, Dimension | None]) -> str | None:
    """How a column is called here, whatever its letters' case, its blanks and its brackets."""
    if _base(column, known) is not None:
        return column
    name = re.sub(r"\s*[(\[]\s*([^()\[\]]*?)\s*[)\]]\s*$", r"_\1", column.strip())
    name = re.sub(r"[\s-]+", "_", name)
    if name.casefold() in known:
        return name.casefold()
    base, _, unit = name.rpartition("_")
    dimension = known.get(base.casefold())
    if dimension is None or not unit:
        return None
    spelled = [each for each in dimension.units if each.casefold() == unit.casefold()]
    # Of mW and MW neither is meant by mw.
    exact = [unit] if unit in spelled else spelled
    return f"{base.casefold()}_{exact[0]}" if len(exact) == 1 else None


def _similar(column: str, known: Mapping[str, Dimension | None]) -> str | None:
    """The known column that a name may be a slip of."""
    close = similar_to(column.casefold(), known)
    return close[0] if close else None


def _check_heading(heading: list[str], path: str | Path) -> None:
    if not any(heading):
        raise InputError(f"{path}: no heading")
    if len(heading) > MOST_COLUMNS:
        raise InputError(f"{path}: more than {MOST_COLUMNS} columns")
    for name in heading:
        if heading.count(name) > 1:
            raise InputError(f"{path}: two columns are called {shown_key(name) or 'nothing'!r}")
