"""A batch of episodes: state, views and instances of N environments, one class an action mode.

The single environments are batches of one and the batched ones are batches of many; both only add
Gymnasium's interface.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from dsct_gym.allocation import allocate
from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.envs import dynamics
from dsct_gym.envs.bank import Library, copy_into
from dsct_gym.envs.dynamics import Play, View, empty_curves
from dsct_gym.envs.observation import Layout, Observation
from dsct_gym.envs.practice import practise
from dsct_gym.envs.source import Source
from dsct_gym.envs.workers import Workers
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.schedule import Schedule

DEFAULT_LEVELS = 10

_SHOWN = ("budget", "machines", "machines_mask", "task", "tasks", "tasks_mask")
"""The first fields of `View`, in its order."""


class Episodes(ABC):
    """N episodes side by side.

    Args:
        count: N.
        source: Where the instances come from.
        levels: Number of compression levels of the joint mode.
        guidance: Whether observations carry the relaxation's columns.
        threads: Threads that share the batch.

    Raises:
        InputError: If ``levels`` is out of range, or an instance prepared ahead is too large.

    Attributes:
        play: The state.
        view: What is shown; rewritten by every step.
        layout: Sizes and columns of the observations.
        workers: The threads.
    """

    segmented: ClassVar[bool] = False
    _least_levels: ClassVar[int] = 1

    def __init__(
        self,
        count: int,
        source: Source,
        *,
        levels: int = DEFAULT_LEVELS,
        guidance: bool = False,
        threads: int = 1,
    ) -> None:
        self.layout = Layout(source.max_tasks, source.max_machines, guidance)
        if isinstance(levels, bool) or not isinstance(levels, int) or levels < self._least_levels:
            raise InputError(f"levels: must be a whole number from 1, got {levels!r}")
        practise(type(self), source, guidance=guidance)
        self._levels = levels
        self.source = source
        self.count = count
        rows = count + len(source.prepared)
        self.workers = Workers(threads)
        self.library = Library(
            rows, self.layout, levels, segmented=self.segmented, workers=self.workers
        )
        for index, instance in enumerate(source.prepared):
            self.library.load(count + index, instance)
        self.play = Play.empty(count, self.layout)
        self.view = View.empty(count, self.layout, self.mask_size)

    @property
    @abstractmethod
    def mask_size(self) -> int:
        """Length of a mask."""

    @property
    def action_space(self) -> spaces.Space[Any]:
        """The action space of one environment: one action an entry of its mask."""
        return spaces.Discrete(self.mask_size)

    @abstractmethod
    def _begin(self, envs: Ints, rows: Ints) -> None:
        """Begins episodes on loaded rows."""

    @abstractmethod
    def check(self, actions: object) -> npt.NDArray[Any]:
        """Actions of all environments as the array that `step` takes.

        Raises:
            InputError: If they are not in the action space.
        """

    @abstractmethod
    def _step(self, actions: npt.NDArray[Any], first: int, last: int) -> None:
        """Plays checked actions in the environments ``first`` to ``last``."""

    @staticmethod
    @abstractmethod
    def _schedule(instance: Instance, machine: Ints, work: Floats) -> Schedule:
        """The schedule of decisions (n,) each, in the order of the instance."""

    def begin(self, envs: Ints, generators: Sequence[np.random.Generator]) -> None:
        """Begins episodes on new instances from the source, one generator an environment."""
        self._begin(envs, self.source.load(self.library, envs, generators))

    def begin_instance(self, env: int, instance: Instance) -> None:
        """Begins an episode on a given instance."""
        self.library.load(env, instance)
        envs = np.array([env])
        self._begin(envs, envs)

    def step(self, actions: npt.NDArray[Any]) -> None:
        """Plays actions that passed `check`."""
        self.workers.run(partial(self._step, actions), self.count)

    def observation(self, envs: slice | Ints | int, *, copy: bool = True) -> Observation:
        """What environments see, as fresh copies unless told otherwise."""
        shown = zip(_SHOWN, cast("Any", self.view), strict=False)
        if copy:
            return {key: array[envs].copy() for key, array in shown}
        return {key: array[envs] for key, array in shown}

    def forbidden(self, actions: npt.NDArray[Any]) -> Bools:
        """Which of the checked actions their masks forbid (N,)."""
        if actions.dtype.kind == "f":
            return np.zeros(self.count, dtype=np.bool_)
        return np.asarray((self.view.mask[np.arange(self.count), actions] == 0) & ~self.play.fresh)

    def instance(self, env: int) -> Instance:
        """The instance that an environment plays."""
        return self.library.instance(int(self.play.row[env]))

    def schedule(self, env: int) -> Schedule:
        """The schedule of the decisions so far."""
        return self.schedule_later(env)()

    def schedule_later(self, env: int) -> Callable[[], Schedule]:
        """Builds the schedule of the decisions so far whenever it is called."""
        rebuild = self.library.recipe(int(self.play.row[env]))
        machine, work = self.play.machine[env].copy(), self.play.work[env].copy()

        def build() -> Schedule:
            instance = rebuild()
            rank = instance.edf_rank
            return self._schedule(instance, machine[rank], work[rank])

        return build

    def mean_accuracy(self, envs: Ints) -> Floats:
        """Mean accuracy per task of the decisions so far in some environments."""
        rows, bank = self.play.row[envs], self.library.bank
        return np.asarray((bank.base[rows] + self.play.gained[envs]) / bank.tasks[rows])


class JointEpisodes(Episodes):
    """Machine and compression level are chosen together; times follow from them."""

    @property
    def mask_size(self) -> int:
        """One entry for each machine and level, and one to skip."""
        return self.layout.max_machines * self._levels + 1

    def _begin(self, envs: Ints, rows: Ints) -> None:
        dynamics.begin_joint(self.library.bank, self.play, self.view, envs, rows)

    def check(self, actions: object) -> Ints:
        """Actions as integers (N,)."""
        return _indices(actions, self.count, self.mask_size)

    def _step(self, actions: Ints, first: int, last: int) -> None:
        dynamics.step_joint(self.library.bank, self.play, self.view, actions, first, last)

    @staticmethod
    def _schedule(instance: Instance, machine: Ints, work: Floats) -> Schedule:
        return Schedule.from_work(instance, machine, work)


class ContinuousEpisodes(Episodes):
    """A preference for each machine, and the share of the task's full work."""

    @property
    def mask_size(self) -> int:
        """One entry for each machine, and one, always allowed, for the share of work."""
        return self.layout.max_machines + 1

    @property
    def action_space(self) -> spaces.Space[Any]:
        """A preference for each machine, and the share of work."""
        return spaces.Box(-1.0, 1.0, (self.mask_size,), dtype=np.float32)

    def _begin(self, envs: Ints, rows: Ints) -> None:
        dynamics.begin_continuous(self.library.bank, self.play, self.view, envs, rows)

    def check(self, actions: object) -> npt.NDArray[np.float32]:
        """Actions as floats (N, m+1); what lies outside [−1, 1] is clipped when it is played."""
        wanted = (self.count, self.mask_size)
        checked = np.asarray(actions, dtype=np.float32)
        if checked.shape != wanted:
            raise InputError(f"action: shape {checked.shape}, expected {wanted}")
        if not np.isfinite(checked).all():
            raise InputError("action: not a finite number")
        return np.ascontiguousarray(checked)

    def _step(self, actions: npt.NDArray[np.float32], first: int, last: int) -> None:
        dynamics.step_continuous(self.library.bank, self.play, self.view, actions, first, last)

    @staticmethod
    def _schedule(instance: Instance, machine: Ints, work: Floats) -> Schedule:
        return Schedule.from_work(instance, machine, work)


