"""Files of the networks of `rl-service`: weights as safetensors, what they are as JSON beside them.

Reading one reads numbers and text and never runs code, whoever it comes from. A file that does not
fit this version is refused.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from dsct_gym.agents.serving.network import Network, shapes
from dsct_gym.atomic import write_bytes
from dsct_gym.envs.service_view import Column, PerClock
from dsct_gym.errors import InputError
from dsct_gym.refusals import shown_key

SHIPPED: Final = Path(__file__).parent.parent / "weights" / "service.safetensors"
"""The weights that ship."""

_KEY: Final = "policy"
_LARGEST_FILE: Final = 64 * 2**20
_NAMES: Final = tuple(column.name.lower() for column in (*Column, *PerClock))


class Header(BaseModel):
    """What a file says of itself.

    Attributes:
        format: Format of the file.
        width: Hidden units of each layer.
        columns: What it sees, in order, columns of clocks after the others.
        training: How it was trained: configuration, seed, versions, scores.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["dsct-service-policy/1"] = "dsct-service-policy/1"
    width: int = Field(ge=1, le=1_024)
    columns: tuple[str, ...] = _NAMES
    training: dict[str, Any] = {}


def save_network(path: str | Path, network: Network, training: dict[str, Any]) -> None:
    """Writes a file, through a temporary one.

    Raises:
        InputError: If it cannot be written.
    """
    header = Header(width=network.width, training=training)
    arrays = {name: np.ascontiguousarray(values) for name, values in network._asdict().items()}
    write_bytes(path, save(arrays, {_KEY: header.model_dump_json()}))


def load_network(path: str | Path) -> Network:
    """The network in a file.

    Raises:
        InputError: If there is no such file, or it is no network that this version can run.
    """
    _check_file(path)
    try:
        with safe_open(path, "numpy") as file:
            return _read(path, file, _read_header(path, file))
    except SafetensorError as error:
        raise InputError(f"{path}: not a policy of a service") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _check_file(path: str | Path) -> None:
    """Refuses what is no file, or larger than any network, before a byte is read."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read: {reason}") from error
    if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_FILE:
        raise InputError(f"{path}: not a policy of a service")


def _read_header(path: str | Path, file: Any) -> Header:
    stated = (file.metadata() or {}).get(_KEY)
    if stated is None:
        raise InputError(f"{path}: not a policy of a service")
    try:
        header = Header.model_validate_json(stated)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(shown_key(str(step)) for step in first["loc"]) or "header"
        raise InputError(f"{path}: {field}: {first['msg']}") from error
    if header.columns != _NAMES:
        raise InputError(f"{path}: columns: other columns than this version's")
    return header


def _read(path: str | Path, file: Any, header: Header) -> Network:
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
