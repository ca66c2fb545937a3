"""A schedule as a table: a row a task, and what each machine does in it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from dsct_gym.schedule import Schedule


@dataclass(frozen=True)
class MachineUse:
    """What a machine does in a schedule.

    Attributes:
        name: Its name, ``machine r`` where it has none.
        tasks: Tasks that it runs.
        busy: Time that it works, s.
        utilisation: That as a share of the time until the last deadline.
        work: Work that it does, GFLOP.
        energy: Energy that it spends, J.
    """

    name: str
    tasks: int
    busy: float
    utilisation: float
    work: float
    energy: float


def machine_use(schedule: Schedule) -> list[MachineUse]:
    """What each machine does in a schedule, in the order of the instance."""
    core = schedule.instance.core
    runs = (schedule.machine >= 0) & (schedule.duration > 0.0)
    totals = np.zeros((4, core.num_machines))
    for row, values in enumerate((runs, schedule.duration, schedule.work, schedule.task_energy)):
        np.add.at(totals[row], schedule.machine[runs], values[runs])
    names = core.machine_names or (None,) * core.num_machines
    return [
        MachineUse(
            name=name or f"machine {r}",
            tasks=int(totals[0, r]),
            busy=float(totals[1, r]),
            utilisation=float(totals[1, r]) / core.horizon,
            work=float(totals[2, r]),
            energy=float(totals[3, r]),
        )
        for r, name in enumerate(names)
    ]


def as_columns(schedule: Schedule) -> dict[str, list[Any]]:
    """A schedule as columns, which data frames are made of: ``pandas.DataFrame(as_columns(s))``.

    Args:
        schedule: The schedule.

    Returns:
        Lists of one entry a task, in the order of the instance: ``task``, ``name``, ``machine``
        and ``machine_name`` (None for tasks that are not run), ``start``, ``end`` and ``deadline``
        (s), ``clock`` (the speeds of its pieces, GFLOP/s, in the order in which they run, joined
        by ``;``; that of its machine where it has one clock), ``work`` and ``full_work`` (GFLOP),
        ``accuracy``, ``energy`` (J).
    """
    core = schedule.instance.core
    runs = (schedule.machine >= 0).tolist()

    def where_run(values: list[Any]) -> list[Any]:
        return [value if run else None for run, value in zip(runs, values, strict=True)]

    machine = schedule.machine.tolist()
    names = core.machine_names or (None,) * core.num_machines
    return {
        "task": list(range(core.num_tasks)),
        "name": list(core.task_names or (None,) * core.num_tasks),
        "machine": where_run(machine),
        "machine_name": where_run([names[r] for r in machine]),
        "start": where_run(schedule.start.tolist()),
        "end": where_run(schedule.finish.tolist()),
        "deadline": core.deadlines.tolist(),
        "clock": where_run(_clocks(schedule)),
        "work": schedule.work.tolist(),
        "full_work": core.max_work.tolist(),
        "accuracy": schedule.accuracy.tolist(),
        "energy": schedule.task_energy.tolist(),
    }


def as_csv(schedule: Schedule) -> str:
    """A schedule as a CSV table with a heading, as `as_columns` has it; names are `inert`."""
    columns = as_columns(schedule)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for column in ("name", "machine_name"):
        columns[column] = [None if name is None else inert(name) for name in columns[column]]
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def inert(name: str) -> str:
    """A name that a spreadsheet takes for text: with ``'`` before what would begin a formula.

    Source: OWASP, CSV injection.
    """
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


def _clocks(schedule: Schedule) -> list[str]:
    """The speeds at which each task runs."""
    if schedule.pieces is None:
        return [f"{speed:.12g}" for speed in schedule.instance.core.speeds[schedule.machine]]
    clocks: list[list[str]] = [[] for _ in range(schedule.machine.size)]
    pieces = schedule.pieces
    for piece in np.argsort(pieces.start, kind="stable").tolist():
        clocks[int(pieces.task[piece])].append(f"{pieces.speed[piece]:.12g}")
    return [";".join(each) for each in clocks]
