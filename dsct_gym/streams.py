"""Keeps stdout for results: what a solver prints goes to stderr instead.

Libraries write where they like: Python's ``print`` and loggers to ``sys.stdout``, C libraries and
the programs that they start to file descriptor 1. A command that promises JSON on stdout must catch
both, and the text that C keeps in a buffer of its own until later.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Iterator

_STDOUT, _STDERR = 1, 2


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Sends everything that is written to stdout to stderr, from whatever language or process.

    It holds for the whole process, so it is for the time in which a solver runs, not for the time
    in which results are printed. Uses may be nested and overlap in several threads: the first
    diverts, the last restores. Where stdout or stderr is closed there is nothing to divert.

    The Pyomo backends of `mip` run under it by themselves. A command that runs any other solver,
    which may be anybody's, wraps the run in it:

        with stdout_to_stderr():
            solution = solver.solve(instance)
        print_json(summary(solution))
    """
    _diversion.enter()
    try:
        yield
    finally:
        _diversion.leave()


class _Diversion:
    """The one diversion of the process, counting its uses."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uses = 0
        self._undo = contextlib.ExitStack()

    def enter(self) -> None:
        with self._lock:
            if self._uses == 0:
                self._divert()
            self._uses += 1

    def leave(self) -> None:
        with self._lock:
            self._uses -= 1
            if self._uses == 0:
                self._undo.close()

    def _divert(self) -> None:
        _flush()
        kept = None
        with contextlib.suppress(OSError):  # closed, as in some daemons
            kept = os.dup(_STDOUT)
            os.dup2(_STDERR, _STDOUT)
        if kept is not None:
            self._undo.callback(_restore, kept)
        if sys.stderr is not None:
            self._undo.enter_context(contextlib.redirect_stdout(sys.stderr))


def _restore(kept: int) -> None:
    """Gives stdout back, after what C still holds for it has gone to stderr."""
    _flush()
    os.dup2(kept, _STDOUT)
    os.close(kept)


def _flush() -> None:
    """Empties the buffers of Python and C, for wherever stdout leads at the moment."""
    for stream in (sys.stdout, sys.stderr):
        # A stream may be closed, missing or its reader gone; that is not for here to report.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    with contextlib.suppress(OSError, TypeError, AttributeError):  # Windows has no such library
        ctypes.CDLL(None).fflush(None)


_diversion = _Diversion()
