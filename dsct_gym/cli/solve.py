"""``dsct-gym solve``: one solver on one instance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsct_gym.cli.arguments import (
    InstanceArgument,
    Json,
    Seed,
    TimeLimit,
    check_writable,
    load_instance,
)
from dsct_gym.cli.console import (
    listener,
    out,
    print_fields,
    print_json,
    progress_bar,
)
from dsct_gym.cli.pictures import check_picture, draw
from dsct_gym.streams import stdout_to_stderr

if TYPE_CHECKING:
    from dsct_gym.benchmark.record import Record
    from dsct_gym.problem import Problem
    from dsct_gym.schedule import Schedule
    from dsct_gym.solver import Solution, SolverProtocol

EXAMPLE = """
dsct-gym solve dc5-ofa60 --solver approx-refined
dsct-gym solve dc5-ofa60 --solver mip --time-limit 2 --gantt plan.png
dsct-gym solve instance.json --solver 'annealing[moves=2000]' -o schedule.json
"""


def solve(
    instance: InstanceArgument,
    solver: Annotated[
        str,
        typer.Option(
            "--solver",
            metavar="NAME",
            help="name, name\\[option=value,...] or module:Class; see 'dsct-gym solvers'.",
        ),
    ],
    time_limit: TimeLimit = None,
    seed: Seed = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="KEY=VALUE", help="Option of the solver; repeatable."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="SCHEDULE", help="Write the schedule file."),
    ] = None,
    gantt: Annotated[
        Path | None,
        typer.Option("--gantt", metavar="FILE.png", help="Draw the schedule (png, svg or pdf)."),
    ] = None,
    json: Json = False,
) -> None:
    """Schedule an instance with one solver.

    Ctrl-C makes a solver that searches hand over the best schedule it has.
    """
    from dsct_gym.benchmark.spec import Spec, parse_setting

    check_writable("--output", output)
    check_picture("--gantt", gantt)
    problem = load_instance(instance)
    named = Spec.parse(solver)
    options = {**named.options, **dict(map(parse_setting, option or []))}
    with stdout_to_stderr():
        agent = Spec(named.name, options).make()
        solution = _solve(agent, problem, named.name, time_limit, seed)
    record = _record(problem, solution, agent, instance, named.label, time_limit, seed)
    schedule = solution.schedule.credited(upper_bound=record.upper_bound)
    try:
        if output is not None:
            schedule.save(output)
        if gantt is not None:
            draw(schedule, gantt)
    finally:  # what was found is told even where it cannot be written
        if json:
            print_json(_summary(record))
        else:
            _print_summary(record, schedule)
    if solution.interrupted:
        raise KeyboardInterrupt


def _solve(
    agent: SolverProtocol,
    problem: Problem,
    name: str,
    time_limit: float | None,
    seed: int | None,
) -> Solution:
    """Solves under a progress bar that tells what the solver reports."""
    from dsct_gym.benchmark.execution import warm_up
    from dsct_gym.running import run

    with progress_bar() as bar:
        loading = bar.add_task(name, total=None, state="compiling, if it is the first time")
        warm_up(name, problem)
        bar.remove_task(loading)
        if hasattr(agent, "progress"):
            agent.progress = listener(bar, name, problem.core.num_tasks, time_limit)
        return run(agent, problem, name, time_limit=time_limit, seed=seed)


def _record(
    problem: Problem,
    solution: Solution,
    agent: SolverProtocol,
    argument: str,
    solver: str,
    time_limit: float | None,
    seed: int | None,
) -> Record:
    from dsct_gym.benchmark.record import Record, tolerance_of
    from dsct_gym.files import stem_of
    from dsct_gym.relaxation import upper_bound

    return Record.of(
        problem,
        solution,
        label=problem.name or stem_of(argument),
        solver=solver,
        fractional_bound=upper_bound(problem),
        seed=seed,
        time_limit=time_limit,
        tolerance=tolerance_of(agent),
    )


def _summary(record: Record) -> dict[str, object]:
    from dataclasses import asdict

    return {**asdict(record), "upper_bound": record.upper_bound, "gap": record.gap}


def _print_summary(record: Record, schedule: Schedule) -> None:
    from dsct_gym.benchmark.wording import show_seconds

    tasks = record.tasks
    budget = f"{record.energy:.4g} J of {record.energy_budget:.4g} J"
    fields = {
        "mean accuracy": f"{record.mean_accuracy:.6f}",
        "total accuracy": f"{record.total_accuracy:.6f}",
    }
    if record.measures:
        fields["value"] = f"{record.value:.6f}"
        fields |= {name: f"{each:.6g}" for name, each in record.measures.items()}
    fields["fractional bound"] = f"{record.fractional_bound / tasks:.6f} mean"
    if record.has_own_bound:
        fields["proven bound"] = f"{record.upper_bound / tasks:.6f} mean"
    bound = "proven" if record.has_own_bound else "fractional"
    fields |= {
        "gap": f"{record.gap:.3%} of the {bound} bound",
        "energy": f"{budget} ({record.energy_share:.1%})",
        "makespan": f"{record.makespan:.4g} s",
        "tasks": f"{int((schedule.machine >= 0).sum())} of {tasks} run",
        "seconds": show_seconds(record.seconds),
    }
    print_fields(f"{record.instance}: {record.solver}", fields)
    if record.interrupted:
        out().print("  cut short: the best schedule until then")
