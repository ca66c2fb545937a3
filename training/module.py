"""The policy network of `dsct_gym.agents.network` as a torch module."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from dsct_gym.agents.network import Network, shapes
from dsct_gym.plan import Machine

_SKIP = -10.0


class PolicyModule(nn.Module):
    """Scores machines and skipping; parameters bear the names of `dsct_gym.agents.network.Network`.

    Args:
        width: Hidden units.
        seed: Seed of the initial weights.
        sharpness: Initial weight of the best change in the scores.
    """

    context: Tensor
    machine: Tensor
    bias: Tensor
    pooled: Tensor
    hidden: Tensor
    bias2: Tensor
    score: Tensor
    direct: Tensor
    skip: Tensor
    offset: Tensor

    def __init__(self, width: int, seed: int = 0, sharpness: float = 3.0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        for name, shape in shapes(width).items():
            values = torch.zeros(shape)
            if len(shape) == 2:
                values.normal_(0.0, math.sqrt(1.0 / shape[0]), generator=generator)
            elif name == "score":
                # Small, so that an untrained policy draws its machines almost evenly.
                values.normal_(0.0, 0.1 / math.sqrt(shape[0]), generator=generator)
            self.register_parameter(name, nn.Parameter(values))
        with torch.no_grad():
            # Begins near the best exact change, so that rollouts are worth comparing from the
            # start; no task gains by being skipped.
            self.direct[Machine.CHANGE] = sharpness
            self.offset[1] = _SKIP

    def forward(self, context: Tensor, machine: Tensor) -> Tensor:
        """Scores.

        Args:
            context: Columns of the tasks at hand (…, C).
            machine: Columns of the machines (…, m, M).

        Returns:
            Scores of the machines and, last, of skipping (…, m+1).
        """
        shared = context @ self.context + self.bias
        hidden = torch.relu(shared.unsqueeze(-2) + machine @ self.machine)
        pool = torch.cat([hidden.mean(-2), hidden.amax(-2)], dim=-1)
        shared = pool @ self.pooled + self.bias2
        units = torch.relu(shared.unsqueeze(-2) + hidden @ self.hidden)
        scores = units @ self.score + machine @ self.direct + self.offset[0]
        skip = torch.relu(shared) @ self.skip + self.offset[1]
        return torch.cat([scores, skip.unsqueeze(-1)], dim=-1)

    def export(self) -> Network:
        """The weights as arrays, copied."""
        arrays = {
            name: p.detach().cpu().float().numpy().copy() for name, p in self.named_parameters()
        }
        return Network(**arrays)

    def load(self, network: Network) -> None:
        """Takes the weights from arrays."""
        with torch.no_grad():
            for name, values in network._asdict().items():
                self.get_parameter(name).copy_(torch.from_numpy(values))
