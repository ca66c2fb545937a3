"""``dsct-gym leaderboard``: verified results of the suites as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsct_gym.cli.arguments import check_writable, check_writable_folder
from dsct_gym.cli.console import out

EXAMPLE = """
dsct-gym bench --suite tiny --solvers greedy,approx -o out
dsct-gym leaderboard out --check
dsct-gym leaderboard out -o docs
"""


def leaderboard(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]",
            help="Folder that 'dsct-gym bench --suite ... -o DIR' wrote.",
            show_default="only render again",
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Where leaderboard.md is."),
    ] = Path("docs"),
    commit: Annotated[str, typer.Option("--commit", help="Commit of the source.")] = "",
    note: Annotated[
        list[str] | None,
        typer.Option("--note", help="Footnote, such as a change of protocol; repeatable."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Verify and write nothing.")] = False,
) -> None:
    """Take up results of the suites into the leaderboard.

    Every schedule is verified against the suites' own instances; what does not hold is refused.
    The results replace those of the same version.
    """
    from datetime import UTC, datetime

    from dsct_gym.atomic import write_text
    from dsct_gym.benchmark.leaderboard import keep_section, load_sections, render, take_up

    sections = output / "leaderboard"
    if not check:
        check_writable_folder("--output", sections)
        if output.is_dir():
            check_writable("--output", output / "leaderboard.md")
    if folder is not None:
        date = datetime.now(tz=UTC).date().isoformat()
        section = take_up(folder, date=date, commit=commit, notes=note or ())
        runs = len(section.records)
        out().print(f"{runs} runs of version {section.version}: all schedules hold")
        if check:
            return
        keep_section(section, sections)
    write_text(output / "leaderboard.md", render(load_sections(sections)))
    out().print(f"wrote {output}/leaderboard.md")
