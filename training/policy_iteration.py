"""Approximate policy iteration: the policy learns what looking ahead with itself would decide.

Each step labels states of new instances with `lookahead` under the present policy, and then moves
the policy, over minibatches of the labels of the last steps, towards the decisions that are worth
most: the loss is the expected worth lost, so near ties hardly count.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from dsct_gym.training.config import PolicyIterationConfig
from dsct_gym.training.lookahead import States, look_ahead
from dsct_gym.training.run import Run
from dsct_gym.training.run_folder import RunFolder


class PolicyIteration(Run):
    """A run of policy iteration; see `Run`."""

    sharpness = 3.0

    def __init__(
        self, config: PolicyIterationConfig, folder: RunFolder, device: str = "auto"
    ) -> None:
        super().__init__(config, folder, device)
        self._config = config
        self._memory: dict[int, States] = {}

    def improve(self, pool: ThreadPoolExecutor) -> None:
        """Labels new states and learns from those that are remembered."""
        config = self._config
        network = self.module.export()
        self._memory[self.step] = look_ahead(network, config, (config.seed, self.step), pool)
        self._memory.pop(self.step - config.memory, None)
        rng = np.random.default_rng((config.seed, self.step, 0, 0))
        for _ in range(config.updates):
            states = self._draw(rng)
            self.descend(lambda states=states: self._lost(states))  # type: ignore[misc]

    def _draw(self, rng: np.random.Generator) -> States:
        """A minibatch of states with one number of machines."""
        steps = list(self._memory)
        sizes = np.array([self._memory[step].worth.shape[0] for step in steps])
        machines = np.array([self._memory[step].worth.shape[1] for step in steps])
        like = machines == machines[rng.choice(len(steps), p=sizes / sizes.sum())]
        blocks = [self._memory[step] for step, same in zip(steps, like, strict=True) if same]
        states = States(*(np.concatenate(columns) for columns in zip(*blocks, strict=True)))
        rows = rng.integers(0, states.worth.shape[0], self._config.minibatch)
        return States(*(column[rows] for column in states))

    def _lost(self, states: States) -> Tensor:
        context, machine, worth = (torch.from_numpy(a).to(self.device) for a in states)
        return expected_loss(self.module(context, machine), worth)

    def more_state(self) -> dict[str, Tensor]:
        """The states that are remembered."""
        return {
            f"{step}.{name}": torch.from_numpy(values)
            for step, states in self._memory.items()
            for name, values in states._asdict().items()
        }

    def take_state(self, tensors: dict[str, Tensor]) -> None:
        """Takes back the states, in the order of their steps."""
        steps = sorted({int(name.split(".")[0]) for name in tensors})
        self._memory = {
            step: States(*(tensors[f"{step}.{name}"].numpy() for name in States._fields))
            for step in steps
        }


def expected_loss(scores: Tensor, worth: Tensor) -> Tensor:
    """Worth that a policy is expected to lose among the decisions that were tried.

    What was not tried is left out: a score that is too high there brings the machine among those
    that are tried next time.

    Args:
        scores: Scores (S, m+1).
        worth: Worth of each decision (S, m+1), at most 0; −∞ for what was not tried.

    Returns:
        The mean over the states, not negative.
    """
    tried = torch.isfinite(worth)
    chance = torch.softmax(scores.masked_fill(~tried, -torch.inf), -1)
    return -(chance * worth.masked_fill(~tried, 0.0)).sum(-1).mean()
