"""Streams of requests: one to try rules on, and another to be served."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.errors import InputError
from dsct_gym.online.arrivals import ArrivalProcess, Replay
from dsct_gym.random import spawn

SAMPLE = 20_000
"""Requests of the stream that rules are tried on, at most."""

_TRIED = 0.2
"""Share of a recorded stream that comes first, for trying rules on."""


class Streams(NamedTuple):
    """Arrivals, s, ascending.

    Attributes:
        sample: What agents may know before.
        arrivals: What they serve.
    """

    sample: Floats
    arrivals: Floats


def draw_streams(process: ArrivalProcess, rate: float, requests: int, seed: int) -> Streams:
    """Draws both from a process, each from a stream of random numbers of its own.

    The sample is drawn at the full length too, so that bursts are as long in it, and cut.

    Args:
        process: Of arrivals.
        rate: Mean rate, requests a second.
        requests: How many are expected to be served; how many come is random.
        seed: Of both.

    Raises:
        InputError: If none or one comes, or the process cannot give so many.
    """
    horizon = requests / rate
    found = []
    for key in (1, 0):
        moments = horizon * process.draw(float(requests), spawn(seed, key))
        if moments.size < 2:
            raise InputError("requests: fewer than two came; ask for more")
        found.append(moments)
    return Streams(sample=found[0][:SAMPLE], arrivals=found[1])


def recorded_streams(trace: Replay, requests: int) -> Streams:
    """Splits a recorded stream, at its own pace: the first fifth to try rules on, then the rest.

    Args:
        trace: What was recorded.
        requests: How many of the rest are served at most.

    Raises:
        InputError: If it holds fewer than 20, or one part is a single moment.
    """
    times = trace.times - trace.times[0]
    if times.size < 20:
        raise InputError(f"trace: holds {times.size} requests, needs at least 20")
    split = int(_TRIED * times.size)
    rest = times[split : split + requests] - times[split]
    for part, told in ((times[:split], "first fifth"), (rest, "rest")):
        if part[-1] <= part[0]:
            raise InputError(f"trace: all requests of the {told} come at one moment")
    return Streams(sample=times[:split][:SAMPLE], arrivals=np.asarray(rest))
