"""How instances and schedules show themselves as the value of a notebook's cell.

A variant tells what it has beyond an instance in a line and in columns of its machines. Names come
from whoever wrote a file: all are escaped, and long names and long tables are cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.colors import to_hex

from dsct_gym.figures import LATE
from dsct_gym.gantt import Bars, accuracy_colours, facts, late_parts, machine_labels
from dsct_gym.schedule import measures, releases
from dsct_gym.schedule_table import machine_use
from dsct_gym.units import ENERGY, TIME

if TYPE_CHECKING:
    from dsct_gym.arrays import Floats
    from dsct_gym.instance import Instance
    from dsct_gym.schedule import Schedule

MOST_MACHINES: Final = 20
MOST_BARS: Final = 500
"""Further rows and bars are left out, and told."""

_WIDTH, _ROW = 640.0, 18.0
_BAR: Final = _ROW - 4.0


def instance_html(
    core: Instance,
    *,
    told: Sequence[str] = (),
    columns: Mapping[str, Sequence[str]] | None = None,
    budget: bool = True,
) -> str:
    """Its machines as a table, below a line that tells its size and budget.

    Args:
        core: The instance, or the core of a variant.
        told: What else the line tells.
        columns: Further columns of the table by their heads, a cell a machine.
        budget: Whether the budget of ``core`` is one of the problem.
    """
    columns = columns or {}
    numbers = (core.speeds, core.efficiencies, core.powers)
    cells = [[f"{value:.5g}" for value in each.tolist()] for each in numbers]
    rows = zip(machine_labels(core), *cells, *columns.values(), strict=True)
    line = [f"{core.num_tasks} tasks", f"deadlines up to {TIME.show(core.horizon)}", *told]
    line += [f"budget {ENERGY.show(core.energy_budget)}"] if budget else []
    heads = ("machine", "GFLOP/s", "GFLOP/J", "W", *columns)
    table = _table(heads, rows, core.num_machines)
    return _headed(core.name or "instance", ", ".join(line)) + table


def schedule_html(schedule: Schedule) -> str:
    """A small Gantt chart and what each machine does."""
    uses = machine_use(schedule)
    rows = (
        (use.name, str(use.tasks), f"{use.utilisation:.0%}", ENERGY.show(use.energy))
        for use in uses
    )
    further = [f"{name} {value:.4g}" for name, value in measures(schedule).items()]
    title = " — ".join(filter(None, (schedule.instance.name, schedule.solver))) or "schedule"
    heads = ("machine", "tasks", "busy", "energy")
    told = ", ".join([*facts(schedule), *further])
    return _headed(title, told) + _chart(schedule) + _table(heads, rows, len(uses))


def _headed(title: str, told: str) -> str:
    return f"<div><b>{escape(title[:80])}</b><br>{escape(told)}</div>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], count: int) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    shown = [row for row, _ in zip(rows, range(MOST_MACHINES), strict=False)]
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell[:40])}</td>" for cell in row) + "</tr>" for row in shown
    )
    more = f"<div>and {count - len(shown)} more machines</div>" if count > len(shown) else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _chart(schedule: Schedule) -> str:
    """One row a machine, a rectangle a task or a piece of it, coloured by accuracy.

    A rectangle is as high as its clock is beside the machine's fastest, and red at its foot where
    it is late.
    """
    core = schedule.instance.core
    bars = _shown(Bars.of(schedule), schedule)
    if bars.task.size > MOST_BARS:
        return f"<div>{bars.task.size} bars: <code>.plot()</code> draws them</div>"
    late = _shown(late_parts(schedule), schedule)
    end = max(core.horizon, float(schedule.finish.max(initial=0.0)))
    colours = accuracy_colours(core, schedule.accuracy[bars.task]).tolist()
    told = _told(schedule)
    parts = [
        *_boxes(schedule, bars, end, [to_hex(colour) for colour in colours], told),
        *_boxes(schedule, late, end, [LATE] * late.task.size, told),
    ]
    height = _ROW * min(core.num_machines, MOST_MACHINES)
    return (
        f'<svg viewBox="0 0 {_WIDTH:g} {height:g}" style="width:100%;max-width:{_WIDTH:g}px" '
        f'role="img" aria-label="Gantt chart">{"".join(parts)}</svg>'
    )


def _shown(bars: Bars, schedule: Schedule) -> Bars:
    """Those of the machines that are shown."""
    here = schedule.machine[bars.task] < MOST_MACHINES
    return Bars(bars.task[here], bars.start[here], bars.finish[here], bars.height[here])


def _boxes(
    schedule: Schedule, bars: Bars, end: float, colours: Sequence[str], told: Sequence[str]
) -> list[str]:
    """A rectangle a bar, which stands on the ground of its row."""
    x, width = bars.start / end * _WIDTH, (bars.finish - bars.start) / end * _WIDTH
    height = bars.height * _BAR
    y = schedule.machine[bars.task] * _ROW + 2.0 + _BAR - height
    places: Floats = np.stack([x, y, np.maximum(0.5, width), height], axis=1)
    return [
        f'<rect x="{left:.2f}" y="{top:.6g}" width="{wide:.2f}" height="{high:.6g}" '
        f'fill="{colour}"><title>{told[task]}</title></rect>'
        for (left, top, wide, high), colour, task in zip(
            places.tolist(), colours, bars.task.tolist(), strict=True
        )
    ]


def _told(schedule: Schedule) -> list[str]:
    """What is told of each task on touch, escaped."""
    core, arrivals = schedule.instance.core, releases(schedule.instance)
    names = core.task_names or (None,) * core.num_tasks
    told = [
        f"{(name or f'task {task}')[:40]}: accuracy {schedule.accuracy[task]:.4f}, "
        f"due at {TIME.show(core.deadlines[task])}"
        for task, name in enumerate(names)
    ]
    if arrivals is not None:
        told = [
            f"{text}, arrived at {TIME.show(arrival)}"
            for text, arrival in zip(told, arrivals, strict=True)
        ]
    return [escape(text) for text in told]
