"""The papers' experiments: each a figure and a table, with the claims beside what was measured.

Sources: Barros et al., ICPP 2024, doi 10.1145/3673038.3673106 (DSCT-EA, only its abstract was at
hand), and the parent problem without an energy limit, hal-04566780 and hal-04497548 (DSCT);
soft deadlines after Kang and Youn, ICTC 2019, doi 10.1109/ICTC46691.2019.8939901 (abstract only).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from dsct_gym.benchmark.reproduce.experiment import Experiment

EXPERIMENTS: Final = {
    "gap-by-mu": "gap",
    "runtime": "runtime",
    "accuracy-by-rho": "deadlines",
    "accuracy-by-energy": "energy",
    "serving": "serving",
    "timeliness": "timeliness",
}
"""Module of each experiment, by the name of its figure."""


def find_experiment(name: str) -> Experiment:
    """The experiment of that name.

    Raises:
        InputError: If there is none.
    """
    if name not in EXPERIMENTS:
        raise InputError(f"FIGURE: no figure {name!r}; there are {', '.join(EXPERIMENTS)}")
    found: Experiment = import_module(f"{__name__}.{EXPERIMENTS[name]}").EXPERIMENT
    return found
