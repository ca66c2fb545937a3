"""``dsct-gym bench``: solvers against each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsct_gym.cli.arguments import (
    MOST,
    Json,
    Seed,
    TimeLimit,
    check_writable_folder,
    load_instance,
    read_grace,
)
from dsct_gym.cli.console import err, out, print_json, print_scores, progress_bar, warn
from dsct_gym.cli.pictures import draw
from dsct_gym.errors import InputError
from dsct_gym.streams import stdout_to_stderr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dsct_gym.benchmark.execution import Run
    from dsct_gym.benchmark.record import Record
    from dsct_gym.benchmark.scoring import Score
    from dsct_gym.benchmark.session import Conduct, Session
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
        typer.Option(
            "--seeds", metavar="K", min=1, max=MOST, help="Seeds for solvers that are random."
        ),
    ] = 1,
    jobs: Annotated[
        int, typer.Option("--jobs", metavar="N", min=1, max=MOST, help="Processes to run in.")
    ] = 1,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads",
            metavar="N",
            min=1,
            max=MOST,
            help="Threads for each solver.",
            show_default="cores / jobs, at most 2",
        ),
    ] = None,
    grace: Annotated[
        float | None,
        typer.Option(
            "--grace",
            metavar="S",
            callback=read_grace,
            help="Time beyond the limit before a solver is killed; inf for ever.",
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
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh", help="Run anew what was made by other code or with other --threads."
        ),
    ] = False,
    gantt: Annotated[
        bool,
        typer.Option(
            "--gantt", help="Draw every schedule, those that are kept as well, into the folder."
        ),
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Write report.html into the output folder at the end.")
    ] = False,
    json: Json = False,
) -> None:
    """Compare solvers: accuracy, gap, energy, time.

    With -o every run is kept as it ends. The same command resumes: what is there is not run again.
    Where a solver's code, its version or --threads have changed since, that is said; --fresh runs
    those anew, and what is there stays until they end.
    Ctrl-C ends the benchmark and keeps what was computed.
    """
    from dsct_gym.benchmark.guard import Limits
    from dsct_gym.benchmark.planning import plan_jobs
    from dsct_gym.benchmark.session import Conduct, Session, share_of_cores
    from dsct_gym.benchmark.store import Store

    asking = {"--gantt": gantt, "--retry": retry, "--fresh": fresh, "--report": report}
    for option, asked in asking.items():
        if asked and output is None:
            raise InputError(f"{option}: needs --output, the folder to write into or resume")
    check_writable_folder("--output", output)
    labelled = _load(instances or [], suite)
    with stdout_to_stderr():
        planned = plan_jobs(
            labelled, _solvers(solvers, labelled), seeds=_seeds(seed, seeds), time_limit=time_limit
        )
    limits = Limits(threads or share_of_cores(jobs), grace)
    conduct = Conduct(jobs, limits, engine, address)
    if (overload := conduct.overload(planned)) is not None:
        warn(overload)
    store = None if output is None else Store(output)
    session = Session(planned, store)
    with session.opened():
        with stdout_to_stderr():
            told = session.resume(retry=retry, fresh=fresh, threads=limits.threads)
        for line in told:
            warn(line)
        if session.found:
            err().print(f"resuming: {len(session.found)} of {len(planned)} runs are there")
        if gantt and store is not None:
            _draw_kept(session, store)
        with stdout_to_stderr():
            _run(session, conduct, store if gantt else None)
        _conclude(session, labelled, store, json=json)
        if report and store is not None and session.records:
            _report(store, quiet=json)
    if session.interrupted:
        raise KeyboardInterrupt
    if session.lost or any(not record.ok for record in session.records):
        raise typer.Exit(1)


def _load(arguments: list[str], suite: str | None) -> dict[str, Problem]:
    """The instances by label, no two alike."""
    from dsct_gym.benchmark.planning import label_instances
    from dsct_gym.files import stem_of
    from dsct_gym.suites.suite import load_suite

    chosen = [(stem_of(argument), load_instance(argument)) for argument in arguments]
    for name in (suite or "").split(","):
        if name.strip():
            chosen += [(str(instance.name), instance) for instance in load_suite(name.strip())]
    if not chosen:
        chosen = [(DEFAULT_INSTANCE, load_instance(DEFAULT_INSTANCE))]
    return label_instances(chosen)


def _solvers(given: str | None, problems: dict[str, Problem]) -> list[Spec]:
    """The solvers asked for with their options, or all that can be made and know the problems."""
    from dsct_gym.benchmark.planning import default_solvers
    from dsct_gym.benchmark.spec import parse_specs

    if given is None:
        solvers, left_out = default_solvers(problems.values())
        for line in left_out:
            warn(f"left out: {line}")
    else:
        solvers = parse_specs(given, "solvers")
    if not solvers:
        raise InputError("--solvers: names no solver")
    return solvers


def _seeds(first: int | None, count: int) -> Sequence[int | None]:
    if first is None:
        if count > 1:
            raise InputError("--seeds: needs a first seed")
        return [None]
    return range(first, first + count)


def _draw_kept(session: Session, store: Store) -> None:
    """Draws the schedules that are there, but for those whose picture is there, too."""
    from dsct_gym.schedule import Schedule

    with progress_bar() as bar:
        for job in bar.track(session.jobs, description="drawing"):
            stored = store.get(job) if job.key in session.found else None
            if stored is None or not stored.record.ok:
                continue
            picture = stored.picture_path
            drawn = picture.exists() and not _is_newer(stored.schedule_path, picture)
            if not drawn:
                draw(Schedule.load(stored.schedule_path, job.instance), picture)


def _is_newer(one: Path, other: Path) -> bool:
    return one.stat().st_mtime > other.stat().st_mtime


def _run(session: Session, conduct: Conduct, pictures: Store | None) -> None:
    """Runs what is missing under a progress bar; tells of what gave no schedule."""
    waiting = session.missing
    done = 0

    def state() -> str:
        """What runs now, where one job runs at a time."""
        if conduct.workers > 1 or done >= len(waiting):
            return f"{done}/{len(waiting)}"
        return f"{done}/{len(waiting)} {waiting[done].solver.label} on {waiting[done].label}"

    with progress_bar() as bar:
        task = bar.add_task("bench", total=len(waiting), state=state())

        def hear(run: Run) -> None:
            nonlocal done
            done += 1
            _tell(run)
            if pictures is not None and run.schedule is not None:
                draw(run.schedule, pictures.path_of(run.job).with_suffix(".png"))
            bar.update(task, advance=1, state=state())

        session.run(conduct, hear)


def _tell(run: Run) -> None:
    """One line for a run that gave no schedule."""
    record = run.record
    if record is None:
        err().print(f"{run.job.solver.label} on {run.job.label} was lost: {run.lost}")
    elif not record.ok:
        err().print(f"{record.solver} on {record.instance}: {record.status}: {record.message}")


def _conclude(
    session: Session, instances: dict[str, Problem], store: Store | None, *, json: bool
) -> None:
    """Writes and prints the tables of whatever has been run, in the order of the plan.

    Raises:
        InputError: If something could not be written; what was found is printed all the same.
    """
    records = session.records
    try:
        if session.unkept is not None:
            raise session.unkept
        if store is not None and records:
            store.keep_table(records)
    finally:
        _print(records, instances, None if session.unkept else store, json=json)


def _print(
    records: list[Record], instances: dict[str, Problem], store: Store | None, *, json: bool
) -> None:
    from dsct_gym.benchmark.scoring import references_of, refuted_bounds, score, yardsticks

    for record in refuted_bounds(records):
        warn(f"{record.solver} claims a bound on {record.instance} that a schedule exceeds")
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
    from dsct_gym.benchmark.score_table import terminal_columns

    count = len({record.instance for record in records})
    title, caption = _title(records, count), _bounds(records, count)
    print_scores(terminal_columns(scores), scores, title=title, caption=caption)


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
