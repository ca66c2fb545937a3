"""A process that runs jobs one after the other for the `Guard` that started it.

It talks over an inherited socket, whose file descriptor is its argument: first it is told
``sys.path`` and the number of threads, then it gets jobs. For each it says ``COMPILING`` and
``COMPILED`` before and after each kernel that it compiles, ``STARTED`` once the solver is warm, and
answers with the run, or None when Ctrl-C left nothing to hand over. It ends when the other end
closes, even in the middle of a run: nobody would hear the answer.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import replace
from multiprocessing.connection import Connection
from queue import SimpleQueue

STARTED = "started"
COMPILING = "compiling"
COMPILED = "compiled"


def main(descriptor: int) -> None:
    """Serves jobs until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = Connection(descriptor)
    path, threads = connection.recv()
    sys.path[:] = path
    inbox: SimpleQueue[object] = SimpleQueue()
    threading.Thread(target=_listen, args=(connection, inbox), daemon=True).start()
    while True:
        _serve(connection, inbox.get(), threads)


def _listen(connection: Connection, inbox: SimpleQueue[object]) -> None:
    """Passes jobs on; ends the process with the connection."""
    try:
        while True:
            inbox.put(connection.recv())
    except (EOFError, OSError):
        os._exit(0)


def _serve(connection: Connection, job: object, threads: int | None) -> None:
    from dsct_gym.benchmark.execution import run_job, warm_up
    from dsct_gym.benchmark.job import Job
    from dsct_gym.benchmark.source_code import digest_of
    from dsct_gym.kernel_cache import hearing

    assert isinstance(job, Job)
    with hearing(lambda _, done: connection.send(COMPILED if done else COMPILING)):
        warm_up(job.solver.name, job.instance)
    digest_of(job.solver)  # which the record tells, and which is kept from here on
    connection.send(STARTED)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        run = run_job(job, threads)
    except KeyboardInterrupt:
        connection.send(None)
        return
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The other end has the job: its instance need not travel twice.
    connection.send(replace(run, job=None))  # type: ignore[arg-type]


if __name__ == "__main__":
    main(int(sys.argv[1]))
