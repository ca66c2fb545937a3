"""Short training runs: the same weights and learning curves."""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors.numpy import load_file

from outputs.areas import area
from outputs.commands import MEASURED, run_command
from outputs.hashes import Hashes

TRAINED = {
    "policy iteration": """
        method = "policy-iteration"
        instances = 2
        states = 4
        memory = 10
        minibatch = 32
        """,
    "imitation, then policy gradient": """
        method = "policy-gradient"
        imitation = 2
        rollouts = 4
        batch = 400
        """,
}
TRAINING = """
    width = 8
    steps = 4
    evaluate_every = 2
    held_out = 2
    sizes = [[12, 3]]
    threads = 1
    [distribution]
    n = [10, 20]
    m = [2, 4]
    """
STABLE_TRAINING = """
    method = "sb3"
    algorithm = "MaskablePPO"
    env = "DSCT-EA-v0"
    policy = "shared"
    envs = 4
    timesteps = 48
    evaluate_every = 24
    held_out = 2
    threads = 1
    [distribution]
    n = [6, 6]
    m = [2, 2]
    [settings]
    n_steps = 4
    batch_size = 8
    n_epochs = 1
    """


@area(quick=False)
def training() -> Iterator[tuple[str, Hashes]]:
    """Weights and learning curves of short training runs."""
    for name, lines in TRAINED.items():
        with trained(lines + TRAINING) as run:
            hashes = curve(run)
            for file in ("policy", "state"):
                # By name: in which order a file holds them is the library's affair.
                hashes.add(file, sorted(load_file(run / f"{file}.safetensors").items()))
            yield name, hashes
    with trained(STABLE_TRAINING) as run:
        import torch

        hashes = curve(run)
        content = zipfile.ZipFile(run / "policy.zip").read("policy.pth")
        for key, tensor in torch.load(io.BytesIO(content), weights_only=True).items():
            hashes.add("weights", [key, tensor.numpy()])
        yield "MaskablePPO", hashes


@contextmanager
def trained(configuration: str) -> Iterator[Path]:
    """The folder of a training run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "short.toml").write_text(configuration, encoding="utf-8")
        words = ("--config", "short.toml", "-o", "run", "--device", "cpu")
        ran = run_command(folder, "train", *words)
        if ran.returncode != 0:
            raise RuntimeError(ran.stderr)
        yield folder / "run"


def curve(run: Path) -> Hashes:
    """The columns of a run's learning curve."""
    hashes = Hashes(MEASURED)
    with (run / "log.csv").open(encoding="utf-8", newline="") as file:
        hashes.add("log", list(csv.DictReader(file)))
    return hashes
