"""Pictures that commands draw: refused before the work if they cannot be, no loss if they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dsct_gym.cli.arguments import check_writable
from dsct_gym.cli.console import warn
from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from dsct_gym.schedule import Schedule

SUFFIXES: Final = (".png", ".svg", ".pdf")


def check_picture(option: str, path: Path | None) -> None:
    """As `check_writable`, for a picture; its suffix must be one that can be drawn."""
    check_writable(option, path)
    if path is not None and path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{option}: {path} must end in {', '.join(SUFFIXES)}")


def draw(schedule: Schedule, path: Path) -> None:
    """Draws a schedule into a file; a picture that fails is a warning, for the result is there."""
    try:
        from dsct_gym.gantt import save_gantt

        save_gantt(schedule, path)
    except Exception as error:
        warn(f"no picture {path}: {' '.join(str(error).split()) or type(error).__name__}")
