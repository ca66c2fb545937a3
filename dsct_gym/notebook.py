"""How instances and schedules show themselves as the value of a notebook's cell.

Names come from whoever wrote a file: all are escaped, and long names and long tables are cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.colors import to_hex

from dsct_gym.gantt import accuracy_colours, machine_labels
from dsct_gym.schedule_table import machine_use
from dsct_gym.units import ENERGY

if TYPE_CHECKING:
    from dsct_gym.instance import Instance
    from dsct_gym.schedule import Schedule

MOST_MACHINES: Final = 20
MOST_BARS: Final = 500
"""Further rows and bars are left out, and told."""

_WIDTH, _ROW = 640.0, 18.0


def instance_html(instance: Instance) -> str:
    """Its machines as a table, below a line that tells its size and budget."""
    rows = (
        (name, f"{speed:.4g}", f"{efficiency:.4g}", f"{power:.4g}")
        for name, speed, efficiency, power in zip(
            machine_labels(instance),
            instance.speeds.tolist(),
            instance.efficiencies.tolist(),
            instance.powers.tolist(),
            strict=True,
        )
    )
    told = (
        f"{instance.num_tasks} tasks, deadlines up to {instance.horizon:.4g} s, "
        f"budget {ENERGY.show(instance.energy_budget)}"
    )
    heads = ("machine", "GFLOP/s", "GFLOP/J", "W")
    return _headed(instance.name or "instance", told) + _table(heads, rows, instance.num_machines)


def schedule_html(schedule: Schedule) -> str:
    """A small Gantt chart and what each machine does."""
    uses = machine_use(schedule)
    rows = (
        (use.name, str(use.tasks), f"{use.utilisation:.0%}", ENERGY.show(use.energy))
        for use in uses
    )
    core = schedule.instance.core
    told = (
        f"mean accuracy {schedule.mean_accuracy:.4f}, energy {ENERGY.show(schedule.energy)} of "
        f"{ENERGY.show(core.energy_budget)}, {int((schedule.duration > 0.0).sum())} of "
        f"{core.num_tasks} tasks run"
    )
    title = " — ".join(filter(None, (schedule.instance.name, schedule.solver))) or "schedule"
    heads = ("machine", "tasks", "busy", "energy")
    return _headed(title, told) + _bars(schedule) + _table(heads, rows, len(uses))


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


def _bars(schedule: Schedule) -> str:
    """One row a machine, a rectangle a task, coloured by accuracy (dark to bright)."""
    core = schedule.instance.core
    drawn = np.flatnonzero((schedule.duration > 0.0) & (schedule.machine < MOST_MACHINES))
    if drawn.size > MOST_BARS:
        return f"<div>{drawn.size} tasks: <code>.plot()</code> draws them</div>"
    colours = accuracy_colours(core, schedule.accuracy[drawn])
    end = max(core.horizon, float(schedule.finish[drawn].max(initial=0.0)))
    parts = []
    for task, colour in zip(drawn.tolist(), colours.tolist(), strict=True):
        name = (core.task_names and core.task_names[task]) or f"task {task}"
        told = escape(f"{name[:40]}: accuracy {schedule.accuracy[task]:.4f}")
        parts.append(
            f'<rect x="{schedule.start[task] / end * _WIDTH:.2f}" '
            f'y="{int(schedule.machine[task]) * _ROW + 2:g}" '
            f'width="{max(0.5, schedule.duration[task] / end * _WIDTH):.2f}" '
            f'height="{_ROW - 4:g}" fill="{to_hex(colour)}"><title>{told}</title></rect>'
        )
    height = _ROW * min(core.num_machines, MOST_MACHINES)
    return (
        f'<svg viewBox="0 0 {_WIDTH:g} {height:g}" style="width:100%;max-width:{_WIDTH:g}px" '
        f'role="img" aria-label="Gantt chart">{"".join(parts)}</svg>'
    )
