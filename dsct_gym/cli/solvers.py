"""``dsct-gym solvers``: what can be asked of ``--solver``."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from dsct_gym.cli.arguments import Json
from dsct_gym.cli.console import Heading, err, print_json, print_table
from dsct_gym.streams import stdout_to_stderr

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

EXAMPLE = """
dsct-gym solvers
dsct-gym solve dc5-ofa60 --solver approx-refined
"""


def solvers(json: Json = False) -> None:
    """List the solvers and their options.

    Packages add theirs through the entry-point group dsct_gym.solvers.
    """
    from dsct_gym.solver import solver_entry_points

    with stdout_to_stderr(), err().status("looking for solvers"):
        found = [_described(entry) for entry in solver_entry_points().values()]
    if json:
        print_json(found)
        return
    rows = [
        (
            str(solver["name"]),
            str(solver["description"] or f"not available: {solver['unavailable']}"),
            "\n".join(f"{key}={value}" for key, value in _options_of(solver).items()),
        )
        for solver in found
    ]
    columns = (Heading("solver"), Heading("what it does", "prose"), Heading("options", priority=1))
    print_table(columns, rows)


def _described(entry: EntryPoint) -> dict[str, object]:
    """Name, package, first line of the docstring and options of one solver."""
    solver: dict[str, object] = {
        "name": entry.name,
        "module": entry.module,
        "description": None,
        "options": {},
        "unavailable": None,
    }
    try:
        factory = entry.load()
    except ImportError as error:
        return solver | {"unavailable": str(error)}
    parameters = inspect.signature(factory).parameters.values()
    return solver | {
        "description": (inspect.getdoc(factory) or "").split("\n")[0],
        "options": {
            parameter.name: None if parameter.default is parameter.empty else parameter.default
            for parameter in parameters
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        },
    }


def _options_of(solver: dict[str, object]) -> dict[str, object]:
    options = solver["options"]
    return options if isinstance(options, dict) else {}
