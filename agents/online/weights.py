"""Files of what `rl-online` has learned: numbers by name, as JSON.

Reading one reads numbers and text and never runs code, whoever the file comes from. Each number
stands beside its name; a file that lacks one of this version, or has another, is refused.
"""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import Field

from dsct_gym.agents.online.columns import (
    HOLD_AT,
    INDEX_AT,
    PRICES_AT,
    PRIOR_AT,
    ROW,
    SHARPNESS_AT,
    SIZE,
    Candidate,
    Hold,
    Outlook,
    Price,
    Prior,
)
from dsct_gym.arrays import Floats
from dsct_gym.errors import InputError, located
from dsct_gym.files import read_json
from dsct_gym.refusals import Strict, validate

SHIPPED: Final = Path(__file__).parent.parent / "weights" / "online.json"
"""The weights that ship."""

_LARGEST = 1e3
_DIGITS = 6

Weight = Annotated[float, Field(ge=-_LARGEST, le=_LARGEST)]
Weights = Annotated[dict[str, Weight], Field(max_length=ROW)]


class WeightFile(Strict):
    """What a file of weights holds; all numbers are without unit.

    Attributes:
        format: Format of the file.
        time: Weights of the outlook in ln of the price of work, by `Outlook`.
        energy: Likewise in ln of the price of energy.
        index: Weights of the index of candidates, by `Candidate`.
        hold: When a task is kept for another machine, by `Hold`.
        prior: What is believed of the rate of arrivals, by `Prior`.
        sharpness: How sharply the dearer of both prices counts: ln of q.
        training: How they were trained.
    """

    format: Literal["dsct-online-policy/1"] = "dsct-online-policy/1"
    time: Weights
    energy: Weights
    index: Weights
    hold: Weights
    prior: Weights
    sharpness: Weight
    training: dict[str, Any] = Field(default_factory=dict)


_ROWS: Final[tuple[tuple[str, int, type[IntEnum]], ...]] = (
    ("time", PRICES_AT + Price.TIME * ROW, Outlook),
    ("energy", PRICES_AT + Price.ENERGY * ROW, Outlook),
    ("index", INDEX_AT, Candidate),
    ("hold", HOLD_AT, Hold),
    ("prior", PRIOR_AT, Prior),
)
"""Fields of the file, where they lie in the parameters, and what their places are called."""


def load_weights(path: str | Path) -> Floats:
    """The parameters in a file (SIZE,), see `dsct_gym.agents.online.columns`.

    Raises:
        InputError: If it cannot be read or is no such file.
    """
    document = read_json(path)
    try:
        found = validate(WeightFile, document)
    except InputError as error:
        raise located(path, error) from error
    parameters = np.zeros(SIZE)
    for field, first, places in _ROWS:
        told: dict[str, float] = getattr(found, field)
        if set(told) != set(_labels(places)):
            raise InputError(f"{path}: {field}: other names than this version's")
        for place, label in enumerate(_labels(places)):
            parameters[first + place] = told[label]
    parameters[SHARPNESS_AT] = found.sharpness
    return parameters


def as_file(parameters: Floats, training: dict[str, Any]) -> str:
    """The text of a file that holds parameters (SIZE,), to six digits."""
    told: dict[str, Any] = {
        field: {label: _rounded(parameters[first + k]) for k, label in enumerate(_labels(places))}
        for field, first, places in _ROWS
    }
    file = WeightFile(**told, sharpness=_rounded(parameters[SHARPNESS_AT]), training=training)
    return file.model_dump_json(indent=2) + "\n"


def _labels(places: type[IntEnum]) -> list[str]:
    return [place.name.lower() for place in places]


def _rounded(number: float) -> float:
    return float(f"{min(max(number, -_LARGEST), _LARGEST):.{_DIGITS}g}")
