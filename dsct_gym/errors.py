"""What is raised and warned of where a user, or a program that a solver needs, is at fault."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from pathlib import Path

MOST_FAULTS: Final = 20
"""Faults that are told of one file; how many more there are is told as well."""


class InputError(ValueError):
    """Bad input: one line that names the field or option at fault; one for each, if there are more.

    The command line prints it without a traceback and exits with status 2.
    """

    @property
    def lines(self) -> list[str]:
        """One line for each fault, the first first."""
        return str(self).split("\n")


class SolverWarning(UserWarning):
    """A solver has less to offer than was asked for: one line that says what and why.

    What it returns is sound all the same: the best schedule until then, and a bound that holds.
    """


class EvaluationWarning(UserWarning):
    """What is done might make a later comparison worthless: one line that says what and why."""


def refuse(faults: Sequence[str]) -> NoReturn:
    """Raises an `InputError` with a line for each fault, the first ones where there are many."""
    told = list(faults[:MOST_FAULTS])
    if len(faults) > MOST_FAULTS:
        told.append(f"and {len(faults) - MOST_FAULTS} more faults")
    raise InputError("\n".join(told))


def similar_to(word: str, known: Iterable[str]) -> list[str]:
    """The names that were perhaps meant, the closest first; often none."""
    return get_close_matches(word, list(known))


def instead_of(word: str, known: Iterable[str]) -> str:
    """What an error says of a name that is none: those perhaps meant, or all that there are."""
    names = list(known)
    close = similar_to(word, names)
    return f"did you mean {', '.join(close)}" if close else f"there are {', '.join(names)}"


def located(path: str | Path, error: InputError) -> InputError:
    """The error with the file it is about in front of each line that does not name it."""
    name = str(path)
    lines = (line if line.startswith(name) else f"{name}: {line}" for line in error.lines)
    return InputError("\n".join(lines))
