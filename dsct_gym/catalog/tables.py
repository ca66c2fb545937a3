"""Reading the catalogue's tables and finding a row by its name."""

import csv
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.resources import files
from typing import TypeVar

from dsct_gym.errors import InputError

Entry = TypeVar("Entry")


def read_table(name: str) -> list[dict[str, str]]:
    """Rows of ``catalog/<name>.csv`` by column; lines that start with ``#`` are comments."""
    text = files("dsct_gym.catalog").joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def normalised(name: str) -> str:
    """How names are compared: letter case, spaces and underscores do not matter."""
    return name.strip().casefold().replace(" ", "-").replace("_", "-")


def by_name(entries: Iterable[tuple[str, Entry]]) -> dict[str, Entry]:
    """Entries by normalised name.

    Raises:
        ValueError: If two entries share a name: a defect of the tables.
    """
    found: dict[str, Entry] = {}
    for name, entry in entries:
        key = normalised(name)
        if key in found:
            raise ValueError(f"catalogue: two entries are called {name!r}")
        found[key] = entry
    return found


def find(kind: str, name: str, known: Mapping[str, Entry], listed: Iterable[str]) -> Entry:
    """The entry called ``name``.

    Args:
        kind: What is looked for, as the error calls it (``device``).
        name: What the user wrote.
        known: Entries by normalised name.
        listed: The names to suggest, as users should write them.

    Raises:
        InputError: If there is none, with the closest names.
    """
    try:
        return known[normalised(name)]
    except KeyError:
        spelled = {normalised(entry): entry for entry in listed}
        close = get_close_matches(normalised(name), spelled, n=3, cutoff=0.5)
        hint = "did you mean" if close else "there are"
        names = ", ".join(spelled[key] for key in (close or spelled))
        raise InputError(f"no {kind} {name!r}; {hint} {names}") from None
