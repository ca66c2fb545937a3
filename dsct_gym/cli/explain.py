"""``dsct-gym explain``: what binds in an instance, and what machines are worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from dsct_gym.cli.arguments import InstanceArgument, Json, load_instance
from dsct_gym.cli.console import Heading, err, out, print_fields, print_json, print_table
from dsct_gym.errors import InputError, located
from dsct_gym.streams import stdout_to_stderr

if TYPE_CHECKING:
    from dsct_gym.instance import Instance
    from dsct_gym.operator.explanation import Explanation
    from dsct_gym.problem import Problem
    from dsct_gym.schedule import Schedule

EXAMPLE = """
dsct-gym explain dc5-ofa60 --add-machine L4 --add-machine T4:2
dsct-gym explain dc5-ofa60 schedule.json
dsct-gym explain instance.json --json
"""

SHOWN: Final = 5
"""Deadlines that are shown."""

KWH: Final = 3.6e6


def explain(
    instance: InstanceArgument,
    schedule: Annotated[
        Path | None,
        typer.Argument(metavar="SCHEDULE", help="Schedule file whose tasks are explained."),
    ] = None,
    add_machine: Annotated[
        list[str] | None,
        typer.Option(
            "--add-machine",
            metavar="MACHINE",
            help="What would this one bring: a device, or name:speed=S:watt=W; repeatable.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Explain what binds in an instance, and what its machines are worth.

    Prices are those of the fractional relaxation: of energy, of a second of
    each machine, of deadlines. Tasks are done in full or cut by energy, by
    deadlines or by both; with SCHEDULE, the tasks of that schedule.
    """
    from dsct_gym.operator.explanation import explain as explanation_of
    from dsct_gym.operator.machines import read_alternatives

    problem = load_instance(instance)
    added = read_alternatives(add_machine or (), "--add-machine")
    given = None if schedule is None else _load(schedule, problem)
    with stdout_to_stderr(), err().status("working out prices"):
        explanation = explanation_of(problem, given, added)
    if json:
        print_json(_document(problem, explanation))
    else:
        _print(problem, instance, explanation, given)


def _load(path: Path, problem: Problem) -> Schedule:
    """A schedule that holds what it says.

    Raises:
        InputError: If it cannot be read, or is wrong.
    """
    from dsct_gym.schedule import Schedule

    try:
        schedule = Schedule.load(path, problem)
        schedule.verify().raise_if_wrong()
    except InputError as error:
        raise located(path, error) from error
    return schedule


def _document(problem: Problem, explanation: Explanation) -> dict[str, object]:
    from dataclasses import asdict

    from dsct_gym.operator.sensitivity import Limit

    prices = explanation.sensitivity
    return {
        "instance": problem.name,
        "bound": prices.relaxation.bound,
        "energy_price": prices.energy_price,
        "energy_price_per_kwh": prices.energy_price * KWH,
        "machines": [asdict(machine) for machine in explanation.machines],
        "deadlines": [asdict(deadline) for deadline in explanation.deadlines],
        "added": dict(explanation.added),
        "limits": [Limit(limit).name.lower() for limit in explanation.limits.tolist()],
        "marginal_prices": prices.relaxation.marginal_prices.tolist(),
    }


def _print(
    problem: Problem, argument: str, explanation: Explanation, schedule: Schedule | None
) -> None:
    core, prices = problem.core, explanation.sensitivity
    price, tasks = prices.energy_price, core.num_tasks
    percent = price * core.energy_budget / 100.0 / tasks
    fields = {
        "bound": f"{prices.relaxation.bound / tasks:.6f} mean accuracy",
        "price of energy": f"{price:.4g} accuracy per J, {price * KWH:.4g} per kWh"
        if price > 0.0
        else "0: there is energy enough",
    }
    if price > 0.0:
        fields["1 % more energy"] = f"{percent:+.2g} mean accuracy"
    of = "tasks" if schedule is None else f"tasks of {schedule.solver or 'the schedule'}"
    fields[of] = _limits(explanation)
    print_fields(problem.name or argument, fields)
    _print_machines(problem, explanation)
    _print_added(explanation, tasks)
    _print_deadlines(core, explanation)


def _limits(explanation: Explanation) -> str:
    """How many tasks are cut by what."""
    from dsct_gym.operator.sensitivity import Limit

    words = {
        Limit.FULL: "in full",
        Limit.ENERGY: "cut by energy",
        Limit.DEADLINE: "cut by deadlines",
        Limit.BOTH: "cut by both",
        Limit.ROOM: "with room for more",
        Limit.LEFT_OUT: "left out",
    }
    counts = {limit: int((explanation.limits == limit).sum()) for limit in words}
    return ", ".join(f"{count} {words[limit]}" for limit, count in counts.items() if count)


def _print_machines(problem: Problem, explanation: Explanation) -> None:
    from dsct_gym.schedule import releases
    from dsct_gym.units import ENERGY, show_share

    tasks, horizon = problem.core.num_tasks, problem.core.horizon
    # Where all tasks are there from the start, seconds get cheaper from deadline to deadline.
    falling = releases(problem) is None
    seconds = ("first second", "last second") if falling else ("mean second", "dearest second")
    unit = ENERGY.fitting(max(machine.energy for machine in explanation.machines))
    columns = (
        Heading("machine"),
        Heading("busy", "number", 1),
        Heading(unit, "number", 2),
        Heading(seconds[0], "number", 3),
        Heading(seconds[1], "number", 4),
        Heading("without it", "number"),
        Heading("one more", "number"),
    )
    rows = [
        (
            machine.name,
            show_share(machine.busy),
            ENERGY.number(machine.energy, unit),
            f"{machine.first_second if falling else machine.rent / horizon:.4g}",
            f"{machine.last_second if falling else machine.dearest_second:.4g}",
            _change(-machine.loss / tasks),
            _change(machine.gain / tasks),
        )
        for machine in explanation.machines
    ]
    caption = (
        "seconds: accuracy, summed over tasks, that a second of the machine is worth;"
        " without it, one more: change of the mean accuracy at the same budget"
    )
    print_table(columns, rows, caption=caption)


def _print_added(explanation: Explanation, tasks: int) -> None:
    if explanation.added:
        columns = (Heading("added"), Heading("mean accuracy", "number"))
        rows = [(name, _change(gain / tasks)) for name, gain in explanation.added.items()]
        print_table(columns, rows)


def _print_deadlines(core: Instance, explanation: Explanation) -> None:
    from dsct_gym.units import TIME

    if not explanation.deadlines:
        return
    if not explanation.added:
        out().print()  # between the caption above and the title below
    names = core.task_names or (None,) * core.num_tasks
    unit = TIME.fitting(core.horizon)
    scale, rows = TIME.units[unit], []
    for binding in explanation.deadlines[:SHOWN]:
        called = [names[task] or f"task {task}" for task in binding.tasks]
        shown = ", ".join(called[:2]) + (f" and {len(called) - 2} more" if called[2:] else "")
        rows.append((TIME.show(binding.deadline), shown, f"{binding.price * scale:.4g}"))
    left = len(explanation.deadlines) - SHOWN
    caption = f"accuracy, summed over tasks, that comes with each {unit} by which it is put off"
    columns = (Heading("deadline"), Heading("due then", "prose"), Heading(f"per {unit}", "number"))
    title = "deadlines that bind" + (f", the dearest {SHOWN} of {left + SHOWN}" if left > 0 else "")
    print_table(columns, rows, title=title, caption=caption)


def _change(change: float) -> str:
    return f"{change:+.5f}" if abs(change) >= 5e-6 else "0"
