"""Settings for those who use the environments as they come."""

from typing import Any

import gymnasium
import pytest

pytest.importorskip("stable_baselines3")

from sb3_contrib import MaskablePPO
from stable_baselines3 import A2C, DQN, PPO

from dsct_gym.envs.sb3 import SchedulingVecEnv
from dsct_gym.errors import InputError
from dsct_gym.training.stable.recommended import recommended
from dsct_gym.training.stable.settings import check_settings, make_algorithm
from playing import ASSIGN, PLAN


@pytest.mark.parametrize(
    ("envs", "size", "n_steps"),
    [
        (64, {"n": 50, "m": 2}, 50),
        (64, {"n": 20, "m": 2}, 40),
        (1, {"n": 20, "m": 2}, 3_200),
        (64, {"n": 300, "m": 2}, 50),
        (1_024, {"n": 50, "m": 2}, 8),
        (16, {"n": 30, "m": 2, "passes": 3}, 180),
        (2, {"n": 7, "m": 2}, 1_596),
    ],
)
def test_an_update_comes_soon_and_after_whole_episodes(
    envs: int, size: dict[str, int], n_steps: int
) -> None:
    """With Stable-Baselines3's own, 64 environments gather 131,072 steps first."""
    settings = recommended("PPO", SchedulingVecEnv(PLAN, envs, **size))
    assert settings["n_steps"] == n_steps
    assert n_steps * envs <= 8_192
    assert n_steps * envs % settings["batch_size"] == 0


@pytest.mark.parametrize("algorithm", [PPO, MaskablePPO, A2C, DQN])
def test_every_constructor_takes_what_is_recommended(algorithm: Any) -> None:
    name = algorithm.__name__
    for env in (gymnasium.make(ASSIGN, n=5, m=2), SchedulingVecEnv(PLAN, 4, n=5, m=2)):
        settings = recommended(name, env)
        assert settings == check_settings(name, "mlp", settings)
        agent = algorithm("MultiInputPolicy", env, **settings, device="cpu")
        assert agent.gamma == settings["gamma"]
    assert agent.learn(8).num_timesteps >= 8


def test_settings_of_ones_own_come_first() -> None:
    env = SchedulingVecEnv(PLAN, 4, n=5, m=2)
    made = make_algorithm("PPO", "mlp", {"gamma": 0.9}, env, seed=0, device="cpu")
    assert made.gamma == 0.9
    assert made.n_steps == recommended("PPO", env)["n_steps"]
    assert recommended("SAC", env) == {}


def test_other_environments_are_refused() -> None:
    with pytest.raises(InputError, match="not trained on an environment of this package"):
        recommended("PPO", gymnasium.make("CartPole-v1"))
