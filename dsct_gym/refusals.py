"""One line for what is wrong with a document: pydantic's findings in the words of the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from dsct_gym.errors import refuse, similar_to

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound="Strict")


class Strict(BaseModel):
    """Refuses unknown keys, NaN, infinity and numbers written as text."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def validate(
    model: type[Model], data: object, further: Callable[[], Sequence[str]] = tuple
) -> Model:
    """Parsed JSON as a model.

    Args:
        model: The model.
        data: Parsed JSON.
        further: Where there are faults, gives a line for each that the model alone does not find.

    Raises:
        InputError: One line for each fault, naming the field.
    """
    with refusing(model, further):
        return model.model_validate(data)


@contextmanager
def refusing(
    model: type[BaseModel] | None = None, further: Callable[[], Sequence[str]] = tuple
) -> Iterator[None]:
    """Tells what pydantic finds wrong within.

    Args:
        model: What the data should be, from whose keys the one that was meant is suggested.
        further: As for `validate`.

    Raises:
        InputError: One line for each fault, naming the field.
    """
    try:
        yield
    except ValidationError as error:
        findings = error.errors(include_url=False)
        for finding in findings:
            if finding["loc"] == ("format",):
                refuse([_line(finding, model)])  # it is another document: nothing else is a fault
        refuse([*(_line(finding, model) for finding in findings), *further()])


def fault_of(field: str, message: str) -> PydanticCustomError:
    """What a validator of a whole model raises about one of its fields."""
    return PydanticCustomError(_OF_A_FIELD, "{message}", {"field": field, "message": message})


def part_of(model: type[BaseModel], field: str) -> type[BaseModel]:
    """The model of a field, or of the elements of its list."""
    return next(_models_in(model.model_fields[field].annotation))


def shown_key(key: str) -> str:
    """A key for an error line; keys of broken files may be long or hold line breaks."""
    short = key if len(key) <= 40 else f"{key[:40]}..."
    return short if short.isprintable() else repr(short)


_OF_A_FIELD = "of_a_field"

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
    _OF_A_FIELD: "{message}",
}
_SHOWING_VALUE = frozenset(
    {"float_type", "finite_number", "greater_than", "greater_than_equal", "less_than_equal"}
)


def _line(finding: ErrorDetails, model: type[BaseModel] | None) -> str:
    """One finding in the words of the contract."""
    kind, place, context = finding["type"], finding["loc"], finding.get("ctx", {})
    if kind == _OF_A_FIELD:
        place = (*place, context["field"])
    path = "".join(
        f"[{step}]" if isinstance(step, int) else f".{shown_key(step)}" for step in place
    ).removeprefix(".")
    message = _MESSAGES.get(kind, finding["msg"].removeprefix("Value error, ")).format(**context)
    value = finding["input"]
    if kind in _SHOWING_VALUE and isinstance(value, (int, float)):
        message += f", got {_short(value)}"
    if kind == "extra_forbidden" and model is not None:
        message += _suggestion(model, place)
    return f"{path}: {message}" if path else f"document: {message}"


def _suggestion(model: type[BaseModel], place: tuple[int | str, ...]) -> str:
    """The key that was perhaps meant."""
    *outer, key = place
    for step in outer:
        if isinstance(step, str):
            model = part_of(model, step)
    close = similar_to(str(key), model.model_fields)
    return f"; did you mean {close[0]}" if close else ""


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _short(value: float) -> str:
    """A number for an error line; an integer may have more digits than Python prints."""
    if isinstance(value, int) and value.bit_length() > 64:
        return f"an integer of {value.bit_length()} bits"
    return repr(value)
