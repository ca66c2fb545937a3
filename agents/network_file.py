"""Files of networks: arrays as safetensors, what they are as JSON in the header.

Reading one reads numbers and text and never runs code, whoever the file comes from. What does not
fit this version is refused in one line.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from dsct_gym.arrays import Floats32
from dsct_gym.atomic import write_bytes
from dsct_gym.errors import InputError
from dsct_gym.refusals import shown_key

_KEY = "policy"
_LARGEST_FILE = 64 * 2**20

HeaderT = TypeVar("HeaderT", bound=BaseModel)


def write_network(path: str | Path, header: BaseModel, arrays: Mapping[str, Floats32]) -> None:
    """Writes a file, through a temporary one.

    Raises:
        InputError: If it cannot be written.
    """
    kept = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
    write_bytes(path, save(kept, {_KEY: header.model_dump_json()}))


def read_network(
    path: str | Path,
    called: str,
    header_type: type[HeaderT],
    shapes_of: Callable[[HeaderT], Mapping[str, tuple[int, ...]]],
) -> tuple[HeaderT, dict[str, Floats32]]:
    """What a file says of itself, and its arrays.

    Args:
        path: The file.
        called: What it should be, for whoever gives another.
        header_type: Of what it says of itself.
        shapes_of: The arrays that this makes expect, and their shapes; `InputError` where it is
            nothing that this version can run.

    Raises:
        InputError: If there is no such file, or it does not fit.
    """
    _check_file(Path(path), called)
    try:
        with safe_open(path, "numpy") as file:
            header = _read_header(path, file, called, header_type)
            try:
                shapes = shapes_of(header)
            except InputError as error:
                raise InputError(f"{path}: {error}") from error
            return header, _read_arrays(path, file, shapes)
    except SafetensorError as error:
        raise InputError(f"{path}: not {called}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _check_file(path: Path, called: str) -> None:
    """Refuses what is no file, or larger than any network, before a byte is read."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read: {reason}") from error
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path}: cannot be read: not a file")
    if status.st_size > _LARGEST_FILE:
        raise InputError(f"{path}: not {called}: too large")


def _read_header(path: str | Path, file: Any, called: str, header_type: type[HeaderT]) -> HeaderT:
    stated = (file.metadata() or {}).get(_KEY)
    if stated is None:
        raise InputError(f"{path}: not {called}")
    try:
        return header_type.model_validate_json(stated)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(shown_key(str(step)) for step in first["loc"]) or "header"
        raise InputError(f"{path}: {field}: {first['msg']}") from error


def _read_arrays(
    path: str | Path, file: Any, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, Floats32]:
    """The arrays; only those of the wanted types and shapes are read."""
    unexpected = sorted(set(file.keys()) ^ set(shapes))
    if unexpected:
        raise InputError(f"{path}: {shown_key(unexpected[0])}: missing or unknown array")
    arrays = {}
    for name, shape in shapes.items():
        kind, found = file.get_slice(name).get_dtype(), tuple(file.get_slice(name).get_shape())
        if kind != "F32" or found != shape:
            raise InputError(f"{path}: {name}: {kind} {found}, must be float32 {shape}")
        arrays[name] = np.ascontiguousarray(file.get_tensor(name))
        if not np.isfinite(arrays[name]).all():
            raise InputError(f"{path}: {name}: holds numbers that are not finite")
    return arrays
