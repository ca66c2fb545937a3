"""Instance and schedule files: documents as JSON text, read strictly and written whole.

A file whose name ends in ``.gz`` is packed, the same content always to the same bytes.
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from dsct_gym.atomic import write_bytes
from dsct_gym.documents import (
    document,
    parse_schedule,
    schedule_document,
    verify_document,
)
from dsct_gym.errors import InputError
from dsct_gym.refusals import shown_key

if TYPE_CHECKING:
    from dsct_gym.problem import Problem
    from dsct_gym.schedule import Schedule
    from dsct_gym.verifier import Verification

PACKED: Final = ".gz"

LARGEST: Final = 2**30
"""Most bytes that a file may hold, unpacked: several million tasks."""
_PIECE = 2**20


def instance_text(problem: Problem) -> str:
    """The text of an instance file, one machine or task a line."""
    return _one_item_a_line(document(problem))


def write_instance(problem: Problem, path: str | Path) -> None:
    """Writes an instance file; the same problem, the same bytes."""
    _write(path, instance_text(problem))


def write_schedule(schedule: Schedule, path: str | Path) -> None:
    """Writes a schedule file, one placed task a line."""
    _write(path, _one_item_a_line(schedule_document(schedule)))


def read_schedule(path: str | Path, problem: Problem) -> Schedule:
    """Reads a schedule file; what it claims is kept as it stands there.

    Raises:
        InputError: If it breaks the format, answers an instance of another name, names a task or
            machine that the instance does not have, places a task twice, or gives a mean that is
            not its total divided by the number of tasks.
    """
    return parse_schedule(read_json(path), problem)


def verify_schedule_file(
    path: str | Path, problem: Problem, proven: float = math.inf
) -> Verification:
    """Verifies everything that a schedule file claims, as `verify_document` does.

    Args:
        path: The file.
        problem: What it claims to answer.
        proven: An upper bound that is known to hold, of a certificate.

    Raises:
        InputError: If the file cannot be read or breaks the format.
    """
    return verify_document(read_json(path), problem, proven)


def read_json(path: str | Path) -> object:
    """Parses a JSON file, with or without a byte order mark, refusing duplicate keys.

    Raises:
        InputError: If it cannot be read or is not JSON in UTF-8.
    """
    text = read_text(path)
    try:
        return json.loads(text, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}: not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error
    except RecursionError as error:
        raise InputError(f"{path}: not JSON that makes sense: nested too deeply") from error
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def read_text(path: str | Path) -> str:
    """The text of a file; one that ends in ``.gz`` is unpacked.

    Raises:
        InputError: If it cannot be read, is not in UTF-8, or holds more than `LARGEST`.
    """
    try:
        with Path(path).open("rb") as file:
            return read_packed(file, str(path)).decode("utf-8-sig")
    except InputError:
        raise
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}") from error
    except ValueError as error:
        raise InputError(f"{str(path)!r}: {error}") from error


def read_packed(file: IO[bytes], name: str) -> bytes:
    """As `read_whole`, unpacked where the name ends in ``.gz``."""
    if not _is_packed(name):
        return read_whole(file, name)
    with gzip.GzipFile(fileobj=file) as unpacked:
        return read_whole(unpacked, name)


def read_whole(file: IO[bytes] | gzip.GzipFile, name: str) -> bytes:
    """What an open file holds, unless that is more than any file of ours.

    Raises:
        InputError: If it holds more than `LARGEST`: a device without end, a packed file that is
            made to fill the memory.
    """
    content = bytearray()
    # In pieces, for a read makes room for all that it may return.
    while piece := file.read(_PIECE):
        content += piece
        if len(content) > LARGEST:
            raise InputError(f"{name}: holds more than {LARGEST >> 20} MiB")
    return bytes(content)


def stem_of(path: str | Path) -> str:
    """What a file is called without ``.json``, ``.json.gz`` or whatever else it ends in."""
    name = Path(path).name
    return Path(name[: -len(PACKED)] if _is_packed(name) else name).stem


def _is_packed(path: str | Path) -> bool:
    return str(path).endswith(PACKED)


def _write(path: str | Path, text: str) -> None:
    content = text.encode("utf-8")
    # Without the time of packing: the same content, the same bytes.
    write_bytes(path, gzip.compress(content, mtime=0) if _is_packed(path) else content)


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{shown_key(repeated)}: key given twice")
    return unique


def _one_item_a_line(fields: dict[str, Any]) -> str:
    """JSON with each element of a top-level list on a line of its own."""

    def encoded(value: object) -> str:
        if isinstance(value, list) and value:
            items = ",\n".join("  " + _json(item) for item in value)
            return f"[\n{items}\n ]"
        return _json(value)

    lines = ",\n".join(f' "{key}": {encoded(value)}' for key, value in fields.items())
    return "{\n" + lines + "\n}\n"


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise InputError("not finite: NaN and infinity cannot be written") from error
