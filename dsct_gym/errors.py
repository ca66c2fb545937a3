"""The one exception that a user's mistake raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class InputError(ValueError):
    """Bad input: one line that names the field or option at fault.

    The command line prints it without a traceback and exits with status 2.
    """


def located(path: str | Path, error: InputError) -> InputError:
    """The error with the file it is about in front, where it does not say so itself."""
    message = str(error)
    return InputError(message if message.startswith(str(path)) else f"{path}: {message}")
