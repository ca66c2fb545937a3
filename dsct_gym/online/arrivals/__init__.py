"""When tasks arrive: steadily, in bursts, by the hour, or as it was recorded.

A process draws moments in units of a horizon, and how many there are (`ArrivalProcess`).
`make_arrivals` finds one by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from dsct_gym.errors import InputError, instead_of
from dsct_gym.online.arrivals.diurnal import Diurnal
from dsct_gym.online.arrivals.markov import MarkovModulated, bursty
from dsct_gym.online.arrivals.poisson import Poisson
from dsct_gym.online.arrivals.process import ArrivalProcess
from dsct_gym.online.arrivals.reading import read_trace
from dsct_gym.online.arrivals.replay import Replay
from dsct_gym.online.arrivals.shipped import TRACES, shipped_trace
from dsct_gym.online.arrivals.windows import Windows
from dsct_gym.solver import check_options

__all__ = [
    "PROCESSES",
    "ArrivalProcess",
    "Diurnal",
    "MarkovModulated",
    "Poisson",
    "Replay",
    "Windows",
    "bursty",
    "make_arrivals",
    "read_trace",
    "shipped_trace",
]

PROCESSES: Final[Mapping[str, Callable[..., ArrivalProcess]]] = {
    "poisson": Poisson,
    "bursty": bursty,
    "diurnal": Diurnal,
    **{name: partial(shipped_trace, name) for name in TRACES},
}
"""What makes a process, by name."""

_FILES: Final = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz")


def make_arrivals(name: str, /, **options: Any) -> ArrivalProcess:
    """Makes a process of arrivals.

    Args:
        name: One of `PROCESSES`, or a file of a trace: CSV or lines of JSON (`read_trace`).
        **options: Of the process.

    Raises:
        InputError: If there is no such process, it has no such option, or one is out of range.
    """
    make = partial(read_trace, name) if name.endswith(_FILES) else PROCESSES.get(name)
    if make is None:
        others = instead_of(name, PROCESSES)
        raise InputError(f"arrivals: no process {name!r}, nor a .csv or .jsonl file; {others}")
    check_options(f"arrivals {name!r}", make, options)
    return make(**options)
