"""How a run was made: versions and code of what it stood on, threads, and the machine."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dsct_gym.benchmark.source_code import digest_of
from dsct_gym.processes import usable_cores

if TYPE_CHECKING:
    from dsct_gym.benchmark.spec import Spec

OWN: Final = ("solver", "code", "threads")
"""What an environment says of the solver, and not of all runs of its time and place."""

_PACKAGES = ("dsct-gym", "numpy", "numba", "scipy", "highspy", "torch")


def environment_of(solver: Spec, threads: int | None) -> dict[str, str | int]:
    """What a run of a solver is made with, here and now."""
    described = dict(describe_environment())
    own = {"solver": provider_of(solver.name), "code": digest_of(solver), "threads": threads}
    return described | {key: value for key, value in own.items() if value is not None}


def differences(then: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """How a run that was kept was made otherwise than one of now would be, in words.

    What either does not say is not taken for different: records of before say nothing of code.
    """
    other = [key for key in ("dsct-gym", *OWN) if _differ(then, now, key)]
    if "dsct-gym" in other or "solver" in other:
        other = [key for key in other if key != "code"]  # goes without saying
    if "dsct-gym" in other and str(then.get("solver")).startswith("dsct-gym "):
        other.remove("solver")
    return [_WORDS[key].format(then=then[key], now=now[key]) for key in other]


_WORDS: Final = {
    "dsct-gym": "version {then}, now {now}",
    "solver": "{then}, now {now}",
    "code": "other code",
    "threads": "--threads {then}, now {now}",
}


def _differ(then: Mapping[str, object], now: Mapping[str, object], key: str) -> bool:
    return key in then and key in now and then[key] != now[key]


@cache
def describe_environment() -> dict[str, str | int]:
    """Versions of Python and packages, processor, cores and system; no names of hosts or users."""
    return {
        **installed_versions(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": usable_cores(),
    }


def installed_versions() -> dict[str, str]:
    """Versions of the packages that results depend on, those that are installed."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def provider_of(solver: str) -> str | None:
    """The package and version that registered a solver, None for ``module:Class``."""
    from dsct_gym.solver import solver_entry_points

    entry = solver_entry_points().get(solver)
    if entry is None or entry.dist is None:
        return None
    return f"{entry.dist.name} {entry.dist.version}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
