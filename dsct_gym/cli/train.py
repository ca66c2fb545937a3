"""``dsct-gym train``: a policy of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsct_gym.cli.arguments import LARGEST_SEED, check_writable_folder
from dsct_gym.cli.console import err, out
from dsct_gym.errors import InputError

EXAMPLE = """
dsct-gym train --config quick -o runs/quick
dsct-gym train --config quick -o runs/quick --resume --trust-pickle
dsct-gym train --config quick -o runs/quick-1 --seed 1
"""


def train(
    config: Annotated[
        str,
        typer.Option(
            "--config", metavar="NAME|FILE", help="A configuration that ships, or a TOML file."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Folder of the run."),
    ],
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed", min=0, max=LARGEST_SEED, help="In place of the configuration's seed."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run that is in the folder.")
    ] = False,
    trust_pickle: Annotated[
        bool,
        typer.Option(
            "--trust-pickle",
            help="Resume a run of Stable-Baselines3 though its files can run code.",
        ),
    ] = False,
    device: Annotated[
        str, typer.Option("--device", help="Where torch computes: auto, cpu, cuda, ...")
    ] = "auto",
) -> None:
    """Train a policy: checkpoints, log, learning curve and TensorBoard files go into the folder.

    Ctrl-C ends a run; --resume goes on where its last state was kept. Configurations that ship:
    shipped (the policy of rl), quick, plan-ppo, policy-gradient, sb3-ppo and others; see
    docs/training.md.
    """
    check_writable_folder("--output", output)
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    try:
        from dsct_gym.training.start import train as run_training
    except ModuleNotFoundError as error:
        raise InputError(f"training needs {error.name}: pip install 'dsct-gym[rl]'") from error

    console = err()
    bar = Progress(
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} steps"),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("preparing", total=0)

        def show(done: int, total: int, note: str) -> None:
            bar.update(task, completed=done, total=total, description=note)

        closed = run_training(
            config,
            output,
            seed=seed,
            resume=resume,
            trust_pickle=trust_pickle,
            device=device,
            progress=show,
        )
    out().print(f"{output}: the best policy closes {100.0 * closed:.1f} % of the held-out gap")
