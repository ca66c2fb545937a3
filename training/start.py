"""Starts a training run from a configuration, whichever method it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.config import PolicyGradientConfig, check_config, read_config
from training.policy_gradient import Progress, train_policy_gradient
from training.run_folder import RunFolder


def train(
    config: str | Path,
    output: Path,
    *,
    seed: int | None = None,
    resume: bool = False,
    device: str = "auto",
    progress: Progress | None = None,
) -> float:
    """Trains what a configuration describes.

    Args:
        config: Name of a configuration that ships, or a TOML file.
        output: Folder of the run.
        seed: In place of the configuration's.
        resume: Whether to go on with the run in the folder.
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
    options: dict[str, Any] = {"resume": resume, "device": device, "progress": progress}
    if isinstance(checked, PolicyGradientConfig):
        return train_policy_gradient(checked, folder, **options)
    from training.sb3 import train_sb3

    return train_sb3(checked, folder, **options)
