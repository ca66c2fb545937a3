"""``dsct-gym improve``: better references for the suites, from a folder of results."""

from pathlib import Path
from typing import Annotated

import typer

from dsct_gym.cli.arguments import check_writable
from dsct_gym.cli.console import Heading, err, print_table

EXAMPLE = """
dsct-gym bench --suite tiny --solvers greedy,approx-refined -o results
dsct-gym improve results
"""


def improve(
    results: Annotated[
        Path,
        typer.Argument(
            help="Folder with schedule files and certificates, at any depth.", show_default=False
        ),
    ],
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of the suites. [default: the package's]")
    ] = None,
) -> None:
    """Improve what is known of the suites.

    Takes better schedules, each verified first, and tighter bounds. A bound is proven
    where it is the fractional one or a certificate in the folder proves it, checked
    anew and kept beside the references. Others are marked as claimed, and refused
    where a known schedule exceeds them.
    """
    from dsct_gym.suites.improving import improve as improve_references
    from dsct_gym.suites.suite import REFERENCES, data_folder, suites

    folder = Path(str(data_folder())) if data is None else data
    for name in suites():
        check_writable("--data", folder / name / REFERENCES)
    found = improve_references(results, folder)
    for improvement in found:
        for line in improvement.refused:
            err().print(f"refused: {line}", style="yellow", highlight=False)
    columns = (
        Heading("suite"),
        Heading("files read", "number"),
        Heading("better values", "number"),
        Heading("tighter bounds", "number"),
    )
    rows = [(one.suite, str(one.read), str(one.values), str(one.bounds)) for one in found]
    print_table(columns, rows)
