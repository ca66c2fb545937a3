"""The house stands as CONTRIBUTING.md draws it: which part may import which, and no circles.

Imports are read from the source, those inside functions and those for types alone included: a
circle is one for whoever reads it, whenever it is imported.
"""

import ast
import os
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "dsct_gym"

GROUND = {"core", "catalog"}
VARIANTS = {"points", "online", "soft"}
ALLOWED: dict[str, set[str]] = {
    "catalog": GROUND,
    "core": GROUND,
    "plan": GROUND,
    **dict.fromkeys(VARIANTS, GROUND),
    "serving": GROUND | {"online", "points"},
}
ALLOWED["operator"] = GROUND | VARIANTS | {"plan", "serving"}
ALLOWED["suites"] = GROUND | VARIANTS | {"plan", "serving"}
ALLOWED["envs"] = ALLOWED["suites"] | {"suites"}
ALLOWED["benchmark"] = ALLOWED["envs"] | {"envs"}
ALLOWED["cli"] = ALLOWED["benchmark"] | {"benchmark", "operator"}
ALLOWED["baselines"] = GROUND | VARIANTS | {"plan", "serving"}
ALLOWED["agents"] = ALLOWED["baselines"] | {"baselines", "envs"}
ALLOWED["training"] = ALLOWED["agents"] | {"agents", "suites"}
"""What each part may import besides itself; the arrows of CONTRIBUTING.md."""

FACADE = {
    ("dsct_gym.instance", "dsct_gym.files"),
    ("dsct_gym.instance", "dsct_gym.loading"),
    ("dsct_gym.instance", "dsct_gym.notebook"),
    ("dsct_gym.instance", "dsct_gym.operator.build"),
    ("dsct_gym.schedule", "dsct_gym.files"),
    ("dsct_gym.schedule", "dsct_gym.gantt"),
    ("dsct_gym.schedule", "dsct_gym.notebook"),
    ("dsct_gym.schedule", "dsct_gym.schedule_table"),
    ("dsct_gym.schedule", "dsct_gym.verifier"),
}
"""`Instance.load` and `.from_frames`, `Schedule.save`, `.plot`, `.verify`, `.to_columns`
and what notebooks show reach up from inside their functions."""

BY_NAME = {("dsct_gym.cli.train", "dsct_gym.training")}
"""Commands that hand over to a package that the others do not need."""


def _modules() -> dict[str, Path]:
    """All modules of the distribution by dotted name."""
    found = {}
    for folder, _, files in os.walk(ROOT / PACKAGE, followlinks=True):
        for file in sorted(files):
            if file.endswith(".py"):
                path = Path(folder) / file
                parts = path.relative_to(ROOT).with_suffix("").parts
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = _modules()


def _imports(path: Path) -> Iterator[str]:
    """The modules of the distribution that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.partition(".")[0] == PACKAGE:
                yield name if name in MODULES else name.rpartition(".")[0]


ARROWS = {name: set(_imports(path)) - {name} for name, path in MODULES.items()}


def _part(module: str) -> str:
    """The folder that a module is in, ``core`` for what lies in none."""
    first = module.removeprefix(PACKAGE).lstrip(".").partition(".")[0]
    return first if (ROOT / PACKAGE / first).is_dir() and first else "core"


def test_every_part_is_drawn():
    assert {_part(name) for name in MODULES} <= set(ALLOWED)


@pytest.mark.parametrize("part", sorted(ALLOWED))
def test_arrows_run_down(part):
    wrong = [
        f"{name} -> {target}"
        for name, targets in ARROWS.items()
        if _part(name) == part and name not in (PACKAGE, f"{PACKAGE}.__main__")
        for target in sorted(targets)
        if _part(target) not in ALLOWED[part] | {part}
        and (name, target) not in FACADE
        and not any(name == at and target.startswith(to) for at, to in BY_NAME)
    ]
    assert wrong == []


def test_no_circles_but_the_facade():
    graph = {
        name: {target for target in targets if (name, target) not in FACADE}
        for name, targets in ARROWS.items()
        if name != PACKAGE
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_the_facade_is_still_needed():
    """An exception that nothing uses any more would hide the next circle."""
    for name, target in FACADE:
        assert target in ARROWS[name]


def test_nobody_imports_the_inside_of_another_package():
    wrong = [
        f"{name}: {found}"
        for name, path in MODULES.items()
        for found in re.findall(
            r"^\s*from dsct_gym\.\S+ import .*\b_\w+", path.read_text(encoding="utf-8"), re.M
        )
    ]
    assert wrong == []


def test_only_long_names_are_imported():
    """``agents``, ``baselines`` and ``training`` belong to whoever else has them."""
    short = re.compile(r"^\s*(?:from|import) (?:agents|baselines|training)\b", re.M)
    everything = [*MODULES.values(), *ROOT.glob("tests/**/*.py")]
    everything += [*ROOT.glob("benchmarks/**/*.py"), *ROOT.glob("examples/**/*.py")]
    assert [path for path in everything if short.search(path.read_text(encoding="utf-8"))] == []
