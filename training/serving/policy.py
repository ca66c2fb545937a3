"""The network of `dsct_gym.agents.serving.network` as a policy of Stable-Baselines3."""

from __future__ import annotations

from typing import Any

import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

from dsct_gym.agents.serving.network import CLOCKS, INPUTS, SIZES, Network
from dsct_gym.arrays import Floats32
from dsct_gym.envs.service_view import FIXED, PerClock

_KEPT = 4.0
"""How much the score of the clock commanded last is ahead at first: a command that the next step
takes back never takes effect, and nothing is learned of it."""

_PATIENT = 1.0
"""How much the score of waiting is ahead at first: only who waits several steps learns of it."""

_TOLD = slice(FIXED + PerClock.TOLD * CLOCKS, FIXED + (PerClock.TOLD + 1) * CLOCKS)


class ServiceLayers(nn.Module):
    """Two hidden layers each for actor and critic; the actor's end with the clock commanded."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.actor = _layers(width)
        self.critic = _layers(width)
        self.latent_dim_pi, self.latent_dim_vf = width + CLOCKS, width

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """What scores and value are made of."""
        return self.forward_actor(features), self.forward_critic(features)

    def forward_actor(self, features: Tensor) -> Tensor:
        """What scores are made of."""
        return torch.cat([self.actor(features), features[:, _TOLD]], dim=1)

    def forward_critic(self, features: Tensor) -> Tensor:
        """What the value is made of."""
        hidden: Tensor = self.critic(features)
        return hidden


class ServicePolicy(ActorCriticPolicy):  # type: ignore[misc]
    """Actor and critic of `rl-service`.

    Args:
        width: Hidden units of each layer.
    """

    def __init__(self, *args: Any, width: int = 32, **kwargs: Any) -> None:
        self._width = width
        super().__init__(*args, **kwargs)

    def _build_mlp_extractor(self) -> None:
        self.mlp_extractor = ServiceLayers(self._width).to(self.device)

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        with torch.no_grad():
            kept = self.action_net.weight[1 + SIZES :, self._width :]
            kept.copy_(_KEPT * torch.eye(CLOCKS))
            self.action_net.bias[0] = _PATIENT

    def _get_constructor_parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._get_constructor_parameters()
        return parameters | {"width": self._width}


def export(policy: ServicePolicy) -> Network:
    """The weights of the actor."""
    weights = {name: _array(values) for name, values in policy.state_dict().items()}
    first, second = (weights[f"mlp_extractor.actor.{place}.weight"].T for place in (0, 2))
    last = weights["action_net.weight"].T
    width = first.shape[1]
    return Network(
        first=first.copy(),
        bias1=weights["mlp_extractor.actor.0.bias"],
        second=second.copy(),
        bias2=weights["mlp_extractor.actor.2.bias"],
        last=last[:width].copy(),
        keep=last[width:].copy(),
        bias3=weights["action_net.bias"],
    )


def _layers(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(INPUTS, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())


def _array(values: Tensor) -> Floats32:
    array: Floats32 = values.detach().cpu().float().numpy().copy()
    return array
