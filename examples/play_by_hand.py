"""Plays an episode by a rule of thumb, with masks, and draws its Gantt chart.

python examples/play_by_hand.py [FILE.png]
"""

import sys

import gymnasium as gym
import numpy as np

import dsct_gym  # noqa: F401  registers the environments

env = gym.make("DSCT-EA-v0", n=20, m=3, levels=10)
observation, info = env.reset(seed=0)
over, total = False, 0.0
while not over:
    # The lowest six of ten levels at most, on the machine that is allowed the most.
    allowed = info["action_mask"][:-1].reshape(3, 10)[:, :6]
    machine = int(allowed.sum(axis=1).argmax())
    level = int(allowed[machine].sum())
    action = machine * 10 + level - 1 if level else env.action_space.n - 1
    observation, reward, over, _, info = env.step(np.int64(action))
    total += reward
schedule = info["schedule"]
print(f"{schedule}, gained {total:.3f} in total")
schedule.plot().savefig(sys.argv[1] if len(sys.argv) > 1 else "schedule.png")
