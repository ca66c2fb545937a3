"""`name[option=value,...]`: how a solver, or whatever else has options, is named in a line of text.

A value is read as JSON where it is JSON, as text otherwise. A text may hold brackets that match;
commas stand inside brackets or, as in ``"a,b"``, inside quotes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from dsct_gym.solver import SolverProtocol

_NAME: Final = re.compile(r"[^,\[\]]*")
_KEY: Final = re.compile(r"([^=,\[\]]*)=")
_BLANKS: Final = re.compile(r"\s*")
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True)
class Spec:
    """A name with options.

    Attributes:
        name: Registered name, or ``module:Class``.
        options: By name; JSON values.
    """

    name: str
    options: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, where: str = "solver") -> Spec:
        """Reads one.

        Args:
            text: ``name`` or ``name[option=value,...]``.
            where: Option of the command line at fault where it cannot be read.

        Raises:
            InputError: If it cannot be read, is none or more than one.
        """
        found = parse_specs(text, where)
        if len(found) != 1:
            raise InputError(f"{where}: expected one name, got {text!r}")
        return found[0]

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def key(self) -> str:
        """What only the same name with the same options has."""
        return json.dumps([self.name, dict(self.options)], sort_keys=True)

    @property
    def label(self) -> str:
        """As records and tables name it, which `parse` reads again."""
        return self.labelled()

    def labelled(self, *notes: str) -> str:
        """The label with whatever else there is to tell: ``name[option=value,note]``."""
        settings = [f"{key}={_shown(value)}" for key, value in sorted(self.options.items())]
        settings += notes
        return f"{self.name}[{','.join(settings)}]" if settings else self.name

    def make(self) -> SolverProtocol:
        """The solver that it names.

        Raises:
            InputError: If there is no such solver, or it refuses an option.
        """
        from dsct_gym.solver import make_solver

        try:
            return make_solver(self.name, **self.options)
        except (TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            given = ", ".join(f"{key}={value}" for key, value in self.options.items())
            raise InputError(f"option: solver {self.name!r} refuses {given} ({error})") from error


def parse_specs(text: str, where: str) -> list[Spec]:
    """Reads ``a,b[option=value,...],c``, each once.

    Args:
        text: What stands there.
        where: Option of the command line at fault where it cannot be read.

    Raises:
        InputError: If brackets do not match or a setting is not ``option=value``.
    """
    found: dict[str, Spec] = {}
    at = -1
    while at < len(text):
        spec, at = _spec(text, at + 1, where)
        if spec is not None:
            found.setdefault(spec.key, spec)
    return list(found.values())


def parse_setting(text: str) -> tuple[str, object]:
    """``option=value`` as it stands alone, where commas and brackets mean nothing.

    Raises:
        InputError: If it is not of that form.
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise InputError(f"--option: expected key=value, got {text!r}")
    try:
        return _option(key), json.loads(value)
    except (ValueError, RecursionError):
        return _option(key), value


def _spec(text: str, at: int, where: str) -> tuple[Spec | None, int]:
    """The spec that begins there, None where there are only blanks, and the place of its comma."""
    begun = at
    name, at = _take(_NAME, text, at)
    options: dict[str, object] = {}
    if bracket := text.startswith("[", at):
        options, at = _settings(text, at + 1, where)
    _, at = _take(_BLANKS, text, at)
    if at < len(text) and text[at] != ",":
        why = "brackets do not match" if text[at] in "[]" else "no comma after ]"
        raise InputError(f"{where}: {why} in {text!r}")
    if not name.strip():
        if bracket:
            raise InputError(f"{where}: no name before {text[begun:at].strip()!r}")
        return None, at
    return Spec(name.strip(), options), at


def _settings(text: str, at: int, where: str) -> tuple[dict[str, object], int]:
    """What stands in brackets, and the place behind them."""
    options: dict[str, object] = {}
    while True:
        _, at = _take(_BLANKS, text, at)
        if "]" not in text[at:]:
            raise InputError(f"{where}: brackets do not match in {text!r}")
        if text[at] == "]":
            return options, at + 1
        if text[at] == ",":
            at += 1
            continue
        key = _KEY.match(text, at)
        if key is None or not key[1].strip():
            raise InputError(f"{where}: expected option=value at {text[at:]!r}")
        try:
            options[_option(key[1])], at = _value(text, key.end())
        except ValueError:
            raise InputError(f"{where}: brackets do not match in {text!r}") from None


def _value(text: str, at: int) -> tuple[object, int]:
    """The value that begins there, and the place of the comma or bracket behind it.

    Raises:
        ValueError: If brackets do not match.
    """
    _, begin = _take(_BLANKS, text, at)
    try:
        value, end = _DECODER.raw_decode(text, begin)
        _, end = _take(_BLANKS, text, end)
        if text[end : end + 1] in (",", "]"):
            return value, end
    except (ValueError, RecursionError):
        pass
    depth = 0
    for end in range(at, len(text)):
        if depth == 0 and text[end] in ",]":
            return text[at:end], end
        depth += {"[": 1, "]": -1}.get(text[end], 0)
    raise ValueError("brackets do not match")


def _take(pattern: re.Pattern[str], text: str, at: int) -> tuple[str, int]:
    """What matches there, and the place behind it."""
    found = pattern.match(text, at)
    assert found is not None, "both patterns match nothing, too"
    return found[0], found.end()


def _option(key: str) -> str:
    """The name of an option as a solver has it: ``start-moves`` is ``start_moves``."""
    return key.strip().replace("-", "_")


def _shown(value: object) -> str:
    """The value so that it reads back as the same."""
    # What follows could end a text that begins like JSON: ``"`` and ``,b="`` make one string.
    if isinstance(value, str) and not value.lstrip().startswith(('"', "[", "{")):
        try:
            if _value(value + "]", 0) == (value, len(value)):
                return value
        except ValueError:
            pass
    return json.dumps(value)
