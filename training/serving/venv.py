"""Services of many kinds side by side, for Stable-Baselines3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv

from dsct_gym.agents.serving.network import CLOCKS, INPUTS, SIZES
from dsct_gym.arrays import Floats, Floats32, Ints
from dsct_gym.envs.service_view import LARGEST
from dsct_gym.random import spawn
from dsct_gym.serving.card import Costs
from dsct_gym.training.serving.config import ServiceConfig
from dsct_gym.training.serving.practice import make_episodes

_STREAM: Final = 0x5E7

DEAR: Final = 3.0
"""Rewards of an episode are over the energy of one request alone and the price of so many late
ones, so that episodes with a high price do not drown the others."""


class ServiceVecEnv(VecEnv):  # type: ignore[misc]
    """Some services of each kind of a configuration.

    An episode that has ended is one cut short for the learner: a service goes on, and that nothing
    comes after the last request is nothing that could be known.

    Args:
        config: What to practise on.

    Attributes:
        dt: Time that passed in the last step, in objectives (N,).
    """

    def __init__(self, config: ServiceConfig) -> None:
        self._config = config
        self._parts = [make_episodes(config, task, config.envs) for task in config.tasks]
        count = config.envs * len(self._parts)
        self._streams: list[np.random.Generator] = []
        self._actions = np.zeros((count, 2), dtype=np.int64)
        self._playing = np.ones(config.envs, dtype=np.bool_)
        self.dt: Floats = np.zeros(count)
        self.seed_streams(config.seed)
        super().__init__(
            count,
            spaces.Box(0.0, LARGEST, (INPUTS,), np.float32),
            spaces.MultiDiscrete([1 + SIZES, CLOCKS]),
        )

    def seed_streams(self, seed: int, *more: int) -> None:
        """Seeds all services, each with a stream of its own."""
        count = self._config.envs * len(self._parts)
        self._streams = [spawn(seed, _STREAM, *more, row) for row in range(count)]

    def reset(self) -> Floats32:
        """Begins an episode in every service."""
        for part, place, row in self._rows():
            self._parts[part].begin(place, self._streams[row])
        self.reset_infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        return np.concatenate([part.observation for part in self._parts])

    def step_async(self, actions: npt.NDArray[Any]) -> None:
        """Takes the actions of the next step."""
        self._actions = np.ascontiguousarray(actions, dtype=np.int64)

    def step_wait(
        self,
    ) -> tuple[Floats32, Floats32, npt.NDArray[np.bool_], list[dict[str, Any]]]:
        """Plays the actions; services whose episode ends begin a new one."""
        count = self._config.envs
        rewards = np.zeros(self.num_envs, dtype=np.float32)
        dones = np.zeros(self.num_envs, dtype=np.bool_)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for number, part in enumerate(self._parts):
            rows = slice(number * count, (number + 1) * count)
            come = part.queues.come.copy()
            step = part.step(self._actions[rows], self._playing)
            least = _least(part.setting.costs, part.queues.come - come, step.dt)
            cost = step.energy - least + part.price * step.violations
            dear = part.setting.alone + part.price / DEAR
            rewards[rows] = -self._config.scale * cost / dear
            self.dt[rows] = step.dt / part.setting.objective
            for place in np.flatnonzero(part.done).tolist():
                row = number * count + place
                dones[row] = True
                infos[row] = {
                    "TimeLimit.truncated": True,
                    "terminal_observation": part.observation[place].copy(),
                }
                part.begin(place, self._streams[row])
        seen = np.concatenate([part.observation for part in self._parts])
        return seen, rewards, dones, infos

    def _rows(self) -> list[tuple[int, int, int]]:
        """Part, place in it and place among all of each service."""
        count = self._config.envs
        return [(row // count, row % count, row) for row in range(count * len(self._parts))]

    def close(self) -> None:
        """Nothing is to be closed."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The same of every service."""
        return [getattr(self, attr_name, None)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Nothing can be set."""
        raise NotImplementedError

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> Any:
        """Nothing can be called."""
        raise NotImplementedError

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """None is."""
        return [False] * self.num_envs

    def get_images(self) -> Sequence[None]:
        """There is nothing to see."""
        return [None] * self.num_envs


def _least(costs: Costs, come: Ints, dt: Floats) -> Floats:
    """What is spent whatever is done, J: idling at the lowest clock, and the best batches (N,).

    Taken off the costs it changes no decision, but how many requests come is no noise any more.
    """
    sizes = np.arange(1, costs.whole_time.shape[0] + 1)[:, None]
    beyond = costs.whole_energy - costs.whole_time * costs.idle_power[0]
    return np.asarray(costs.idle_power[0] * dt + come * float((beyond / sizes).min()))
