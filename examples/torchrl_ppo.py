"""PPO by TorchRL on the plan: the environment as it comes, through `GymEnv`.

pip install 'dsct-gym[rl]' torchrl; python examples/torchrl_ppo.py [FRAMES]

Tried with torchrl 0.14: twenty seconds end above approx-refined.
"""

import sys

import torch
from tensordict.nn import TensorDictModule
from torch import nn
from torchrl.collectors import Collector
from torchrl.envs import CatTensors, GymEnv, TransformedEnv
from torchrl.modules import MLP, OneHotCategorical, ProbabilisticActor, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

import dsct_gym  # noqa: F401  registers the environments

N, M = 20, 3
FRAMES = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
BATCH = min(1_000, FRAMES)

torch.manual_seed(0)
torch.set_num_threads(1)
env = TransformedEnv(
    GymEnv("DSCT-EA-Plan-v0", n=N, m=M, mu=(1, 20), rho=(0.2, 1.0), beta=(0.1, 1.0)),
    CatTensors(in_keys=["task", "machines"], out_key="observation"),
)
env.set_seed(0)
columns = env.observation_spec["observation"].shape[-1]


def network(outputs: int) -> MLP:
    """A stock network."""
    return MLP(columns, outputs, num_cells=[64, 64], activation_class=nn.Tanh)


actor = ProbabilisticActor(
    TensorDictModule(network(M + 1), in_keys=["observation"], out_keys=["logits"]),
    spec=env.action_spec,
    in_keys=["logits"],
    distribution_class=OneHotCategorical,
    return_log_prob=True,
)
critic = ValueOperator(network(1), in_keys=["observation"])
advantage = GAE(gamma=1.0, lmbda=0.5, value_network=critic, average_gae=True)
loss = ClipPPOLoss(actor, critic, entropy_coeff=0.0, critic_coeff=0.01)
optimizer = torch.optim.Adam(loss.parameters(), lr=1e-3)

collector = Collector(env, actor, frames_per_batch=BATCH, total_frames=FRAMES)
for index, data in enumerate(collector, start=1):
    for _ in range(4):
        with torch.no_grad():
            advantage(data)
        for minibatch in data[torch.randperm(len(data))].split(250):
            values = loss(minibatch)
            total = sum(values[key] for key in values.keys() if key.startswith("loss_"))  # noqa: SIM118
            optimizer.zero_grad()
            total.backward()
            nn.utils.clip_grad_norm_(loss.parameters(), 1.0)
            optimizer.step()
    gained = data["next", "reward"].sum() / data["next", "done"].sum().clamp(min=1)
    print(f"{index * BATCH} frames: an episode gains {gained:+.4f} over approx-refined", flush=True)
collector.shutdown()
