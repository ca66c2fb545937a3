"""Where the figures of the catalogue come from."""

from dataclasses import dataclass
from functools import cache

from dsct_gym.catalog.tables import read_table


@dataclass(frozen=True)
class Source:
    """A publication or data set.

    Attributes:
        name: Key by which the tables refer to it.
        title: What it is, with its version.
        url: Where it is found.
        licence: SPDX identifier of its licence.
    """

    name: str
    title: str
    url: str
    licence: str


@cache
def sources() -> dict[str, Source]:
    """All sources by key."""
    return {row["name"]: Source(**row) for row in read_table("sources")}
