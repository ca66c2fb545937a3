"""``dsct-gym report``: a folder of results as one page and as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsct_gym.cli.arguments import Json, check_writable_folder
from dsct_gym.cli.console import err, out, print_json, warn
from dsct_gym.streams import stdout_to_stderr

EXAMPLE = """
dsct-gym bench --suite tiny --solvers greedy,approx -o out
dsct-gym report out
"""


def report(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder that 'dsct-gym bench -o DIR' wrote.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Where to write.", show_default="DIR"),
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="Heading of the page.")] = None,
    json: Json = False,
) -> None:
    """Write report.html, one page that opens offline, and the tables beside it.

    Beside it: results.csv (every run), scores.csv and scores.md (every solver), and results.parquet
    where pyarrow is installed (extra 'parquet').
    """
    from dsct_gym.benchmark.report.results import Results
    from dsct_gym.benchmark.report.tables import markdown_table
    from dsct_gym.benchmark.report.writing import write_report

    target = output or folder
    if output is not None or folder.is_dir():
        check_writable_folder("--output" if output else "DIR", target)
    with stdout_to_stderr(), err().status("reading"):
        results = Results.load(folder)
    for line in results.warnings:
        warn(line)
    if not json:  # what was found is told even where it cannot be written
        out().print(markdown_table(results.scores), end="")
    written = write_report(results, target, title)
    if json:
        print_json({"folder": str(target), "files": written})
    else:
        out().print(f"wrote {', '.join(written)} into {target}/")
