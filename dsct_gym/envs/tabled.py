"""What the ids share that show a table of all tasks: leaving it out.

The table is nine tenths of an observation at n = 50, and a stock network spends its time on it. An
agent that wants less is shown the task at hand, the machines and the budget alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gymnasium import spaces

from dsct_gym.envs.episodes import DEFAULT_LEVELS, Episodes
from dsct_gym.envs.observation import Layout
from dsct_gym.envs.single import SchedulingEnv
from dsct_gym.envs.source import Source
from dsct_gym.envs.vector import SchedulingVectorEnv
from dsct_gym.errors import InputError


@dataclass(frozen=True)
class CompactLayout(Layout):
    """A `Layout` without ``tasks`` and ``tasks_mask``."""

    def space(self) -> spaces.Dict:
        """The observation space; rows of padding are 0."""
        shown = super().space().items()
        return spaces.Dict({key: space for key, space in shown if not key.startswith("tasks")})


class TabledEpisodes(Episodes):
    """Episodes whose view has a table of tasks.

    Args:
        count: N.
        source: Where the instances come from.
        levels: Number of compression levels, where actions have any.
        guidance: Whether observations carry the relaxation's columns.
        threads: Threads that share the batch.
        compact: Whether observations leave the table out.

    Raises:
        InputError: Naming the argument out of range.
    """

    def __init__(
        self,
        count: int,
        source: Source,
        *,
        levels: int = DEFAULT_LEVELS,
        guidance: bool = False,
        threads: int = 1,
        compact: bool = False,
    ) -> None:
        if not isinstance(compact, bool):
            raise InputError(f"compact: must be True or False, got {compact!r}")
        self._compact = compact
        super().__init__(count, source, levels=levels, guidance=guidance, threads=threads)

    @classmethod
    def layout_for(cls, rules: Mapping[str, object]) -> Callable[[int, int, bool], Layout]:
        """The layout with the table, or the one without."""
        return CompactLayout if rules.get("compact") is True else cls.layout_type

    @property
    def rules(self) -> dict[str, object]:
        """Whether the table is left out, where it is."""
        return {"compact": True} if self._compact else {}


class TabledEnv(SchedulingEnv):
    """A single environment that can leave out the table of tasks."""

    def __init__(self, *, compact: bool = False, **options: Any) -> None:
        super().__init__(rules={"compact": compact}, **options)


class TabledVectorEnv(SchedulingVectorEnv):
    """A batched environment that can leave out the table of tasks."""

    def __init__(self, num_envs: int = 1, *, compact: bool = False, **options: Any) -> None:
        super().__init__(num_envs, rules={"compact": compact}, **options)
