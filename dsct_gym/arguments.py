"""Numbers that users give as arguments: NumPy's are as good as Python's, mistakes are named."""

from __future__ import annotations

import operator

import numpy as np

from dsct_gym.errors import InputError


def as_integer(value: object, field: str, least: int, most: int | None = None) -> int:
    """A whole number as a plain integer.

    Raises:
        InputError: Naming the field, if it is none or out of range.
    """
    if isinstance(value, (bool, np.bool_)):
        raise InputError(f"{field}: must be a whole number, got {value}")
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError as error:
        raise InputError(f"{field}: must be a whole number, got {value!r}") from error
    if number < least:
        raise InputError(f"{field}: must be at least {least}, got {number}")
    if most is not None and number > most:
        raise InputError(f"{field}: must be at most {most}")
    return number


def as_number(value: object, field: str, least: float, most: float) -> float:
    """A number as a plain float.

    Raises:
        InputError: Naming the field, if it is none or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InputError(f"{field}: must be a number, got {value!r}")
    if not least <= value <= most:
        raise InputError(f"{field}: must be in {least:g}..{most:g}, got {value:g}")
    return float(value)


def as_range(value: object) -> tuple[object, object] | None:
    """The ends of a range: of a tuple, a list or an array of two. None when it is no range."""
    if isinstance(value, np.ndarray) and value.shape == (2,):
        value = value.tolist()
    return (value[0], value[1]) if isinstance(value, (tuple, list)) and len(value) == 2 else None
