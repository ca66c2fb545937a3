"""Checkpoints of policies: weights as safetensors, what they are as JSON in its header.

Loading one reads numbers and text and never runs code, whoever the file comes from. The header
states architecture, width and columns; a file that does not fit this version is refused.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from dsct_gym.agents.network import ARCHITECTURE, Network, shapes
from dsct_gym.atomic import write_bytes
from dsct_gym.errors import InputError
from dsct_gym.plan import Context, Machine

FORMAT: Final = "dsct-ea-policy/1"
_KEY = "policy"
_LARGEST_WIDTH = 1_024
_LARGEST_FILE = 64 * 2**20
_LENGTH = 8  # bytes that give the length of the header


class Header(BaseModel):
    """What a checkpoint says of itself.

    Attributes:
        format: Format of the file.
        architecture: Name of the architecture.
        width: Hidden units.
        context: Names of the columns of a task, in order.
        machine: Names of the columns of a machine, in order.
        training: How it was trained: configuration, seed, versions, scores.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["dsct-ea-policy/1"] = FORMAT
    architecture: str = ARCHITECTURE
    width: int = Field(ge=1, le=_LARGEST_WIDTH)
    context: tuple[str, ...] = Context.labels()
    machine: tuple[str, ...] = Machine.labels()
    training: dict[str, Any] = {}


def save_policy(path: str | Path, network: Network, training: dict[str, Any] | None = None) -> None:
    """Writes a checkpoint, through a temporary file.

    Args:
        path: Where to.
        network: The weights.
        training: What to tell of the training: anything that JSON can hold.

    Raises:
        InputError: If it cannot be written.
    """
    header = Header(width=network.width, training=training or {})
    arrays = {name: np.ascontiguousarray(values) for name, values in network._asdict().items()}
    write_bytes(path, save(arrays, {_KEY: header.model_dump_json()}))


def load_policy(path: str | Path) -> tuple[Network, Header]:
    """Reads a checkpoint.

    Raises:
        InputError: If there is no such file, or it is no policy that this version can run.
    """
    content = _read(Path(path))
    try:
        arrays = load(content)
        length = int.from_bytes(content[:_LENGTH], "little")
        document = json.loads(content[_LENGTH : _LENGTH + length])
        stated = json.loads(document["__metadata__"][_KEY])
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a policy checkpoint") from error
    header = _check_header(path, stated)
    return _network(path, arrays, header), header


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise InputError(f"{path}: not a policy checkpoint: too large")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read: {reason}") from error


def _check_header(path: str | Path, stated: object) -> Header:
    try:
        header = Header.model_validate(stated)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "header"
        raise InputError(f"{path}: {field}: {first['msg']}") from error
    if header.architecture != ARCHITECTURE:
        raise InputError(
            f"{path}: architecture: {header.architecture!r}, this version runs {ARCHITECTURE!r}"
        )
    for field, known in (("context", Context.labels()), ("machine", Machine.labels())):
        if getattr(header, field) != known:
            raise InputError(f"{path}: {field}: other columns than this version's")
    return header


def _network(path: str | Path, arrays: dict[str, Any], header: Header) -> Network:
    """The arrays as a network, checked."""
    wanted = shapes(header.width)
    if set(arrays) != set(wanted):
        unexpected = sorted(set(arrays) ^ set(wanted))
        raise InputError(f"{path}: {unexpected[0]}: missing or unknown array")
    for name, shape in wanted.items():
        values = arrays[name]
        if values.shape != shape or values.dtype != np.float32:
            raise InputError(
                f"{path}: {name}: {values.dtype} {values.shape}, must be float32 {shape}"
            )
        if not np.isfinite(values).all():
            raise InputError(f"{path}: {name}: holds numbers that are not finite")
    return Network(**{name: np.ascontiguousarray(arrays[name]) for name in wanted})
