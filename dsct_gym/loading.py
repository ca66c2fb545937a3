"""Instance files of every kind: the type of a problem follows from the keys that its file holds.

An `Instance` has none of the keys that variants register here; nothing below this module knows a
variant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Final, cast

from dsct_gym.documents import RESERVED, find_keys, json_schemas, parse_instance
from dsct_gym.errors import InputError
from dsct_gym.files import read_json

if TYPE_CHECKING:
    from dsct_gym.instance import Instance
    from dsct_gym.problem import Problem

Reader = Callable[[object], "Problem"]
"""Makes a problem of parsed JSON; raises an `InputError` naming the field at fault."""

_READERS: dict[frozenset[str], Reader | str] = {
    frozenset({"operating_points"}): "dsct_gym.points.documents:read",
    frozenset({"arrival", "horizon"}): "dsct_gym.online.documents:read",
    frozenset({"objective", "weight", "whole"}): "dsct_gym.soft.documents:read",
}
"""Who reads files with which of the keys that no `Instance` has."""

_MODELS: Final = (
    "dsct_gym.points.documents:DvfsModel",
    "dsct_gym.online.documents:OnlineModel",
    "dsct_gym.soft.documents:SoftModel",
)
"""The models of the variants' files."""


def register(keys: Iterable[str], reader: Reader | str) -> None:
    """Makes a variant's files known.

    Args:
        keys: All keys of its files that those of an `Instance` do not have, of the document, a
            machine or a task; a file with any of them, and no other such keys, is read by it.
        reader: What makes the problem; as text ``module:function``, imported when a file asks.
    """
    _READERS[frozenset(keys)] = reader


def load(path: str | Path) -> Problem:
    """Reads an instance file of any kind: an `Instance`, or the variant that its keys ask for.

    Raises:
        InputError: If the file cannot be read or breaks its format, naming the field.
    """
    return parse(read_json(path))


def parse(data: object) -> Problem:
    """Builds a problem from parsed JSON, as `load` does.

    Raises:
        InputError: Naming the field at fault.
    """
    found = find_keys(data, frozenset().union(*_READERS))
    if not found:
        return parse_instance(data)
    reader = _reader_of(frozenset(found))
    if reader is None:
        raise InputError(f"{', '.join(found.values())}: no variant has all of these keys")
    return reader(data)


def load_instance(path: str | Path) -> Instance:
    """Reads the file of an `Instance`, as `Instance.load` does.

    Raises:
        InputError: As `load`; or if it is the file of a variant, naming the key that says so.
    """
    data = read_json(path)
    found = find_keys(data, frozenset(RESERVED).union(*_READERS))
    if found and _reader_of(frozenset(found)) is not None:
        place = next(iter(found.values()))
        raise InputError(f"{place}: reserved for a variant; dsct_gym.load reads it")
    return parse_instance(data)


def _reader_of(found: frozenset[str]) -> Reader | None:
    """Who reads files with all these keys, of several the one with the fewest others."""
    able = [keys for keys in _READERS if found <= keys]
    if not able:
        return None
    reader = _READERS[min(able, key=len)]
    return cast("Reader", resolve_name(reader)) if isinstance(reader, str) else reader


def schemas() -> dict[str, dict[str, Any]]:
    """JSON Schemas of the file formats by name, that of instances with all its variants."""
    return json_schemas(*map(resolve_name, _MODELS))
