"""The numbers of a report for other programs and for pasting: CSV, Parquet, Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path

from dsct_gym.benchmark.record import Record, as_row
from dsct_gym.benchmark.report.results import FEWEST
from dsct_gym.benchmark.score_table import MARKDOWN, Column, as_markdown
from dsct_gym.benchmark.scoring import Score


def scores_as_csv(scores: Sequence[Score]) -> str:
    """One row a solver; intervals become ``_low`` and ``_high``."""
    rows = [_flat(row) for row in scores]
    content = io.StringIO()
    writer = csv.DictWriter(content, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return content.getvalue()


def markdown_table(scores: Sequence[Score]) -> str:
    """The scores as a Markdown table, best first; of few instances without intervals."""
    if all(row.instances < FEWEST for row in scores):
        return as_markdown(
            [replace(column, markdown=_plain(column)) for column in MARKDOWN], scores
        )
    return as_markdown(MARKDOWN, scores)


def _plain(column: Column[Score]) -> Callable[[Score], str] | None:
    """How Markdown shows a column without its intervals."""
    return column.markdown if column.small is None else column.shown


def parquet_available() -> bool:
    """Whether Parquet can be written (extra ``parquet``)."""
    return find_spec("pyarrow") is not None


def write_parquet(records: Sequence[Record], path: Path) -> None:
    """Writes the records as a Parquet file, whole or not at all.

    Raises:
        InputError: If the file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from dsct_gym.atomic import write_bytes

    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([as_row(record) for record in records]), sink)
    write_bytes(path, sink.getvalue().to_pybytes())


def _flat(row: Score) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in asdict(row).items():
        if isinstance(value, dict):
            flat |= {
                name: value["mean"],
                f"{name}_low": value["low"],
                f"{name}_high": value["high"],
            }
        else:
            flat[name] = value
    return flat
