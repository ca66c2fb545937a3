"""Learns which swaps gain: logistic regression on swaps along walks.

    python -m dsct_gym.training.partners -o FILE [--instances 24] [--seed 0]

Walks cool on instances like those of the policy's training. At each of their last forty
temperatures random swaps are valued exactly: 6,000 a walk, each with its traits and whether it
gains. The weights have the maximum likelihood, with a small ridge; `dsct_gym.agents.partners` tells
what becomes of them. The same seed gives the same weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import minimize

from dsct_gym.agents.partners import PartnerFile, Tasks, Trait, traits_of
from dsct_gym.arrays import Bools, Floats
from dsct_gym.atomic import write_text
from dsct_gym.baselines.local_search import Search
from dsct_gym.instance import Instance
from dsct_gym.list_schedule import assign
from dsct_gym.relaxation import relax
from dsct_gym.training.config import Distribution

SIZES: Final = ((50, 5), (100, 10), (200, 5))
STREAM: Final = 0x5A9
"""Marks the random numbers of the instances; nothing else draws from them."""

_MOVES = 200  # of a walk, for each task
_HOT, _COLD, _STEPS = 0.06, 0.003, 50  # temperatures, in units of a typical loss
_EARLY = 10  # of these, at which nothing is learnt yet
_SWAPS = 150  # valued at each of the others
_RIDGE = 1e-6


class Swaps(NamedTuple):
    """Swaps that were valued.

    Attributes:
        traits: Their traits (k, 9).
        gains: Whether they gained (k,).
    """

    traits: Floats
    gains: Bools


def watch_walk(instance: Instance, generator: np.random.Generator) -> Swaps:
    """Values random swaps along a walk that cools."""
    n = instance.num_tasks
    relaxation = relax(instance)
    search = Search(instance, assign(instance, relaxation), int(generator.integers(2**31)))
    tasks, loss = Tasks.of(instance, relaxation), search.typical_loss()
    traits, gains = [], []
    for step, temperature in enumerate(loss * np.geomspace(_HOT, _COLD, _STEPS)):
        search.step(temperature, _MOVES * n // _STEPS)
        if step < _EARLY:
            continue
        one, other = generator.integers(n, size=(2, _SWAPS))
        gained = search.swap_gains(one, other)
        valued = ~np.isnan(gained)
        traits.append(traits_of(tasks, one[valued], other[valued]))
        gains.append(gained[valued] > 1e-9 * search.best_total)
    return Swaps(traits=np.concatenate(traits), gains=np.concatenate(gains))


def fit(swaps: Swaps) -> Floats:
    """Weights of the traits (9,) by logistic regression with an intercept."""
    scale = swaps.traits.std(axis=0)
    inputs = np.column_stack([swaps.traits / scale, np.ones(swaps.gains.size)])
    signs = np.where(swaps.gains, 1.0, -1.0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        margins = signs * (inputs @ weights)
        slopes = -signs / (1.0 + np.exp(margins))
        gradient = inputs.T @ slopes / signs.size + 2.0 * _RIDGE * weights
        value = np.logaddexp(0.0, -margins).mean() + _RIDGE * weights @ weights
        return float(value), gradient

    found = minimize(loss, np.zeros(len(Trait) + 1), jac=True, method="L-BFGS-B")
    weights: Floats = found.x[:-1] / scale
    return weights


def train_partners(instances: int = 24, seed: int = 0) -> Floats:
    """Weights of the traits (9,) from walks on so many instances of each size."""
    watched = []
    for size, (n, m) in enumerate(SIZES):
        for index in range(instances):
            sequence = np.random.SeedSequence(seed, spawn_key=(STREAM, size, index))
            generator = np.random.default_rng(sequence)
            instance = Distribution().scenario(n, m).sample(generator)
            watched.append(watch_walk(instance, generator))
    return fit(Swaps(*(np.concatenate(part) for part in zip(*watched, strict=True))))


def main() -> None:
    """Trains and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--instances", type=int, default=24, help="of each size (24)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    weights = train_partners(args.instances, args.seed)
    told = {"seed": args.seed, "instances": args.instances, "sizes": [list(size) for size in SIZES]}
    file = PartnerFile(weights=[float(f"{weight:.6g}") for weight in weights], training=told)
    write_text(args.output, file.model_dump_json(indent=2) + "\n")


if __name__ == "__main__":
    main()
