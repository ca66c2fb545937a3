"""One line for what is wrong with a document: pydantic's findings in the words of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound="Strict")


class Strict(BaseModel):
    """Refuses unknown keys, NaN, infinity and numbers written as text."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def validate(model: type[Model], data: object) -> Model:
    """Parsed JSON as a model.

    Raises:
        InputError: One line naming the field at fault.
    """
    with refusing():
        return model.model_validate(data)


@contextmanager
def refusing() -> Iterator[None]:
    """Tells what pydantic finds wrong within.

    Raises:
        InputError: One line naming the field at fault.
    """
    try:
        yield
    except ValidationError as error:
        _refuse(error.errors(include_url=False)[0])


def shown_key(key: str) -> str:
    """A key for an error line; keys of broken files may be long or hold line breaks."""
    short = key if len(key) <= 40 else f"{key[:40]}..."
    return short if short.isprintable() else repr(short)


def _refuse(error: ErrorDetails) -> NoReturn:
    """Turns pydantic's first finding into the one line of the contract."""
    path = "".join(
        f"[{step}]" if isinstance(step, int) else f".{shown_key(step)}" for step in error["loc"]
    ).removeprefix(".")
    message = _MESSAGES.get(error["type"], error["msg"].removeprefix("Value error, "))
    message = message.format(**error.get("ctx", {}))
    value = error["input"]
    if error["type"] in _SHOWING_VALUE and isinstance(value, (int, float)):
        message += f", got {_short(value)}"
    raise InputError(f"{path}: {message}" if path else f"document: {message}")


_MESSAGES = {
    "missing": "missing",
    "extra_forbidden": "unknown key",
    "unexpected_keyword_argument": "unknown key",
    "invalid_key": "unknown key",
    "model_type": "must be an object",
    "dataclass_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "string_type": "must be text",
    "string_unicode": "not valid Unicode",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must be of the form {pattern}",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "has too many digits",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "enum": "must be {expected}",
    "finite_number": "must be finite",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "too_short": "needs at least {min_length}",
    "too_long": "holds more than {max_length}",
    "literal_error": "must be {expected}",
}
_SHOWING_VALUE = frozenset(
    {"float_type", "finite_number", "greater_than", "greater_than_equal", "less_than_equal"}
)


def _short(value: float) -> str:
    """A number for an error line; an integer may have more digits than Python prints."""
    if isinstance(value, int) and value.bit_length() > 64:
        return f"an integer of {value.bit_length()} bits"
    return repr(value)
