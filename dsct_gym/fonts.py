"""Names of any script in pictures: which fonts have their characters, and how wide they are."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final
from unicodedata import east_asian_width

from matplotlib import rcParams
from matplotlib.font_manager import FontProperties, fontManager, get_font

MISSING: Final = "□"
"""Stands for a character that no font has, or that is none to print."""

_LAST_RESORT = "Last Resort"
_WIDE = 2


def drawable(text: str) -> str:
    """The text with `MISSING` for what cannot be drawn, so that nothing warns of it."""
    usual = _usual()
    return "".join(c if c.isprintable() and _family_with(c, usual) else MISSING for c in text)


def families_for(texts: Iterable[str]) -> list[str]:
    """The usual font families, and behind them those that have what they lack of drawable texts."""
    usual = _usual()
    families = list(usual)
    for character in sorted(set("".join(texts))):
        family = _family_with(character, usual)
        if family and family not in families:
            families.append(family)
    return families


def cells(text: str) -> int:
    """Width of a text in narrow characters; those of East Asia are two wide."""
    return sum(_WIDE if east_asian_width(c) in "WF" else 1 for c in text)


def cut(text: str, longest: int) -> str:
    """The text, or its beginning and an ellipsis where it is wider than so many narrow ones."""
    if cells(text) <= longest:
        return text
    while cells(text) >= longest:
        text = text[:-1]
    return text + "…"


@cache
def _family_with(character: str, usual: tuple[str, ...]) -> str | None:
    """The first family that has a character, the usual ones before the others; None if none has."""
    for family in (*usual, *_others()):
        if _has(family, character):
            return family
    return None


def _usual() -> tuple[str, ...]:
    """The families that Matplotlib is set to."""
    family = rcParams["font.family"]
    return (family,) if isinstance(family, str) else tuple(family)


@cache
def _others() -> tuple[str, ...]:
    """Every other upright family of ordinary weight, proportional ones without serifs first."""
    names = {
        entry.name
        for entry in fontManager.ttflist
        if entry.style == "normal" and entry.weight in (400, "normal", "regular")
    }
    names = {name for name in names if not name.startswith(_LAST_RESORT)}
    return tuple(sorted(names, key=lambda name: ("Sans" not in name, "Mono" in name, name)))


def _has(family: str, character: str) -> bool:
    """Whether a family has a character."""
    path = fontManager.findfont(FontProperties(family=[family]))
    return bool(get_font(path).get_char_index(ord(character)))
