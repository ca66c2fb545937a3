"""Trajectories of the environments under seeded random play: single, batched, for SB3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode

import dsct_gym
from outputs.areas import area
from outputs.hashes import Hashes
from outputs.instances import file_bytes
from outputs.problems import ragged, tied

IDS = {"joint": "DSCT-EA-v0", "assign": "DSCT-EA-Assign-v0", "continuous": "DSCT-EA-Continuous-v0"}
RANGES: dict[str, Any] = {
    "n": (2, 9),
    "m": (1, 3),
    "mu": (1.0, 20.0),
    "rho": (0.2, 1.0),
    "beta": (0.1, 1.0),
}


def drawn(rng: np.random.Generator) -> dsct_gym.Instance:
    """A generator of the user's own."""
    return dsct_gym.generate(7, 3, beta=0.3, seed=int(rng.random() * 1e6))


def worlds() -> dict[str, dict[str, Any]]:
    """Arguments of the environments, by where instances come from and what is shown."""
    return {
        "fixed size": {"n": 8, "m": 3},
        "ranges": RANGES,
        "guidance": {**RANGES, "guidance": True},
        "catalogue": {"n": 6, "devices": "T4,V100", "family": "ofa-resnet50"},
        "segments": {"n": (3, 6), "m": 2, "segments": 9, "levels": 4},
        "pool drawn": {**RANGES, "pool": 5, "pool_seed": 3, "guidance": True},
        "pool given": {"pool": [ragged(), tied()], "guidance": True},
        "generator": {"generator": drawn},
        "suite": {"suite": "tiny"},
        "instance": {"instance": tied(), "levels": 3},
    }


class Player:
    """Random actions from plain 53-bit integers, which no version of NumPy draws differently."""

    def __init__(self, space: gymnasium.Space[Any], *, masked: bool = True) -> None:
        self._rng = np.random.default_rng(0)
        self._space = space
        self._masked = masked

    def choose(self, mask: np.ndarray) -> Any:
        """An action that the mask allows, or any."""
        if isinstance(self._space, gymnasium.spaces.Box):
            return (2.0 * self._rng.random(self._space.shape) - 1.0).astype(np.float32)
        allowed = np.flatnonzero(mask) if self._masked else np.arange(mask.size)
        return int(allowed[int(self._rng.random() * allowed.size)])

    def choose_all(self, masks: np.ndarray) -> np.ndarray:
        """One action for each row."""
        return np.array([self.choose(mask) for mask in masks])


def add_step(hashes: Hashes, env: Any, observation: object, info: object, *told: object) -> None:
    """All that one step shows."""
    hashes.add("observation", observation)
    hashes.add("info", info)
    hashes.add("masks", env.unwrapped.action_masks())
    hashes.add("step", list(told))


def play_single(
    env_id: str,
    options: Mapping[str, Any],
    *,
    episodes: int = 3,
    masked: bool = True,
    given: dict[str, Any] | None = None,
) -> Hashes:
    """Episodes of a single environment."""
    env: Any = gymnasium.make(env_id, **options)
    hashes = Hashes()
    player = Player(env.action_space, masked=masked)
    for episode in range(episodes):
        observation, info = env.reset(seed=11 if episode == 0 else None, options=given)
        hashes.add("instance", file_bytes(env.unwrapped.instance))
        add_step(hashes, env, observation, info)
        over = False
        while not over:
            action = player.choose(info["action_mask"])
            observation, reward, over, truncated, info = env.step(action)
            add_step(hashes, env, observation, info, reward, over, truncated)
    env.close()
    return hashes


def play_batch(
    env_id: str,
    options: Mapping[str, Any],
    mode: AutoresetMode,
    *,
    count: int = 5,
    steps: int = 25,
) -> Hashes:
    """Steps of a batched environment, across the ends of episodes."""
    envs: Any = gymnasium.make_vec(
        env_id,
        num_envs=count,
        vectorization_mode="vector_entry_point",
        autoreset_mode=mode,
        **options,
    )
    hashes, player = Hashes(), Player(envs.single_action_space)
    observation, info = envs.reset(seed=11)
    add_step(hashes, envs, observation, info)
    for _ in range(steps):
        actions = player.choose_all(info["action_mask"])
        observation, reward, over, truncated, info = envs.step(actions)
        add_step(hashes, envs, observation, info, reward, over, truncated)
        if mode is AutoresetMode.DISABLED and over.any():
            observation, info = envs.reset(options={"reset_mask": over})
            add_step(hashes, envs, observation, info)
    for env in range(min(count, 5)):
        hashes.add("instance", file_bytes(envs.unwrapped.instance(env)))
    envs.close()
    return hashes


@area(quick=True)
def play() -> Iterator[tuple[str, Hashes]]:
    """Episodes of single environments."""
    for kind, env_id in IDS.items():
        for world, options in worlds().items():
            yield f"{kind} {world}", play_single(env_id, options)
        yield (
            f"{kind} instance in options",
            play_single(env_id, {"n": 9, "m": 3, "guidance": True}, given={"instance": ragged()}),
        )
        yield f"{kind} forbidden", play_single(env_id, RANGES, masked=False)


@area(quick=True)
def batches() -> Iterator[tuple[str, Hashes]]:
    """Steps of batched environments."""
    for kind, env_id in IDS.items():
        for mode in AutoresetMode:
            yield f"{kind} guidance, {mode.value}", play_batch(env_id, worlds()["guidance"], mode)
        for world, options in worlds().items():
            if world != "guidance":
                yield f"{kind} {world}", play_batch(env_id, options, AutoresetMode.NEXT_STEP)
        # Enough environments to be shared among threads.
        threaded = {"n": 5, "m": 2, "num_threads": 2}
        yield (
            f"{kind} threads",
            play_batch(env_id, threaded, AutoresetMode.SAME_STEP, count=300, steps=12),
        )


@area(quick=False)
def stable_baselines() -> Iterator[tuple[str, Hashes]]:
    """Steps of the form for Stable-Baselines3."""
    from dsct_gym.envs.sb3 import SchedulingVecEnv

    for kind, env_id in IDS.items():
        for world in ("ranges", "guidance"):
            envs, hashes = SchedulingVecEnv(env_id, num_envs=4, **worlds()[world]), Hashes({"t"})
            player = Player(envs.action_space)
            envs.seed(11)
            hashes.add("observation", envs.reset())
            for _ in range(25):
                masks = envs.action_masks()
                hashes.add("masks", masks)
                observation, rewards, dones, infos = envs.step(player.choose_all(masks))
                hashes.add("observation", observation)
                hashes.add("step", [rewards, dones])
                hashes.add("info", infos)
            envs.close()
            yield f"{kind} {world}", hashes
