"""Writes a report: the page and the tables beside it."""

from __future__ import annotations

from pathlib import Path

from dsct_gym.atomic import make_folder, refuse_links, write_text
from dsct_gym.benchmark.record import records_as_csv
from dsct_gym.benchmark.report.page import render_page
from dsct_gym.benchmark.report.results import Results
from dsct_gym.benchmark.report.tables import (
    markdown_table,
    parquet_available,
    scores_as_csv,
    write_parquet,
)

PAGE = "report.html"
_PARQUET = "results.parquet"


def write_report(results: Results, folder: Path, title: str | None = None) -> list[str]:
    """Writes ``report.html`` and tables, each whole or not at all.

    Args:
        results: What the report is about.
        folder: Where to write; it is made.
        title: Heading of the page.

    Returns:
        The names of the files; Parquet is among them where pyarrow is installed.

    Raises:
        InputError: If a file cannot be written.
    """
    name = results.store.folder.resolve().name
    documents = {
        "results.csv": records_as_csv(results.records),
        "scores.csv": scores_as_csv(results.scores),
        "scores.md": markdown_table(results.scores),
        PAGE: render_page(results, title or f"Benchmark {name}"),
    }
    make_folder(folder)
    refuse_links(folder / file for file in (*documents, _PARQUET))
    for file, text in documents.items():
        write_text(folder / file, text)
    if not parquet_available():
        return sorted(documents)
    write_parquet(results.records, folder / _PARQUET)
    return sorted([*documents, _PARQUET])
