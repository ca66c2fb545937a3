"""Arguments that the single and the batched environments share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.problem import check_known


def check_on_invalid(on_invalid: str) -> bool:
    """Whether a forbidden action raises.

    Raises:
        InputError: If ``on_invalid`` is neither ``"skip"`` nor ``"raise"``.
    """
    if on_invalid not in ("skip", "raise"):
        raise InputError(f"on_invalid: must be 'skip' or 'raise', got {on_invalid!r}")
    return on_invalid == "raise"


def instance_of(options: Mapping[str, Any] | None) -> Instance | None:
    """The instance that the options of ``reset`` give, None where they give none.

    Raises:
        InputError: If it is neither an `Instance` nor the path of an instance file.
    """
    given = None if options is None else options.get("instance")
    if given is None:
        return None
    if isinstance(given, (str, Path)):
        return Instance.load(given)
    return playable(given, "options: instance")


def playable(problem: object, field: str) -> Instance:
    """The problem itself, if it needs nothing that an environment of DSCT-EA does not know.

    Raises:
        InputError: Naming the field.
    """
    check_known(problem, frozenset(), "this environment", dict, field=field)
    assert isinstance(problem, Instance)
    return problem
