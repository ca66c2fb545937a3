"""The runs: instances, starts, and walks with partners of three kinds, bounded by time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from benchmarks.frontier.by_hand import list_by_hand
from dsct_gym import Instance
from dsct_gym.agents.decoding import Decoder
from dsct_gym.agents.network import Network
from dsct_gym.agents.partners import list_partners
from dsct_gym.allocation import allocate
from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.annealing import Annealing
from dsct_gym.baselines.local_search import Search, descended
from dsct_gym.baselines.local_search.cooling import LAST_TEMPERATURE, first_temperature
from dsct_gym.generator import Scenario
from dsct_gym.list_schedule import assign
from dsct_gym.relaxation import Relaxation, relax

STREAM = 0xF407

APPROX, ONE, THREE = "approx-refined", "descent, 1 pass", "descent, 3 passes"
POLICY, POLICY_ON = "policy", "policy, then 2 passes of descent"
STARTS = (APPROX, ONE, THREE, POLICY, POLICY_ON)
ALONE, ANY, BY_HAND, LEARNED = "alone", "any", "by hand", "learned"
UNTRAINED: Final = tuple(
    (start, partners) for start in (APPROX, ONE, THREE) for partners in (ALONE, ANY, BY_HAND)
)
"""Ways without anything learned: starts, and with whom a walk from there swaps tasks."""
TRAINED: Final = (
    (POLICY, ALONE),
    (POLICY_ON, ALONE),
    (POLICY, ANY),
    (POLICY_ON, ANY),
    *((start, LEARNED) for start in STARTS),
)
"""Ways with something learned: the policy, the partners or both."""
REPEATS = 3  # of a start, for its median time
TEMPERATURES = 25  # of one cooling
PILOT = 100  # proposals that measure the pace


@dataclass(frozen=True)
class Case:
    """Instances of one size.

    Attributes:
        n: Number of tasks.
        m: Number of machines.
        count: Number of instances.
        seeds: Number of seeds of the walks and of the training of their partners.
        times: Time limits, in multiples of what the policy's pass takes.
        reference: Proposals of the run that looks for the best, a task.
    """

    n: int
    m: int
    count: int
    seeds: int
    times: tuple[float, ...]
    reference: int

    @property
    def label(self) -> str:
        """The size as tables show it."""
        return f"{self.n:,} × {self.m}"


PASSES = (1.0, 2.0, 5.0, 10.0)
CASES = (
    Case(50, 5, 64, 3, PASSES, 5_000),
    Case(200, 5, 64, 3, PASSES, 2_000),
    Case(1_000, 20, 8, 3, PASSES, 400),
    Case(5_000, 20, 2, 1, PASSES, 100),
)
QUICK = (Case(50, 5, 4, 1, (1.0, 5.0), 1_000), Case(1_000, 20, 2, 1, (1.0, 5.0), 50))


@dataclass(frozen=True)
class Run:
    """One run on one instance.

    Attributes:
        n: Number of tasks.
        m: Number of machines.
        index: Number of the instance.
        start: Where the walk begins; "best" and "bound" stand for the best of all runs, a longer
            one among them, and the fractional bound.
        partners: With whom it swaps tasks; `ALONE` without a walk.
        passes: Limit of the time, in multiples of the policy's pass; 0 without a walk.
        seed: Of the walk, and of the training of the partners.
        seconds: CPU seconds of all of it.
        moves: Proposals.
        accuracy: Mean accuracy.
    """

    n: int
    m: int
    index: int
    start: str
    partners: str
    passes: float
    seed: int
    seconds: float
    moves: int
    accuracy: float


class Start(NamedTuple):
    """An assignment, in the order of the instance, and what it took to find, CPU seconds."""

    machine_of: Ints
    seconds: float


class Learned(NamedTuple):
    """What was learned.

    Attributes:
        network: The policy that ships.
        weights: Weights of the partners, one for each seed of their training.
    """

    network: Network
    weights: Sequence[Floats]


def draw(n: int, m: int, index: int) -> Instance:
    scenario = Scenario(n=n, m=m, mu=(1.0, 20.0), rho=(0.2, 1.0), beta=(0.1, 1.0))
    return scenario.sample(np.random.default_rng((STREAM, n, m, index, 1)))


def play(instance: Instance, network: Network, passes: int) -> Ints:
    """The policy's pass, then some of descent."""
    decoder = Decoder(network, instance, relax(instance))
    decoder.play_greedily()
    decoder.descend(passes)
    return decoder.machine_of


