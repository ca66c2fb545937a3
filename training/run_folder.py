"""The folder of a training run: configuration, state to resume from, log, learning curve."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any, Final

import torch
from pydantic import BaseModel
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from dsct_gym.atomic import make_folder, refuse_links, write_bytes, write_text
from dsct_gym.errors import InputError

_LOWEST: Final = -100.0
"""Share of the gap closed, %, below which no curve is drawn."""


class RunFolder:
    """Where a run keeps itself; every file is written whole or not at all.

    Args:
        path: The folder; made if it is not there.
        config: The run's configuration.
        resume: Whether to go on with what is there; otherwise the folder must not hold a run.

    Raises:
        InputError: If there is a run and ``resume`` is not set, or its configuration is another.
    """

    def __init__(self, path: Path, config: BaseModel, *, resume: bool) -> None:
        self.path = make_folder(path)
        refuse_links(path.iterdir())
        stated = config.model_dump_json(indent=2)
        kept = path / "config.json"
        if kept.exists() and not resume:
            raise InputError(f"{path}: holds a training run; --resume goes on with it")
        if kept.exists() and kept.read_text() != stated + "\n":
            raise InputError(f"{path}: the run there has another configuration")
        write_text(kept, stated + "\n")
        self.rows: list[dict[str, Any]] = self._read_log()

    def load_state(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Tensors and notes of the last `save_state`, None before the first.

        Raises:
            InputError: If the file is damaged.
        """
        file = self.path / "state.safetensors"
        if not file.exists():
            return None
        try:
            with safe_open(file, "pt") as kept:
                notes = json.loads(kept.metadata()["notes"])
                return {name: kept.get_tensor(name) for name in kept.keys()}, notes  # noqa: SIM118
        except Exception as error:
            raise InputError(f"{file}: damaged; remove it to start anew") from error

    def save_state(self, tensors: dict[str, Tensor], notes: dict[str, Any]) -> None:
        """Keeps all that is needed to go on."""
        kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        content = save(kept, {"notes": json.dumps(notes)})
        write_bytes(self.path / "state.safetensors", content)

    def log(self, row: dict[str, Any]) -> None:
        """Adds a row to ``log.csv``, and to TensorBoard's log where that is installed."""
        self.rows = [kept for kept in self.rows if int(kept["step"]) < int(row["step"])] + [row]
        sheet = io.StringIO()
        writer = csv.DictWriter(sheet, list(row), lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(self.rows)
        write_text(self.path / "log.csv", sheet.getvalue())
        self._show_on_board(row)

    def draw_curve(self, columns: list[str]) -> None:
        """Draws columns of the log over the steps into ``curve.png``.

        An agent that plays at random is thousands of per cent below: what is below `_LOWEST` is cut
        off.
        """
        from dsct_gym.figures import COLOURS, dress, new_figure

        figure = new_figure(8.0, 4.4)
        axes = figure.subplots()
        axes.set_prop_cycle(color=COLOURS)
        steps = [int(row["step"]) for row in self.rows]
        for column in columns:
            values = [100.0 * float(row[column]) for row in self.rows]
            mean = column == "mean"
            axes.plot(steps, values, label=column, lw=2.5 if mean else 1.2, zorder=3 if mean else 2)
        axes.set_xlabel("steps")
        axes.set_ylabel("share of the gap closed, %")
        worst, best = axes.dataLim.intervaly
        low = max(_LOWEST, worst) if best > _LOWEST else worst
        margin = 0.05 * (best - low) or 1.0
        axes.set_ylim(low - margin, best + margin)
        axes.legend(frameon=False)
        dress(axes)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        write_bytes(self.path / "curve.png", buffer.getvalue())

    def _read_log(self) -> list[dict[str, Any]]:
        file = self.path / "log.csv"
        if not file.exists():
            return []
        with file.open(newline="") as handle:
            return list(csv.DictReader(handle))

    def _show_on_board(self, row: dict[str, Any]) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return
        board = SummaryWriter(str(self.path / "tensorboard"))
        for name, value in row.items():
            if name != "step":
                board.add_scalar(name, float(value), int(row["step"]))
        board.close()


def choose_device(name: str) -> torch.device:
    """``auto`` is CUDA where there is some.

    Raises:
        InputError: If there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device: {name!r} cannot be used here") from error
    return device
