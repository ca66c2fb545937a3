"""A table of few numbers in closed form, for tests and for compiling ahead of use."""

from __future__ import annotations

import numpy as np

from dsct_gym.serving.table import Table


def affine_table(
    *,
    per_request: float = 1e-3,
    per_batch: float = 2e-3,
    largest_batch: int = 16,
    clocks: tuple[float, ...] = (600.0, 800.0, 1000.0, 1200.0, 1400.0),
    compute: tuple[float, ...] = (1.0,),
    knee: float = 1100.0,
) -> Table:
    """A GPU whose batch of b takes ``per_request b + per_batch`` at the highest clock.

    A part of each unit's time shrinks with the clock; the voltage is flat up to a knee. Power is
    ``40 + 100 f V²`` W with f in GHz, idle ``30 + 10 f V²``.

    Args:
        per_request: s.
        per_batch: s.
        largest_batch: S.
        clocks: MHz, ascending.
        compute: Share of the time of each unit that is in inverse proportion to the clock; the
            units take equal times at the highest clock.
        knee: Where the voltage starts to rise, MHz.
    """
    clock = np.array(clocks)
    batches = np.arange(1, largest_batch + 1)
    share = np.array(compute)[:, None, None]
    whole = (per_request * batches + per_batch)[None, :, None] / share.shape[0]
    time = whole * (share * clock[-1] / clock + (1.0 - share))
    voltage = 1.0 + 0.4e-3 * np.maximum(0.0, clock - knee)
    dynamic = 1e-3 * clock * voltage**2
    power = np.broadcast_to(40.0 + 100.0 * dynamic * (0.4 + 0.6 * share), time.shape).copy()
    return Table(clock, batches, time, power, 30.0 + 10.0 * dynamic)
