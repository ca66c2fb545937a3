"""The command line ``dsct-gym``: one file a command.

Exit status: 0 done, 1 a negative answer, 2 bad input or usage; 130 after Ctrl-C and 141 when the
reader of the output went away, as the shell has it. SIGTERM, which ``timeout``, Slurm and
Kubernetes send before they kill, does what Ctrl-C does.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

AT_ONCE = 0.5
"""Signals within so many seconds are one."""

BAD_INPUT = 2
INTERRUPTED = 130
BROKEN_PIPE = 141
TRACEBACK = "DSCT_GYM_TRACEBACK"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs one command and exits with its status; ``arguments`` default to the process's own."""
    _prepare_streams()
    _import_from_here()
    interrupt = _Interrupt()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    status = run(arguments)
    # What stdout could not take would raise again when the interpreter flushes it.
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if status == INTERRUPTED and threading.active_count() > 1:
        # A library's thread that still computes would crash when the interpreter is taken down.
        os._exit(status)
    sys.exit(status)


class _Interrupt:
    """Handles a signal as Python handles SIGINT, but takes signals that come at once for one.

    Some senders (``timeout`` among them) signal a process and then its group: the second would hit
    what the first made the command save.
    """

    def __init__(self) -> None:
        self._last = -math.inf

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if now - self._last > AT_ONCE:
            self._last = now
            raise KeyboardInterrupt


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and tells what went wrong in one line on stderr.

    Args:
        arguments: Command line without the program's name; None takes the process's own.

    Returns:
        The exit status.
    """
    from dsct_gym.cli.app import build_app

    try:
        status = build_app()(args=arguments, prog_name="dsct-gym", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        return BROKEN_PIPE
    except SystemExit:
        # Without standalone mode, Typer and Rich exit by themselves only when stdout has gone.
        return BROKEN_PIPE
    except KeyboardInterrupt:
        status = INTERRUPTED
    except InputError as error:
        return _refuse(*error.lines)
    except Exception as error:
        return _refuse(_usage_message(error) or _unexpected(error))
    if status == INTERRUPTED:
        _say("Interrupted.")
    return status if isinstance(status, int) else 0


def _import_from_here() -> None:
    """Lets ``module:Class`` name a solver in the current folder, as ``python -m`` does.

    It comes last: a ``random.py`` there must not take the place of Python's.
    """
    with suppress(OSError):  # the folder may be gone
        here = str(Path.cwd())
        if not {"", here} & set(sys.path):
            sys.path.append(here)


def _prepare_streams() -> None:
    """Gives closed streams somewhere to go; what a terminal cannot show becomes a ``?``."""
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w")


def _usage_message(error: Exception) -> str | None:
    """What Typer has to say about a usage error, None for any other exception."""
    if type(error).__name__ == "Abort":
        return "interrupted"
    format_message = getattr(error, "format_message", None)
    if format_message is None:
        return None
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "dsct-gym"
    message = str(format_message()).replace("Value error, ", "").rstrip(".")
    return f"{message} (see {command} --help)"


def _unexpected(error: Exception) -> str:
    """One line for what no command foresaw; the traceback is there for those who ask for it."""
    if os.environ.get(TRACEBACK):
        raise error
    if isinstance(error, OSError):
        return f"{error.filename or 'standard output'}: {error.strerror or error}"
    if isinstance(error, MemoryError):
        return "not enough memory for a problem of this size"
    return f"unexpected {type(error).__name__}: {error} (set {TRACEBACK}=1 for the traceback)"


def _refuse(*faults: str) -> int:
    for fault in faults:
        _say(f"Error: {' '.join(fault.split())}")
    return BAD_INPUT


def _say(line: str) -> None:
    from dsct_gym.cli.console import plain

    sys.stderr.write(plain(line) + "\n")
