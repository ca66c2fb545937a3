"""Files of the networks of `rl-service`: weights as safetensors, what they are as JSON beside them.

Reading one reads numbers and text and never runs code, whoever it comes from. A file that does not
fit this version is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from dsct_gym.agents.network_file import read_network, write_network
from dsct_gym.agents.serving.network import Network, shapes
from dsct_gym.envs.service_view import Column, PerClock
from dsct_gym.errors import InputError

SHIPPED: Final = Path(__file__).parent.parent / "weights" / "service.safetensors"
"""The weights that ship."""

_NAMES: Final = tuple(column.name.lower() for column in (*Column, *PerClock))


class Header(BaseModel):
    """What a file says of itself.

    Attributes:
        format: Format of the file.
        width: Hidden units of each layer.
        columns: What it sees, in order, columns of clocks after the others.
        training: How it was trained: configuration, seed, versions, scores.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["dsct-service-policy/1"] = "dsct-service-policy/1"
    width: int = Field(ge=1, le=1_024)
    columns: tuple[str, ...] = _NAMES
    training: dict[str, Any] = {}


def save_network(path: str | Path, network: Network, training: dict[str, Any]) -> None:
    """Writes a file, through a temporary one.

    Raises:
        InputError: If it cannot be written.
    """
    header = Header(width=network.width, training=training)
    write_network(path, header, network._asdict())


def load_network(path: str | Path) -> Network:
    """The network in a file.

    Raises:
        InputError: If there is no such file, or it is no network that this version can run.
    """
    _, arrays = read_network(path, "a policy of a service", Header, _shapes)
    return Network(**arrays)


def _shapes(header: Header) -> dict[str, tuple[int, ...]]:
    """Of the arrays of a network that this version can run."""
    if header.columns != _NAMES:
        raise InputError("columns: other columns than this version's")
    return shapes(header.width)
