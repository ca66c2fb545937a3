"""A session: jobs that are run, kept as they end, and resumed.

What has been computed outlives Ctrl-C and a kill. A session without a store keeps its records in
memory alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dsct_gym.benchmark.evidence import refutations
from dsct_gym.benchmark.execution import Run, takes_threads
from dsct_gym.benchmark.guard import Limits
from dsct_gym.benchmark.job import Job
from dsct_gym.benchmark.provenance import differences, environment_of
from dsct_gym.benchmark.record import Record
from dsct_gym.benchmark.runner import run_jobs
from dsct_gym.errors import InputError
from dsct_gym.processes import usable_cores

if TYPE_CHECKING:
    from dsct_gym.benchmark.store import Store

SOLVER_THREADS: Final = 2
"""Threads that a solver gets where there are cores to spare, its own default."""

MOST_NAMED: Final = 5
"""Solvers that a warning names."""


@dataclass(frozen=True)
class Conduct:
    """Where and how jobs run.

    Attributes:
        workers: Number of processes of the local engine.
        limits: Threads and grace period.
        engine: One of `dsct_gym.benchmark.engines.ENGINES`.
        address: Of the cluster's scheduler.
    """

    workers: int = 1
    limits: Limits = field(default_factory=Limits)
    engine: str = "local"
    address: str | None = None

    def overload(self, jobs: Sequence[Job]) -> str | None:
        """Why their seconds would be too long here, None where there are cores enough."""
        cores = usable_cores()
        each = max((self._threads(job) for job in jobs), default=1)
        if self.engine != "local" or self.workers * each <= cores:
            return None
        return (
            f"--jobs {self.workers} with {each} thread{'s' * (each > 1)} each on {cores} cores: "
            "the seconds will be too long"
        )

    def _threads(self, job: Job) -> int:
        if not takes_threads(job.solver.name):
            return 1
        asked = job.solver.options.get("threads")
        return asked if isinstance(asked, int) else self.limits.threads or 1


def share_of_cores(workers: int) -> int:
    """Threads for each solver, where so many processes run at a time."""
    return max(1, min(SOLVER_THREADS, usable_cores() // workers))


class Session:
    """Jobs, and what has come of them.

    Args:
        jobs: What is planned.
        store: Where runs are kept; None to keep none.
        kept: Keys of the jobs whose runs are kept; by default all.

    Attributes:
        jobs: What is planned.
        found: Records by key of the job, of what has been run or was there.
        lost: Number of runs that the engine lost, which come up again next time.
        interrupted: Whether Ctrl-C ended it.
        unkept: Why a run could not be kept, which ended it.
    """

    def __init__(
        self, jobs: Sequence[Job], store: Store | None = None, kept: set[str] | None = None
    ) -> None:
        self.jobs = list(jobs)
        self.found: dict[str, Record] = {}
        self.lost = 0
        self.interrupted = False
        self.unkept: InputError | None = None
        self._store = store
        self._kept = {job.key for job in self.jobs} if kept is None else kept

    @property
    def records(self) -> list[Record]:
        """What has been run or was there, in the order of the plan."""
        return [self.found[job.key] for job in self.jobs if job.key in self.found]

    @property
    def missing(self) -> list[Job]:
        """The jobs that have no record."""
        return [job for job in self.jobs if job.key not in self.found]

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Keeps other writers out of the store.

        Raises:
            InputError: If its folder cannot be made or another session writes into it.
        """
        if self._store is None:
            yield
            return
        with self._store.opened():
            yield

    def resume(
        self, *, retry: bool = False, fresh: bool = False, threads: int | None = None
    ) -> list[str]:
        """Takes over the runs that are in the store.

        Args:
            retry: Whether to run again what failed or was killed.
            fresh: Whether to run again what was made otherwise than it would be now, or may have
                been: by other code of its solver, another version, or with other threads. What is
                there stays until its run ends.
            threads: Threads that a solver would get now.

        Returns:
            What must be known of them, one line each.

        Raises:
            InputError: If the store holds another instance under the name of one.
        """
        if self._store is None:
            return []
        told = []
        stale: dict[str, dict[str, None]] = {}
        for job in self._keepable():
            stored = self._store.get(job)
            if stored is None or stored.record.interrupted or (retry and not stored.record.ok):
                continue
            if wrong := refutations(stored, job.instance):
                told.append(f"{stored.path.name}: {'; '.join(wrong)}; it is run again")
                continue
            changed = differences(stored.environment, environment_of(job.solver, threads))
            if fresh and (changed or "code" not in stored.environment):
                continue
            self.found[job.key] = stored.record
            for change in changed:
                stale.setdefault(change, {})[job.solver.label] = None
        for job in {job.label: job for job in self._keepable()}.values():
            self._store.put_instance(job)
        return told + _made_otherwise(stale)

    def run(self, conduct: Conduct, hear: Callable[[Run], None]) -> None:
        """Runs what is missing and keeps each run as it ends, until done or Ctrl-C.

        A run that cannot be kept, as where the disk is full, is the last; what was found until then
        is there.

        Args:
            conduct: Where and how.
            hear: Called with each run once it is kept.

        Raises:
            InputError: If the engine cannot be had.
        """
        run = None
        try:
            for run in run_jobs(
                self.missing,
                conduct.workers,
                limits=conduct.limits,
                engine=conduct.engine,
                address=conduct.address,
            ):
                self._take(run)
                hear(run)
                if self.unkept is not None:
                    return
        except KeyboardInterrupt:
            self.interrupted = True
            if run is not None:
                self._keep(run)  # Ctrl-C may have hit in the middle of it.

    def _take(self, run: Run) -> None:
        if run.record is None:
            self.lost += 1
            return
        self.found[run.job.key] = run.record
        self._keep(run)

    def _keep(self, run: Run) -> None:
        if self._store is not None and run.record is not None and run.job.key in self._kept:
            try:
                self._store.put(run)
            except InputError as error:
                self.unkept = error

    def _keepable(self) -> list[Job]:
        return [job for job in self.jobs if job.key in self._kept]


def _made_otherwise(stale: Mapping[str, Iterable[str]]) -> list[str]:
    """One line for all runs that are not what they would be now, by what is different."""
    if not stale:
        return []
    shown = "; ".join(f"{change} ({_some(solvers)})" for change, solvers in stale.items())
    return [f"runs that are there were made otherwise: {shown}; --fresh runs them anew"]


def _some(names: Iterable[str]) -> str:
    """The first of the names, and how many more there are."""
    first, more = (listed := list(names))[:MOST_NAMED], len(listed) - MOST_NAMED
    return ", ".join(first) + (f" and {more} more" if more > 0 else "")
