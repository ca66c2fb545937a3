"""Rows of a long experiment, kept as they are made, so that one that was cut short goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from dsct_gym.atomic import make_folder
from dsct_gym.benchmark.reproduce.experiment import Row
from dsct_gym.errors import InputError


class KeptRows:
    """Rows by the step that made them, a line of JSON each.

    A line that was cut short by a kill, or was made by other code, is as if it were not there.

    Args:
        path: Where they are kept; None to keep them in memory alone.
        stamp: Of the code that makes them.

    Attributes:
        path: Where they are kept.
    """

    def __init__(self, path: Path | None, stamp: str) -> None:
        self.path, self._stamp = path, stamp
        self._found = {} if path is None else _read(path, stamp)

    def rows(self, step: str, make: Callable[[], Iterable[Row]]) -> list[Row]:
        """Those of a step, made only if they are not there.

        Raises:
            InputError: If they cannot be kept.
        """
        if step not in self._found:
            self._found[step] = list(make())
            self._keep(step)
        return self._found[step]

    def _keep(self, step: str) -> None:
        if self.path is None:
            return
        line = json.dumps({"stamp": self._stamp, "step": step, "rows": self._found[step]})
        make_folder(self.path.parent)
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"\n{line}\n")  # the line before may have been cut short
        except OSError as error:
            raise InputError(f"{self.path}: cannot be written ({error.strerror})") from error


def _read(path: Path, stamp: str) -> dict[str, list[Row]]:
    """What is there of this code."""
    if not path.exists():
        return {}
    found: dict[str, list[Row]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            continue  # cut short
        if isinstance(told, Mapping) and told.get("stamp") == stamp:
            found[told["step"]] = told["rows"]
    return found


def stamp_of(places: Iterable[Path], *, more: str = "") -> str:
    """Hash of files and of what lies in folders, of code, data and weights, and of what else."""
    digest = hashlib.sha256(more.encode())
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.suffix in (".py", ".json", ".csv", ".safetensors"):
                digest.update(path.name.encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()
