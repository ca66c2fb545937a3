"""Where a run took place: versions of what it stood on, and the machine."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("dsct-gym", "numpy", "numba", "scipy", "highspy", "torch")


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


def usable_cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
