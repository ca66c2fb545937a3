"""Power as a scheduler predicts it, of networks that were never measured.

The form is that of `dsct_gym.serving.power`, but every coefficient, the knee among them, is fitted
to noisy measurements of other networks on the same card, by non-negative least squares on relative
errors. What a kernel draws beyond what counters tell stays unknown. Other learners and how well
they do: `dsct_gym.serving.learners`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from dsct_gym.arguments import as_integer
from dsct_gym.arrays import Floats
from dsct_gym.serving.counters import Counter, Samples, counters_of, measure, measured_idle
from dsct_gym.serving.gpu import Gpu
from dsct_gym.serving.network import Network, Units
from dsct_gym.serving.networks import networks
from dsct_gym.serving.profile import (
    LARGEST_BATCH,
    capped,
    check_clocks,
    choices,
    combine,
    with_clocks,
)
from dsct_gym.serving.table import Table
from dsct_gym.serving.time import load_of

KNEES: Final = np.arange(0.55, 1.0, 0.025)
"""Knees tried, as shares of the highest clock."""
RISES: Final = np.arange(0.0, 1.45, 0.1)
"""Rises of the voltage tried, for each GHz."""


class Predictor(NamedTuple):
    """A fitted form.

    Attributes:
        knee: GHz.
        rise: For each GHz above it.
        weights: W and W/GHz of the columns that `_columns` builds (6,).
    """

    knee: float
    rise: float
    weights: Floats

    def predict(self, counters: Floats) -> Floats:
        """Powers, W (...,), of layers by their counters (..., 9)."""
        return np.asarray(_columns(counters, self.knee, self.rise) @ self.weights)


def fit(samples: Samples) -> Predictor:
    """The form that fits measured powers best, over a grid of knees and rises."""
    highest = samples.counters[:, Counter.CLOCK].max()
    tried = [
        _fit_weights(samples, share * highest, rise) for share in KNEES for rise in RISES.tolist()
    ]
    return min(tried, key=lambda pair: pair[1])[0]


def predicted_table(
    gpu: Gpu,
    network: Network,
    largest_batch: int,
    clocks: npt.ArrayLike | None = None,
    units: Units = "units",
) -> Table:
    """What a scheduler believes that a network costs: as `table_of`, power and cap predicted.

    Times are those of the table of truth: they are measured easily, layer by layer.

    Args:
        gpu: The card that was measured.
        network: The network; those measured are all others.
        largest_batch: Every batch up to this size is told.
        clocks: Clocks, MHz, ascending; those of `choices` by default.
        units: What has a clock of its own.

    Raises:
        InputError: If a clock or the batch is out of range.
    """
    batches = np.arange(1, as_integer(largest_batch, "batch", 1, LARGEST_BATCH) + 1)
    chosen = choices(gpu) if clocks is None else check_clocks(gpu, clocks)
    card, predictor = with_clocks(gpu, chosen), predictor_without(gpu, network.name)
    power = predictor.predict(counters_of(card, network, batches, card.clocks))
    time = load_of(card, network.layers, batches.astype(np.float64), card.clocks).time
    believed = capped(card, batches, chosen, combine(network, units, time, power))
    idle = np.zeros((chosen.size, len(Counter)))
    idle[:, Counter.CLOCK] = chosen / 1e3
    return believed._replace(idle_power=predictor.predict(idle))


@lru_cache(maxsize=64)
def predictor_without(gpu: Gpu, name: str) -> Predictor:
    """The predictor that is fitted to all networks but the one of that name."""
    measured = measure(gpu, [served for served in networks() if served.name != name])
    pairs = zip(measured, measured_idle(gpu), strict=True)
    return fit(Samples(*(np.concatenate(pair) for pair in pairs)))


def _fit_weights(samples: Samples, knee: float, rise: float) -> tuple[Predictor, float]:
    """The weights for one voltage, and what is left of the relative errors."""
    columns = _columns(samples.counters, knee, rise) / samples.power[:, None]
    # Seven rows with the same products stand for thousands: the squares are the same.
    both = np.column_stack([columns, np.ones(len(columns))])
    values, vectors = np.linalg.eigh(both.T @ both)
    root = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    weights, left = nnls(root[:, :-1], root[:, -1])
    return Predictor(float(knee), float(rise), weights), float(left)


def _columns(counters: Floats, knee: float, rise: float) -> Floats:
    """What power is a sum of: constant, voltage, pace alone, active, compute; memory (..., 6)."""
    clock = counters[..., Counter.CLOCK]
    volts = 1.0 + rise * np.maximum(0.0, clock - knee)
    pace = clock * volts**2
    columns = (
        np.ones_like(clock),
        volts,
        pace,
        pace * counters[..., Counter.ACTIVE],
        pace * counters[..., Counter.COMPUTE],
        counters[..., Counter.MEMORY],
    )
    return np.stack(columns, axis=-1)
