"""Threads that share the environments of a batch; the kernels let them run side by side."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_LEAST_SHARE = 64
"""Environments that are worth a thread."""


class Workers:
    """Splits ranges between threads, the caller being one of them.

    The threads start when they are first needed, and anew in a process that was forked and in a
    copy.

    Args:
        threads: Number of threads.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._process = -1

    def run(self, function: Callable[[int, int], None], count: int) -> None:
        """Calls ``function(first, last)`` on consecutive parts of 0..count."""
        parts = min(self._threads, count // _LEAST_SHARE)
        if parts < 2:
            function(0, count)
            return
        cuts = [count * part // parts for part in range(parts + 1)]
        waiting = [
            self._started().submit(function, cuts[part], cuts[part + 1]) for part in range(1, parts)
        ]
        function(0, cuts[1])
        for future in waiting:
            future.result()

    def _started(self) -> ThreadPoolExecutor:
        if self._pool is None or self._process != os.getpid():
            self._pool = ThreadPoolExecutor(self._threads - 1, thread_name_prefix="dsct-gym")
            self._process = os.getpid()
        return self._pool

    def close(self) -> None:
        """Stops the threads."""
        if self._pool is not None and self._process == os.getpid():
            self._pool.shutdown()
        self._pool = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pool": None}
