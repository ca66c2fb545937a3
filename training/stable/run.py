"""A run of Stable-Baselines3 on the batched environments.

A run keeps zip files of Stable-Baselines3 in its folder: ``policy.zip``, the best agent on the
held-out set, and ``state.zip``, the last. These hold pickles: resuming a run loads ``state.zip``
and so runs whatever code is in it, which takes a word that it may.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from dsct_gym.errors import InputError
from dsct_gym.registration import ENVIRONMENTS
from dsct_gym.training.stable.config import Sb3Config
from dsct_gym.training.stable.settings import find_algorithm, make_algorithm

if TYPE_CHECKING:
    from dsct_gym.instance import Instance
    from dsct_gym.training.run import Progress
    from dsct_gym.training.run_folder import RunFolder
    from dsct_gym.training.stable.arrivals import ArrivalHeldOut
    from dsct_gym.training.stable.held_out import StableHeldOut


def train_sb3(
    config: Sb3Config,
    folder: RunFolder,
    *,
    resume: bool,
    trust_pickle: bool = False,
    device: str = "auto",
    progress: Progress | None = None,
) -> float:
    """Trains an agent; the best one on the held-out set ends in ``policy.zip``.

    A run that is killed and resumed goes on from the last evaluation with the same weights,
    optimizer, replay buffer and count of steps, on new instances.

    Args:
        config: What to do.
        folder: Where the run keeps itself.
        resume: Whether to go on from the last state in the folder.
        trust_pickle: Whether that may run whatever code the folder's ``state.zip`` and
            ``replay.pkl`` hold.
        device: Where torch computes; ``auto`` is CUDA where there is some. The environments always
            run on the CPU.
        progress: Told about twice a second.

    Returns:
        The best share of the gap closed on the held-out set, mean over its sizes.

    Raises:
        InputError: If the device or a setting cannot be used, or the state is damaged or not
            trusted.
    """
    import torch

    from dsct_gym.training.run_folder import choose_device
    from dsct_gym.training.stable.callbacks import Watch

    chosen = str(choose_device(device))
    notes = _notes(folder) if resume else None
    if notes is not None and not trust_pickle:
        raise InputError(
            f"{folder.path}: its state.zip holds pickles: going on runs whatever code is in them; "
            "pass --trust-pickle if the run is your own"
        )
    env = _make_env(config)
    threads = torch.get_num_threads()
    torch.set_num_threads(config.threads)
    try:
        model = _make(config, env, chosen) if notes is None else _load(config, folder, env, chosen)
        model.set_logger(_logger(folder))
        held_out = _held_out(config)
        watch = Watch(config, folder, held_out, progress, notes)
        left = config.timesteps - model.num_timesteps
        if left > 0:
            model.learn(left, callback=watch, reset_num_timesteps=False)
        model.logger.close()
        return watch.best_share
    finally:
        torch.set_num_threads(threads)
        env.close()


def _held_out(config: Sb3Config) -> StableHeldOut | ArrivalHeldOut:
    """What the agent is watched on: instances of the kind that its environment draws."""
    from dsct_gym.training.stable.arrivals import ArrivalHeldOut
    from dsct_gym.training.stable.held_out import StableHeldOut

    kind = ArrivalHeldOut if "arrivals" in ENVIRONMENTS[config.env].knows else StableHeldOut
    return kind(config.distribution, config.held_out_sizes, config.held_out)


def _make_env(config: Sb3Config) -> Any:
    from dsct_gym.envs.sb3 import SchedulingVecEnv
    from dsct_gym.training.batch import draw_size

    given = config.distribution
    options: dict[str, Any] = {"n": given.n, "m": given.m}
    if given.one_size:
        options = {"n": given.n[1], "m": given.m[1]}
        options |= {"mu": given.mu, "rho": given.rho, "beta": given.beta}
    else:

        def draw(rng: np.random.Generator) -> Instance:
            return given.scenario(*draw_size(given, rng)).sample(rng)

        options["generator"] = draw
    return SchedulingVecEnv(
        config.env,
        config.envs,
        guidance=config.guidance,
        levels=config.levels,
        **config.rules,
        num_threads=config.threads,
        **options,
    )


def _make(config: Sb3Config, env: Any, device: str) -> Any:
    return make_algorithm(
        config.algorithm, config.policy, config.settings, env, seed=config.seed, device=device
    )


def _notes(folder: RunFolder) -> dict[str, Any] | None:
    kept = folder.load_state()
    return None if kept is None else kept[1]


def _load(config: Sb3Config, folder: RunFolder, env: Any, device: str) -> Any:
    """The algorithm as it was when the run was last kept."""
    from dsct_gym.agents.stable import under_old_names
    from dsct_gym.training.stable.callbacks import REPLAY, STATE

    try:
        with under_old_names():
            kept = folder.path / STATE
            model = find_algorithm(config.algorithm).load(kept, env=env, device=device)
        if (folder.path / REPLAY).exists():
            model.load_replay_buffer(folder.path / REPLAY)
    except Exception as error:
        raise InputError(
            f"{folder.path / STATE}: damaged; remove the folder to start anew"
        ) from error
    # Seeded as at the start, it would meet the same instances again.
    seeds = np.random.SeedSequence((config.seed, model.num_timesteps))
    model.set_random_seed(int(seeds.generate_state(1)[0] >> 1))
    return model


def _logger(folder: RunFolder) -> Any:
    """Writes what the algorithm tells of itself into TensorBoard's log, where that is installed."""
    from stable_baselines3.common.logger import Logger, TensorBoardOutputFormat

    if find_spec("tensorboard") is None:
        return Logger(None, [])
    return Logger(None, [TensorBoardOutputFormat(str(folder.path / "tensorboard"))])
