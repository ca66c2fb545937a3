"""Starts a training run from a configuration, whichever method it names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from dsct_gym.errors import InputError
from dsct_gym.training.config import PolicyGradientConfig, PolicyIterationConfig, read_config
from dsct_gym.training.online.config import EvolutionConfig
from dsct_gym.training.online.run import EvolutionRun
from dsct_gym.training.policy_gradient import PolicyGradient
from dsct_gym.training.policy_iteration import PolicyIteration
from dsct_gym.training.run import Progress
from dsct_gym.training.run_folder import RunFolder
from dsct_gym.training.serving.config import ServiceConfig
from dsct_gym.training.stable.config import Sb3Config
from dsct_gym.training.stable.run import train_sb3

Config = PolicyGradientConfig | PolicyIterationConfig | EvolutionConfig | Sb3Config | ServiceConfig


def train(
    config: str | Path,
    output: Path,
    *,
    seed: int | None = None,
    resume: bool = False,
    trust_pickle: bool = False,
    device: str = "auto",
    progress: Progress | None = None,
) -> float:
    """Trains what a configuration describes.

    Args:
        config: Name of a configuration that ships, or a TOML file.
        output: Folder of the run.
        seed: In place of the configuration's.
        resume: Whether to go on with the run in the folder.
        trust_pickle: Whether going on may run code that the folder holds; only runs of
            Stable-Baselines3 ask for it.
        device: Where torch computes.
        progress: Told after each step.

    Returns:
        The best share of the gap that the policy closed on the held-out set.

    Raises:
        InputError: If configuration, folder or device are not usable.
    """
    table = read_config(config) | ({} if seed is None else {"seed": seed})
    checked = check_config(table, config)
    folder = RunFolder(output, checked, resume=resume)
    if isinstance(checked, Sb3Config):
        return train_sb3(
            checked,
            folder,
            resume=resume,
            trust_pickle=trust_pickle,
            device=device,
            progress=progress,
        )
    if isinstance(checked, ServiceConfig):
        from dsct_gym.training.serving.run import train_service

        return train_service(checked, folder, resume=resume, device=device, progress=progress)
    run = make_run(checked, folder, device)
    if resume:
        run.restore()
    return run.train(progress)


def make_run(
    config: PolicyGradientConfig | PolicyIterationConfig | EvolutionConfig,
    folder: RunFolder,
    device: str = "auto",
) -> PolicyGradient | PolicyIteration | EvolutionRun:
    """A run at its start."""
    if isinstance(config, EvolutionConfig):
        return EvolutionRun(config, folder)
    if isinstance(config, PolicyGradientConfig):
        return PolicyGradient(config, folder, device)
    return PolicyIteration(config, folder, device)


def check_config(table: dict[str, Any], path: str | Path) -> Config:
    """The configuration in a table, by its ``method``.

    Raises:
        InputError: One line naming the field at fault.
    """
    methods = Annotated[Config, Field(discriminator="method")]
    try:
        checked: Config = TypeAdapter(methods).validate_python(table)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != table.get("method"))
        message = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{path}: {place + ': ' if place else ''}{message}") from error
    return checked
