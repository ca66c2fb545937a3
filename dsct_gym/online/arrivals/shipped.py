"""Extracts of traces that ship; the first line of each file tells its source and licence.

``azure-code`` is not trained on by anything that ships: what is learned is tested on it. Of the
others the first half is for training, the second for tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from dsct_gym.errors import InputError, instead_of
from dsct_gym.online.arrivals.reading import parse_trace
from dsct_gym.online.arrivals.replay import Replay
from dsct_gym.online.arrivals.windows import Windows

TRACES: Final = ("azure-code", "azure-conv", "mooncake", "servegen")
"""Names of the extracts."""

NEVER_TRAINED_ON: Final = "azure-code"
"""The one that is kept for tests as a whole."""

TRAINING: Final[Mapping[str, float]] = {"begin": 0.0, "end": 0.5}
"""The part of the others that is for training."""

TESTING: Final[Mapping[str, float]] = {"begin": 0.5, "end": 1.0}
"""The part of them that is for tests."""


@cache
def shipped_trace(
    name: str, *, keep: float = 1.0, begin: float = 0.0, end: float = 1.0
) -> Replay | Windows:
    """An extract that ships.

    Args:
        name: One of `TRACES`.
        keep: As for `Replay`.
        begin: From where in the trace, as a share of it.
        end: Up to where, likewise.

    Raises:
        InputError: If there is none of that name, or a number is out of range.
    """
    if name not in TRACES:
        raise InputError(f"arrivals: no trace {name!r} ships; {instead_of(name, TRACES)}")
    folder = files("dsct_gym.online").joinpath("data")
    text = folder.joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return parse_trace(text, f"{name}.csv", keep=keep, begin=begin, end=end)


def training_part(arrivals: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What may be trained on of a process of arrivals.

    Args:
        arrivals: Its name under ``name`` beside its options.

    Returns:
        The same of another part, where it is a trace; None where it is for tests alone.
    """
    name = arrivals["name"]
    if name == NEVER_TRAINED_ON:
        return None
    return {**arrivals, **TRAINING} if name in TRACES else arrivals
