"""Files that are written whole or not at all, and the folders they go into."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path

from dsct_gym.errors import InputError

_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")


def write_text(path: str | Path, text: str) -> None:
    """Writes a file through a temporary one beside it, so that it is never half there.

    Raises:
        InputError: If it cannot be written.
    """
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | Path, content: bytes) -> None:
    """As `write_text`, for bytes; a pipe or device such as ``/dev/stdout`` is written directly."""
    try:
        target = Path(path)
        if target.exists() and not target.is_file():
            target.write_bytes(content)
        else:
            _replace(target.resolve(), content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
    except ValueError as error:
        raise InputError(f"{str(path)!r}: cannot be written: {error}") from error


def make_folder(path: Path) -> Path:
    """Makes a folder with those above it.

    Raises:
        InputError: If it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be made: {error.strerror}") from error
    return path


def check_file(path: Path) -> None:
    """Refuses a file that could not be written, before the work for it is done.

    Raises:
        InputError: If it is a folder, or nothing can be written where it would lie.
    """
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder")
        if not path.exists() or path.is_file():
            _check_room((path.resolve() if path.is_symlink() else path).parent)
        elif not os.access(path, os.W_OK):
            raise InputError(f"{path} cannot be written")
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be written: {_why(error)}") from error


def check_folder(path: Path) -> None:
    """Refuses a folder that could not be made or written into; it is not made.

    Raises:
        InputError: If it, or what it would lie in, is no folder or cannot be written into.
    """
    try:
        place = path.absolute()
        while not place.exists():
            place = place.parent
        _check_room(place)
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be made: {_why(error)}") from error


def _check_room(folder: Path) -> None:
    """Tries whether files can be made in a folder: rights alone do not tell."""
    if not folder.is_dir():
        raise InputError(
            f"{folder} is no folder" if folder.exists() else f"there is no folder {folder}"
        )
    trial = folder / f".{secrets.token_hex(8)}.tmp"
    try:
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        raise InputError(f"nothing can be written into {folder}: {_why(error)}") from error


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def refuse_links(paths: Iterable[Path]) -> None:
    """Refuses symbolic links where results are written: a folder may be a stranger's.

    Raises:
        InputError: Naming the first of the paths that is one.
    """
    for path in paths:
        if path.is_symlink():
            raise InputError(f"{path}: is a symbolic link; results are not written through one")


def is_left_over(path: Path) -> bool:
    """Whether a file is what `write_bytes` leaves behind when it is killed."""
    return _TEMPORARY.fullmatch(path.name) is not None


def _replace(target: Path, content: bytes) -> None:
    """Puts a finished file in the place of ``target``; on any failure nothing has changed."""
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
