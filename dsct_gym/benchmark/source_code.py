"""The code that a solver is made of, as a hash: whether a run that was kept is still what it does.

That of a solver is its module with all that it imports of its own package, or of its own folder
where it lies outside any installed one, the files of the package that it names as constants
(weights that ship), and the files that its options name (a checkpoint). What it stands on beyond
that is told by versions.
"""

from __future__ import annotations

import ast
import hashlib
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from dsct_gym.solver import find_solver

if TYPE_CHECKING:
    from dsct_gym.benchmark.spec import Spec


_INSTALLED: Final = frozenset(
    Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib", "stdlib", "platstdlib")
)


class _Home(NamedTuple):
    """Where the code of a solver's author lies.

    Attributes:
        package: Name of its top-level package or module.
        folder: The folder around it; None where others install theirs there, too.
    """

    package: str
    folder: Path | None

    def owns(self, module: str) -> bool:
        """Whether a module is the author's, to judge by its top-level package."""
        first = module.partition(".")[0]
        if first == self.package:
            return True
        file = None if self.folder is None else _file_of(first)
        if file is None:
            return False
        # A virtual environment may lie in the folder: what is installed there is others'.
        return self.folder in file.parents and not _INSTALLED.intersection(file.parents)


def digest_of(solver: Spec) -> str | None:
    """Hash of a solver's code, None where it cannot be told."""
    with suppress(Exception):  # whatever stands in the way is no reason not to run it
        digest = hashlib.sha256(_digest_of_modules(solver.name))
        for option, value in sorted(solver.options.items()):
            if isinstance(value, str) and Path(value).is_file():
                with Path(value).open("rb") as file:
                    content = hashlib.file_digest(file, "sha256")
                digest.update(option.encode() + content.digest())
        return digest.hexdigest()[:16]
    return None


@cache
def _digest_of_modules(solver: str) -> bytes:
    """Hash of the modules that a solver is made of and of the files that they name."""
    module = find_solver(solver).__module__
    package = module.partition(".")[0]
    top = _file_of(package)
    if top is None:
        raise LookupError(f"{solver} has no file")
    root = top.parents[top.stem == "__init__"]
    home = _Home(package, None if root in _INSTALLED else root)
    digest = hashlib.sha256()
    files = sorted(_own_modules(module, home).items())
    files += [(path.name, path) for path in _named_files(module, root / package)]
    for name, file in files:
        digest.update(name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.digest()


def _own_modules(first: str, home: _Home) -> dict[str, Path]:
    """A module and all that it imports of its author's, by name."""
    found: dict[str, Path] = {}
    waiting = [first]
    while waiting:
        name = waiting.pop()
        if name in found or not home.owns(name):
            continue
        file = _file_of(name)
        if file is not None:
            found[name] = file
            waiting += _imports(name, file)
    return found


def _file_of(module: str) -> Path | None:
    """The file of a module, None where there is none."""
    spec = _spec_of(module)
    return None if spec is None or not spec.has_location else Path(str(spec.origin))


@cache
def _spec_of(module: str) -> ModuleSpec | None:
    """Where a module lies. Nothing is imported to find out: that could run anything."""
    above, dot, _ = module.rpartition(".")
    if not dot:
        return find_spec(module)
    package = _spec_of(above)
    if package is None or package.submodule_search_locations is None:
        return None
    return PathFinder.find_spec(module, package.submodule_search_locations)


@cache
def _imports(module: str, file: Path) -> tuple[str, ...]:
    """What a module imports, wherever in it; a name may be that of something in a module."""
    if file.suffix != ".py":
        return ()
    package = module if file.stem == "__init__" else module.rpartition(".")[0]
    return tuple(_imported(ast.parse(file.read_bytes()), package))


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            whole = ".".join([*above, *([node.module] if node.module else [])])
            yield whole
            yield from (f"{whole}.{alias.name}" for alias in node.names)


def _named_files(module: str, folder: Path) -> list[Path]:
    """The files of a package that a module of it, which has been imported, names as constants."""
    paths = {value for value in vars(sys.modules[module]).values() if isinstance(value, Path)}
    return sorted(path for path in paths if path.is_relative_to(folder) and path.is_file())
