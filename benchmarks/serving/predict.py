"""How well power is predicted: by random tenths, and by leaving networks or applications out.

python benchmarks/serving/predict.py    # some minutes; writes docs/serving/prediction.csv
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from extracts import kernels

from dsct_gym.arrays import Floats, Ints
from dsct_gym.serving.counters import Samples, measure
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
    return Data(f"{card} modelled", *samples)


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


TABLE = Path(__file__).resolve().parents[2] / "docs" / "serving" / "prediction.csv"
COLUMNS = ("rows", "learner", "split", *Quality._fields)


def main() -> None:
    """Writes one line for each set of rows, learner and way to split."""
    TABLE.parent.mkdir(exist_ok=True)
    with TABLE.open("w", newline="\n", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for data in every():
            for name in (*LEARNERS, *(("physical",) if "modelled" in data.title else ())):
                learner = Physical if name == "physical" else partial(make_learner, name)
                for split, parts in (
                    ("random", random_parts(data.power.size)),
                    ("left out", data.groups),
                ):
                    predicted = cross_validate(learner, data.counters, data.power, parts)
                    found = [f"{each:.4g}" for each in quality(data.power, predicted)]
                    writer.writerow((data.title, name, split, *found))
                    print(data.title, name, split, *found, flush=True)


def every() -> Iterator[Data]:
    """All sets of rows."""
    yield modelled("V100")
    yield modelled("M40")
    yield measured("V100 PCIe measured", "v100_pcie_applications")
    yield measured("GM200 measured", "gm200_applications")


if __name__ == "__main__":
    main()
