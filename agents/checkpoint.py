"""Checkpoints of policies: weights as safetensors, what they are as JSON in its header.

Loading one reads numbers and text and never runs code, whoever the file comes from. The header
states architecture, width and columns; a file that does not fit this version is refused.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from dsct_gym.agents.network import ARCHITECTURE, Network, shapes
from dsct_gym.atomic import write_bytes
from dsct_gym.errors import InputError
from dsct_gym.plan import Context, Machine
from dsct_gym.refusals import shown_key

FORMAT: Final = "dsct-ea-policy/1"
_KEY = "policy"
_LARGEST_WIDTH = 1_024
_LARGEST_FILE = 64 * 2**20
_LONGEST_NAME = 40


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
    architecture: str = Field(default=ARCHITECTURE, max_length=_LONGEST_NAME)
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
    _check_file(Path(path))
    try:
        with safe_open(path, "numpy") as file:
            header = _read_header(path, file)
            return _read_network(path, file, header), header
    except SafetensorError as error:
        raise InputError(f"{path}: not a policy checkpoint") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _check_file(path: Path) -> None:
    """Refuses what is no file, or larger than any policy, before a byte is read."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read: {reason}") from error
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path}: cannot be read: not a file")
    if status.st_size > _LARGEST_FILE:
        raise InputError(f"{path}: not a policy checkpoint: too large")


def _read_header(path: str | Path, file: Any) -> Header:
    stated = (file.metadata() or {}).get(_KEY)
    if stated is None:
        raise InputError(f"{path}: not a policy checkpoint")
    try:
        header = Header.model_validate_json(stated)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(shown_key(str(step)) for step in first["loc"]) or "header"
        raise InputError(f"{path}: {field}: {first['msg']}") from error
    if header.architecture != ARCHITECTURE:
        raise InputError(
            f"{path}: architecture: {header.architecture!r}, this version runs {ARCHITECTURE!r}"
        )
    for field, columns in (("context", Context), ("machine", Machine)):
        if getattr(header, field) != columns.labels():
            raise InputError(f"{path}: {field}: other columns than this version's")
    return header


def _read_network(path: str | Path, file: Any, header: Header) -> Network:
    """The arrays as a network; only those of the wanted types and shapes are read."""
    wanted = shapes(header.width)
    unexpected = sorted(set(file.keys()) ^ set(wanted))
    if unexpected:
        raise InputError(f"{path}: {shown_key(unexpected[0])}: missing or unknown array")
    arrays = {}
    for name, shape in wanted.items():
        kind, found = file.get_slice(name).get_dtype(), tuple(file.get_slice(name).get_shape())
        if kind != "F32" or found != shape:
            raise InputError(f"{path}: {name}: {kind} {found}, must be float32 {shape}")
        arrays[name] = np.ascontiguousarray(file.get_tensor(name))
        if not np.isfinite(arrays[name]).all():
            raise InputError(f"{path}: {name}: holds numbers that are not finite")
    return Network(**arrays)
