"""Processes that work for the one that started them, and the cores there are for them."""

from __future__ import annotations

import os
import signal
import threading
import time


def usable_cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def prepare_worker(parent: int) -> None:
    """Leaves Ctrl-C and SIGTERM to the process that started the workers, and ends with it.

    A terminal sends Ctrl-C to all processes, a batch system SIGTERM. Workers would outlive a parent
    that was killed and slow down what runs next.

    Args:
        parent: Process identifier of the parent.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
