"""Runs jobs, one at a time or many, and yields each as it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import islice

from dsct_gym.benchmark.engines import Pool, open_engine
from dsct_gym.benchmark.execution import Run
from dsct_gym.benchmark.guard import Guard, Limits
from dsct_gym.benchmark.job import Job


def run_jobs(
    jobs: Sequence[Job],
    workers: int = 1,
    *,
    limits: Limits | None = None,
    engine: str = "local",
    address: str | None = None,
) -> Iterator[Run]:
    """Runs the jobs and yields each as it ends.

    Args:
        jobs: What to run.
        workers: Number of processes of the local engine.
        limits: Threads and grace period.
        engine: One of `dsct_gym.benchmark.engines.ENGINES`.
        address: Of the cluster's scheduler.

    Yields:
        One run a job, in the order of the jobs when one runs at a time.

    Raises:
        InputError: If the engine cannot be had.
        KeyboardInterrupt: On Ctrl-C; with one worker only after the run that it cut short, where
            the solver hands over what it has. Runs under way in other processes are lost.
    """
    limits = limits or Limits()
    if engine == "local" and address is None and workers == 1:
        yield from _one_by_one(jobs, limits)
        return
    with open_engine(engine, limits, workers=workers, address=address) as pool:
        yield from _many(jobs, pool)


def _one_by_one(jobs: Sequence[Job], limits: Limits) -> Iterator[Run]:
    guard = Guard(limits)
    try:
        for job in jobs:
            run = guard.run(job)
            yield run
            if run.record is not None and run.record.interrupted:
                raise KeyboardInterrupt
    finally:
        guard.close()


def _many(jobs: Sequence[Job], pool: Pool) -> Iterator[Run]:
    """Keeps a few more jobs under way than run, so that no worker waits for the next."""
    waiting = iter(jobs)
    under_way: dict[Future[Run], Job] = {}
    try:
        while True:
            for job in islice(waiting, pool.width + 2 - len(under_way)):
                under_way[pool.submit(job)] = job
            if not under_way:
                return
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                yield _result(future, under_way.pop(future))
    finally:
        for future in under_way:
            future.cancel()


def _result(future: Future[Run], job: Job) -> Run:
    """The run of a finished future; what the engine did wrong is not put down to the solver."""
    try:
        return future.result()
    except Exception as error:
        return Run(job, lost=f"{type(error).__name__}: {error}")
