"""A batch of episodes: state, view and instances of N environments.

The single environments are batches of one and the batched ones are batches of many; both only add
Gymnasium's interface.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.envs.bank import Library
from dsct_gym.envs.game import Game
from dsct_gym.envs.observation import Layout, Observation
from dsct_gym.envs.practice import practise
from dsct_gym.envs.sampling import Sampled
from dsct_gym.envs.scene import Scene, planned_scene
from dsct_gym.envs.shelf import Shelf
from dsct_gym.envs.source import Source
from dsct_gym.envs.state import Feedback, Play
from dsct_gym.envs.view import View
from dsct_gym.envs.workers import Workers
from dsct_gym.errors import InputError
from dsct_gym.generator import Scenario
from dsct_gym.points.toy import toy_with_points
from dsct_gym.problem import Problem
from dsct_gym.registration import ENVIRONMENTS
from dsct_gym.schedule import Schedule, schedule_of
from dsct_gym.toy import toy

DEFAULT_LEVELS = 10


class Episodes(ABC):
    """N episodes side by side; each environment id has its own subclass.

    A subclass says what an action is and holds the kernels that begin and step its episodes. What
    it does not say is what most ids share: discrete actions, one for each entry of a mask, works
    that are chosen, and the view of `dsct_gym.envs.view`.

    Args:
        count: N.
        source: Where the instances come from.
        levels: Number of compression levels, where actions have any.
        guidance: Whether observations carry the relaxation's columns.
        threads: Threads that share the batch.

    Raises:
        InputError: If ``levels`` is out of range, or an instance prepared ahead is too large.

    Attributes:
        env_id: The id.
        layout_type: What says the sizes and columns of observations, unless `layout_for` does.
        view_type: What holds them.
        leveled: Whether actions choose a compression level.
        segmented: Whether the allocation kernels read the instances.
        layout: Sizes and columns of the observations.
        observation_space: That of one environment.
        action_space: That of one environment.
        play: The state.
        view: What is shown; rewritten by every step.
        feedback: What a step answers besides; rewritten by every step.
        workers: The threads.
    """

    env_id: ClassVar[str]
    layout_type: ClassVar[type[Layout]] = Layout
    view_type: ClassVar[Any] = View
    leveled: ClassVar[bool] = False
    segmented: ClassVar[bool] = False

    def __init__(
        self,
        count: int,
        source: Source,
        *,
        levels: int = DEFAULT_LEVELS,
        guidance: bool = False,
        threads: int = 1,
    ) -> None:
        layout_type = self.layout_for(self.rules)
        self.layout = layout_type(source.max_tasks, source.max_machines, bool(guidance))
        levels = _check_levels(levels) if self.leveled else 0
        game = Game(self.env_id, self.layout, levels, self.rules, padded=source.padded)
        self.observation_space = game.observation_space
        self.action_space = self.make_action_space(self.layout, levels)
        self.source = source
        self.count = count
        self.workers = Workers(threads)
        self.library = self._make_library(levels)
        self._practise()
        self.play = self._make_play()
        self.view = self.view_type.empty(count, self.layout)
        self.feedback = Feedback.empty(count, self.mask_size(self.layout, levels))
        self._flat = self._flatten()
        self._begun = np.zeros(count, dtype=np.bool_)

    def _make_library(self, levels: int) -> Shelf:
        """Room for the instances; those known in advance are in it."""
        return Library(
            self.count,
            self.source.prepared,
            self.layout,
            levels,
            segmented=self.segmented,
            workers=self.workers,
        )

    def _make_play(self) -> Any:
        """The state of episodes that have not begun."""
        return Play.empty(self.count, self.layout, self.passes)

    @classmethod
    def layout_for(cls, rules: Mapping[str, object]) -> Callable[[int, int, bool], Layout]:
        """What says sizes and columns of observations, under these of the id's own arguments."""
        return cls.layout_type

    @classmethod
    def toys(cls) -> Sequence[Problem]:
        """A toy of each type of problem that the environment knows."""
        known = ENVIRONMENTS[cls.env_id].knows
        return (toy(), toy_with_points()) if "points" in known else (toy(),)

    @classmethod
    def toy_source(cls) -> Source:
        """A source of new instances as small as the toys."""
        return Sampled(Scenario(n=toy().num_tasks, m=toy().num_machines))

    @property
    def passes(self) -> int:
        """How often each task is decided in an episode."""
        return 1

    @property
    def rules(self) -> dict[str, object]:
        """Further arguments of the environment that the dynamics depend on, plain JSON."""
        return {}

    @classmethod
    @abstractmethod
    def mask_size(cls, layout: Layout, levels: int) -> int:
        """Length of a mask."""

    @classmethod
    def make_action_space(cls, layout: Layout, levels: int) -> spaces.Space[Any]:
        """The action space of one environment."""
        return spaces.Discrete(cls.mask_size(layout, levels))

    @abstractmethod
    def _begin(self, envs: Ints, rows: Ints) -> None:
        """Begins episodes on loaded rows."""

    @abstractmethod
    def _step(self, actions: npt.NDArray[Any], first: int, last: int) -> None:
        """Plays checked actions in the environments ``first`` to ``last``."""

    @staticmethod
    def _schedule(problem: Problem, machine: Ints, work: Floats) -> Schedule:
        """The schedule of decisions (n,) each, in the order of the instance."""
        return schedule_of(problem, machine, work)

    def check(self, actions: object) -> npt.NDArray[Any]:
        """Actions of all environments as the array that `step` takes.

        Raises:
            InputError: If they are not in the action space.
        """
        return _indices(actions, self.count, self.feedback.mask.shape[1])

    def begin(self, envs: Ints, generators: Sequence[np.random.Generator]) -> None:
        """Begins episodes on new instances from the source, one generator an environment."""
        rows = self.source.load(self.library, envs, generators)
        self._practise()
        self._begin(envs, rows)
        self._begun[envs] = True

    def begin_instance(self, env: int, instance: Problem) -> None:
        """Begins an episode on a given instance."""
        self.library.load(env, instance)
        self._practise()
        envs = np.array([env])
        self._begin(envs, envs)
        self._begun[envs] = True

    def _practise(self) -> None:
        """Has the kernels compiled that the instances at hand take; later, time is the user's."""
        guidance, several = self.layout.guidance, self.library.several
        practise(type(self), self.source, guidance=guidance, several=several)

    def check_begun(self, envs: slice | int = slice(None)) -> None:
        """Makes sure that environments have been reset.

        Raises:
            ResetNeeded: If one has not.
        """
        if not self._begun[envs].all():
            raise ResetNeeded("an episode has not begun: call reset() first")

    def step(self, actions: npt.NDArray[Any]) -> None:
        """Plays actions that passed `check`."""
        self.workers.run(partial(self._step, actions), self.count)

    def observation(self, envs: slice | Ints | int, *, copy: bool = True) -> Observation:
        """What environments see, as fresh copies unless told otherwise."""
        if copy:
            return {key: array[envs].copy() for key, array in self._flat.items()}
        return {key: array[envs] for key, array in self._flat.items()}

    def _flatten(self) -> Observation:
        """The arrays of the view that are shown, tables as flat rows; they share its memory."""
        arrays: Observation = self.view._asdict()
        return {key: arrays[key].reshape(self.count, -1) for key in self.observation_space}

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_flat"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._flat = self._flatten()

    def forbidden(self, actions: npt.NDArray[Any]) -> Bools:
        """Which of the checked actions their masks forbid (N,)."""
        return np.asarray(
            (self.feedback.mask[np.arange(self.count), actions] == 0) & ~self.play.fresh
        )

    def instance(self, env: int) -> Problem:
        """The instance that an environment plays."""
        self.check_begun(env)
        return self.library.instance(int(self.play.row[env]))

    def waiting(self, env: int) -> Ints:
        """EDF ranks of the task at hand and of those to come, in their order; none at the end."""
        return np.arange(int(self.play.position[env]), self.instance(env).core.num_tasks)

    def task(self, env: int) -> int | None:
        """The task at hand by its index in the instance; None where there is none."""
        waiting = self.waiting(env)
        return int(self.instance(env).core.edf_order[waiting[0]]) if waiting.size else None

    def scene(self, env: int) -> Scene:
        """What a frame shows."""
        instance = self.instance(env).core
        return planned_scene(
            self.schedule(env),
            instance.edf_order[self.waiting(env)],
            int(self.play.position[env]),
            self.passes * instance.num_tasks,
        )

    def told(self) -> dict[str, Floats]:
        """What infos tell besides, by name, one number an environment (N,)."""
        return {}

    def schedule(self, env: int) -> Schedule:
        """The schedule of the decisions so far."""
        return self.schedule_later(env)()

    def schedule_later(self, env: int) -> Callable[[], Schedule]:
        """Builds the schedule of the decisions so far whenever it is called."""
        self.check_begun(env)
        rebuild = self.library.recipe(int(self.play.row[env]))
        machine, work = self.play.machine[env].copy(), self.play.work[env].copy()

        def build() -> Schedule:
            problem = rebuild()
            rank = problem.core.edf_rank
            return self._schedule(problem, machine[rank], work[rank])

        return build

    def reference(self, env: int) -> float | None:
        """Best-known mean accuracy of the instance that an environment plays, if there is one."""
        return self.library.reference(int(self.play.row[env]))

    def mean_accuracy(self, envs: Ints) -> Floats:
        """Mean accuracy per task of the decisions so far in some environments."""
        rows, bank = self.play.row[envs], self.library.bank
        return np.asarray((bank.base[rows] + self.play.gained[envs]) / bank.tasks[rows])


def _check_levels(levels: int) -> int:
    whole = isinstance(levels, (int, np.integer)) and not isinstance(levels, bool)
    if not whole or levels < 1:
        raise InputError(f"levels: must be a whole number from 1, got {levels!r}")
    return int(levels)


def _indices(actions: object, count: int, choices: int) -> Ints:
    """Actions as integers (N,) in 0..choices−1."""
    checked = np.asarray(actions)
    if checked.dtype.kind not in "iu":
        raise InputError(f"action: must be an integer, got {checked.dtype}")
    if checked.shape != (count,):
        raise InputError(f"action: shape {checked.shape}, expected {(count,)}")
    checked = np.ascontiguousarray(checked, dtype=np.int64)
    # As unsigned numbers the negative ones are large.
    if (checked.view(np.uint64) >= choices).any():
        wrong = int(checked[(checked < 0) | (checked >= choices)][0])
        raise InputError(f"action: {wrong} is not in 0..{choices - 1}")
    return checked
