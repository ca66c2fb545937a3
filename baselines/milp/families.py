"""What is known of the solvers behind Pyomo: how each is told its limits, and what it misses."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from dsct_gym.baselines.milp.backend import Limits

Options = dict[str, float | str]


@dataclass(frozen=True)
class Family:
    """One solver, whatever Pyomo's interface to it.

    Attributes:
        options: Its options for given limits. The gap is absolute, so that an end within the gap
            says how far the bound can be from the solution. The time is among them where some
            interface ignores Pyomo's own limit.
        misses: What it calls optimal may be worse than the best by so much beyond the gap,
            in units of the model.
        whole_seconds: Whether it counts time in whole seconds.
    """

    options: Callable[[Limits], Options]
    misses: float = 0.0
    whole_seconds: bool = False


def find_family(name: str) -> Family | None:
    """The family that one of Pyomo's solver names belongs to; None for solvers not known here."""
    parts = re.split(r"[_.]", name)
    return next((family for key, family in _FAMILIES.items() if key in parts), None)


def _until(option: str, at: Limits) -> Options:
    return {option: max(at.seconds, 0.01)} if math.isfinite(at.seconds) else {}


def _cbc(at: Limits) -> Options:
    return {
        "ratioGap": 0.0,
        "allowableGap": at.gap,
        "increment": 1e-9,  # otherwise it passes over what is better by less than 1e-5
        "threads": at.threads,
        "randomCbcSeed": at.seed % 2**31,
        # The default ("sos") adds columns, and CBC 2.10 dies on the names of those in a start.
        "preprocess": "on",
    }


def _cplex(at: Limits) -> Options:
    return {
        "mip_tolerances_mipgap": 0.0,
        "mip_tolerances_absmipgap": at.gap,
        "threads": at.threads,
        "randomseed": at.seed % 2**31,
        **_until("timelimit", at),
    }


def _glpk(at: Limits) -> Options:
    return {"mipgap": 0.0, "seed": at.seed % 2**31}


def _gurobi(at: Limits) -> Options:
    return {
        "MIPGap": 0.0,
        "MIPGapAbs": at.gap,
        "Threads": at.threads,
        "Seed": at.seed % 2_000_000_000,
        **_until("TimeLimit", at),
    }


def _highs(at: Limits) -> Options:
    return {
        "mip_rel_gap": 0.0,
        "mip_abs_gap": at.gap,
        "threads": at.threads,
        "random_seed": at.seed % 2**31,
    }


def _scip(at: Limits) -> Options:
    return {
        "limits/gap": 0.0,
        "limits/absgap": at.gap,
        "randomization/randomseedshift": at.seed % 2**31,
    }


def _xpress(at: Limits) -> Options:
    return {
        "miprelstop": 0.0,
        "mipabsstop": at.gap,
        "threads": at.threads,
        "randomseed": at.seed % 2**31,
        **_until("timelimit", at),
    }


_FAMILIES = {
    "cbc": Family(_cbc),
    "cplex": Family(_cplex),
    # GLPK prunes what is not better by its tol_obj, 1e-7 of the objective.
    "glpk": Family(_glpk, misses=1e-5, whole_seconds=True),
    "gurobi": Family(_gurobi),
    "highs": Family(_highs),
    "scip": Family(_scip),
    "xpress": Family(_xpress),
}
