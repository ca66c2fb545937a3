"""What an agent sees of a complete plan: the columns of `dsct_gym.plan.columns`, as boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from gymnasium import spaces

from dsct_gym.arrays import Floats32
from dsct_gym.envs.observation import Column, Layout, box, flags
from dsct_gym.plan import Column as Place
from dsct_gym.plan import Context, Machine


def _columns(places: type[Place]) -> tuple[Column, ...]:
    return tuple(Column(place, place.low, place.high, place.meaning) for place in places)


@dataclass(frozen=True)
class PlanLayout(Layout):
    """Sizes of an observation of a plan, and what its columns are: those of the policy's view."""

    @property
    def task(self) -> tuple[Column, ...]:
        """Columns of ``task``."""
        return _columns(Context)

    @property
    def machine(self) -> tuple[Column, ...]:
        """Columns of each row of ``machines``."""
        return _columns(Machine)

    @property
    def budget(self) -> tuple[Column, ...]:
        """None: the episode as a whole is told in ``task``."""
        return ()

    def space(self) -> spaces.Dict:
        """The observation space; rows of padding, and all at the end, are 0."""
        return spaces.Dict(
            {
                "machines": box(self.machine, self.max_machines, padded=True),
                "machines_mask": flags(self.max_machines),
                "task": box(self.task, 1, padded=True),
            }
        )


class PlanView(NamedTuple):
    """What the agents are shown: the arrays of `PlanLayout.space`, one row an environment.

    Attributes:
        machines: (N, m, columns of `Machine`).
        machines_mask: (N, m).
        task: (N, columns of `Context`).
    """

    machines: Floats32
    machines_mask: Floats32
    task: Floats32

    @classmethod
    def empty(cls, count: int, layout: Layout) -> PlanView:
        """Views of N environments."""
        m = layout.max_machines
        return cls(
            machines=np.zeros((count, m, len(Machine)), dtype=np.float32),
            machines_mask=np.zeros((count, m), dtype=np.float32),
            task=np.zeros((count, len(Context)), dtype=np.float32),
        )
