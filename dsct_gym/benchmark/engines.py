"""Where jobs run: processes here through loky, or an existing Dask or Ray cluster.

An engine is a context manager that gives a function ``submit(job) -> Future`` and the number of
jobs to keep under way. Wherever a job lands, a `Guard` there runs it.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from dsct_gym.benchmark.guard import Guard, Limits
from dsct_gym.errors import InputError
from dsct_gym.processes import prepare_worker

if TYPE_CHECKING:
    from dsct_gym.benchmark.execution import Run
    from dsct_gym.benchmark.job import Job

_ANSWER = 20.0
"""Time for a scheduler to answer, s."""

ENGINES = ("local", "dask", "ray")


class Pool(NamedTuple):
    """What an engine gives.

    Attributes:
        submit: Starts a job; the future holds its run.
        width: Number of jobs that run at the same time.
    """

    submit: Callable[[Job], Future[Run]]
    width: int


def open_engine(
    name: str, limits: Limits, *, workers: int = 1, address: str | None = None
) -> AbstractContextManager[Pool]:
    """Opens an engine.

    Args:
        name: One of `ENGINES`.
        limits: How jobs are run.
        workers: Number of processes of the local engine; clusters bring their own.
        address: Of the cluster's scheduler.

    Raises:
        InputError: If there is no such engine, its extra is not installed, or the cluster does not
            answer.
    """
    if name == "local":
        if address is not None:
            raise InputError("address: the local engine has none")
        return _local(limits, workers)
    if name not in ENGINES:
        raise InputError(f"engine: no engine {name!r}; there are {', '.join(ENGINES)}")
    if address is None:
        raise InputError(f"address: engine {name!r} needs the address of a running cluster")
    return _dask(limits, address) if name == "dask" else _ray(limits, address)


@contextmanager
def _local(limits: Limits, workers: int) -> Iterator[Pool]:
    """Processes on this machine, by loky's executor."""
    from loky import get_reusable_executor

    executor = get_reusable_executor(
        max_workers=workers, initializer=prepare_worker, initargs=(os.getpid(),), reuse=False
    )
    try:
        yield Pool(lambda job: executor.submit(run_guarded, job, limits), workers)
    finally:
        executor.shutdown(wait=True, kill_workers=True)


@contextmanager
def _dask(limits: Limits, address: str) -> Iterator[Pool]:
    """A Dask cluster."""
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(f"engine: dask is not installed (extra 'dask'): {error}") from error
    _reach(address)
    try:
        client = Client(address, timeout=_ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"address: no Dask scheduler answers at {address}: {error}") from error
    with client:
        executor = client.get_executor(pure=False, retries=0)
        width = sum(client.nthreads().values())
        yield Pool(lambda job: executor.submit(run_guarded, job, limits), max(1, width))


@contextmanager
def _ray(limits: Limits, address: str) -> Iterator[Pool]:
    """A Ray cluster."""
    try:
        import ray
    except ImportError as error:
        raise InputError(f"engine: ray is not installed (extra 'ray'): {error}") from error
    if address != "auto":  # Ray itself tries for minutes.
        _reach(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error")
    except (OSError, ConnectionError, ValueError, RuntimeError) as error:
        raise InputError(f"address: no Ray cluster answers at {address}: {error}") from error
    try:
        remote = ray.remote(max_retries=0)(run_guarded)
        width = int(ray.cluster_resources().get("CPU", 1))
        yield Pool(lambda job: remote.remote(job, limits).future(), max(1, width))
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Refuses an address where nothing listens.

    Raises:
        InputError: If it is no ``[scheme://]host:port`` or nothing listens there.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdigit():
        raise InputError(f"address: expected host:port, got {address!r}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"address: nothing answers at {address}: {error}") from error


_own = threading.local()


def run_guarded(job: Job, limits: Limits) -> Run:
    """Runs a job under this thread's guard, which it makes at the first."""
    guard: Guard | None = getattr(_own, "guard", None)
    if guard is None or _own.limits != limits:
        if guard is not None:
            guard.close()
        guard = Guard(limits)
        _own.guard, _own.limits = guard, limits
    return guard.run(job)
