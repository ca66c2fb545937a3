"""The runs: instances, the policy's pass, annealing that is bounded by time or by moves."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np

from dsct_gym import Instance
from dsct_gym.agents.decoding import COLD, WARM, Decoder
from dsct_gym.agents.network import Network
from dsct_gym.allocation import allocate
from dsct_gym.arrays import Ints
from dsct_gym.baselines.annealing import LAST_TEMPERATURE, Annealing, first_temperature
from dsct_gym.baselines.greedy import Greedy
from dsct_gym.baselines.local_search import Search
from dsct_gym.generator import Scenario
from dsct_gym.list_schedule import assign
from dsct_gym.relaxation import relax

STREAM = 0xF407

POLICY, APPROX, GREEDY = "policy", "approx-refined", "greedy"
CLASSICAL = (APPROX, GREEDY)
SCHEDULES = {
    "standard": (math.nan, LAST_TEMPERATURE),  # that of `annealing`: the longer, the hotter
    "cold": (WARM, COLD),  # that of `rl`
    "colder": (0.003, 0.001),
}
"""First and last temperature, in units of the median loss of sampled changes."""
COMBINATIONS = (*product((POLICY, APPROX), SCHEDULES), (GREEDY, "standard"), (GREEDY, "colder"))
"""What anneals: starts and schedules. `greedy`, behind where moves are few, gets two."""
REPEATS = 3  # of what takes milliseconds, for its median time
TEMPERATURES = 25  # of one cooling
PILOT = 100  # proposals that measure the pace


@dataclass(frozen=True)
class Case:
    """Instances of one size.

    Attributes:
        n: Number of tasks.
        m: Number of machines.
        count: Number of instances.
        seeds: Number of seeds of each annealing run.
        times: Time limits, in multiples of what the policy takes.
        moves: Limits of the proposals, a task.
        reference: Proposals of each of the two runs that look for the best, a task.
    """

    n: int
    m: int
    count: int
    seeds: int
    times: tuple[float, ...]
    moves: tuple[int, ...]
    reference: int

    @property
    def label(self) -> str:
        """The size as tables show it."""
        return f"{self.n:,} × {self.m}"


EARLY = (0.25, 0.5)  # before the policy is through
CASES = (
    Case(50, 5, 16, 3, (*EARLY, 1.0, 2.0, 4.0, 16.0, 64.0), (10, 100, 1_000), 20_000),
    Case(200, 5, 16, 1, (*EARLY, 1.0, 2.0, 4.0, 16.0, 64.0), (10, 100, 1_000), 5_000),
    Case(1_000, 20, 8, 1, (*EARLY, 1.0, 2.0, 4.0, 16.0), (10, 100), 1_000),
    Case(5_000, 20, 4, 1, (*EARLY, 1.0, 2.0, 4.0, 8.0), (10, 30), 200),
)
QUICK = (
    Case(50, 5, 4, 1, (0.5, 1.0, 4.0), (10,), 1_000),
    Case(1_000, 20, 2, 1, (0.5, 1.0, 2.0), (10,), 50),
)


@dataclass(frozen=True)
class Run:
    """One run on one instance.

    Attributes:
        n: Number of tasks.
        m: Number of machines.
        index: Number of the instance.
        start: Where the annealing begins, or what was run without any; "best" and "bound" stand
            for the best of the reference runs and the fractional bound.
        schedule: How it cools; empty without annealing.
        limit: "times" for a multiple of the policy's time, "moves" for proposals a task.
        amount: Of these; 0 without annealing.
        seed: Of the walk.
        seconds: CPU seconds of all of it; of the policy also of the pass alone, in ``passing``.
        passing: See there; 0 for others.
        moves: Proposals.
        accuracy: Mean accuracy.
    """

    n: int
    m: int
    index: int
    start: str
    schedule: str
    limit: str
    amount: float
    seed: int
    seconds: float
    passing: float
    moves: int
    accuracy: float


class Start(NamedTuple):
    """An assignment, in the order of the instance, and what it took to find, CPU seconds."""

    machine_of: Ints
    seconds: float
    passing: float = 0.0


def draw(n: int, m: int, index: int) -> Instance:
    scenario = Scenario(n=n, m=m, mu=(1.0, 20.0), rho=(0.2, 1.0), beta=(0.1, 1.0))
    return scenario.sample(np.random.default_rng((STREAM, n, m, index, 1)))


def play(network: Network, instance: Instance) -> Start:
    began = time.thread_time()
    decoder = Decoder(network, instance, relax(instance))
    ready = time.thread_time()
    decoder.play_greedily()
    ended = time.thread_time()
    return Start(decoder.machine_of, ended - began, ended - ready)


def list_schedule(instance: Instance) -> Start:
    began = time.thread_time()
    machine_of = assign(instance, relax(instance))
    return Start(machine_of, time.thread_time() - began)


def place_greedily(instance: Instance) -> Start:
    began = time.thread_time()
    schedule = Greedy().solve(instance).schedule
    return Start(np.asarray(schedule.machine), time.thread_time() - began)


def median(starts: Sequence[Start]) -> Start:
    """The same start with its median times."""
    return Start(
        starts[0].machine_of,
        float(np.median([start.seconds for start in starts])),
        float(np.median([start.passing for start in starts])),
    )


def anneal(
    instance: Instance,
    start: Start,
    schedule: str,
    seed: int,
    *,
    seconds: float = math.inf,
    moves: float = math.inf,
) -> tuple[float, float, int]:
    """Anneals once, from hot to cold.

    Args:
        instance: The problem.
        start: Where to begin; its time counts.
        schedule: How to cool.
        seed: Of the walk.
        seconds: CPU seconds that there are, those of the start included.
        moves: Proposals that there are; the other limit is infinite.

    Returns:
        Total accuracy, CPU seconds and proposals.
    """
    began = time.thread_time() - start.seconds
    search = Search(instance, start.machine_of, seed)
    hot, cold = SCHEDULES[schedule]
    loss = search.typical_loss()
    here = time.thread_time()
    all_moves = moves
    if moves == math.inf:
        search.step(cold * loss, PILOT)
        all_moves = pace(search, here) * max(0.0, began + seconds - here)
    if math.isnan(hot):
        hot = first_temperature(all_moves, instance.num_tasks)
    while True:
        now = time.thread_time()
        if moves == math.inf:
            progress = (now - here) / max(1e-9, began + seconds - here)
            count = int(pace(search, here) * (began + seconds - here) / TEMPERATURES)
        else:
            progress = search.tally.proposed / moves
            count = min(int(moves / TEMPERATURES), int(moves) - search.tally.proposed)
        if progress >= 1.0 - 0.5 / TEMPERATURES:
            return search.best_total, now - began, search.tally.proposed
        search.step(hot * (cold / hot) ** progress * loss, max(1, count))


def pace(search: Search, since: float) -> float:
    """Proposals a CPU second."""
    return search.tally.proposed / max(1e-9, time.thread_time() - since)


def measure(case: Case, network: Network, index: int) -> list[Run]:
    """All runs on one instance."""
    n = case.n
    instance = draw(n, case.m, index)
    found: dict[str, list[Start]] = {POLICY: [], APPROX: [], GREEDY: []}
    for _ in range(REPEATS):
        found[POLICY].append(play(network, instance))
        found[APPROX].append(list_schedule(instance))
        found[GREEDY].append(place_greedily(instance))
    starts = {name: median(repeats) for name, repeats in found.items()}
    blank = Run(n, case.m, index, "", "", "", 0.0, 0, 0.0, 0.0, 0, 0.0)
    runs = []
    for name, start in starts.items():
        total = allocate(instance, start.machine_of).total_accuracy
        runs.append(
            replace(
                blank,
                start=name,
                seconds=start.seconds,
                passing=start.passing,
                accuracy=total / n,
            )
        )
    limits = [("times", amount) for amount in case.times]
    limits += [("moves", float(amount)) for amount in case.moves]
    for (limit, amount), seed, (name, schedule) in product(limits, range(case.seeds), COMBINATIONS):
        seconds = amount * starts[POLICY].seconds
        if limit == "times" and (seconds < starts[name].seconds or (name, amount) == (POLICY, 1)):
            continue
        bounded = {"seconds": seconds} if limit == "times" else {"moves": amount * n}
        total, spent, moves = anneal(instance, starts[name], schedule, seed, **bounded)
        runs.append(
            Run(n, case.m, index, name, schedule, limit, amount, seed, spent, 0.0, moves, total / n)
        )
    best = Annealing(case.reference * n).solve(instance, seed=case.seeds)
    other, _, _ = anneal(instance, starts[POLICY], "standard", case.seeds, moves=case.reference * n)
    assert best.upper_bound is not None
    runs.append(replace(blank, start="best", accuracy=max(best.schedule.total_accuracy, other) / n))
    runs.append(replace(blank, start="bound", accuracy=best.upper_bound / n))
    return runs
