"""A network of one's own: trained on the plan, then evaluated like every other solver.

pip install 'dsct-gym[rl]'; cd examples
python own_network.py [ROUNDS]     # 300 rounds, about a minute; writes own_network.safetensors
dsct-gym evaluate own_network:Agent --size 50x5    # closes 71 % of the gap
"""

import sys
import time
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import dsct_gym  # noqa: F401  registers the environments
from dsct_gym import Instance
from dsct_gym.plan import Context, Machine
from dsct_gym.solver import Solution

ENV = "DSCT-EA-Plan-v0"
WEIGHTS = Path("own_network.safetensors")


class Network(nn.Module):
    """Scores each machine by itself, so that it plays any number of them."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        columns = len(Context) + len(Machine)
        self.layers = nn.Sequential(nn.Linear(columns, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, observation: dict[str, np.ndarray]) -> torch.Tensor:
        """Scores of the machines (B, m) of a batch of observations."""
        task = torch.from_numpy(observation["task"])
        rows = torch.from_numpy(observation["machines"])
        rows = rows.reshape(len(rows), -1, len(Machine))
        task = task[:, None].expand(-1, rows.shape[1], -1)
        return self.layers(torch.cat([task, rows], -1)).squeeze(-1)


class Agent:
    """A solver is any class with this method; `dsct-gym evaluate` asks for nothing else."""

    def __init__(self, weights: str = str(WEIGHTS)) -> None:
        self.network = Network()
        self.network.load_state_dict(load_file(weights))

    def solve(
        self, instance: Instance, *, time_limit: float | None = None, seed: int | None = None
    ) -> Solution:
        """Plays one episode on the instance, always taking the best score."""
        torch.set_num_threads(1)
        started = time.perf_counter()
        env = gym.make(ENV, instance=instance)
        observation, _ = env.reset()
        over = False
        while not over:
            batch = {key: array[None] for key, array in observation.items()}
            with torch.no_grad():
                action = int(self.network(batch).argmax())
            observation, _, over, _, info = env.step(action)
        return Solution(info["schedule"], None, time.perf_counter() - started)


def train(rounds: int, envs: int = 64, n: int = 30, m: int = 5) -> Network:
    """Policy gradient: a decision is credited with what the plan gains by it and soon after."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    batch = gym.make_vec(
        ENV,
        num_envs=envs,
        vectorization_mode="vector_entry_point",
        autoreset_mode="SameStep",
        n=n,
        m=m,
        mu=(1, 20),
        rho=(0.2, 1.0),
        beta=(0.1, 1.0),
    )
    observation, _ = batch.reset(seed=0)
    for done in range(1, rounds + 1):
        chances, rewards = [], []
        for _ in range(n):  # one episode everywhere
            chosen = torch.distributions.Categorical(logits=network(observation))
            actions = chosen.sample()
            chances.append(chosen.log_prob(actions))
            observation, reward, *_ = batch.step(actions.numpy())
            rewards.append(torch.from_numpy(reward))
        credit, credits = torch.zeros(envs), []
        for reward in reversed(rewards):
            credit = reward + 0.5 * credit
            credits.insert(0, credit)
        worth = torch.stack(credits)
        worth = (worth - worth.mean()) / (worth.std() + 1e-9)
        optimizer.zero_grad()
        (-(worth * torch.stack(chances)).mean()).backward()
        optimizer.step()
        if done % 50 == 0:
            gained = torch.stack(rewards).sum(0).mean()
            print(f"round {done}: an episode gains {gained:+.4f} over approx-refined", flush=True)
    return network


if __name__ == "__main__":
    trained = train(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
    save_file(trained.state_dict(), WEIGHTS)
    print(f"wrote {WEIGHTS}; now: dsct-gym evaluate own_network:Agent --size 50x5 --count 8")
