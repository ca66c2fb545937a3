"""Schedules, bounds and proofs of every solver; the policy that ships."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

import dsct_gym
from outputs.areas import area
from outputs.hashes import Hashes
from outputs.problems import PROVABLE, TINY, problems

HEURISTICS = ("approx", "approx-refined", "edf-no-compression", "edf-3-levels", "greedy", "random")
LEARNED = ("rl", "rl-greedy", "rl-sample", "rl-beam")


def solved(solver: str, names: Iterable[str], **options: object) -> Iterator[tuple[str, Hashes]]:
    """What a solver answers with seed 0 and without."""
    for name in names:
        hashes = Hashes()
        for column, seed in (("seed 0", 0), ("no seed", None)):
            agent = dsct_gym.make_solver(solver, **options)
            solution = agent.solve(problems()[name], seed=seed)
            said = (solution.upper_bound, solution.interrupted, bool(solution.schedule.verify()))
            hashes.add(column, [solution.schedule, *said])
        yield f"{solver} {name}", hashes


@area(quick=True)
def heuristics() -> Iterator[tuple[str, Hashes]]:
    """Schedules of the solvers without a search; bounds; exact works for an assignment."""
    for solver in HEURISTICS:
        yield from solved(solver, problems())
    for name, instance in problems().items():
        hashes = Hashes()
        hashes.add("bound", dsct_gym.upper_bound(instance))
        machine_of = np.arange(instance.num_tasks) % (instance.num_machines + 1) - 1
        hashes.add("works", dsct_gym.allocate(instance, machine_of))
        yield f"allocate {name}", hashes


@area(quick=False)
def search() -> Iterator[tuple[str, Hashes]]:
    """Schedules of annealing and of the learned agents."""
    yield from solved("annealing", problems(), moves=20_000)
    for solver in LEARNED:
        yield from solved(solver, problems())


@area(quick=False)
def proofs() -> Iterator[tuple[str, Hashes]]:
    """Schedules and bounds that are optimal, by one thread."""
    yield from solved("mip", TINY, threads=1, start="greedy")
    yield from solved("exact", PROVABLE, threads=1)


@area(quick=True)
def policy() -> Iterator[tuple[str, Hashes]]:
    """The shipped weights, what they say of themselves, and what they decide on the suites."""
    player = dsct_gym.make_solver("rl-greedy")
    weights = Path(inspect.getfile(type(player))).parent / "weights" / "policy.safetensors"
    content, hashes = weights.read_bytes(), Hashes()
    hashes.add("file", content)
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    for key, stated in metadata.items():
        hashes.add(key, json.loads(stated))
    yield "header", hashes
    for name in ("tiny", "small", "medium", "devices"):
        hashes = Hashes()
        for instance in dsct_gym.load_suite(name):
            hashes.add("machine", player.solve(instance).schedule.machine)
        yield f"decisions {name}", hashes
