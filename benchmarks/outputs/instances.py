"""Instances: files of generated ones, and the suites."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dsct_gym
from outputs.areas import area
from outputs.hashes import Hashes

SUITES = ("tiny", "small", "medium", "large", "devices")

GENERATED: dict[str, dict[str, Any]] = {
    "defaults": {},
    "seed": {"seed": 12_345},
    "wide": {"n": 40, "m": 12, "mu": 20.0, "rho": 0.9, "beta": 0.2, "seed": 1},
    "alike": {"n": 30, "m": 4, "mu": 1.0, "seed": 2},
    "smooth": {"n": 10, "m": 3, "segments": 64, "seed": 3},
    "one segment": {"n": 10, "m": 3, "segments": 1, "seed": 4},
    "one of each": {"n": 1, "m": 1, "seed": 5},
    "extreme": {"n": 20, "m": 3, "mu": 1e6, "rho": 1e-6, "beta": 1e3, "seed": 6},
    "no energy": {"n": 20, "m": 3, "beta": 0.0, "seed": 7},
    "devices": {"n": 25, "devices": "T4,V100,A100", "seed": 8},
    "copies": {"n": 25, "m": 7, "devices": ["T4", "V100", "A100"], "seed": 9},
    "some devices": {"n": 25, "m": 2, "devices": "T4,V100,A100", "seed": 10},
    "family": {"n": 25, "m": 3, "family": "ofa-resnet50", "seed": 11},
    "families": {"n": 25, "m": 3, "family": "ofa-resnet50,efficientnet", "seed": 12},
    "real": {"n": 25, "devices": "H100,L4", "family": "efficientnet", "mu": 9.0, "seed": 13},
    "named": {"n": 5, "m": 2, "name": "a name, ünïcode", "seed": 14},
    "machines": {"n": 9, "m": 4, "speed": (1.0, 9.0), "efficiency": 2.5, "seed": 15},
    "curves": {"n": 9, "m": 4, "a_min": 0.1, "a_max": 0.9, "epsilon": 0.2, "seed": 16},
}


@area(quick=True)
def instances() -> Iterator[tuple[str, Hashes]]:
    """Files of generated instances."""
    for name, options in GENERATED.items():
        hashes = Hashes()
        hashes.add("file", file_bytes(dsct_gym.generate(**options)))
        yield name, hashes


@area(quick=True)
def suites() -> Iterator[tuple[str, Hashes]]:
    """Files of the suites' instances, and the best that is known of them."""
    for name in SUITES:
        suite, hashes = dsct_gym.load_suite(name), Hashes()
        hashes.add("name", suite.name)
        hashes.add("description", suite.description)
        for instance, reference in zip(suite, suite.references, strict=True):
            hashes.add("files", file_bytes(instance))
            fields = ("total_accuracy", "machine_of", "found_by", "upper_bound", "bound_by")
            hashes.add("reference", {field: getattr(reference, field) for field in fields})
        yield name, hashes


def file_bytes(instance: dsct_gym.Instance) -> bytes:
    """The file of an instance."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.json"
        instance.save(path)
        return path.read_bytes()
