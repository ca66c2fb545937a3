"""The areas that are compared, and how to make one's hashes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from outputs.hashes import Hashes

Entries: TypeAlias = dict[str, dict[str, str]]
"""By name of the entry, then by column, the two hashes."""

Collect: TypeAlias = Callable[[], Iterator[tuple[str, Hashes]]]
"""Yields entries: a name and the hashes of its columns."""


class Area(NamedTuple):
    """A part of what is compared.

    Attributes:
        collect: Makes it anew.
        quick: Whether the tests compare it too.
    """

    collect: Collect
    quick: bool


AREAS: dict[str, Area] = {}


def area(*, quick: bool) -> Callable[[Collect], Collect]:
    """Registers a function under its name."""

    def register(collect: Collect) -> Collect:
        AREAS[collect.__name__] = Area(collect, quick)
        return collect

    return register


def collect(name: str) -> Entries:
    """The entries of an area, made anew."""
    return {entry: hashes.columns() for entry, hashes in AREAS[name].collect()}
