"""The picture of an episode in README and docs/environments.md: `DSCT-EA-v0` half way.

    python -m benchmarks.episode [-o docs/images/episode.png]

The shipped instance `dc5-ofa60` is played as a schedule of `descent` has it: each task goes to the
machine that it has there, at the level of fifty next below its accuracy that the mask allows.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import gymnasium
import numpy as np
from matplotlib.image import imsave

import dsct_gym
from dsct_gym.arrays import Floats, Ints
from dsct_gym.schedule import Schedule
from dsct_gym.suites.shipped import load_shipped

INSTANCE: Final = "dc5-ofa60"
LEVELS: Final = 50
PLAYED: Final = 36
"""Decisions until the picture is taken, of 60."""


def frame() -> Floats:
    """The episode after `PLAYED` decisions (H, W, 3)."""
    instance = load_shipped(INSTANCE)
    plan = dsct_gym.make_solver("descent").solve(instance).schedule
    env = gymnasium.make("DSCT-EA-v0", instance=instance, levels=LEVELS, render_mode="rgb_array")
    _, info = env.reset(seed=0)
    for task in instance.edf_order[:PLAYED].tolist():
        _, _, _, _, info = env.step(action(plan, task, info["action_mask"]))
    return np.asarray(env.render())


def action(plan: Schedule, task: int, mask: Ints) -> int:
    """The machine of the task and the highest allowed level up to its accuracy; the last skips."""
    core = plan.instance.core
    gained = plan.accuracy[task] - core.base_accuracy[task]
    share = gained / (core.top_accuracy[task] - core.base_accuracy[task])
    first = int(plan.machine[task]) * LEVELS
    levels = np.flatnonzero(mask[first : first + LEVELS]) + 1
    fitting = levels[levels <= share * LEVELS + 1e-9]
    return first + int(fitting[-1]) - 1 if fitting.size else mask.size - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/images/episode.png"))
    imsave(parser.parse_args().output, frame())


if __name__ == "__main__":
    main()
