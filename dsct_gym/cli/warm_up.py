"""``dsct-gym warm-up``: kernels compiled ahead of use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dsct_gym.cli.arguments import Json
from dsct_gym.cli.console import err, out, plain, print_json, progress_bar

if TYPE_CHECKING:
    from dsct_gym.warming import Standing, WarmUp

EXAMPLE = """
dsct-gym warm-up
dsct-gym warm-up rl exact
dsct-gym warm-up DSCT-EA-Assign-v0 --jobs 1 --json
"""


def warm_up(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Solvers, bounds and ids of environments.",
            show_default="all that are installed",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", metavar="N", min=1, help="Processes to compile in.", show_default="cores"
        ),
    ] = None,
    json: Json = False,
) -> int:
    """Compile kernels ahead of use, once for an installation.

    Otherwise the first solve, bound or episode does, and takes half a minute
    longer. What is there already is not compiled again. Exit status 1 where a
    solver could not be warmed up; the others are all the same.
    """
    from dsct_gym import warming

    with progress_bar() as bar:
        line = bar.add_task("compiling kernels", total=None, state="")

        def show(standing: Standing) -> None:
            state = f"{standing.done} of {standing.names} names, {standing.kernels} kernels"
            bar.update(line, completed=standing.done, total=standing.names, state=state)

        done = warming.warm_up(*names or (), processes=jobs, progress=show)
    for failed in done.failed:
        err().print(plain(f"{failed.name}: not warmed up: {failed.fault}"))
    if json:
        print_json(_document(done))
    else:
        out().print(_line(done))
    return 1 if done.failed else 0


def _line(done: WarmUp) -> str:
    """What was done, in one line."""
    from dsct_gym.benchmark.wording import show_seconds

    seconds = show_seconds(done.seconds)
    if not done.kernels:
        return f"all kernels were there; looked in {seconds}"
    return f"compiled {len(done.kernels)} kernels in {seconds}; kept in {done.folder}"


def _document(done: WarmUp) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "seconds": done.seconds,
        "folder": str(done.folder),
        "kernels": len(done.kernels),
        "warmed": [asdict(each) for each in done.warmed],
    }
