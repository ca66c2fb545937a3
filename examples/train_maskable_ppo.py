"""Trains MaskablePPO with a stock policy, then lets it schedule an instance.

pip install 'dsct-gym[rl]'; python examples/train_maskable_ppo.py
"""

import gymnasium as gym
from sb3_contrib import MaskablePPO

import dsct_gym  # noqa: F401  registers the environments

env = gym.make("DSCT-EA-v0", n=20, m=3, rho=(0.2, 1.0), beta=(0.1, 1.0))
agent = MaskablePPO("MultiInputPolicy", env, n_steps=512, batch_size=256, device="cpu", verbose=1)
agent.learn(4_096)

observation, info = env.reset(seed=0)
over = False
while not over:
    action, _ = agent.predict(observation, action_masks=info["action_mask"], deterministic=True)
    observation, reward, over, _, info = env.step(action)
print(info["schedule"])
