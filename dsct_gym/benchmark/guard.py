"""Runs jobs in a process of its own, which may hang, crash or be killed without harm.

The process lives on from job to job, so that imports and compilation are paid once. A solver has
its time limit and then a grace period to come back in; after that it is killed with all that it
started, and the next job gets a new process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from typing import IO, TYPE_CHECKING, Final

from dsct_gym.benchmark.execution import Run, failed_run
from dsct_gym.benchmark.record import Status
from dsct_gym.benchmark.worker import COMPILING, STARTED

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from dsct_gym.benchmark.job import Job

GRACE: Final = 10.0
"""Default grace period beyond the time limit, s; half the limit where that is more."""

START: Final = 60.0
"""Time for a process to start and to warm the solver up, anew after each kernel it compiles, s.

It is that of the job where that is more, but only until the solver has not been ready once: from
then on the lesser of the two, so that one that hangs does not cost its time limit in every job.
"""

COMPILATION: Final = 3600.0
"""Time for one kernel, s: compilers come to an end, however slow a busy machine makes them."""

PATIENCE: Final = 10.0
"""Time after Ctrl-C for a solver to hand over what it has, s."""

_FOR_EVER: Final = 2e6
"""Seconds, three weeks, beyond which nobody can be asked to wait: milliseconds have 32 bits."""

_THREAD_VARIABLES: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@dataclass(frozen=True)
class Limits:
    """How jobs are run.

    Attributes:
        threads: Threads for each solver; None leaves it to the solver.
        grace: Time beyond the limit before a solver is killed, s; None is the greater of `GRACE`
            and half the limit.
    """

    threads: int | None = None
    grace: float | None = None

    def patience(self, time_limit: float | None) -> float | None:
        """Seconds after which a solver with that limit is killed; None waits for ever."""
        if time_limit is None:
            return None
        grace = max(GRACE, 0.5 * time_limit) if self.grace is None else self.grace
        return time_limit + grace if time_limit + grace < _FOR_EVER else None


class Guard:
    """Supervises one worker process; not to be shared between threads.

    Args:
        limits: How jobs are run.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._late: set[str] = set()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection
        self._output: IO[bytes]

    def run(self, job: Job) -> Run:
        """Runs a job.

        Returns:
            The run; its record tells of a solver that raised, crashed or was killed.

        Raises:
            KeyboardInterrupt: On Ctrl-C, when the solver does not hand over what it has.
        """
        started = time.perf_counter()
        patience = self._limits.patience(job.time_limit)
        try:
            self._start()
            self._connection.send(job)
            if not self._hear_of_start(job, patience):
                return self._killed(job, "not ready in time", started)
            started = time.perf_counter()
            if not self._connection.poll(patience):
                return self._killed(job, f"killed after {patience:g} s", started)
            return self._hear(job)
        except (EOFError, ConnectionError):
            return self._died(job, started)
        except KeyboardInterrupt:
            return self._interrupted(job)

    def close(self) -> None:
        """Ends the process with all that it started."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        self._connection.close()
        self._output.close()

    def _start(self) -> None:
        """Starts the process unless there is one; it leads a group of its own."""
        if self._process is not None:
            return
        self._connection, theirs = Pipe()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as the process
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dsct_gym.benchmark.worker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                env=self._variables(),
            )
        self._connection.send((sys.path, self._limits.threads))

    def _variables(self) -> dict[str, str]:
        """The environment of the process, with the number of threads for the libraries."""
        if self._limits.threads is None:
            return dict(os.environ)
        return os.environ | dict.fromkeys(_THREAD_VARIABLES, str(self._limits.threads))

    def _hear_of_start(self, job: Job, patience: float | None) -> bool:
        """Whether the solver is warm in time, in which compilation does not count."""
        least = min if job.solver.name in self._late else max
        wait = START if patience is None else least(START, patience)
        compiling = 0  # kernels may be compiled for the sake of others
        while self._connection.poll(COMPILATION if compiling > 0 else wait):
            news = self._connection.recv()
            if news == STARTED:
                return True
            compiling += 1 if news == COMPILING else -1
        self._late.add(job.solver.name)
        return False

    def _hear(self, job: Job) -> Run:
        """The answer, which the other end sends without the job.

        Raises:
            KeyboardInterrupt: If Ctrl-C left nothing to hand over.
        """
        run: Run | None = self._connection.recv()
        if run is None:
            raise KeyboardInterrupt
        return replace(run, job=job)

    def _killed(self, job: Job, why: str, started: float) -> Run:
        self.close()
        return self._failed(job, Status.TIMEOUT, why, started)

    def _failed(self, job: Job, status: Status, why: str, started: float) -> Run:
        seconds = time.perf_counter() - started
        return failed_run(job, status, why, seconds, self._limits.threads)

    def _died(self, job: Job, started: float) -> Run:
        """The run of a job whose process went away under it."""
        assert self._process is not None
        status = self._process.wait()
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        told = self._last_line()
        self.close()
        message = f"the process died ({how})" + (f": {told}" if told else "")
        return self._failed(job, Status.FAILED, message, started)

    def _interrupted(self, job: Job) -> Run:
        """Passes Ctrl-C on and waits for what the solver hands over.

        Raises:
            KeyboardInterrupt: If it hands over nothing in time.
        """
        try:
            if self._process is not None:
                self._process.send_signal(signal.SIGINT)
                answer = self._last_answer()
                if answer is not None and answer.record and answer.record.interrupted:
                    return replace(answer, job=job)
        except (EOFError, ConnectionError):
            pass
        finally:
            self.close()
        raise KeyboardInterrupt

    def _last_answer(self) -> Run | None:
        """The answer after Ctrl-C, None when there is none in time."""
        while self._connection.poll(PATIENCE):
            answer: Run | str | None = self._connection.recv()
            if not isinstance(answer, str):  # Otherwise the solver has only just started.
                return answer
        return None

    def _last_line(self) -> str:
        """The last line that the process wrote, at most 300 characters of it."""
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - 2000))
        lines = self._output.read().decode(errors="replace").split("\n")
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")
