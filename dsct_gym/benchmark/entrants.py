"""What takes part in an evaluation: solvers by name, and files of policies.

An argument is one of

- ``name``, ``name[option=value,...]`` or ``module:Class``: a solver;
- a checkpoint ``….safetensors``, played by each of the decoders, or by those that follow a plus
  sign: ``a/policy.safetensors+rl,rl-sample[samples=64]``;
- a ``….zip`` of Stable-Baselines3, which is loaded only from a source that is trusted.

Several files joined by commas, or a pattern such as ``runs/mine-*/policy.safetensors``, are the
training seeds of one entrant.
"""

from __future__ import annotations

import glob
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from dsct_gym.benchmark.spec import Spec, parse_specs
from dsct_gym.errors import InputError

CHECKPOINT: Final = ".safetensors"
STABLE: Final = ".zip"
STABLE_AGENT: Final = "dsct_gym.agents.stable:Sb3Agent"
"""The solver that plays zip files; loaded by name where one takes part."""


@dataclass(frozen=True)
class Entrant:
    """A solver, once or with the weights of several training seeds.

    Attributes:
        label: Name in the tables.
        variants: The solver with its options, once for each training seed.
    """

    label: str
    variants: tuple[Spec, ...]

    @property
    def solver(self) -> str:
        """Name of the solver."""
        return self.variants[0].name


def parse_agents(
    arguments: Sequence[str], decoders: str, *, trust_pickle: bool = False
) -> list[Entrant]:
    """Reads the arguments; what occurs twice takes part once.

    Args:
        arguments: As the module describes them.
        decoders: Solvers that play checkpoints which do not name their own, with commas between.
        trust_pickle: Whether zip files may run the code that is in them.

    Returns:
        The entrants with distinct labels, in order.

    Raises:
        InputError: If an argument cannot be read or is a zip file that is not trusted.
    """
    found: dict[tuple[str, str], tuple[Entrant, str]] = {}
    for argument in arguments:
        for entrant, whole in _parse(argument, decoders, trust_pickle):
            found.setdefault((entrant.solver, whole), (entrant, whole))
    uses = Counter(entrant.label for entrant, _ in found.values())
    return [
        replace(entrant, label=whole) if uses[entrant.label] > 1 else entrant
        for entrant, whole in found.values()
    ]


def _parse(argument: str, decoders: str, trust_pickle: bool) -> Iterator[tuple[Entrant, str]]:
    """The entrants of an argument, each with a label that nothing else can have."""
    files, plus, chosen = argument.rpartition(CHECKPOINT + "+")
    if plus:
        yield from _policies(files + CHECKPOINT, chosen)
    elif argument.endswith(CHECKPOINT):
        yield from _policies(argument, decoders)
    elif argument.endswith(STABLE):
        yield _stable(argument, trust_pickle)
    else:
        parsed = parse_specs(argument, "AGENT")
        if len(parsed) != 1:
            raise InputError(f"AGENT: expected one solver or files of one policy, got {argument!r}")
        yield Entrant(parsed[0].label, tuple(parsed)), parsed[0].label


def _policies(files: str, decoders: str) -> Iterator[tuple[Entrant, str]]:
    """A policy under each of its decoders."""
    paths = _paths(files, CHECKPOINT)
    parsed = parse_specs(decoders, "AGENT")
    if not parsed:
        raise InputError(f"AGENT: {files}: no decoder named")
    for decoder in parsed:
        variants = tuple(
            Spec(decoder.name, {**decoder.options, "checkpoint": path}) for path in paths
        )
        whole = decoder.labelled(",".join(paths))
        yield Entrant(decoder.labelled(_short(paths)), variants), whole


def _stable(files: str, trust_pickle: bool) -> tuple[Entrant, str]:
    paths = _paths(files, STABLE)
    if not trust_pickle:
        raise InputError(
            f"{paths[0]}: a zip file of Stable-Baselines3 holds pickles: loading it runs whatever"
            " code is in it; pass --trust-pickle if you trust its source"
        )
    variants = tuple(Spec(STABLE_AGENT, {"path": path, "trust_pickle": True}) for path in paths)
    shown = Spec("sb3")
    return Entrant(shown.labelled(_short(paths)), variants), shown.labelled(",".join(paths))


def _paths(files: str, suffix: str) -> list[str]:
    """The files that commas and patterns name, each once."""
    if files.endswith(suffix) and Path(files).exists():
        return [files]
    found: list[str] = []
    for part in filter(None, (part.strip() for part in files.split(","))):
        if not part.endswith(suffix):
            raise InputError(f"AGENT: {part}: expected a file *{suffix}, as the others")
        matches = [part] if Path(part).exists() else sorted(glob.glob(part))  # noqa: PTH207
        if not matches:
            raise InputError(f"{part}: no such file")
        found += matches
    return list(dict.fromkeys(found))


def _short(paths: Sequence[str]) -> str:
    """What tells these files from others: their folder's name where the file's says nothing."""
    names = [_telling(Path(path)) for path in paths]
    if len(names) == 1:
        return names[0]
    common = _beginning(names)
    if not common:
        return f"{len(names)} files"
    return f"{common if len(set(names)) == 1 else common + '*'} ×{len(names)}"


def _telling(path: Path) -> str:
    says_nothing = path.stem in ("policy", "model", "best_model")
    return path.parent.name if says_nothing and path.parent.name else path.stem


def _beginning(names: Sequence[str]) -> str:
    """What all the names begin with."""
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in alike)
