"""Outputs that users rely on, hashed area by area; `benchmarks/unchanged.py` compares them."""

from outputs import commands, instances, play, solutions, training  # noqa: F401  register areas
from outputs.areas import AREAS, Entries, collect
from outputs.hashes import Hashes

__all__ = ["AREAS", "Entries", "Hashes", "collect"]
