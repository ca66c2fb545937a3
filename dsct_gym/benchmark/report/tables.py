"""The numbers of a report for other programs and for pasting: CSV, Parquet, Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from dsct_gym.benchmark.record import Record, as_row
from dsct_gym.benchmark.score_table import MARKDOWN, as_markdown
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
    """The scores as a Markdown table, best first."""
    return as_markdown(MARKDOWN, scores)


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
