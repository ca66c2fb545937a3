"""``dsct-gym bench``: solvers against each other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsct_gym.cli.arguments import Json, Seed, TimeLimit, build_solver, load_instance
from dsct_gym.cli.console import err, out, print_json, print_table, progress_bar, show_seconds, warn
from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from dsct_gym.benchmark.record import Record
    from dsct_gym.benchmark.runner import Job, Run
    from dsct_gym.instance import Instance

EXAMPLE = """
dsct-gym bench
dsct-gym bench a.json b.json --solvers approx,mip --time-limit 10 -o out
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
    solvers: Annotated[
        str | None,
        typer.Option(
            "--solvers",
            metavar="A,B,C",
            help="Solvers to compare.",
            show_default="all that are installed",
        ),
    ] = None,
    time_limit: TimeLimit = 30.0,
    seed: Seed = 0,
    jobs: Annotated[
        int, typer.Option("--jobs", metavar="N", min=1, help="Processes to run in.")
    ] = 1,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Keep records, schedules and tables."),
    ] = None,
    gantt: Annotated[
        bool, typer.Option("--gantt", help="Draw every schedule into the output folder.")
    ] = False,
    json: Json = False,
) -> None:
    """Compare solvers: accuracy, gap, energy, time.

    Ctrl-C ends the run and keeps what was computed.
    """
    from dsct_gym.benchmark.runner import run_jobs
    from dsct_gym.benchmark.store import make_folder

    if gantt and output is None:
        raise InputError("--gantt: needs --output for the folder to draw into")
    labelled = _load(instances or [DEFAULT_INSTANCE])
    names = _solver_names(solvers)
    planned = _plan(labelled, names, time_limit, seed)
    if output is not None:
        make_folder(output)
    _warn_of_crowding(jobs)

    runs: list[Run] = []
    interrupted = False
    with progress_bar() as bar:
        task = bar.add_task("bench", total=len(planned), state=_state(planned, 0, jobs))
        try:
            for run in run_jobs(planned, jobs):
                runs.append(run)
                _keep(output, run, draw=gantt)
                bar.update(task, advance=1, state=_state(planned, len(runs), jobs))
        except KeyboardInterrupt:
            interrupted = True
    _conclude(planned, runs, output, json=json)
    if interrupted:
        raise KeyboardInterrupt
    if any(run.failure for run in runs):
        raise typer.Exit(1)


def _load(arguments: list[str]) -> dict[str, Instance]:
    """The instances by label, no two alike."""
    loaded: dict[str, Instance] = {}
    for argument in arguments:
        instance = load_instance(argument)
        label = instance.name or Path(argument).stem
        if label in loaded:
            raise InputError(f"INSTANCE: two are called {label!r}; their records would be mixed")
        loaded[label] = instance
    return loaded


def _solver_names(given: str | None) -> list[str]:
    """The solvers asked for, or all that can be loaded."""
    from dsct_gym.solver import solver_entry_points

    if given is not None:
        names = list(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
        for name in names:
            build_solver(name, [])
    else:
        names = [name for name in solver_entry_points() if _loads(name)]
    if not names:
        raise InputError("--solvers: names no solver")
    return names


def _loads(name: str) -> bool:
    try:
        build_solver(name, [])
    except InputError as error:
        warn(f"left out: {error}")
        return False
    return True


def _plan(
    instances: dict[str, Instance], solvers: list[str], time_limit: float | None, seed: int | None
) -> list[Job]:
    from dsct_gym.benchmark.runner import Job

    return [
        Job(label, instance, solver, time_limit=time_limit, seed=seed)
        for label, instance in instances.items()
        for solver in solvers
    ]


def _warn_of_crowding(jobs: int) -> None:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if cores and jobs > cores:
        warn(f"--jobs {jobs} on {cores} cores: the seconds will be too long")


def _state(planned: list[Job], done: int, jobs: int) -> str:
    """What runs now, where one job runs at a time."""
    if jobs > 1 or done >= len(planned):
        return f"{done}/{len(planned)}"
    return f"{done}/{len(planned)} {planned[done].solver} on {planned[done].label}"


def _keep(output: Path | None, run: Run, *, draw: bool) -> None:
    from dsct_gym.benchmark.store import keep, run_path

    if run.record is None or run.schedule is None:
        err().print(f"{run.job.solver} failed on {run.job.label}: {run.failure}")
        return
    if output is None:
        return
    keep(output, run.record, run.schedule)
    if draw:
        from dsct_gym.gantt import save_gantt

        save_gantt(run.schedule, run_path(output, run.record, ".png"))


def _conclude(planned: list[Job], runs: list[Run], output: Path | None, *, json: bool) -> None:
    """Writes and prints the table of whatever has been run, in the order of the plan."""
    from dsct_gym.benchmark.store import keep_table

    place = {(job.label, job.solver): index for index, job in enumerate(planned)}
    records = [run.record for run in runs if run.record is not None]
    records.sort(key=lambda record: place[record.instance, record.solver])
    if output is not None and records:
        keep_table(output, records)
    if json:
        _print_json(records)
    elif records:
        _print_table(records)
        if output is not None:
            out().print(f"kept in {output}/")


def _print_json(records: list[Record]) -> None:
    from dataclasses import asdict

    from dsct_gym.benchmark.scoring import score

    print_json(
        {
            "scores": [asdict(row) for row in score(records)],
            "records": [asdict(record) for record in records],
        }
    )


def _print_table(records: list[Record]) -> None:
    from dsct_gym.benchmark.scoring import score

    count = len({record.instance for record in records})
    columns = (
        ("solver", "left"),
        ("mean accuracy", "right"),
        ("gap to bound", "right"),
        ("optimal", "right"),
        ("energy used", "right"),
        ("seconds", "right"),
    )
    rows = [
        (
            row.solver,
            f"{row.mean_accuracy:.5f}",
            f"{row.gap:.3%}",
            ("yes" if row.optimal else "") if count == 1 else f"{row.optimal}/{row.instances}",
            f"{row.energy_share:.1%}",
            show_seconds(row.seconds),
        )
        for row in score(records)
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
