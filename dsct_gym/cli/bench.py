"""``dsct-gym bench``: solvers against each other."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsct_gym.cli.arguments import Json, Seed, TimeLimit, load_instance
from dsct_gym.cli.console import err, out, print_json, print_table, progress_bar, show_seconds, warn
from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dsct_gym.benchmark.execution import Run
    from dsct_gym.benchmark.guard import Limits
    from dsct_gym.benchmark.job import Job
    from dsct_gym.benchmark.record import Record
    from dsct_gym.benchmark.scoring import Score
    from dsct_gym.benchmark.spec import Spec
    from dsct_gym.benchmark.store import Store
    from dsct_gym.problem import Problem

EXAMPLE = """
dsct-gym bench
dsct-gym bench a.json b.json --solvers approx,mip --time-limit 10 -o out
dsct-gym bench --suite devices --seeds 10 --report -o out
dsct-gym bench --suite tiny --solvers 'mip[threads=1],random'
"""

DEFAULT_INSTANCE = "dc5-ofa60"
SOLVER_THREADS = 2
"""Threads that a solver gets where there are cores to spare, its own default."""


def bench(
    instances: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[INSTANCE]...",
            help="Instance files or names of shipped ones.",
            show_default=DEFAULT_INSTANCE,
        ),
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option("--suite", metavar="A,B", help="Suites to run; see 'dsct-gym suites'."),
    ] = None,
    solvers: Annotated[
        str | None,
        typer.Option(
            "--solvers",
            metavar="A,B,C",
            help="Solvers to compare: name, name\\[option=value,...] or module:Class.",
            show_default="all that are installed",
        ),
    ] = None,
    time_limit: TimeLimit = 30.0,
    seed: Seed = 0,
    seeds: Annotated[
        int,
        typer.Option("--seeds", metavar="K", min=1, help="Seeds for solvers that are random."),
    ] = 1,
    jobs: Annotated[
        int, typer.Option("--jobs", metavar="N", min=1, help="Processes to run in.")
    ] = 1,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads",
            metavar="N",
            min=1,
            help="Threads for each solver.",
            show_default="cores / jobs, at most 2",
        ),
    ] = None,
    grace: Annotated[
        float | None,
        typer.Option(
            "--grace",
            metavar="S",
            min=0.0,
            help="Time beyond the limit before a solver is killed.",
            show_default="10 s, or half the limit if that is more",
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option("--engine", metavar="NAME", help="Where to run: local, dask or ray.")
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option("--address", metavar="HOST:PORT", help="Of the cluster's scheduler."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Keep every run; resume what is there."),
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Run again what failed or was killed.")
    ] = False,
    gantt: Annotated[
        bool, typer.Option("--gantt", help="Draw every schedule into the output folder.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Write report.html into the output folder at the end.")
    ] = False,
    json: Json = False,
) -> None:
    """Compare solvers: accuracy, gap, energy, time.

    With -o every run is kept as it ends. The same command resumes: what is there is not run again.
    Ctrl-C ends the benchmark and keeps what was computed.
    """
    from dsct_gym.benchmark.store import Store

    if gantt and output is None:
        raise InputError("--gantt: needs --output for the folder to draw into")
    if retry and output is None:
        raise InputError("--retry: needs --output for the folder to resume")
    if report and output is None:
        raise InputError("--report: needs --output for the folder to write into")
    labelled = _load(instances or [], suite)
    planned = _plan(labelled, _solvers(solvers), time_limit, seed, seeds)
    limits = _limits(planned, jobs, threads, grace, local=engine == "local")
    store = None if output is None else Store(output)
    with _opened(store):
        done = _resume(store, planned, retry=retry)
        fresh = [job for job in planned if job.key not in done]
        if done:
            err().print(f"resuming: {len(done)} of {len(planned)} runs are there")
        interrupted, lost = _run(fresh, done, store, limits, jobs, engine, address, draw=gantt)
        records = [done[job.key] for job in planned if job.key in done]
        _conclude(records, labelled, store, json=json)
        if report and store is not None and records:
            _report(store, quiet=json)
    if interrupted:
        raise KeyboardInterrupt
    if lost or any(not record.ok for record in records):
        raise typer.Exit(1)


def _load(arguments: list[str], suite: str | None) -> dict[str, Problem]:
    """The instances by label, no two alike."""
    from dsct_gym.benchmark.suites import load_suite

    chosen = [(Path(argument).stem, load_instance(argument)) for argument in arguments]
    for name in (suite or "").split(","):
        if name.strip():
            chosen += [(str(instance.name), instance) for instance in load_suite(name.strip())]
    if not chosen:
        chosen = [(DEFAULT_INSTANCE, load_instance(DEFAULT_INSTANCE))]
    loaded: dict[str, Problem] = {}
    for stem, instance in chosen:
        label = instance.name or stem
        if label in loaded:
            raise InputError(f"INSTANCE: two are called {label!r}; their records would be mixed")
        loaded[label] = instance
    return loaded


def _solvers(given: str | None) -> list[Spec]:
    """The solvers asked for with their options, or all that can be loaded."""
    from dsct_gym.benchmark.spec import Spec, parse_specs
    from dsct_gym.solver import solver_entry_points

    if given is not None:
        solvers = parse_specs(given, "solvers")
        for solver in solvers:
            solver.make()
    else:
        solvers = [solver for solver in map(Spec, solver_entry_points()) if _loads(solver)]
    if not solvers:
        raise InputError("--solvers: names no solver")
    return solvers


def _loads(solver: Spec) -> bool:
    try:
        solver.make()
    except InputError as error:
        warn(f"left out: {error}")
        return False
    return True


def _plan(
    instances: dict[str, Problem],
    solvers: list[Spec],
    time_limit: float | None,
    seed: int | None,
    seeds: int,
) -> list[Job]:
    """Every solver on every instance; with several seeds where it is random."""
    from dsct_gym.benchmark.job import Job

    if seeds > 1 and seed is None:
        raise InputError("--seeds: needs a first seed")

    def seeds_of(solver: Spec) -> Sequence[int | None]:
        random = seeds > 1 and getattr(solver.make(), "stochastic", True)
        return range(seed, seed + seeds) if random and seed is not None else [seed]

    return [
        Job(label, instance, solver, time_limit, each)
        for label, instance in instances.items()
        for solver in solvers
        for each in seeds_of(solver)
    ]


def _limits(
    planned: list[Job], jobs: int, threads: int | None, grace: float | None, *, local: bool
) -> Limits:
    """Threads and grace; warns when threads and processes together exceed the cores."""
    from dsct_gym.benchmark.environment import usable_cores
    from dsct_gym.benchmark.execution import takes_threads
    from dsct_gym.benchmark.guard import Limits

    cores = usable_cores()
    if threads is None:
        threads = max(1, min(SOLVER_THREADS, cores // jobs))
    used = [
        wanted if isinstance(wanted := job.solver.options.get("threads", threads), int) else threads
        for job in planned
        if takes_threads(job.solver.name)
    ]
    each = max(used, default=1)
    if local and jobs * each > cores:
        warn(
            f"--jobs {jobs} with {each} thread{'s' * (each > 1)} each on {cores} cores: "
            "the seconds will be too long"
        )
    return Limits(threads, grace)


@contextmanager
def _opened(store: Store | None) -> Iterator[None]:
    if store is None:
        yield
        return
    with store.opened():
        yield


def _resume(store: Store | None, planned: list[Job], *, retry: bool) -> dict[str, Record]:
    """The records that are there already, by key of the job."""
    if store is None:
        return {}
    found = {}
    versions = set()
    for job in planned:
        stored = store.get(job)
        if stored is None or stored.record.interrupted or (retry and not stored.record.ok):
            continue
        found[job.key] = stored.record
        versions.add(stored.environment.get("dsct-gym"))
    _warn_of_versions(versions)
    for label, job in {job.label: job for job in planned}.items():
        assert label == job.label
        store.put_instance(job)
    return found


def _warn_of_versions(versions: set[str | None]) -> None:
    from dsct_gym.benchmark.environment import installed_versions

    other = sorted(str(version) for version in versions - {installed_versions().get("dsct-gym")})
    if other:
        warn(f"some of the runs that are there were made by version {', '.join(other)}")


def _run(
    fresh: list[Job],
    done: dict[str, Record],
    store: Store | None,
    limits: Limits,
    jobs: int,
    engine: str,
    address: str | None,
    *,
    draw: bool,
) -> tuple[bool, bool]:
    """Runs jobs and adds their records to ``done``; tells of an interruption and of lost runs."""
    from dsct_gym.benchmark.runner import run_jobs

    lost, run = False, None
    with progress_bar() as bar:
        task = bar.add_task("bench", total=len(fresh), state=_state(fresh, 0, jobs))
        try:
            runs = run_jobs(fresh, jobs, limits=limits, engine=engine, address=address)
            for count, run in enumerate(runs, 1):
                if run.record is None:
                    lost = True
                else:
                    done[run.job.key] = run.record
                _keep(store, run, draw=draw)
                bar.update(task, advance=1, state=_state(fresh, count, jobs))
        except KeyboardInterrupt:
            if store is not None and run is not None and run.record is not None:
                store.put(run)  # Ctrl-C may have hit in the middle of it.
            return True, lost
    return False, lost


def _state(planned: list[Job], done: int, jobs: int) -> str:
    """What runs now, where one job runs at a time."""
    if jobs > 1 or done >= len(planned):
        return f"{done}/{len(planned)}"
    return f"{done}/{len(planned)} {planned[done].solver.label} on {planned[done].label}"


def _keep(store: Store | None, run: Run, *, draw: bool) -> None:
    """Keeps a run; tells of one that gave no schedule."""
    record = run.record
    if record is None:
        err().print(f"{run.job.solver.label} on {run.job.label} was lost: {run.lost}")
        return
    if not record.ok:
        err().print(f"{record.solver} on {record.instance}: {record.status}: {record.message}")
    if store is None:
        return
    store.put(run)
    if draw and run.schedule is not None:
        from dsct_gym.gantt import save_gantt

        save_gantt(run.schedule, store.path_of(run.job).with_suffix(".png"))


def _conclude(
    records: list[Record], instances: dict[str, Problem], store: Store | None, *, json: bool
) -> None:
    """Writes and prints the tables of whatever has been run, in the order of the plan."""
    from dsct_gym.benchmark.scoring import references_of, refuted_bounds, score, yardsticks

    for record in refuted_bounds(records):
        warn(f"{record.solver} claims a bound on {record.instance} that a schedule exceeds")
    if store is not None and records:
        store.keep_table(records)
    scores = score(records, yardsticks(records, references_of(instances)))
    if json:
        from dataclasses import asdict

        print_json(
            {
                "scores": [asdict(row) for row in scores],
                "records": [asdict(record) for record in records],
            }
        )
    elif records:
        _print_table(records, scores)
        if store is not None:
            out().print(f"kept in {store.folder}/")


def _report(store: Store, *, quiet: bool) -> None:
    """Writes the report of all that the folder holds."""
    from dsct_gym.benchmark.report.results import Results
    from dsct_gym.benchmark.report.writing import PAGE, write_report

    write_report(Results.load(store.folder), store.folder)
    if not quiet:
        out().print(f"report in {store.folder / PAGE}")


def _print_table(records: list[Record], scores: list[Score]) -> None:
    count = len({record.instance for record in records})
    columns = (
        ("solver", "left"),
        ("mean accuracy", "right"),
        ("gap to best", "right"),
        ("gap to bound", "right"),
        ("optimal", "right"),
        ("energy used", "right"),
        ("fairness", "right"),
        ("seconds", "right"),
        *([("failed", "right")] if any(row.failures for row in scores) else []),
    )
    rows = [
        (
            row.solver,
            f"{row.mean_accuracy.mean:.5f}",
            f"{row.gap_to_best.mean:.3%}",
            f"{row.gap:.3%}",
            ("yes" if row.optimal else "") if count == 1 else f"{row.optimal}/{row.instances}",
            f"{row.energy_share:.1%}",
            f"{row.fairness:.3f}",
            show_seconds(row.seconds),
            *([f"{row.failures}/{row.runs}"] if len(columns) > 8 else []),
        )
        for row in scores
    ]
    print_table(columns, rows, title=_title(records, count), caption=_bounds(records, count))


def _title(records: list[Record], count: int) -> str:
    if count > 1:
        return f"{count} instances"
    record = records[0]
    return f"{record.instance}: {record.tasks} tasks, {record.machines} machines"


def _bounds(records: list[Record], count: int) -> str:
    """Against what the gap is measured."""
    if count > 1:
        return "gap: to the least upper bound proven on each instance"
    tasks = records[0].tasks
    fractional = (
        f"upper bounds on the mean accuracy: fractional {records[0].fractional_bound / tasks:.5f}"
    )
    proven = [
        f"{record.solver} {record.upper_bound / tasks:.5f}"
        for record in records
        if record.has_own_bound
    ]
    return ", ".join([fractional, *proven])
