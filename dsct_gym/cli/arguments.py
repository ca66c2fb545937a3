"""Arguments and options that several commands share."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from dsct_gym.atomic import check_file, check_folder
from dsct_gym.errors import InputError, located, similar_to

if TYPE_CHECKING:
    from dsct_gym.problem import Problem

InstanceArgument = Annotated[
    str,
    typer.Argument(metavar="INSTANCE", help="Instance file, or the name of one that ships."),
]

InstanceName = Annotated[
    str | None, typer.Option("--name", metavar="TEXT", help="Name of the instance.")
]
InstanceOutput = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Instance file.", show_default="stdout"),
]


def read_limit(value: float | None) -> float | None:
    """A time limit, s; ``inf``, as long as it takes, is none."""
    if value is not None and not value > 0.0:
        raise typer.BadParameter(f"must be positive, got {value:g}")
    return None if value == math.inf else value


def read_grace(value: float | None) -> float | None:
    """Seconds of grace; ``inf`` waits for ever."""
    if value is not None and not value >= 0.0:
        raise typer.BadParameter(f"must be at least 0, got {value:g}")
    return value


TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit",
        metavar="S",
        help="Wall-clock limit where there is a search, s; inf for none.",
        callback=read_limit,
    ),
]
LARGEST_SEED: Final = 2**63 - 1

MOST: Final = 1_000_000
"""The largest number of seeds, instances, processes or threads: more is a slip of the hand."""

Seed = Annotated[
    int | None,
    typer.Option(
        "--seed", metavar="N", min=0, max=LARGEST_SEED, help="Seed of whatever is random, from 0."
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]


def load_instance(argument: str) -> Problem:
    """The problem that an INSTANCE argument means: a file, or else one that ships.

    Raises:
        InputError: One line naming the file and the field at fault.
    """
    path = Path(argument)
    if not path.exists() or path.is_dir():
        shipped = _find_shipped(argument)
        if shipped is not None:
            return shipped
    from dsct_gym.loading import load

    try:
        return load(path)
    except InputError as error:
        raise located(argument, error) from error


def _find_shipped(name: str) -> Problem | None:
    """The instance of that name that ships, by itself or in a suite; None for a folder's.

    Raises:
        InputError: If there is neither, naming those that were perhaps meant.
    """
    from dsct_gym.suites.shipped import load_shipped, shipped_names
    from dsct_gym.suites.suite import instance_names
    from dsct_gym.suites.suite import load_instance as load_of_suite

    if name in shipped_names():
        return load_shipped(name)
    if name in instance_names():
        return load_of_suite(name)
    if Path(name).exists():
        return None
    close = similar_to(name, [*shipped_names(), *instance_names()])
    every = f"there are {', '.join(shipped_names())} and those of 'dsct-gym suites --json'"
    meant = f"did you mean {', '.join(close)}" if close else every
    raise InputError(f"{name}: no such file, and no instance that ships; {meant}")


def check_writable(option: str, path: Path | None) -> None:
    """Refuses a file that cannot be written before the work is done rather than after.

    Raises:
        InputError: Naming the option.
    """
    if path is not None:
        _refusing(option, check_file, path)


def check_writable_folder(option: str, path: Path | None) -> None:
    """As `check_writable`, for a folder that files are written into; it need not be there.

    Raises:
        InputError: Naming the option.
    """
    if path is not None:
        _refusing(option, check_folder, path)


def _refusing(option: str, check: Callable[[Path], None], path: Path) -> None:
    try:
        check(path)
    except InputError as error:
        raise InputError(f"{option}: {error}") from error
