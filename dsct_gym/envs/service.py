"""``DSCT-EA-Service-v0``: requests batched and run on one GPU, one decision at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal, TypeAlias

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from dsct_gym.arguments import as_integer
from dsct_gym.arrays import Bools, Floats, Floats32
from dsct_gym.envs.service_episodes import ServiceEpisodes, Step
from dsct_gym.envs.service_units import UnitEpisodes
from dsct_gym.envs.service_view import LARGEST
from dsct_gym.errors import InputError, instead_of

Infos: TypeAlias = dict[str, Any]
Actions: TypeAlias = npt.NDArray[np.int64]
Clocks: TypeAlias = Literal["batch", "unit"]

_EPISODES: Final[Mapping[str, type[ServiceEpisodes]]] = {
    "batch": ServiceEpisodes,
    "unit": UnitEpisodes,
}
"""What is played by what has a clock of its own."""


def _make(count: int, clocks: str, service: dict[str, Any]) -> ServiceEpisodes:
    """The episodes of so many services.

    Raises:
        InputError: Naming the argument at fault.
    """
    if clocks not in _EPISODES:
        raise InputError(f"clocks: no {clocks!r}; {instead_of(clocks, _EPISODES)}")
    return _EPISODES[clocks](count, **service)


def _spaces(
    episodes: ServiceEpisodes,
) -> tuple[spaces.Space[Floats32], spaces.Space[Actions]]:
    """Of observations and actions."""
    choices = [1 + episodes.setting.sizes.size, episodes.table.num_clocks]
    seen: spaces.Space[Any] = spaces.Box(0.0, LARGEST, (episodes.width,), np.float32)
    return seen, spaces.MultiDiscrete(choices)


class ServiceEnv(gymnasium.Env[Floats32, Actions]):
    """Requests arrive at one GPU; whenever it is free, decide what it does next.

    Action, ``MultiDiscrete([1 + B, C])``: the batch, 0 to wait, k to start the requests that wait,
    at most 2^(k−1) of them, oldest first; and the clock, from the lowest, which is commanded at
    once and takes effect after ``latency``. A batch runs to its end. Waiting ends when a request
    comes, or after an eighth of the objective; where none waits, after a whole one. There every
    batch choice waits: what is decided is the clock to stand idle at.

    With ``clocks="unit"`` a step runs one unit of a batch, and while a batch runs only the clock
    is chosen, for the unit that comes next.

    Observation, ``Box(0, 10)``: the columns of `dsct_gym.envs.service_view.Column`, then those of
    `PerClock` for each clock (9 + 5 C,), with ``clocks="unit"`` those of `UnitColumn` (2) as well.
    Nothing of it is of the future. The clock, the one commanded and the time until that takes
    effect are all that there is to know of a command.

    Reward: ``−energy − price · violations`` in J: energy spent until the next decision, standing
    idle included, and requests that ended later than the objective. Both are in ``info`` apart, as
    ``energy`` (J) and ``violations``, for those who want a constraint instead of a price.

    Decisions are not evenly spaced (a semi-Markov process): ``info["dt"]`` is the time that passed
    (s), ``info["time"]`` the time since the episode began; discount with ``γ ** dt``
    (`dsct_gym.training.serving` does). ``info["action_mask"]`` marks the batch choices that are
    not the same as a smaller one.

    Episode: about ``requests`` requests from time 0 on, or the moments (s) in
    ``reset(options={"arrivals": ...})``; it ends when the last is served, with
    ``info["outcome"]``: latencies, energies and switches as ``dsct-gym serve`` tells them. Energies
    of the steps add up to all energy from time 0 on. Known in a corner: with batch choice 1 always,
    one clock and Poisson arrivals it is the queue M/D/1.

    Args:
        render_mode: None; there is nothing to see.
        clocks: What has a clock of its own: a whole ``"batch"``, or each ``"unit"`` of it.
        **service: Of `ServiceEpisodes`: gpu, network, table, arrivals, load, objective, requests,
            latency, price.

    Raises:
        InputError: Naming the argument at fault.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}  # type: ignore[misc]

    def __init__(
        self, render_mode: str | None = None, clocks: Clocks = "batch", **service: Any
    ) -> None:
        self.render_mode = render_mode
        self._episodes = _make(1, clocks, service)
        self.observation_space, self.action_space = _spaces(self._episodes)
        self._playing = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Floats32, Infos]:
        """Begins a new episode, of the arrivals in ``options`` if there are any.

        Raises:
            InputError: If these are no moments that ascend, or more than ``requests``.
        """
        super().reset(seed=seed)
        given = (options or {}).get("arrivals")
        moments = None if given is None else self._episodes.check_arrivals(given)
        self._episodes.begin(0, self.np_random, moments)
        self._playing = True
        return self._episodes.observation[0].copy(), self._info(None)

    def step(self, action: Actions) -> tuple[Floats32, float, bool, bool, Infos]:
        """Carries out a decision and goes on to the next.

        Raises:
            ResetNeeded: If no episode is being played.
        """
        if not self._playing:
            raise ResetNeeded("call reset before step")
        actions = np.asarray(action, dtype=np.int64)[None]
        if not self.action_space.contains(actions[0]):
            raise ValueError(f"action: {action} is not in {self.action_space}")
        step = self._episodes.step(actions, np.ones(1, dtype=np.bool_))
        done = bool(self._episodes.done[0])
        self._playing = not done
        reward = float(_rewards(self._episodes, step)[0])
        return self._episodes.observation[0].copy(), reward, done, False, self._info(step)

    def action_masks(self) -> Bools:
        """Which of each part of the action there are, one part after the other (1 + B + C,)."""
        clocks = np.ones(self._episodes.table.num_clocks, dtype=np.bool_)
        return np.concatenate([self._episodes.mask[0], clocks])

    def _info(self, step: Step | None) -> Infos:
        info: Infos = {
            "action_mask": self.action_masks(),
            "time": float(self._episodes.cards.now[0]),
            "dt": 0.0 if step is None else float(step.dt[0]),
            "energy": 0.0 if step is None else float(step.energy[0]),
            "violations": 0 if step is None else int(step.violations[0]),
        }
        if not self._playing:
            info["outcome"] = self._episodes.outcome(0).summary()
        return info


