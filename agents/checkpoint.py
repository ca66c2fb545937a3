"""Checkpoints of policies: weights as safetensors, what they are as JSON in its header.

Loading one reads numbers and text and never runs code, whoever the file comes from. The header
states architecture, width and columns; a file that does not fit this version is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from dsct_gym.agents.network import ARCHITECTURE, Network, shapes
from dsct_gym.agents.network_file import read_network, write_network
from dsct_gym.errors import InputError
from dsct_gym.plan import Context, Machine

FORMAT: Final = "dsct-ea-policy/1"
_LARGEST_WIDTH = 1_024
_LONGEST_NAME = 40


class Header(BaseModel):
    """What a checkpoint says of itself.

    Attributes:
        format: Format of the file.
        architecture: Name of the architecture.
        width: Hidden units.
        context: Names of the columns of a task, in order.
        machine: Names of the columns of a machine, in order.
        training: How it was trained: configuration, seed, versions, scores.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["dsct-ea-policy/1"] = FORMAT
    architecture: str = Field(default=ARCHITECTURE, max_length=_LONGEST_NAME)
    width: int = Field(ge=1, le=_LARGEST_WIDTH)
    context: tuple[str, ...] = Context.labels()
    machine: tuple[str, ...] = Machine.labels()
    training: dict[str, Any] = {}


def save_policy(path: str | Path, network: Network, training: dict[str, Any] | None = None) -> None:
    """Writes a checkpoint, through a temporary file.

    Args:
        path: Where to.
        network: The weights.
        training: What to tell of the training: anything that JSON can hold.

    Raises:
        InputError: If it cannot be written.
    """
    header = Header(width=network.width, training=training or {})
    write_network(path, header, network._asdict())


def load_policy(path: str | Path) -> tuple[Network, Header]:
    """Reads a checkpoint.

    Raises:
        InputError: If there is no such file, or it is no policy that this version can run.
    """
    header, arrays = read_network(path, "a policy checkpoint", Header, _shapes)
    return Network(**arrays), header


def _shapes(header: Header) -> dict[str, tuple[int, ...]]:
    """Of the arrays of a policy that this version can run."""
    if header.architecture != ARCHITECTURE:
        raise InputError(
            f"architecture: {header.architecture!r}, this version runs {ARCHITECTURE!r}"
        )
    for field, columns in (("context", Context), ("machine", Machine)):
        if getattr(header, field) != columns.labels():
            raise InputError(f"{field}: other columns than this version's")
    return shapes(header.width)
