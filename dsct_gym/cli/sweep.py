"""``dsct-gym sweep``: an instance asked again with less energy, other deadlines, other machines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from dsct_gym.cli.arguments import (
    InstanceArgument,
    Json,
    Seed,
    TimeLimit,
    check_writable,
    load_instance,
)
from dsct_gym.cli.console import Heading, print_json, print_table, progress_bar, warn
from dsct_gym.cli.pictures import check_picture
from dsct_gym.errors import InputError
from dsct_gym.streams import stdout_to_stderr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dsct_gym.operator.savings import Saving, Solve
    from dsct_gym.operator.sweep import Point
    from dsct_gym.problem import Problem
    from dsct_gym.schedule import Schedule

EXAMPLE = """
dsct-gym sweep dc5-ofa60 --energy 10%:100% --plot curve.png -o curve.csv
dsct-gym sweep dc5-ofa60 --add-machine L4 --without-machine A40
dsct-gym sweep instance.json --deadlines 0.5:2 --solver none --json
"""

NONE = "none"
QUICK = 0.2
"""Seconds for each point, where `auto` solves it."""


def sweep(
    instance: InstanceArgument,
    energy: Annotated[
        str | None,
        typer.Option(
            "--energy",
            metavar="LOW:HIGH",
            help="Budgets: shares of what can be used (10%:100%) or energies (1Wh:5Wh).",
        ),
    ] = None,
    deadlines: Annotated[
        str | None,
        typer.Option("--deadlines", metavar="LOW:HIGH", help="Deadlines by a factor (0.5:2)."),
    ] = None,
    add_machine: Annotated[
        list[str] | None,
        typer.Option(
            "--add-machine",
            metavar="MACHINE",
            help="Also with this one: a device, or name:speed=S:watt=W; repeatable.",
        ),
    ] = None,
    without_machine: Annotated[
        list[str] | None,
        typer.Option(
            "--without-machine", metavar="NAME", help="Also without this one; repeatable."
        ),
    ] = None,
    steps: Annotated[
        int,
        typer.Option("--steps", metavar="N", min=2, max=10_000, help="Points from LOW to HIGH."),
    ] = 10,
    solver: Annotated[
        str | None,
        typer.Option(
            "--solver",
            metavar="NAME",
            help="Solver beside the bound; none for none.",
            show_default="descent, or auto where that does not know the problem",
        ),
    ] = None,
    time_limit: TimeLimit = None,
    seed: Seed = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE.csv", help="Write the table.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE.png", help="Draw the curve (png, svg or pdf)."),
    ] = None,
    json: Json = False,
) -> None:
    """Ask again with less energy, other deadlines or other machines.

    Each point has what no schedule can exceed (bound) and what a solver
    finds. Along energy, it is told how much is saved where some accuracy is
    given up. Without an option, energy goes from 10% to 100%. Shares are of the
    budget, or of what the relaxation spends where that is less. Ctrl-C keeps
    the points until then.
    """
    from dsct_gym.operator.machines import read_alternatives
    from dsct_gym.operator.savings import KNOWS
    from dsct_gym.operator.sweep import clusters

    check_writable("--output", output)
    check_picture("--plot", plot)
    problem = load_instance(instance)
    if energy is None and deadlines is None and not add_machine and not without_machine:
        energy = "10%:100%"
    budgets, factors = _axes(problem, energy, deadlines, steps)
    added = read_alternatives(add_machine or (), "--add-machine")
    alternatives = clusters(problem, added, without_machine or ())
    named = None if solver == NONE else solver or _usual_solver(problem)
    with stdout_to_stderr(), progress_bar() as bar:
        line = bar.add_task("sweep", total=None, state="compiling, if it is the first time")
        solve = None if named is None else _solver(named, problem, time_limit, seed)
        bar.update(line, total=len(alternatives) * len(budgets or (0,)) * len(factors), state="")
        points, cut_short = _points(
            alternatives, budgets, factors, solve, lambda: bar.advance(line)
        )
        saved: dict[str, list[Saving]] = {}
        if len(factors) == 1 and not cut_short and problem.needs <= KNOWS:
            bar.update(line, total=None, state="what is saved")
            saved = _savings(alternatives, points, solve)
    result = _Result(problem, problem.name or instance, named, points, saved)
    try:
        _write(result, output, plot)
    finally:  # what was found is told even where it cannot be written
        if json:
            print_json(_document(result))
        else:
            _print(result)
    if cut_short:
        raise KeyboardInterrupt


class _Result(NamedTuple):
    """What there is to tell."""

    problem: Problem
    label: str
    solver: str | None
    points: list[Point]
    savings: dict[str, list[Saving]]


def _axes(
    problem: Problem, energy: str | None, deadlines: str | None, steps: int
) -> tuple[list[float] | None, list[float]]:
    """Budgets and factors of deadlines, of which one is of several."""
    from math import isfinite

    from dsct_gym.operator.sweep import read_steps, usable_energy
    from dsct_gym.units import ENERGY, FACTOR

    if energy is not None and deadlines is not None:
        raise InputError("--deadlines: cannot be swept together with --energy")
    if deadlines is not None:
        return None, read_steps(deadlines, steps, 1.0, FACTOR, "--deadlines")
    if energy is None:
        return None, [1.0]
    whole = usable_energy(problem)
    if "%" in energy and (not isfinite(whole) or whole == 0.0):
        raise InputError("--energy: the instance has no energy to take shares of")
    return read_steps(energy, steps, whole, ENERGY, "--energy"), [1.0]


def _usual_solver(problem: Problem) -> str:
    """The solver where none is named."""
    from dsct_gym.problem import knowledge_of
    from dsct_gym.solver import find_solver

    usual = "descent"
    return usual if problem.needs <= knowledge_of(find_solver(usual)) else "auto"


def _solver(name: str, problem: Problem, time_limit: float | None, seed: int | None) -> Solve:
    """What finds the schedules; its kernels are compiled."""
    from dsct_gym.benchmark.execution import warm_up
    from dsct_gym.benchmark.spec import Spec
    from dsct_gym.running import run
    from dsct_gym.solver import check_solver_knows

    spec = Spec.parse(name)
    agent = spec.make()
    if spec.name == "auto" and time_limit is None:
        time_limit = QUICK
    check_solver_knows(agent, problem, spec.label)
    warm_up(spec.name, problem)

    def solve(changed: Problem) -> Schedule:
        return run(agent, changed, spec.label, time_limit=time_limit, seed=seed).whole().schedule

    return solve


def _points(
    alternatives: Mapping[str, Problem],
    budgets: list[float] | None,
    factors: list[float],
    solve: Solve | None,
    advance: Callable[[], None],
) -> tuple[list[Point], bool]:
    """The points, and whether Ctrl-C cut them short."""
    from dsct_gym.operator.sweep import sweep as points_of

    points: list[Point] = []
    try:
        for point in points_of(alternatives, budgets=budgets, deadlines=factors, solve=solve):
            points.append(point)
            advance()
    except KeyboardInterrupt:
        if not points:
            raise
        return points, True
    return points, False


def _savings(
    alternatives: Mapping[str, Problem], points: list[Point], solve: Solve | None
) -> dict[str, list[Saving]]:
    """What each alternative saves beside the first."""
    from dsct_gym.operator.savings import Reference, savings

    first = next(iter(alternatives))
    reference = Reference.of(alternatives[first], solve)
    found = {}
    for name, problem in alternatives.items():
        known = [
            (point.energy, point.value)
            for point in points
            if point.machines == name and point.energy is not None and point.value is not None
        ]
        if name == first and reference.energy is not None and reference.value is not None:
            known.append((reference.energy, reference.value))
        found[name] = savings(problem, reference, solve=solve, known=known)
    return found


def _write(result: _Result, output: Path | None, plot: Path | None) -> None:
    from dsct_gym.atomic import write_text
    from dsct_gym.operator.sweep import points_as_csv

    if output is not None:
        write_text(output, points_as_csv(result.points, result.problem.core.num_tasks))
    if plot is None:
        return
    try:
        from dsct_gym.operator.picture import save_curve
        from dsct_gym.operator.sweep import measure_of

        marked = result.savings.get(result.points[0].machines, [])
        save_curve(
            result.points,
            plot,
            title=result.label,
            solver=result.solver,
            savings=marked,
            measure=measure_of(result.problem),
        )
    except Exception as error:
        warn(f"no picture {plot}: {' '.join(str(error).split()) or type(error).__name__}")


def _document(result: _Result) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "instance": result.label,
        "solver": result.solver,
        "points": [asdict(point) for point in result.points],
        "savings": {
            name: [asdict(saving) for saving in savings] for name, savings in result.savings.items()
        },
    }


def _print(result: _Result) -> None:
    """The points, and below them what is saved."""
    from dsct_gym.operator.sweep import measure_of, usable_energy
    from dsct_gym.units import ENERGY, show_share

    several = len({point.machines for point in result.points}) > 1
    along_deadlines = len({point.deadlines for point in result.points}) > 1
    solver = result.solver or ""
    unit = ENERGY.fitting(max(point.budget for point in result.points))
    columns = [
        *([Heading("machines")] if several else []),
        *([Heading("deadlines", "number")] if along_deadlines else []),
        Heading(f"budget ({unit})", "number"),
        *([] if along_deadlines else [Heading("share", "number", 1)]),
        Heading("bound", "number"),
        *([Heading(solver, "number"), Heading(f"spent ({unit})", "number", 1)] if solver else []),
        Heading(f"price per {unit}", "number", 2),
    ]
    tasks, whole = result.problem.core.num_tasks, usable_energy(result.problem)
    rows = []
    for point in result.points:
        row = [point.machines] if several else []
        row += [f"{point.deadlines:.4g} x"] if along_deadlines else []
        row += [ENERGY.number(point.budget, unit)]
        row += [] if along_deadlines else [show_share(point.budget / whole) if whole else "-"]
        row += [f"{point.mean_bound:.5f}"]
        if point.mean_value is not None and point.energy is not None:
            row += [f"{point.mean_value:.5f}", ENERGY.number(point.energy, unit)]
        rows.append([*row, f"{point.energy_price / tasks * ENERGY.units[unit]:.3g}"])
    mean = f"mean {measure_of(result.problem)}"
    caption = f"bound, solver: {mean}; price: {mean} per {unit} of the next joule"
    print_table(columns, rows, title=result.label, caption=caption)
    if result.savings:
        _print_savings(result, several=several)


def _print_savings(result: _Result, *, several: bool) -> None:
    from dsct_gym.units import show_share

    def cell(share: float | None) -> str:
        return "-" if share is None else show_share(share)

    losses = [saving.loss for saving in next(iter(result.savings.values()))]
    columns = [
        *([Heading("machines")] if several else []),
        Heading("energy saved by"),
        *(Heading(f"{100 * loss:g}\u00a0% loss", "number") for loss in losses),
    ]
    rows = []
    for name, savings in result.savings.items():
        label = [name] if several else []
        rows.append([*label, "bound", *(cell(saving.bound_saved) for saving in savings)])
        if result.solver is not None:
            rows.append(
                [
                    *([""] if several else []),
                    result.solver,
                    *(cell(saving.saved) for saving in savings),
                ]
            )
    caption = "loss: share of the accuracy at the whole budget and the machines as they are"
    print_table(columns, rows, caption=caption)