def descend(instance: Instance, passes: int) -> Ints:
    """Passes of descent, none for approx-refined."""
    relaxation = relax(instance)
    if passes == 0:
        return assign(instance, relaxation)
    return descended(instance, relaxation, passes=passes).machine_of


def find_starts(instance: Instance, network: Network) -> dict[str, Start]:
    """Every start with its median time."""
    ways: Mapping[str, Callable[[], Ints]] = {
        APPROX: partial(descend, instance, 0),
        ONE: partial(descend, instance, 1),
        THREE: partial(descend, instance, 3),
        POLICY: partial(play, instance, network, 0),
        POLICY_ON: partial(play, instance, network, 2),
    }
    found: dict[str, list[Start]] = {name: [] for name in ways}
    for _ in range(REPEATS):
        for name, way in ways.items():
            began = time.thread_time()
            machine_of = way()
            found[name].append(Start(machine_of, time.thread_time() - began))
    return {
        name: Start(repeats[0].machine_of, float(np.median([repeat.seconds for repeat in repeats])))
        for name, repeats in found.items()
    }


def partners_of(
    name: str, instance: Instance, relaxation: Relaxation, weights: Floats
) -> Ints | None:
    """Lists of partners of a kind."""
    if name == ANY:
        return None
    if name == BY_HAND:
        return list_by_hand(instance, relaxation)
    return list_partners(instance, relaxation, weights)


def walk(
    instance: Instance,
    relaxation: Relaxation,
    start: Start,
    partners: str,
    weights: Floats,
    seed: int,
    seconds: float,
) -> tuple[float, float, int]:
    """Walks once, from hot to cold.

    Args:
        instance: The problem.
        relaxation: Its relaxation, whose time is in that of the start.
        start: Where to begin; its time counts.
        partners: With whom to swap; making the lists counts.
        weights: Of learned partners.
        seed: Of the walk.
        seconds: CPU seconds that there are, those of the start included.

    Returns:
        Total accuracy, CPU seconds and proposals.
    """
    began = time.thread_time() - start.seconds
    lists = partners_of(partners, instance, relaxation, weights)
    search = Search(instance, start.machine_of, seed, lists)
    loss = search.typical_loss()
    here = time.thread_time()
    search.step(LAST_TEMPERATURE * loss, PILOT)
    hot = first_temperature(
        pace(search, here) * max(0.0, began + seconds - here), instance.num_tasks
    )
    while True:
        now = time.thread_time()
        progress = (now - here) / max(1e-9, began + seconds - here)
        if progress >= 1.0 - 0.5 / TEMPERATURES:
            return search.best_total, now - began, search.tally.proposed
        count = int(pace(search, here) * (began + seconds - here) / TEMPERATURES)
        search.step(hot * (LAST_TEMPERATURE / hot) ** progress * loss, max(1, count))


def pace(search: Search, since: float) -> float:
    """Proposals a CPU second."""
    return search.tally.proposed / max(1e-9, time.thread_time() - since)


def measure(case: Case, learned: Learned, index: int) -> list[Run]:
    """All runs on one instance."""
    n = case.n
    instance = draw(n, case.m, index)
    relaxation = relax(instance)
    starts = find_starts(instance, learned.network)
    runs = [
        Run(n, case.m, index, name, ALONE, 0.0, 0, start.seconds, 0, total / n)
        for name, start in starts.items()
        for total in (allocate(instance, start.machine_of).total_accuracy,)
    ]
    for passes in case.times:
        for seed, weights in enumerate(learned.weights[: case.seeds]):
            for name, partners in dict.fromkeys((*UNTRAINED, *TRAINED)):
                seconds, start = passes * starts[POLICY].seconds, starts[name]
                if partners == ALONE or seconds <= 1.1 * start.seconds:
                    continue
                total, spent, moves = walk(
                    instance, relaxation, start, partners, weights, seed, seconds
                )
                runs.append(
                    Run(n, case.m, index, name, partners, passes, seed, spent, moves, total / n)
                )
    best = Annealing(case.reference * n).solve(instance, seed=9).schedule.total_accuracy / n
    best = max(best, *(run.accuracy for run in runs))
    runs.append(Run(n, case.m, index, "best", ALONE, 0.0, 0, 0.0, 0, best))
    runs.append(Run(n, case.m, index, "bound", ALONE, 0.0, 0, 0.0, 0, relaxation.bound / n))
    return runs
