"""Policy gradient on the Assign task, with the other rollouts of an instance as the baseline.

Each step draws a size and instances of it, plays every instance several times and moves the policy
towards the decisions that served better than those of the other rollouts (POMO-style; see
`dsct_gym.training.batch.advantages`). Steps that imitate annealing may come first.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from dsct_gym.training.batch import Batch, advantages, play, show_teacher
from dsct_gym.training.config import PolicyGradientConfig
from dsct_gym.training.run import Run
from dsct_gym.training.run_folder import RunFolder


class PolicyGradient(Run):
    """A run of policy gradient; see `Run`."""

    sharpness = 2.0

    def __init__(
        self, config: PolicyGradientConfig, folder: RunFolder, device: str = "auto"
    ) -> None:
        super().__init__(config, folder, device)
        self._config = config

    @property
    def total(self) -> int:
        """Steps in all, those that imitate first."""
        return self._config.imitation + self._config.steps

    def improve(self, pool: ThreadPoolExecutor) -> None:
        """One step of imitation or of policy gradient."""
        if self.step < self._config.imitation:
            self._imitate(pool)
        else:
            self._reinforce(pool)

    def _reinforce(self, pool: ThreadPoolExecutor) -> None:
        config = self._config
        batch = play(
            self.module.export(),
            config.distribution,
            machines_scored=config.batch,
            rollouts=config.rollouts,
            seed=(config.seed, self.step),
            pool=pool,
        )
        worth = torch.from_numpy(advantages(batch.value, config.trace)).float().to(self.device)
        self.descend(lambda: -(worth * self._log_chance(batch)).mean())

    def _imitate(self, pool: ThreadPoolExecutor) -> None:
        """Makes what annealing found more likely."""
        config = self._config
        batch = show_teacher(
            self.module.export(),
            config.distribution,
            machines_scored=config.batch,
            seed=(config.seed, self.step),
            pool=pool,
        )
        self.descend(lambda: -self._log_chance(batch).mean())

    def _log_chance(self, batch: Batch) -> Tensor:
        """Logarithm of the probability of each decision of a batch."""
        context = torch.from_numpy(batch.context).to(self.device)
        machine = torch.from_numpy(batch.machine).to(self.device)
        action = torch.from_numpy(batch.action).to(self.device)
        chances = torch.log_softmax(self.module(context, machine), -1)
        return chances.gather(-1, action.unsqueeze(-1)).squeeze(-1)

    def more_state(self) -> dict[str, Tensor]:
        """Nothing: every step draws its own instances."""
        return {}

    def take_state(self, tensors: dict[str, Tensor]) -> None:
        """Nothing to take back."""
