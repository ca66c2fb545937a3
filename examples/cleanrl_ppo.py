"""PPO in one file, in the style of CleanRL, on the batched plan.

pip install 'dsct-gym[rl]'; cd examples
python cleanrl_ppo.py [--total-timesteps N]        # writes cleanrl_ppo.safetensors
dsct-gym evaluate cleanrl_ppo:Agent --size 50x5    # closes 66 % of the gap

The loop is that of CleanRL's ppo.py; what is of this package are the lines with `gym.make_vec` and
`flatten`. Episodes end after the same number of steps everywhere and begin anew in the same step
(`autoreset_mode="SameStep"`), so that no action is ever ignored.
"""

import argparse
import time

import gymnasium as gym
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.distributions import Categorical

import dsct_gym  # noqa: F401  registers the environments
from dsct_gym import Instance
from dsct_gym.solver import Solution

ENV = "DSCT-EA-Plan-v0"
MACHINES = 5


def parse() -> argparse.Namespace:
    """The hyperparameters; one rollout is a whole episode of every environment."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--total-timesteps", type=int, default=300_000)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--num-envs", type=int, default=64)
    parser.add_argument("--num-steps", type=int, default=50)
    parser.add_argument("--gamma", type=float, default=1.0)
    parser.add_argument("--gae-lambda", type=float, default=0.5)
    parser.add_argument("--num-minibatches", type=int, default=4)
    parser.add_argument("--update-epochs", type=int, default=4)
    parser.add_argument("--clip-coef", type=float, default=0.2)
    parser.add_argument("--vf-coef", type=float, default=0.01)
    parser.add_argument("--max-grad-norm", type=float, default=1.0)
    parser.add_argument("--output", default="cleanrl_ppo.safetensors")
    return parser.parse_args()


def flatten(observation: dict[str, np.ndarray]) -> torch.Tensor:
    """The observations as vectors (N, columns)."""
    return torch.from_numpy(np.concatenate([observation["task"], observation["machines"]], axis=1))


def layer_init(layer: nn.Linear, std: float = 2**0.5) -> nn.Linear:
    """Orthogonal weights, no bias."""
    nn.init.orthogonal_(layer.weight, std)
    nn.init.zeros_(layer.bias)
    return layer


class ActorCritic(nn.Module):
    """Two stock networks of two layers."""

    def __init__(self, columns: int, actions: int) -> None:
        super().__init__()

        def network(outputs: int, std: float) -> nn.Sequential:
            return nn.Sequential(
                layer_init(nn.Linear(columns, 64)),
                nn.Tanh(),
                layer_init(nn.Linear(64, 64)),
                nn.Tanh(),
                layer_init(nn.Linear(64, outputs), std),
            )

        self.critic, self.actor = network(1, 1.0), network(actions, 0.01)

    def get_value(self, x: torch.Tensor) -> torch.Tensor:
        """What is still to be gained."""
        return self.critic(x).flatten()

    def get_action_and_value(
        self, x: torch.Tensor, action: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """An action where none is given, its log-probability, the entropy and the value."""
        chances = Categorical(logits=self.actor(x))
        action = chances.sample() if action is None else action
        return action, chances.log_prob(action), chances.entropy(), self.get_value(x)


def make(columns_of: gym.vector.VectorEnv | gym.Env) -> ActorCritic:
    """The networks for an environment."""
    space = getattr(columns_of, "single_observation_space", columns_of.observation_space)
    action = getattr(columns_of, "single_action_space", columns_of.action_space)
    return ActorCritic(sum(space[key].shape[0] for key in ("task", "machines")), int(action.n))


class Agent:
    """The trained network as a solver, for instances of five machines."""

    def __init__(self, weights: str = "cleanrl_ppo.safetensors") -> None:
        self.network = make(gym.make(ENV, n=2, m=MACHINES))
        self.network.load_state_dict(load_file(weights))

    def solve(
        self, instance: Instance, *, time_limit: float | None = None, seed: int | None = None
    ) -> Solution:
        """Plays one episode greedily."""
        torch.set_num_threads(1)
        started = time.perf_counter()
        env = gym.make(ENV, n=instance.num_tasks, m=MACHINES)
        observation, _ = env.reset(options={"instance": instance})
        over = False
        while not over:
            with torch.no_grad():
                x = flatten({key: array[None] for key, array in observation.items()})
                action = int(self.network.actor(x).argmax())
            observation, _, over, _, info = env.step(action)
        return Solution(info["schedule"], None, time.perf_counter() - started)


def main() -> None:
    """Trains and keeps the weights."""
    args = parse()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    envs = gym.make_vec(
        ENV,
        num_envs=args.num_envs,
        vectorization_mode="vector_entry_point",
        autoreset_mode="SameStep",
        n=50,
        m=MACHINES,
        mu=(1, 20),
        rho=(0.2, 1.0),
        beta=(0.1, 1.0),
    )
    agent = make(envs)
    optimizer = torch.optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)
    batch_size = args.num_envs * args.num_steps
    iterations = max(1, args.total_timesteps // batch_size)

    started = time.time()
    observation, _ = envs.reset(seed=args.seed)
    next_obs, next_done = flatten(observation), torch.zeros(args.num_envs)
    for iteration in range(1, iterations + 1):
        optimizer.param_groups[0]["lr"] = args.learning_rate * (1 - (iteration - 1) / iterations)
        shape = (args.num_steps, args.num_envs)
        obs = torch.zeros((*shape, next_obs.shape[1]))
        actions, logprobs = torch.zeros(shape, dtype=torch.int64), torch.zeros(shape)
        rewards, dones, values = torch.zeros(shape), torch.zeros(shape), torch.zeros(shape)
        for step in range(args.num_steps):
            obs[step], dones[step] = next_obs, next_done
            with torch.no_grad():
                actions[step], logprobs[step], _, values[step] = agent.get_action_and_value(
                    next_obs
                )
            observation, reward, terminated, _, _ = envs.step(actions[step].numpy())
            rewards[step] = torch.from_numpy(reward)
            next_obs, next_done = flatten(observation), torch.from_numpy(terminated).float()

        with torch.no_grad():
            next_value, lastgaelam = agent.get_value(next_obs), torch.zeros(args.num_envs)
            advantages = torch.zeros(shape)
            for t in reversed(range(args.num_steps)):
                last = t == args.num_steps - 1
                nextnonterminal = 1.0 - (next_done if last else dones[t + 1])
                nextvalues = next_value if last else values[t + 1]
                delta = rewards[t] + args.gamma * nextvalues * nextnonterminal - values[t]
                lastgaelam = delta + args.gamma * args.gae_lambda * nextnonterminal * lastgaelam
                advantages[t] = lastgaelam
            returns = advantages + values

        b_obs, b_actions, b_logprobs = obs.flatten(0, 1), actions.flatten(), logprobs.flatten()
        b_advantages, b_returns = advantages.flatten(), returns.flatten()
        for _ in range(args.update_epochs):
            for mb in torch.randperm(batch_size).chunk(args.num_minibatches):
                _, newlogprob, _, newvalue = agent.get_action_and_value(b_obs[mb], b_actions[mb])
                ratio = (newlogprob - b_logprobs[mb]).exp()
                adv = b_advantages[mb]
                adv = (adv - adv.mean()) / (adv.std() + 1e-8)
                clipped = ratio.clamp(1 - args.clip_coef, 1 + args.clip_coef)
                pg_loss = torch.max(-adv * ratio, -adv * clipped).mean()
                v_loss = 0.5 * (newvalue - b_returns[mb]).square().mean()
                optimizer.zero_grad()
                (pg_loss + args.vf_coef * v_loss).backward()
                nn.utils.clip_grad_norm_(agent.parameters(), args.max_grad_norm)
                optimizer.step()
        if iteration % 10 == 0 or iteration == iterations:
            gained, steps = rewards.sum(0).mean(), iteration * batch_size
            print(
                f"global_step={steps}, episodic_return={gained:+.4f},"
                f" SPS={steps / (time.time() - started):.0f}",
                flush=True,
            )
    save_file(agent.state_dict(), args.output)
    print(f"wrote {args.output}; now: dsct-gym evaluate cleanrl_ppo:Agent --size 50x5 --count 8")


if __name__ == "__main__":
    main()
