"""Instances that ship, by name."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from dsct_gym.instance import Instance

RECIPES: Final = {
    "dc5-ofa60": "generate -n 60 --devices T4,V100,A100,A40,H100 --family ofa-resnet50"
    " --mu 20 --rho 0.3 --beta 0.6 --seed 1",
}
"""What `dsct-gym` was asked for to make each instance, besides its ``--name``."""

_SUFFIX = ".json"


@cache
def shipped_names() -> tuple[str, ...]:
    """Names of the instances that ship, sorted."""
    stored = (item.name for item in _folder().iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in stored if name.endswith(_SUFFIX)))


def load_shipped(name: str) -> Instance:
    """Loads an instance that ships.

    Raises:
        InputError: If there is none of that name.
    """
    import json

    from dsct_gym.documents import parse_instance

    if name not in shipped_names():
        raise InputError(f"instance: no {name!r} ships; there are {', '.join(shipped_names())}")
    text = _folder().joinpath(name + _SUFFIX).read_text(encoding="utf-8")
    return parse_instance(json.loads(text))


def _folder() -> Traversable:
    return files("dsct_gym.suites").joinpath("instances")
