"""The batched environments as a Stable-Baselines3 ``VecEnv``, with masks for sb3-contrib.

Needs the extra ``rl``. The batch is stepped whole; there is no Python environment behind each row::

    venv = SchedulingVecEnv("DSCT-EA-v0", num_envs=64, n=20, m=3)
    MaskablePPO("MultiInputPolicy", venv).learn(100_000)
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env import VecEnv

from dsct_gym.envs.observation import Observation
from dsct_gym.envs.vector import SchedulingVectorEnv
from dsct_gym.registration import register_envs

Indices = int | Sequence[int] | None

_OWN = ("instance", "schedule")
"""What a single environment has as an attribute and a batch tells of each by a method."""


class SchedulingVecEnv(VecEnv):  # type: ignore[misc]
    """A batch of one of the environments, for Stable-Baselines3.

    At the end of an episode its info has ``terminal_observation``, ``schedule``, ``mean_accuracy``,
    ``energy``, ``reference`` where one is known, and ``episode`` (return ``r``, length ``l``,
    seconds ``t``), as `Monitor` gives it.

    Args:
        env_id: One of `dsct_gym.registration.ENVIRONMENTS`.
        num_envs: Number of environments.
        **options: Arguments of the batched environment, except ``autoreset_mode``.
    """

    def __init__(self, env_id: str, num_envs: int = 1, **options: Any) -> None:
        register_envs()
        batch = gymnasium.make_vec(
            env_id,
            num_envs=num_envs,
            vectorization_mode="vector_entry_point",
            autoreset_mode=AutoresetMode.SAME_STEP,
            **options,
        )
        assert isinstance(batch, SchedulingVectorEnv)
        self.batch = batch
        self._actions: npt.NDArray[Any] | None = None
        self._returns = np.zeros(num_envs)
        self._lengths = np.zeros(num_envs, dtype=np.int64)
        self._started = time.perf_counter()
        super().__init__(num_envs, batch.single_observation_space, batch.single_action_space)
        self.metadata = dict(batch.metadata)

    def reset(self) -> Observation:
        """Begins an episode in every environment, each with its own of `set_options`."""
        options = {"instance": [given.get("instance") for given in self._options]}
        seeds = None if all(seed is None for seed in self._seeds) else self._seeds
        observation, _ = self.batch.reset(seed=seeds, options=options)
        self._returns[:], self._lengths[:] = 0.0, 0
        self.reset_infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        self._reset_seeds()
        self._reset_options()
        return observation

    def step_async(self, actions: npt.NDArray[Any]) -> None:
        """Takes the actions of the next step."""
        self._actions = actions

    def step_wait(
        self,
    ) -> tuple[Observation, npt.NDArray[np.float32], npt.NDArray[np.bool_], list[dict[str, Any]]]:
        """Plays the actions; environments whose episode ends begin a new one."""
        observation, rewards, terminations, truncations, told = self.batch.step(self._actions)
        dones = terminations | truncations
        self._returns += rewards
        self._lengths += 1
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for env in np.flatnonzero(dones).tolist():
            infos[env] = self._final_info(told, env)
            infos[env]["TimeLimit.truncated"] = bool(truncations[env] and not terminations[env])
        self._returns[dones], self._lengths[dones] = 0.0, 0
        return observation, rewards.astype(np.float32), dones, infos

    def _final_info(self, told: dict[str, Any], env: int) -> dict[str, Any]:
        final = told["final_info"]
        info = {
            "terminal_observation": told["final_obs"][env],
            "schedule": final["schedule"][env],
            "mean_accuracy": float(final["mean_accuracy"][env]),
            "energy": float(final["energy"][env]),
            "episode": {
                "r": float(self._returns[env]),
                "l": int(self._lengths[env]),
                "t": time.perf_counter() - self._started,
            },
        }
        if "reference" in final and final["_reference"][env]:
            info["reference"] = float(final["reference"][env])
        return info

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """Which actions are allowed now (N, actions)."""
        return self.batch.action_masks()

    def close(self) -> None:
        """Stops the threads of the batch."""
        self.batch.close()

    def get_images(self) -> Sequence[npt.NDArray[np.uint8] | None]:
        """One frame for each environment."""
        return self.batch.render() or [None] * self.num_envs

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """An attribute of the batch, once for each environment, or the own of each."""
        value, chosen = getattr(self.batch, attr_name), self._get_indices(indices)
        if attr_name in _OWN:
            return [value(index) for index in chosen]
        return [value for _ in chosen]

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Sets an attribute of the batch; ``indices`` must be all."""
        if indices is not None:
            raise ValueError("set_attr: environments of a batch have no attributes of their own")
        setattr(self.batch, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: Indices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Calls a method of the batch whose result has one entry an environment."""
        result = getattr(self.batch, method_name)(*method_args, **method_kwargs)
        return [result[index] for index in self._get_indices(indices)]

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper[Any, Any, Any, Any]], indices: Indices = None
    ) -> list[bool]:
        """Nothing is wrapped."""
        return [False] * len(list(self._get_indices(indices)))