class ServiceVectorEnv(VectorEnv[Floats32, Actions, Any]):
    """Many services side by side in compiled code; each as `ServiceEnv` plays it.

    With ``reset(seed=s)``, service i plays what a single one seeded with ``s + i`` plays. An
    episode that has ended begins anew with the next step, whose action is ignored
    (`AutoresetMode.NEXT_STEP`).

    Args:
        num_envs: N.
        render_mode: None.
        clocks: As for `ServiceEnv`.
        **service: Likewise.

    Raises:
        InputError: Naming the argument at fault.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "render_modes": [],
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        render_mode: str | None = None,
        clocks: Clocks = "batch",
        **service: Any,
    ) -> None:
        self.num_envs = as_integer(num_envs, "num_envs", 1)
        self.render_mode = render_mode
        self._episodes = _make(self.num_envs, clocks, service)
        self.single_observation_space, self.single_action_space = _spaces(self._episodes)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._streams: list[np.random.Generator] = []
        self._playing = np.zeros(self.num_envs, dtype=np.bool_)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Floats32, Infos]:
        """Begins new episodes in all services, of the arrivals in ``options`` for each or None.

        Raises:
            InputError: If these are no moments that ascend, or more than ``requests``.
        """
        if isinstance(seed, int):
            seeds: list[int | None] = [seed + row for row in range(self.num_envs)]
        else:
            seeds = [None] * self.num_envs if seed is None else list(seed)
        moments = self._given(options)
        if not self._streams:
            self._streams = [seeding.np_random(each)[0] for each in seeds]
        for row, each in enumerate(seeds):
            if each is not None:
                self._streams[row] = seeding.np_random(each)[0]
            self._episodes.begin(row, self._streams[row], moments[row])
        self._playing[:] = True
        return self._episodes.observation.copy(), self._infos(None)

    def step(self, actions: Actions) -> tuple[Floats32, Floats, Bools, Bools, Infos]:
        """Carries out decisions; where an episode had ended, begins a new one.

        Raises:
            ResetNeeded: If `reset` was never called.
        """
        if not self._streams:
            raise ResetNeeded("call reset before step")
        before = self._playing.copy()
        step = self._episodes.step(np.ascontiguousarray(actions, dtype=np.int64), before)
        for row in np.flatnonzero(~before).tolist():
            self._episodes.begin(row, self._streams[row])
        done = self._episodes.done & before
        self._playing = ~done
        rewards = _rewards(self._episodes, step)
        cut = np.zeros(self.num_envs, dtype=np.bool_)
        return self._episodes.observation.copy(), rewards, done, cut, self._infos(step)

    def _given(self, options: dict[str, Any] | None) -> list[Floats | None]:
        """The arrivals that each service is to play, None for those of its own."""
        given = (options or {}).get("arrivals")
        if given is None:
            return [None] * self.num_envs
        if len(given) != self.num_envs:
            raise InputError(f"arrivals: must be {self.num_envs}, one (or None) for each service")
        check = self._episodes.check_arrivals
        return [None if each is None else check(each) for each in given]

    def _infos(self, step: Step | None) -> Infos:
        count = self.num_envs
        clocks = np.ones((count, self._episodes.table.num_clocks), dtype=np.bool_)
        infos: Infos = {
            "action_mask": np.concatenate([self._episodes.mask, clocks], axis=1),
            "time": self._episodes.cards.now.copy(),
            "dt": np.zeros(count) if step is None else step.dt,
            "energy": np.zeros(count) if step is None else step.energy,
            "violations": np.zeros(count, dtype=np.int64) if step is None else step.violations,
        }
        ended = ~self._playing
        if ended.any():
            outcomes = np.full(count, None, dtype=object)
            for row in np.flatnonzero(ended).tolist():
                outcomes[row] = self._episodes.outcome(row).summary()
            infos |= {"outcome": outcomes, "_outcome": ended}
        return infos


def _rewards(episodes: ServiceEpisodes, step: Step) -> Floats:
    """``−energy − price · violations``, J (N,)."""
    return np.asarray(-step.energy - episodes.price * step.violations)
