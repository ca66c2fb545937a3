"""Traces of requests in files: times in CSV or JSON lines, or rates window by window.

What a file is follows from what is in it:

- lines of JSON with ``timestamp`` in ms: Mooncake (Qin et al., FAST 2025);
- columns ``t_s`` (or ``start``), ``rate_per_s`` (or ``rate``) and ``cv``: windows of ServeGen;
- a column of times: the only one, or the first of ``TIMESTAMP`` (Azure LLM traces, date and time),
  ``t_s``, ``t_ms``, ``timestamp``, ``arrival``, ``time``; or one that is named. Those whose name
  ends in ``_ms`` hold milliseconds, others seconds, or dates.

Lines that start with ``#`` are comments. Times are told from the first on and sorted.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.errors import InputError
from dsct_gym.files import read_text
from dsct_gym.online.arrivals.replay import Replay
from dsct_gym.online.arrivals.windows import Windows
from dsct_gym.refusals import shown_key

TIMES: Final = ("timestamp", "t_s", "t_ms", "arrival", "time")
"""Columns that hold times, whatever their letter case."""
RATES: Final = ("rate_per_s", "rate")
STARTS: Final = ("t_s", "start")

MOST: Final = 5_000_000
"""Most requests or windows of a file."""

_LARGEST: Final = 1e12  # s


def read_trace(
    path: str | Path,
    *,
    column: str | None = None,
    keep: float = 1.0,
    begin: float = 0.0,
    end: float = 1.0,
) -> Replay | Windows:
    """Reads the file of a trace.

    Args:
        path: The file; one that ends in ``.gz`` is unpacked.
        column: Name of the column of times, where it is none of those that are known.
        keep: As for `Replay`; of recorded rates there is nothing to thin out.
        begin: From where in the trace, as a share of it.
        end: Up to where, likewise.

    Raises:
        InputError: If it cannot be read or holds no trace, naming the line at fault.
    """
    return parse_trace(read_text(path), Path(path).name, column, keep=keep, begin=begin, end=end)


def parse_trace(
    text: str,
    name: str,
    column: str | None = None,
    *,
    keep: float = 1.0,
    begin: float = 0.0,
    end: float = 1.0,
) -> Replay | Windows:
    """As `read_trace`, for the text of a file that is called so in refusals."""
    name = shown_key(name)
    lines = [
        (number, line)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.startswith("#")
    ]
    if not lines:
        raise InputError(f"{name}: holds no times")
    if len(lines) > MOST:
        raise InputError(f"{name}: holds more than {MOST} lines")
    if lines[0][1].lstrip().startswith("{"):
        return Replay(_ascending(_times_of_json(lines, name), name), keep, begin, end)
    rows = _rows(lines, name)
    header = [cell.strip().casefold() for cell in rows[0][1]]
    if column is None and "cv" in header and any(each in header for each in RATES):
        return _windows(header, rows[1:], name, begin, end)
    place, values = _column(header, rows, name, column)
    scale = 1e-3 if header[place].endswith("_ms") else 1.0
    times = np.array([_moment(row, place, where) for where, row in _named(values, name)])
    return Replay(_ascending(scale * times, name), keep, begin, end)


def _rows(lines: Sequence[tuple[int, str]], name: str) -> list[tuple[int, list[str]]]:
    """The cells of each line, with its number."""
    try:
        cells = csv.reader(line for _, line in lines)
        return [(number, row) for (number, _), row in zip(lines, cells, strict=True)]
    except (csv.Error, ValueError) as error:
        raise InputError(f"{name}: not CSV with one row a line") from error


def _named(rows: Iterable[tuple[int, list[str]]], name: str) -> Iterator[tuple[str, list[str]]]:
    """Rows with their place, for refusals."""
    for number, row in rows:
        yield f"{name} line {number}", row


def _column(
    header: list[str], rows: list[tuple[int, list[str]]], name: str, column: str | None
) -> tuple[int, list[tuple[int, list[str]]]]:
    """Which column holds times, and the rows below its heading."""
    if column is not None:
        if column.casefold() not in header:
            raise InputError(f"{name}: no column {_quoted(column)}")
        return header.index(column.casefold()), rows[1:]
    for known in TIMES:
        if known in header:
            return header.index(known), rows[1:]
    if len(header) > 1:
        raise InputError(f"{name}: which column holds the times? None is called {_listed(TIMES)}")
    return 0, rows if _is_number(header[0]) else rows[1:]


def _moment(row: list[str], place: int, where: str) -> float:
    """The time in a row, s."""
    text = row[place].strip() if place < len(row) else ""
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_of_date(text, where)
    if not abs(seconds) <= _LARGEST:
        raise InputError(f"{where}: {_quoted(text)} is no time")
    return seconds


def _seconds_of_date(text: str, where: str) -> float:
    """A date with a time of day as seconds; decimals beyond microseconds count as well."""
    whole, dot, decimals = text.partition(".")
    try:
        moment = datetime.fromisoformat(whole)
        fraction = float(f"0.{decimals}") if dot else 0.0
        return (moment - datetime(2000, 1, 1, tzinfo=moment.tzinfo)).total_seconds() + fraction
    except ValueError as error:
        raise InputError(f"{where}: {_quoted(text)} is no time") from error


def _times_of_json(lines: Sequence[tuple[int, str]], name: str) -> Floats:
    """Times of lines of JSON with ``timestamp`` in ms, s."""
    found = []
    for number, line in lines:
        try:
            told = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{name} line {number}: not JSON") from error
        time = told.get("timestamp") if isinstance(told, dict) else None
        if isinstance(time, bool) or not isinstance(time, (int, float)) or not abs(time) < 1e15:
            raise InputError(f"{name} line {number}: timestamp: must be a number of ms")
        found.append(1e-3 * time)
    return np.array(found)


def _windows(
    header: list[str], rows: list[tuple[int, list[str]]], name: str, begin: float, end: float
) -> Windows:
    """Rates of windows, those of several clients in the same window added up."""
    start = next((header.index(each) for each in STARTS if each in header), None)
    if start is None:
        raise InputError(f"{name}: no column {_listed(STARTS)}")
    rate = next(header.index(each) for each in RATES if each in header)
    columns = (start, rate, header.index("cv"))
    told = np.array(
        [[_amount(row, place, where) for place in columns] for where, row in _named(rows, name)]
    ).reshape(-1, 3)
    moments, window = np.unique(told[:, 0], return_inverse=True)
    rates, spread = np.zeros(moments.size), np.zeros(moments.size)
    np.add.at(rates, window, told[:, 1])
    # Variances of counts add up, and are in proportion to rate · cv².
    np.add.at(spread, window, told[:, 1] * told[:, 2] ** 2)
    variation = np.sqrt(np.divide(spread, rates, out=np.ones_like(rates), where=rates > 0.0))
    part = slice(round(begin * moments.size), round(end * moments.size))
    if rates[part].size == 0:
        raise InputError(f"{name}: holds no windows")
    return Windows(rates[part], variation[part], min(Windows.length, rates[part].size))


def _amount(row: list[str], place: int, where: str) -> float:
    """A number in a row, at least 0."""
    text = row[place].strip() if place < len(row) else ""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0.0 <= number <= _LARGEST:
        raise InputError(f"{where}: {_quoted(text)} is no number of at least 0")
    return number


def _ascending(times: Floats, name: str) -> Floats:
    """Times sorted, from the first on."""
    times = np.sort(times)
    if times.size < 2 or times[-1] <= times[0]:
        raise InputError(f"{name}: needs two different times or more")
    return np.asarray(times - times[0])


def _quoted(text: str) -> str:
    """Part of a broken file for an error line."""
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + f" or {names[-1]}"
