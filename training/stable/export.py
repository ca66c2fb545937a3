"""From an agent of Stable-Baselines3 to the checkpoint that every solver of a policy plays.

On `DSCT-EA-Plan-v0` the shared network of `dsct_gym.training.stable.policy` sees and computes what
`dsct_gym.agents.network` does, so its weights are those of a checkpoint under other names. Critic
and optimiser stay behind; what is left plays any size, without torch and without pickles.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from dsct_gym.agents.checkpoint import save_policy
from dsct_gym.agents.network import Network
from dsct_gym.arrays import Floats32
from dsct_gym.envs.game import Game
from dsct_gym.errors import InputError
from dsct_gym.training.stable.policy import SharedActor
from dsct_gym.training.stable.settings import EXPORTED, EXPORTED_RULES


def export_policy(agent: Any, path: str | Path, training: dict[str, Any] | None = None) -> None:
    """Writes the checkpoint of an agent.

    Args:
        agent: An algorithm of Stable-Baselines3, or its policy.
        path: Where to; ``rl[checkpoint=PATH]`` and ``dsct-gym evaluate PATH`` play it.
        training: What to tell of the training: anything that JSON can hold.

    Raises:
        InputError: If `export_network` refuses it, or the file cannot be written.
    """
    save_policy(path, export_network(getattr(agent, "policy", agent)), training)


def export_network(policy: Any) -> Network:
    """The weights of a policy as a checkpoint holds them.

    The policy's greedy decisions are those of the network, up to scores that are equal to within
    the rounding of float32.

    Args:
        policy: Trained on `EXPORTED` by earliest deadline first in one pass, with the shared
            network.

    Raises:
        InputError: If it is not.
    """
    game = Game.of(policy)
    if game.env_id != EXPORTED:
        raise InputError(f"policy: trained on {game.env_id}; a checkpoint plays {EXPORTED}")
    for name, value in EXPORTED_RULES.items():
        if (trained := game.rules.get(name, value)) != value:
            raise InputError(
                f"policy: trained with {name}={trained!r}; a checkpoint plays with {value!r}"
            )
    actor = _actor(policy)
    if actor is None:
        raise InputError("policy: not the shared network of dsct_gym.training.stable.policy")
    pooled = actor.actor
    return Network(
        context=_matrix(pooled.context),
        machine=_matrix(pooled.machine),
        bias=_array(pooled.context.bias),
        pooled=_matrix(pooled.pooled),
        hidden=_matrix(pooled.hidden),
        bias2=_array(pooled.pooled.bias),
        score=_array(actor.score.weight[0]),
        direct=_array(actor.direct.weight[0]),
        skip=_array(actor.last.weight[0]),
        offset=np.concatenate([_array(actor.score.bias), _array(actor.last.bias)]),
    )


def _actor(policy: Any) -> SharedActor | None:
    """Where the shared network is in a policy: DQN keeps it elsewhere than actor-critics do."""
    values = getattr(policy, "q_net", None)
    found = getattr(policy, "mlp_extractor", getattr(values, "q_net", None))
    return found if isinstance(found, SharedActor) else None


def _matrix(layer: nn.Linear) -> Floats32:
    """Weights of a layer (inputs, outputs)."""
    return np.ascontiguousarray(_array(layer.weight).T)


def _array(values: Tensor) -> Floats32:
    array: Floats32 = values.detach().cpu().float().numpy().copy()
    return array
