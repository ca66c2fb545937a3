"""``dsct-gym orlib``: a weighted tardiness problem of the OR-Library as an instance file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dsct_gym.cli.arguments import InstanceOutput, check_writable

EXAMPLE = """
dsct-gym orlib wt40.txt --index 1 -o wt40-1.json
dsct-gym orlib wt40.txt --index 1 --machines 2 -o wt40-2m-1.json
"""


def orlib(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="File of the OR-Library, as wt40 or wt100.")
    ],
    index: Annotated[
        int, typer.Option("--index", metavar="I", help="Which of its problems, from 1.")
    ] = 1,
    tasks: Annotated[
        int | None,
        typer.Option(
            "-n",
            "--tasks",
            metavar="N",
            help="Jobs of each problem.",
            show_default="the number in the file's name",
        ),
    ] = None,
    machines: Annotated[
        int,
        typer.Option(
            "-m", "--machines", metavar="M", help="Identical machines; due dates are divided by it."
        ),
    ] = 1,
    output: InstanceOutput = None,
) -> None:
    """Turn a weighted tardiness problem into an instance with soft deadlines.

    The penalty of a schedule of it is the total weighted tardiness.
    """
    from dsct_gym.files import instance_text, write_instance
    from dsct_gym.soft.orlib import read_weighted_tardiness

    check_writable("--output", output)
    problem = read_weighted_tardiness(file, index, tasks=tasks, machines=machines)
    if output is None:
        sys.stdout.write(instance_text(problem))
    else:
        write_instance(problem, output)
