"""What the ids share in which tasks arrive over time: instances, state, infos, schedules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from dsct_gym.arguments import as_number
from dsct_gym.arrays import Floats, Ints
from dsct_gym.envs.arrival_bank import ArrivalLibrary
from dsct_gym.envs.arrival_columns import ArrivalLayout
from dsct_gym.envs.arrival_play import ArrivalPlay
from dsct_gym.envs.arrival_sampling import ArrivalScenario, SampledArrivals
from dsct_gym.envs.bank import copy_into
from dsct_gym.envs.episodes import DEFAULT_LEVELS, Episodes
from dsct_gym.envs.scene import Scene, arriving_scene
from dsct_gym.envs.shelf import Shelf
from dsct_gym.envs.single import SchedulingEnv
from dsct_gym.envs.source import Source
from dsct_gym.envs.vector import SchedulingVectorEnv
from dsct_gym.online.instance import as_online
from dsct_gym.online.schedule import started_at
from dsct_gym.online.simulator import Counter
from dsct_gym.online.toy import toy_with_arrivals
from dsct_gym.problem import Problem
from dsct_gym.schedule import Schedule

_LONGEST = 1e6


class ArrivalEpisodes(Episodes):
    """Episodes in which tasks arrive over time.

    Args:
        count: N.
        source: Where the instances come from.
        levels: Number of compression levels.
        guidance: Not used: nobody knows the relaxation before all tasks have arrived.
        threads: Threads that share the batch.
        mean_length: Mean time after which an episode is cut short, in horizons; None: never.

    Raises:
        InputError: Naming the argument out of range.
    """

    layout_type = ArrivalLayout
    leveled = True
    play: ArrivalPlay

    def __init__(
        self,
        count: int,
        source: Source,
        *,
        levels: int = DEFAULT_LEVELS,
        guidance: bool = False,
        threads: int = 1,
        mean_length: float | None = None,
    ) -> None:
        if mean_length is not None:
            mean_length = as_number(mean_length, "mean_length", 1e-9, _LONGEST)
        self._mean_length = mean_length
        self._limits = np.full(count, np.inf)
        super().__init__(count, source, levels=levels, guidance=False, threads=threads)

    def _make_library(self, levels: int) -> Shelf:
        return ArrivalLibrary(
            self.count, self.source.prepared, self.layout, levels, workers=self.workers
        )

    def _make_play(self) -> ArrivalPlay:
        return ArrivalPlay.empty(self.count, self.library.bank.room, self.layout.max_machines)

    @classmethod
    def toys(cls) -> Sequence[Problem]:
        """The toy whose tasks arrive; one whose tasks are all there is the same machine code."""
        return (toy_with_arrivals(),)

    @classmethod
    def toy_source(cls) -> Source:
        """A source of new instances as small as the toys."""
        return SampledArrivals(ArrivalScenario(n=8, m=3), cls.env_id)

    @property
    def rules(self) -> dict[str, object]:
        """The mean length of an episode, where it is cut short."""
        return {} if self._mean_length is None else {"mean_length": self._mean_length}

    def begin(self, envs: Ints, generators: Sequence[np.random.Generator]) -> None:
        """Begins episodes on new instances from the source, one generator an environment."""
        if self._mean_length is not None:
            for env, rng in zip(envs.tolist(), generators, strict=True):
                self._limits[env] = self._mean_length * -np.log1p(-rng.random())
        super().begin(envs, generators)

    def begin_instance(self, env: int, instance: Problem) -> None:
        """Begins an episode on a given instance, which is played to its end."""
        self._limits[env] = np.inf
        super().begin_instance(env, instance)

    def _make_room(self) -> None:
        """Makes the state as large as the instances have become."""
        room = self.library.bank.room
        if self.play.waiting.shape[1] < room:
            wide = ArrivalPlay.empty(self.count, room, self.layout.max_machines)
            copy_into(wide, self.play)
            self.play = wide

    def told(self) -> dict[str, Floats]:
        """The time, and how much has passed since the decision before, s."""
        return {"time": self.play.clock, "dt": self.play.elapsed}

    def waiting(self, env: int) -> Ints:
        """The tasks that wait to be decided by their indices in the instance, most urgent first."""
        play = self.play
        waiting = play.waiting[env, : int(play.counters[env, Counter.WAITING])]
        return as_online(self.instance(env)).arrival_order[waiting]

    def scene(self, env: int) -> Scene:
        """What a frame shows: the time, what has arrived and what waits."""
        problem, counters = as_online(self.instance(env)), self.play.counters[env]
        there = problem.arrival_order[: int(counters[Counter.ARRIVED])]
        asked = int(counters[Counter.MACHINE])
        return arriving_scene(
            self.schedule(env),
            self.waiting(env),
            float(self.play.clock[env]),
            problem.arrivals[there],
            asked if asked >= 0 else None,
        )

    def task(self, env: int) -> int | None:
        """The most urgent task that waits by its index in the instance; None where none does."""
        waiting = self.waiting(env)
        return int(waiting[0]) if waiting.size else None

    def schedule_later(self, env: int) -> Callable[[], Schedule]:
        """Builds the schedule of the decisions so far whenever it is called."""
        self.check_begun(env)
        play, rebuild = self.play, self.library.recipe(int(self.play.row[env]))
        machine, start, work = (
            array[env].copy() for array in (play.machine, play.start, play.work)
        )

        def build() -> Schedule:
            problem = rebuild()
            place = np.argsort(as_online(problem).arrival_order, kind="stable")
            return started_at(problem, machine[place], start[place], work[place])

        return build


class ArrivalEnv(SchedulingEnv):
    """A single environment in which tasks arrive over time."""

    def __init__(self, *, mean_length: float | None = None, **options: Any) -> None:
        rules = {**options.pop("rules", {}), "mean_length": mean_length}
        super().__init__(rules=rules, **options)


class ArrivalVectorEnv(SchedulingVectorEnv):
    """A batched environment in which tasks arrive over time."""

    metadata: ClassVar[dict[str, Any]] = SchedulingVectorEnv.metadata  # type: ignore[misc]

    def __init__(
        self, num_envs: int = 1, *, mean_length: float | None = None, **options: Any
    ) -> None:
        rules = {**options.pop("rules", {}), "mean_length": mean_length}
        super().__init__(num_envs, rules=rules, **options)
