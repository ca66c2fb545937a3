"""A policy for Stable-Baselines3 whose network is shared by all machines.

The idea of `agents/network.py` on what the environments show: every machine's row of the
observation goes through the same weights, and what machines have in common reaches each of them by
mean and maximum. So permuting the machines permutes the action probabilities and leaves the value
alone, and the same weights play any number of machines and tasks. Of the tasks to come it sees the
mean row, where the environment shows them.

    c   = [task at hand, episode, mean row of the tasks to come]
    h_r = relu(A_c c + A_m x_r + a)                             for each machine r
    p   = B_p [mean_r h_r, max_r h_r] + b
    g_r = relu(p + B_h h_r)
    logits of machine r = V g_r + U x_r,   of the last action = w · relu(p) + w_0

The value has weights of its own of the same shape: the number of tasks to come times a linear
function of relu(p), because what is still to be gained grows with it.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import torch
from gymnasium import spaces
from sb3_contrib.common.maskable.policies import MaskableMultiInputActorCriticPolicy
from stable_baselines3.common.policies import MultiInputActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.dqn.policies import MultiInputPolicy as DqnMultiInputPolicy
from stable_baselines3.dqn.policies import QNetwork
from torch import Tensor, nn

from dsct_gym.envs.observation import BudgetColumn
from dsct_gym.plan import Context

_NEVER = -1e8  # logit of a machine that the instance does not have
_IGNORED = 0.0  # preference for one
_RARELY = -3.0  # first logit of skipping: hardly any task gains by it
_SMALL = 0.1  # scale of the first logits, so that an untrained policy is nearly even


class Tables(NamedTuple):
    """An observation with its tables in shape; B of them, n tasks, m machines.

    Attributes:
        context: Columns of the task at hand, of the episode and, in the mean, of the task at hand
            and those to come (B, C).
        tasks_left: Number of tasks to come, with the one at hand (B, 1).
        machines: Columns of the machines (B, m, M).
        machines_mask: 1 for a machine of the instance (B, m).
    """

    context: Tensor
    tasks_left: Tensor
    machines: Tensor
    machines_mask: Tensor


class TablesExtractor(BaseFeaturesExtractor):  # type: ignore[misc]
    """Gives the tables of an observation their shape."""

    def __init__(self, observation_space: spaces.Dict) -> None:
        super().__init__(observation_space, features_dim=1)

    def forward(self, observation: dict[str, Tensor]) -> Tables:
        """The tables of a batch of observations."""
        if "budget" not in observation:
            return _tables_of_plan(observation)
        if "tasks" not in observation:
            return _tables_of_one_task(observation)
        tasks_left = observation["tasks_mask"].sum(-1, keepdim=True)
        tasks = _rows(observation["tasks"], observation["tasks_mask"])
        mean = tasks.sum(-2) / tasks_left.clamp(min=1.0)  # decided tasks and padding are 0
        return Tables(
            torch.cat([observation["task"], observation["budget"], mean], -1),
            tasks_left,
            _rows(observation["machines"], observation["machines_mask"]),
            observation["machines_mask"],
        )


def _tables_of_one_task(observation: dict[str, Tensor]) -> Tables:
    """The same of an observation that leaves out the table of tasks."""
    budget = observation["budget"]
    number = 10.0 ** budget[..., BudgetColumn.TASKS]
    return Tables(
        torch.cat([observation["task"], budget], -1),
        (budget[..., BudgetColumn.TASKS_LEFT] * number).unsqueeze(-1),
        _rows(observation["machines"], observation["machines_mask"]),
        observation["machines_mask"],
    )


def _tables_of_plan(observation: dict[str, Tensor]) -> Tables:
    """The same of a complete plan, which shows no tasks but the one at hand."""
    task = observation["task"]
    number = torch.exp(3.0 * task[..., Context.TASKS])  # the column is ln(n) / 3
    return Tables(
        task,
        (task[..., Context.TASKS_LEFT] * number).unsqueeze(-1),
        _rows(observation["machines"], observation["machines_mask"]),
        observation["machines_mask"],
    )


def _rows(table: Tensor, mask: Tensor) -> Tensor:
    return table.reshape(*mask.shape, table.shape[-1] // mask.shape[-1])


class _Pooled(nn.Module):
    """What machines have in common, p (B, H), and what each makes of it, g_r (B, m, H).

    Args:
        context: Number of columns C.
        machine: Number of columns M.
        width: Hidden units H.
    """

    def __init__(self, context: int, machine: int, width: int) -> None:
        super().__init__()
        self.context = nn.Linear(context, width)
        self.machine = nn.Linear(machine, width, bias=False)
        self.pooled = nn.Linear(2 * width, width)
        self.hidden = nn.Linear(width, width, bias=False)

    def forward(self, tables: Tables) -> tuple[Tensor, Tensor]:
        """Both."""
        here = tables.machines_mask.unsqueeze(-1)
        machines = self.context(tables.context).unsqueeze(-2) + self.machine(tables.machines)
        # Padding is 0, which neither a sum nor the maximum of what is not negative can see.
        machines = torch.relu(machines) * here
        pool = torch.cat([machines.sum(-2) / here.sum(-2), machines.amax(-2)], -1)
        common = self.pooled(pool)
        return common, torch.relu(common.unsqueeze(-2) + self.hidden(machines))


class SharedActor(nn.Module):
    """Scores all actions: the network of the module's formulas.

    Args:
        observation_space: Of one of the environments.
        action_space: Of the same.
        width: Hidden units.

    Attributes:
        actor: What machines have in common, and what each makes of it.
        score: V.
        direct: U.
        last: w and w_0.
        columns: Numbers of columns of the context and of a machine.
        actions: Number of actions.
    """

    def __init__(
        self, observation_space: spaces.Dict, action_space: spaces.Space[Any], width: int
    ) -> None:
        super().__init__()
        columns = {key: _size(space) for key, space in observation_space.items()}
        machines = columns["machines_mask"]
        machine = columns["machines"] // machines
        outputs = 1
        if discrete := isinstance(action_space, spaces.Discrete):
            outputs = (int(action_space.n) - 1) // machines
        self._padding = _NEVER if discrete else _IGNORED
        context = columns["task"]
        if "budget" in columns:
            context += columns["budget"]
        if "tasks" in columns:
            context += columns["task"]
        self.columns = context, machine
        self.actions = machines * outputs + 1
        self.actor = _Pooled(context, machine, width)
        self.score = nn.Linear(width, outputs)
        self.direct = nn.Linear(machine, outputs, bias=False)
        self.last = nn.Linear(width, 1)
        with torch.no_grad():
            for layer in (self.score, self.direct, self.last):
                layer.weight.mul_(_SMALL)
            if discrete:
                self.last.bias.fill_(_RARELY)

    def forward_actor(self, tables: Tables) -> Tensor:
        """Logits, or means, of all actions (B, actions), in the order of the environment."""
        common, machines = self.actor(tables)
        scores = self.score(machines) + self.direct(tables.machines)
        scores = scores.masked_fill(tables.machines_mask.unsqueeze(-1) == 0.0, self._padding)
        return torch.cat([scores.flatten(-2), self.last(torch.relu(common))], -1)


class SharedNetwork(SharedActor):
    """Actor and critic, as Stable-Baselines3 asks for them.

    Args:
        observation_space: Of one of the environments.
        action_space: Of the same.
        width: Hidden units.

    Attributes:
        latent_dim_pi: Length of what the actor gives.
        latent_dim_vf: Length of what the critic gives.
    """

    def __init__(
        self, observation_space: spaces.Dict, action_space: spaces.Space[Any], width: int
    ) -> None:
        super().__init__(observation_space, action_space, width)
        self.critic = _Pooled(*self.columns, width)
        self.latent_dim_pi, self.latent_dim_vf = self.actions, width

    def forward(self, tables: Tables) -> tuple[Tensor, Tensor]:
        """What the actor and what the critic gives."""
        return self.forward_actor(tables), self.forward_critic(tables)

    def forward_critic(self, tables: Tables) -> Tensor:
        """What the value is linear in (B, H)."""
        common, _ = self.critic(tables)
        return torch.relu(common) * tables.tasks_left


def _size(space: spaces.Space[Any]) -> int:
    assert space.shape is not None
    return int(space.shape[0])


class _Shared:
    """Builds the network where Stable-Baselines3 builds its own.

    Args:
        observation_space: Of one of the environments.
        action_space: Of the same.
        lr_schedule: Learning rate.
        width: Hidden units.
        **options: What Stable-Baselines3 passes to its own policies.
    """

    plays_any_size: ClassVar[bool] = True

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Space[Any],
        lr_schedule: Any,
        width: int = 64,
        **options: Any,
    ) -> None:
        self.width = width
        options["features_extractor_class"] = TablesExtractor
        super().__init__(observation_space, action_space, lr_schedule, **options)  # type: ignore[call-arg]

    def _build(self: Any, lr_schedule: Any) -> None:
        self.mlp_extractor = SharedNetwork(self.observation_space, self.action_space, self.width)
        self.action_net = nn.Identity()
        self.value_net = nn.Linear(self.width, 1)
        if not isinstance(self.action_space, spaces.Discrete):
            # One spread for all preferences, one for the share of work.
            self.log_std = nn.Parameter(torch.full((2,), float(self.log_std_init)))
        self.optimizer = self.optimizer_class(
            self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs
        )

    def _get_action_dist_from_latent(self: Any, latent_pi: Tensor) -> Any:
        if isinstance(self.action_space, spaces.Discrete):
            return self.action_dist.proba_distribution(action_logits=latent_pi)
        spread = torch.cat([self.log_std[:1].expand(latent_pi.shape[-1] - 1), self.log_std[1:]])
        return self.action_dist.proba_distribution(latent_pi, spread)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "width": self.width}  # type: ignore[misc]


class SharedPolicy(_Shared, MultiInputActorCriticPolicy):  # type: ignore[misc]
    """The shared network for PPO and A2C."""


class MaskableSharedPolicy(_Shared, MaskableMultiInputActorCriticPolicy):  # type: ignore[misc]
    """The shared network for MaskablePPO."""


class SharedQNetwork(QNetwork):  # type: ignore[misc]
    """The shared network as the values of the actions.

    Args:
        width: Hidden units.
        **options: What Stable-Baselines3 passes to its own.
    """

    def __init__(self, width: int, **options: Any) -> None:
        super().__init__(**options)
        self.q_net = SharedActor(self.observation_space, self.action_space, width)

    def forward(self, observation: dict[str, Tensor]) -> Tensor:
        """Values of all actions (B, actions)."""
        tables = self.extract_features(observation, self.features_extractor)
        return self.q_net.forward_actor(tables)


class SharedQPolicy(DqnMultiInputPolicy):  # type: ignore[misc]
    """The shared network for DQN.

    Args:
        observation_space: Of one of the environments with discrete actions.
        action_space: Of the same.
        lr_schedule: Learning rate.
        width: Hidden units.
        **options: What Stable-Baselines3 passes to its own policies.
    """

    plays_any_size: ClassVar[bool] = True

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Discrete,
        lr_schedule: Any,
        width: int = 64,
        **options: Any,
    ) -> None:
        self.width = width
        options["features_extractor_class"] = TablesExtractor
        super().__init__(observation_space, action_space, lr_schedule, **options)

    def make_q_net(self) -> SharedQNetwork:
        """The network, and in a second call the one that lags behind."""
        options = self._update_features_extractor(self.net_args, features_extractor=None)
        network: SharedQNetwork = SharedQNetwork(width=self.width, **options).to(self.device)
        return network

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "width": self.width}
