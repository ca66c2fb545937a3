"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsct_gym.errors import InputError, located

if TYPE_CHECKING:
    from dsct_gym.problem import Problem

InstanceArgument = Annotated[
    str,
    typer.Argument(metavar="INSTANCE", help="Instance file, or the name of one that ships."),
]
TimeLimit = Annotated[
    float | None,
    typer.Option("--time-limit", metavar="S", help="Wall-clock limit where there is a search, s."),
]
Seed = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="Seed of whatever is random, from 0.")
]
PICTURES = (".png", ".svg", ".pdf")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]


def load_instance(argument: str) -> Problem:
    """The problem that an INSTANCE argument means.

    Raises:
        InputError: One line naming the file and the field at fault.
    """
    from dsct_gym.suites.shipped import load_shipped, shipped_names

    path = Path(argument)
    if not path.exists():
        if argument in shipped_names():
            return load_shipped(argument)
        shipped = ", ".join(shipped_names())
        raise InputError(f"{argument}: no such file, and no instance that ships ({shipped})")
    from dsct_gym.loading import load

    try:
        return load(path)
    except InputError as error:
        raise located(argument, error) from error


def check_writable(option: str, path: Path | None) -> None:
    """Refuses an output path before the work is done rather than after.

    Raises:
        InputError: If the folder does not exist or the path is one.
    """
    if path is None:
        return
    if path.is_dir():
        raise InputError(f"{option}: {path} is a folder")
    if not path.parent.is_dir():
        raise InputError(f"{option}: there is no folder {path.parent}")


def check_picture(option: str, path: Path | None) -> None:
    """As `check_writable`, for a picture; its suffix must be one that can be drawn."""
    check_writable(option, path)
    if path is not None and path.suffix.lower() not in PICTURES:
        raise InputError(f"{option}: {path} must end in {', '.join(PICTURES)}")
