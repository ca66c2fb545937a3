"""How well power is predicted: by random tenths, and by leaving networks or applications out.

python benchmarks/serving/predict.py           # tables of docs/serving.md, some minutes
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import NamedTuple

import numpy as np
from extracts import kernels

from dsct_gym.arrays import Floats, Ints
from dsct_gym.serving.counters import Counter, Samples, measure
from dsct_gym.serving.gpu import gpu
from dsct_gym.serving.learners import (
    LEARNERS,
    Quality,
    cross_validate,
    make_learner,
    quality,
    random_parts,
)
from dsct_gym.serving.networks import networks
from dsct_gym.serving.prediction import Predictor, fit


class Physical:
    """The form that schedulers use, with the manners of scikit-learn."""

    predictor: Predictor

    def fit(self, counters: Floats, power: Floats) -> Physical:
        """Fits the form."""
        self.predictor = fit(Samples(counters, power, np.zeros(power.size, dtype=np.int64)))
        return self

    def predict(self, counters: Floats) -> Floats:
        """Powers, W."""
        return self.predictor.predict(counters)


class Data(NamedTuple):
    """Rows to predict."""

    title: str
    counters: Floats
    power: Floats
    groups: Ints


def modelled(card: str) -> Data:
    """Layers of the five networks, as a campaign on a modelled card gives them."""
    samples = measure(gpu(card), networks())
    return Data(f"{card} as modelled, networks", *samples)


def measured(title: str, name: str) -> Data:
    """Applications that were measured, with counters as published."""
    found = kernels(name)
    every = np.stack([*found.counters.values()], axis=-1)
    rows = []
    for group, power in enumerate(found.power):
        at = np.isfinite(power) & (found.clocks > 600.0)
        clock = found.clocks[at, None] / 1e3
        seen = np.hstack([clock, np.repeat(every[group][None], at.sum(), axis=0)])
        rows.append((seen, power[at], np.full(at.sum(), group)))
    return Data(title, *(np.concatenate(column) for column in zip(*rows, strict=True)))


def main() -> None:
    """Prints one table for each set of rows."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for card in ("V100", "M40"):
        tell(modelled(card))
    tell(measured("V100 PCIe, 24 applications as measured", "v100_pcie_applications"))
    tell(measured("GM200, 35 applications as measured", "gm200_applications"))


def tell(data: Data) -> None:
    """A table of all learners."""
    print(f"\n{data.title}: {data.power.size} rows, {np.unique(data.groups).size} groups\n")
    print("| learner | R² random | RMSE | MAPE | R² left out | RMSE | MAPE |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    learners = {name: partial(make_learner, name) for name in LEARNERS}
    if data.counters.shape[1] == len(Counter) and "modelled" in data.title:
        learners["physical"] = Physical
    for name, learner in learners.items():
        found = [
            quality(data.power, cross_validate(learner, data.counters, data.power, parts))
            for parts in (random_parts(data.power.size), data.groups)
        ]
        print(f"| {name} | {_cells(found[0])} | {_cells(found[1])} |", flush=True)


def _cells(found: Quality) -> str:
    return f"{found.r2:.3f} | {found.rmse:.1f} W | {found.mape:.1%}"


if __name__ == "__main__":
    main()