class AssignEpisodes(Episodes):
    """Only the machine is chosen; works are the exact optimum for the assignment so far."""

    segmented = True
    _least_levels = 0

    def __init__(
        self,
        count: int,
        source: Source,
        *,
        levels: int = 0,
        guidance: bool = False,
        threads: int = 1,
    ) -> None:
        super().__init__(count, source, levels=0, guidance=guidance, threads=threads)
        self._curves = empty_curves(count, self.layout, self.library.bank.task.shape[1])

    @property
    def mask_size(self) -> int:
        """One entry for each machine, and one to skip."""
        return self.layout.max_machines + 1

    def _begin(self, envs: Ints, rows: Ints) -> None:
        self._widen(self.library.bank.task.shape[1])
        dynamics.begin_assign(self.library.bank, self.play, self.view, self._curves, envs, rows)

    def _widen(self, segments: int) -> None:
        """Makes room for instances with more segments than any so far."""
        if segments <= self._curves.order.shape[2]:
            return
        wide = empty_curves(self.count, self.layout, segments)
        copy_into(cast("Any", wide), cast("Any", self._curves))
        self._curves = wide

    def check(self, actions: object) -> Ints:
        """Actions as integers (N,)."""
        return _indices(actions, self.count, self.mask_size)

    def _step(self, actions: Ints, first: int, last: int) -> None:
        dynamics.step_assign(
            self.library.bank, self.play, self.view, self._curves, actions, first, last
        )

    @staticmethod
    def _schedule(instance: Instance, machine: Ints, work: Floats) -> Schedule:
        return allocate(instance, machine)


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
