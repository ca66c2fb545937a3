"""Tunes the four numbers of `price`, one set for each kind of arrivals.

Run by ``python -m dsct_gym.training.dispatch [-o FILE]``; what ships was made so. Instances are
drawn from the ranges that the suites span, from seeds of their own, and those of traces from the
part that is for training. The numbers are those of the highest mean accuracy found by random
search: draws over wide ranges, then steps around the best so far. Means on instances that were
not tuned on are told beside them.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from dsct_gym.accuracy import evaluate_curves
from dsct_gym.arrays import Floats
from dsct_gym.atomic import write_bytes
from dsct_gym.baselines.dispatch.price import Parameter, Price
from dsct_gym.online import OnlineInstance
from dsct_gym.online.arrivals.shipped import NEVER_TRAINED_ON, TRACES, TRAINING
from dsct_gym.online.generator import OnlineScenario
from dsct_gym.online.policy import OVER
from dsct_gym.online.simulator import Game
from dsct_gym.random import spawn

SEED: Final = 2024
_SPAN: Final = {"n": (50, 300), "m": (3, 8), "mu": (1.0, 20.0), "rho": (0.2, 1.0), "beta": (0.1, 1)}
_LATENCIES: Final = ((0.15, 0.75), (0.15, 1.5), (0.15, 3.0))
_BURSTS: Final = {"factor": (4.0, 20.0), "share": (0.1, 0.3), "length": (0.02, 0.15)}
_LOW: Final = {"energy": 0.1, "correction": 0.5, "queue": 0.05, "shape": 0.1}
_HIGH: Final = {"energy": 5.0, "correction": 30.0, "queue": 20.0, "shape": 4.0}
_STEP: Final = 0.3
_ALL: Final = 2**62
"""Decisions of a whole game, and more."""
"""Standard deviation of a step, in logarithms."""


def poisson(rng: np.random.Generator) -> dict[str, Any]:
    """Arrivals at a steady rate."""
    return {"name": "poisson"}


def bursty(rng: np.random.Generator) -> dict[str, Any]:
    """Arrivals in bursts."""
    return {"name": "bursty", **{key: rng.uniform(*ends) for key, ends in _BURSTS.items()}}


def trace(rng: np.random.Generator) -> dict[str, Any]:
    """Arrivals as in the part of a trace that is for training."""
    names = [name for name in TRACES if name != NEVER_TRAINED_ON]
    return {"name": names[int(rng.random() * len(names))], **TRAINING}


KINDS: Final[dict[str, tuple[Callable[[np.random.Generator], dict[str, Any]], ...]]] = {
    "any": (poisson, bursty, trace),
    "poisson": (poisson,),
    "bursty": (bursty,),
    "trace": (trace,),
}
"""The kinds of arrivals that there are numbers for."""


def draw(kind: str, count: int, part: int) -> list[OnlineInstance]:
    """Instances of a kind; those of another part are others."""
    drawn = []
    for index in range(count):
        rng = spawn(SEED, part, index)
        arrivals = KINDS[kind][index % len(KINDS[kind])](rng)
        tolerance = _LATENCIES[int(rng.random() * len(_LATENCIES))]
        scenario = OnlineScenario.of(arrivals=arrivals, tolerance=tolerance, **_SPAN)
        drawn.append(scenario.sample(rng))
    return drawn


def mean_accuracy(numbers: Floats, instances: Sequence[OnlineInstance]) -> float:
    """What `price` reaches with some numbers, on average over instances."""
    rule, reached = Price(), []
    for instance in instances:
        game = Game.of(instance, rule.levels)
        memory = np.zeros(rule.memory(game.speed.size))
        assert Price.play(game, memory, numbers, _ALL) == OVER
        reached.append(evaluate_curves(game.coming.reach, game.coming.value, game.work).mean())
    return math.fsum(reached) / len(reached)


def tune(instances: Sequence[OnlineInstance], draws: int, seed: int) -> Floats:
    """The best numbers found, by `Parameter` (4,).

    Args:
        instances: What to tune on.
        draws: How many are drawn, and how many steps are taken after.
        seed: Of the search.
    """
    rng = spawn(SEED, 2, seed)
    names = [place.name.lower() for place in Parameter]
    low, high = (np.log([ends[name] for name in names]) for ends in (_LOW, _HIGH))
    best, reached = np.exp((low + high) / 2.0), -1.0
    for trial in range(2 * draws):
        if trial < draws:
            numbers = np.exp(low + (high - low) * rng.random(low.size))
        else:
            numbers = best * np.exp(_STEP * rng.standard_normal(low.size))
        found = mean_accuracy(numbers, instances)
        if found > reached:
            best, reached = numbers, found
    return np.asarray(np.round(best, 3), dtype=np.float64)


def main(arguments: Sequence[str] | None = None) -> None:
    """Tunes for every kind, and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=48, help="instances to tune on (48)")
    parser.add_argument("--draws", type=int, default=200, help="draws, and as many steps (200)")
    parser.add_argument("-o", "--output", type=Path, default=Path("price.json"))
    given = parser.parse_args(arguments)
    kinds = {}
    for seed, kind in enumerate(KINDS):
        instances = draw(kind, given.instances, 0)
        numbers = tune(instances, given.draws, seed)
        kinds[kind] = {
            **{place.name.lower(): float(numbers[place]) for place in Parameter},
            "tuned_on": round(mean_accuracy(numbers, instances), 5),
            "held_out": round(mean_accuracy(numbers, draw(kind, given.instances, 1)), 5),
        }
    told = {
        "how": f"python -m dsct_gym.training.dispatch --instances {given.instances}"
        f" --draws {given.draws}",
        "kinds": kinds,
    }
    write_bytes(given.output, (json.dumps(told, indent=2) + "\n").encode())


if __name__ == "__main__":
    main()
