"""Observations as ``VecNormalize`` of Stable-Baselines3 showed them to an agent in training.

An agent trained behind that wrapper knows only what it made of the observations, by means and
variances that are kept in a file of their own. Shown anything else, it plays at random or worse.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dsct_gym.errors import InputError


def left_space(shown: object, space: Any) -> bool | None:
    """Whether observations that an agent was shown are none of the environment's.

    Args:
        shown: The last observations of its training, by key (N, columns) each.
        space: The observation space.

    Returns:
        Whether some lie outside the space; None where there are none to tell by.
    """
    if not isinstance(shown, Mapping):
        return None
    try:
        return any(
            bool(((array < space[key].low) | (array > space[key].high)).any())
            for key, array in shown.items()
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return True  # not even of its form


def find_statistics(agent: Path, env_id: str) -> Path | None:
    """The statistics that lie beside the zip file of an agent, where the usual tools put them."""
    return next((path for path in _places(agent, env_id) if path.is_file()), None)


def _places(agent: Path, env_id: str) -> Iterator[Path]:
    """Of a checkpoint by its callback, of whoever saves by hand, of RL Zoo."""
    if checkpoint := re.fullmatch(r"(.+)_(\d+_steps)", agent.stem):
        yield agent.with_name("{}_vecnormalize_{}.pkl".format(*checkpoint.groups()))
    yield agent.with_name("vecnormalize.pkl")
    yield agent.parent / env_id / "vecnormalize.pkl"


def load_statistics(path: Path, space: Any) -> Any:
    """A ``VecNormalize`` without an environment, from its pickle; runs the code in it.

    Args:
        path: File that its ``save`` has written.
        space: The observation space of the agent.

    Raises:
        InputError: If it is something else, or is of other observations.
    """
    from stable_baselines3.common.vec_env import VecNormalize

    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with path.open("rb") as file:
            statistics = pickle.load(file)
    except Exception as error:
        # Whatever is in the file, even code, may raise whatever it likes.
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"{path}: cannot be loaded: {reason}") from error
    if not isinstance(statistics, VecNormalize):
        raise InputError(f"{path}: no statistics of VecNormalize")
    if statistics.norm_obs and not _fits(statistics, space):
        raise InputError(f"{path}: statistics of other observations than the agent's")
    return statistics


def _fits(statistics: Any, space: Any) -> bool:
    """Whether there is a mean for each number of the observations to be normalised."""
    means = statistics.obs_rms
    return isinstance(means, Mapping) and all(
        key in means and key in space.spaces and means[key].mean.shape == space[key].shape
        for key in statistics.norm_obs_keys
    )
