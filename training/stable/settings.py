"""What a configuration names of Stable-Baselines3: algorithm, policy and settings, checked."""

from __future__ import annotations

import importlib
import inspect
from typing import Any, Final, get_args

import numpy as np
from pydantic import ConfigDict, TypeAdapter, ValidationError

from dsct_gym.errors import InputError
from dsct_gym.training.stable.recommended import recommended

MODULES: Final = {
    "PPO": "stable_baselines3",
    "A2C": "stable_baselines3",
    "DQN": "stable_baselines3",
    "SAC": "stable_baselines3",
    "TD3": "stable_baselines3",
    "MaskablePPO": "sb3_contrib",
}
"""Where each algorithm comes from."""

SHARED: Final = {
    "PPO": "SharedPolicy",
    "A2C": "SharedPolicy",
    "MaskablePPO": "MaskableSharedPolicy",
    "DQN": "SharedQPolicy",
}
"""Algorithms that can train the shared network, and its class in `policy.py` for each."""

EXPORTED: Final = "DSCT-EA-Plan-v0"
"""The environment that shows what the network of a checkpoint sees."""
EXPORTED_RULES: Final[dict[str, str | bool | int]] = {"order": "edf", "passes": 1}
"""How a checkpoint is played there."""

_SET_BY_RUN: Final = {"policy", "env", "seed", "device", "verbose", "tensorboard_log"}
_SET_BY_ALGORITHM: Final = {
    "observation_space",
    "action_space",
    "lr_schedule",
    "use_sde",
    "options",
}
_NOISE: Final = "action_noise"
_LARGEST_NOISE = 10.0


def find_algorithm(name: str) -> Any:
    """The class of an algorithm."""
    return getattr(importlib.import_module(MODULES[name]), name)


def find_policy(algorithm: str, policy: str) -> Any:
    """The class of a policy: ``shared``, or ``mlp`` for the stock one."""
    if policy == "shared":
        return getattr(
            importlib.import_module("dsct_gym.training.stable.policy"), SHARED[algorithm]
        )
    return find_algorithm(algorithm).policy_aliases["MultiInputPolicy"]


def check_settings(algorithm: str, policy: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of an algorithm, as it takes them but for the noise.

    Where it takes a schedule, a pair stands for one that falls linearly from the first number to
    the second; ``action_noise`` is the standard deviation of Gaussian noise.

    Raises:
        ValueError: One line naming the setting that the algorithm or the policy does not have, or
            whose value has the wrong type.
    """
    known = _types(find_algorithm(algorithm), _SET_BY_RUN)
    checked = {name: _check(name, value, known, algorithm) for name, value in settings.items()}
    if checked.get("policy_kwargs"):
        known = _types(find_policy(algorithm, policy), _SET_BY_ALGORITHM)
        checked["policy_kwargs"] = {
            name: _check(
                f"policy_kwargs.{name}", value, known, f"the {policy} policy of {algorithm}"
            )
            for name, value in checked["policy_kwargs"].items()
        }
    return checked


def _types(owner: Any, hidden: set[str]) -> dict[str, Any]:
    """What the constructor of a class takes."""
    taken = inspect.signature(owner, eval_str=True).parameters
    return {name: taken[name].annotation for name in taken if name[0] != "_" and name not in hidden}


def _check(name: str, value: Any, known: dict[str, Any], owner: str) -> Any:
    from stable_baselines3.common.type_aliases import Schedule
    from stable_baselines3.common.utils import LinearSchedule

    kind = known.get(name.rpartition(".")[2])
    if kind is None:
        raise ValueError(f"settings.{name}: {owner} has no such setting")
    if name == _NOISE:
        return _number(name, value, _LARGEST_NOISE)
    if Schedule in get_args(kind):
        if isinstance(value, list | tuple) and len(value) == 2:
            first, last = (_number(name, number, np.inf) for number in value)
            return LinearSchedule(first, last, 1.0)
        return _number(name, value, np.inf)
    try:
        adapter = TypeAdapter(kind, config=ConfigDict(arbitrary_types_allowed=True))
        return adapter.validate_python(value)
    except ValidationError as error:
        raise ValueError(f"settings.{name}: {error.errors()[0]['msg']}") from error


def _number(name: str, value: Any, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= most:
        raise ValueError(f"settings.{name}: must be a number of at least 0, got {value!r}")
    return float(value)


def make_algorithm(
    algorithm: str, policy: str, settings: dict[str, Any], env: Any, *, seed: int, device: str
) -> Any:
    """An algorithm on an environment; what the settings leave out is as `recommended`.

    Raises:
        InputError: If a setting is out of range.
    """
    from stable_baselines3.common.noise import NormalActionNoise

    checked = recommended(algorithm, env) | check_settings(algorithm, policy, settings)
    if _NOISE in checked:
        mean = np.zeros(env.action_space.shape)
        checked[_NOISE] = NormalActionNoise(mean, mean + checked[_NOISE])
    try:
        return find_algorithm(algorithm)(
            find_policy(algorithm, policy), env, seed=seed, device=device, **checked
        )
    except (AssertionError, RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"settings: {str(error).partition(chr(10))[0]}") from error
