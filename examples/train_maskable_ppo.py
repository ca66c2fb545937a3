"""Trains MaskablePPO with a stock policy on the plan, then lets it schedule an instance.

pip install 'dsct-gym[rl]'; python examples/train_maskable_ppo.py [STEPS]
dsct-gym evaluate maskable_ppo.zip --trust-pickle --size 20x3
"""

import sys

import gymnasium as gym
import torch
from sb3_contrib import MaskablePPO

import dsct_gym  # noqa: F401  registers the environments
from dsct_gym.envs.sb3 import SchedulingVecEnv
from dsct_gym.training.stable.recommended import recommended

torch.set_num_threads(1)  # the network is small
scenario = {"n": 20, "m": 3, "mu": (1, 20), "rho": (0.2, 1.0), "beta": (0.1, 1.0)}
venv = SchedulingVecEnv("DSCT-EA-Plan-v0", num_envs=64, **scenario)
settings = recommended("MaskablePPO", venv)
agent = MaskablePPO("MultiInputPolicy", venv, **settings, seed=0, device="cpu")
agent.learn(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
agent.save("maskable_ppo.zip")

env = gym.make("DSCT-EA-Plan-v0", **scenario)
observation, info = env.reset(seed=0)
over, gained = False, 0.0
while not over:
    action, _ = agent.predict(observation, action_masks=info["action_mask"], deterministic=True)
    observation, reward, over, _, info = env.step(action)
    gained += reward
print(f"{info['schedule']}, {gained:+.4f} in total over approx-refined")
