"""What a frame of an episode shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.instance import Instance
from dsct_gym.schedule import Schedule


@dataclass(frozen=True)
class Scene:
    """An episode as it stands.

    Attributes:
        schedule: The decisions so far.
        waiting: Tasks whose deadlines are marked, the one at hand first, by their indices.
        headline: Where the episode stands, in a line.
        legend: What the marks mean, in a line.
        now: The time, where it passes as decisions are made, s.
        arrivals: When the tasks have arrived that are there now, where they arrive, s.
    """

    schedule: Schedule
    waiting: Ints
    headline: str
    legend: str
    now: float | None = None
    arrivals: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def instance(self) -> Instance:
        """Its tasks, machines and budget."""
        return self.schedule.instance.core

    @property
    def task(self) -> int | None:
        """The task at hand, None at the end."""
        return int(self.waiting[0]) if self.waiting.size else None

    @property
    def energy_share(self) -> float:
        """Energy spent over the budget, in [0, 1]; 1 when there is no budget."""
        budget = self.instance.energy_budget
        return min(1.0, self.schedule.energy / budget) if budget > 0.0 else 1.0

    @property
    def gain_share(self) -> float:
        """Accuracy gained over what full work on every task would gain, in [0, 1]."""
        possible = float((self.instance.top_accuracy - self.instance.base_accuracy).sum())
        gained = self.schedule.total_accuracy - float(self.instance.base_accuracy.sum())
        return min(1.0, max(0.0, gained / possible)) if possible > 0.0 else 1.0


def planned_scene(schedule: Schedule, waiting: Ints, decided: int, decisions: int) -> Scene:
    """The scene of an episode whose tasks are all known.

    Args:
        schedule: The decisions so far.
        waiting: The task at hand and those to come, by their indices.
        decided: Decisions so far.
        decisions: Decisions of the whole episode.
    """
    core = schedule.instance.core
    headline = f"All {core.num_tasks} tasks decided"
    if waiting.size:
        deadline = as_time(float(core.deadlines[waiting[0]]))
        where = f"{decided + 1} of {decisions}"
        headline = f"Task {name_of(core, int(waiting[0]))}, due at {deadline} ({where})"
    told = "" if schedule.pieces is None else "; height of a bar: its clock"
    return Scene(
        schedule=schedule,
        waiting=waiting,
        headline=headline,
        legend="ticks: deadlines, at the top those to come, the line that of the task at hand; "
        "colour: accuracy, dark to bright" + told,
    )


def arriving_scene(
    schedule: Schedule, waiting: Ints, now: float, arrivals: Floats, asked: int | None
) -> Scene:
    """The scene of an episode whose tasks arrive over time.

    Args:
        schedule: The decisions so far.
        waiting: The tasks that wait to be decided, by their indices.
        now: The time, s.
        arrivals: When the tasks have arrived that are there, s.
        asked: The machine that is to be given a task, if one is.
    """
    core = schedule.instance.core
    there = f"{arrivals.size} task{'' if arrivals.size == 1 else 's'} so far"
    doing = "over"
    if asked is not None:
        doing = f"machine {asked} is idle, {waiting.size} wait"
    elif waiting.size:
        task = int(waiting[0])
        due = as_time(float(core.deadlines[task]))
        doing = f"task {name_of(core, task)} arrives, due at {due}"
    return Scene(
        schedule=schedule,
        waiting=waiting,
        headline=f"{as_time(now)}: {doing} ({there})",
        legend="blue: now; ticks at the bottom: arrivals, at the top: deadlines of what waits",
        now=now,
        arrivals=arrivals,
    )


def name_of(core: Instance, task: int) -> str:
    """Name or index of a task."""
    return str(core.task_names[task] or task) if core.task_names else str(task)


def as_time(seconds: float) -> str:
    """A time with its unit."""
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1.0:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
