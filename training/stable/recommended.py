"""Settings of Stable-Baselines3 that suit these environments.

Its own are made for long episodes in few environments: PPO would gather 2,048 steps of each of 64
environments, 131,072 in all, before it learns anything. Episodes here have as many steps as there
are tasks, rewards come at once, and nothing is gained by waiting.
"""

from __future__ import annotations

from typing import Any, Final

from dsct_gym.envs.game import Game

_GATHERED: Final = 3_200  # steps over all environments between two updates of PPO
_FEWEST: Final = 8  # of one environment
_PLAN: Final = "DSCT-EA-Plan-v0"


def recommended(algorithm: str, env: Any) -> dict[str, Any]:
    """Arguments for an algorithm on an environment, as its constructor takes them.

    They are a start, not tuned for any one size; ``PPO(policy, env, **recommended("PPO", env))``.

    Args:
        algorithm: Its name: PPO, MaskablePPO, A2C or DQN; for others nothing is recommended.
        env: A single environment, or a ``VecEnv`` of some.

    Raises:
        InputError: If the environment is none of this package's.
    """
    game = Game.of(env)
    # On the plan the optimum after every decision is its own critic: little later is its doing.
    ahead = 0.5 if game.env_id == _PLAN else 0.95
    shared = {"gamma": 1.0, "gae_lambda": ahead, "vf_coef": 0.01, "max_grad_norm": 1.0}
    if algorithm in ("PPO", "MaskablePPO"):
        envs = int(getattr(env, "num_envs", 1))
        n_steps = _steps(game.length, envs)
        batch = n_steps * envs
        sizes = {"n_steps": n_steps, "batch_size": batch if batch % 4 else batch // 4}
        return {"learning_rate": 1e-3, **sizes, "n_epochs": 4, **shared}
    if algorithm == "A2C":
        optimiser = {"normalize_advantage": True, "use_rms_prop": False}
        return {"learning_rate": 1e-3, "n_steps": 10, **optimiser, **shared}
    if algorithm == "DQN":
        return {
            "learning_rate": 5e-4,
            "buffer_size": 50_000,
            "learning_starts": 5_000,
            "batch_size": 512,
            "gamma": 0.5 if game.env_id == _PLAN else 0.98,
            "train_freq": 1,
            "target_update_interval": 1_000,
            "exploration_fraction": 0.3,
            "exploration_final_eps": 0.02,
        }
    return {}


def _steps(length: int, envs: int) -> int:
    """Steps of one environment between two updates: whole episodes, if these are not too long."""
    episodes = _GATHERED // (envs * length)
    return episodes * length if episodes else max(_FEWEST, min(length, _GATHERED // envs))
