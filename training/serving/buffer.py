"""Rollouts of a semi-Markov process: what comes later is discounted by the time until then."""

from __future__ import annotations

from typing import Any

import numpy as np
from stable_baselines3.common.buffers import RolloutBuffer

from dsct_gym.arrays import Floats32
from dsct_gym.training.serving.venv import ServiceVecEnv


class SemiMarkovBuffer(RolloutBuffer):  # type: ignore[misc]
    """As Stable-Baselines3's, with ``γ ** dt`` and ``(γ λ) ** dt`` in place of ``γ`` and ``γ λ``.

    So many short waits count as one long one. ``dt`` is in objectives and read from the services
    after each step; `watch` says which they are. Source: Bradtke and Duff, "Reinforcement learning
    methods for continuous-time Markov decision problems", NIPS 1994; advantages: Schulman et al.,
    arXiv 1506.02438.
    """

    dt: Floats32
    _services: ServiceVecEnv

    def watch(self, services: ServiceVecEnv) -> None:
        """Says whose rollouts it holds."""
        self._services = services

    def reset(self) -> None:
        """Forgets everything."""
        self.dt = np.zeros((self.buffer_size, self.n_envs), dtype=np.float32)
        super().reset()

    def add(self, *args: Any, **kwargs: Any) -> None:
        """Adds a step, with the time that passed in it."""
        self.dt[self.pos] = self._services.dt
        super().add(*args, **kwargs)

    def compute_returns_and_advantage(self, last_values: Any, dones: Any) -> None:
        """Returns and advantages, from the last step to the first."""
        following = last_values.clone().cpu().numpy().flatten()
        going_on = 1.0 - np.asarray(dones, dtype=np.float32)
        later = np.zeros(self.n_envs, dtype=np.float32)
        for step in range(self.buffer_size - 1, -1, -1):
            discount = self.gamma ** self.dt[step] * going_on
            change = self.rewards[step] + discount * following - self.values[step]
            later = change + discount * self.gae_lambda ** self.dt[step] * later
            self.advantages[step] = later
            following, going_on = self.values[step], 1.0 - self.episode_starts[step]
        self.returns = self.advantages + self.values
