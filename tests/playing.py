"""Plays environments in tests: random masked policies, and the rules worked out anew."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from dsct_gym.instance import Instance
from dsct_gym.registration import ENVIRONMENTS
from dsct_gym.schedule import Schedule
from dsct_gym.solver import make_solver

JOINT, ASSIGN, CONTINUOUS = "DSCT-EA-v0", "DSCT-EA-Assign-v0", "DSCT-EA-Continuous-v0"
PLAN = "DSCT-EA-Plan-v0"
ONLINE, QUEUE = "DSCT-EA-Online-v0", "DSCT-EA-Queue-v0"
IDS = tuple(ENVIRONMENTS)
SOFT = "DSCT-EA-Soft-v0"
ARRIVING = (ONLINE, QUEUE)
"""Ids whose tasks arrive over time."""
FROM_NOTHING = tuple(env_id for env_id in IDS if env_id not in (PLAN, SOFT, *ARRIVING))
"""Ids whose episodes begin with no task decided, and that show all tasks in the same columns."""
RANGES: dict[str, Any] = {
    "n": (2, 9),
    "m": (1, 3),
    "mu": (1.0, 20.0),
    "rho": (0.2, 1.0),
    "beta": (0.1, 1.0),
}


def masked_action(env: gymnasium.Env, mask: np.ndarray, rng: np.random.Generator) -> Any:
    """A uniformly random allowed action."""
    if isinstance(env.action_space, gymnasium.spaces.Box):
        return rng.uniform(-1.0, 1.0, env.action_space.shape).astype(np.float32)
    return int(rng.choice(np.flatnonzero(mask)))


def play(
    env: gymnasium.Env,
    rng: np.random.Generator,
    watch: Callable[[dict, dict], None] = lambda observation, info: None,
    **reset: Any,
) -> tuple[Schedule, float, dict]:
    """Plays an episode by random allowed actions; gives schedule, return and last info."""
    observation, info = env.reset(**reset)
    total, over = 0.0, False
    while not over:
        watch(observation, info)
        action = masked_action(env, info["action_mask"], rng)
        observation, reward, over, truncated, info = env.step(action)
        assert not truncated
        assert not info["invalid_action"]
        total += reward
    watch(observation, info)
    return info["schedule"], total, info


def gain(schedule: Schedule) -> float:
    """What a schedule gains over no work."""
    return float((schedule.accuracy - schedule.instance.base_accuracy).sum())


def first_gain(env_id: str, instance: Instance) -> float:
    """What the schedule gains with which an episode begins."""
    if env_id != PLAN:
        return 0.0
    return gain(make_solver("approx-refined").solve(instance).schedule)


def work_of_level(instance: Instance, task: int, level: int, levels: int) -> float:
    """Least work that brings a task to a compression level, from the breakpoints."""
    accuracy, work = instance.accuracy[task], instance.work[task]
    rising = np.concatenate([[True], np.diff(accuracy) > 0.0])
    target = accuracy[0] + level / levels * (accuracy[-1] - accuracy[0])
    return float(np.interp(target, accuracy[rising], work[rising]))
