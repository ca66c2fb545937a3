"""What is to be run: one solver on one instance with one seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.solver import former_name


@dataclass(frozen=True)
class Job:
    """One solver on one instance.

    Attributes:
        label: Name of the instance in the records.
        instance: The problem.
        solver: Name of the solver.
        options: Options of the solver; JSON values.
        time_limit: Wall-clock limit, s.
        seed: Seed of whatever is random.
    """

    label: str
    instance: Instance
    solver: str
    options: Mapping[str, object] = field(default_factory=dict)
    time_limit: float | None = None
    seed: int | None = None

    @property
    def entrant(self) -> str:
        """The solver as the records name it: ``name`` or ``name[key=value,...]``."""
        return entrant_name(self.solver, self.options)

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the instance file."""
        from dsct_gym.files import instance_text

        return hashlib.sha256(instance_text(self.instance).encode()).hexdigest()

    @cached_property
    def key(self) -> str:
        """SHA-256 of all that decides the result: instance, solver, options, limit and seed."""
        decisive = {
            "instance": self.checksum,
            "solver": former_name(self.solver),
            "options": dict(self.options),
            "time_limit": None if self.time_limit is None else float(self.time_limit),
            "seed": self.seed,
        }
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def entrant_name(solver: str, options: Mapping[str, object], *notes: str) -> str:
    """A solver with its options and whatever else there is to tell: ``name[key=value,note]``."""
    settings = [f"{key}={_shown(value)}" for key, value in sorted(options.items())]
    settings += notes
    return f"{solver}[{','.join(settings)}]" if settings else solver


def parse_entrants(text: str) -> list[tuple[str, dict[str, object]]]:
    """Reads ``a,b[key=value,...],c`` as names with their options, each once.

    A value is read as JSON where it is JSON, as text otherwise.

    Raises:
        InputError: If brackets do not match or a setting is not ``key=value``.
    """
    found: dict[str, tuple[str, dict[str, object]]] = {}
    for part in _split(text):
        name, bracket, rest = part.partition("[")
        if bracket and not rest.endswith("]"):
            raise InputError(f"solvers: {part!r} must end in ]")
        settings = filter(None, rest.removesuffix("]").split(",")) if bracket else ()
        options = dict(parse_setting(setting) for setting in settings)
        found.setdefault(part, (name.strip(), options))
    return list(found.values())


def parse_setting(text: str) -> tuple[str, object]:
    """``key=value``; the value is read as JSON where it is JSON, as text otherwise.

    Raises:
        InputError: If it is not of that form.
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise InputError(f"--option: expected key=value, got {text!r}")
    try:
        return key.strip().replace("-", "_"), json.loads(value)
    except ValueError:
        return key.strip().replace("-", "_"), value


def _split(text: str) -> list[str]:
    """The parts between commas that stand outside brackets, without blanks around them."""
    parts, depth = [""], 0
    for character in text:
        depth += {"[": 1, "]": -1}.get(character, 0)
        if depth not in (0, 1):
            raise InputError(f"solvers: brackets do not match in {text!r}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    if depth:
        raise InputError(f"solvers: brackets do not match in {text!r}")
    return [part.strip() for part in parts if part.strip()]


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
