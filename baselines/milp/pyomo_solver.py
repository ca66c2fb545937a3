"""The other backend: any MIP solver that Pyomo knows and finds on this machine."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

import pyomo.environ as pyo

from dsct_gym.baselines.milp.backend import Backend, Limits, Outcome, Report
from dsct_gym.baselines.milp.model import Model
from dsct_gym.errors import InputError

_OPTIONS: dict[str, Callable[[Limits], dict[str, float]]] = {
    "cbc": lambda at: {"ratioGap": 0.0, "allowableGap": at.gap, "threads": at.threads},
    "cplex": lambda at: {
        "mip_tolerances_mipgap": 0.0,
        "mip_tolerances_absmipgap": at.gap,
        "threads": at.threads,
    },
    "glpk": lambda at: {"mipgap": 0.0},
    "gurobi": lambda at: {"MIPGap": 0.0, "MIPGapAbs": at.gap, "Threads": at.threads},
    "highs": lambda at: {"mip_rel_gap": 0.0, "mip_abs_gap": at.gap},
    "scip": lambda at: {"limits/gap": 0.0, "limits/absgap": at.gap},
}
"""How each family of solvers is told the gap and the threads; others keep their own defaults."""


def pyomo_backend(name: str) -> Backend:
    """A backend around ``pyomo.environ.SolverFactory(name)``.

    Raises:
        InputError: If Pyomo does not know the solver, it is not installed here, or it cannot
            decide integers.
    """
    if name not in set(pyo.SolverFactory):
        raise InputError(f"solver: Pyomo knows no solver {name!r}")
    if not _is_installed(name):
        raise InputError(f"solver: {name!r} is not installed on this machine")
    capable = getattr(pyo.SolverFactory(name), "has_capability", None)
    if capable is not None and not capable("integer"):
        raise InputError(f"solver: {name!r} cannot decide integers")

    def run(model: Model, limits: Limits, report: Report | None) -> Outcome:
        try:
            results = _solve(name, model, limits)
        except KeyboardInterrupt:
            return Outcome(found=False, bound=None, interrupted=True)
        found = len(results.solution) > 0
        if found:
            model.pyomo.solutions.load_from(results)
        return Outcome(found, _bound(results, limits))

    return run


def _is_installed(name: str) -> bool:
    try:
        return bool(pyo.SolverFactory(name).available(exception_flag=False))
    except Exception:  # some plugins raise whatever their import or licence check raises
        return False


def _solve(name: str, model: Model, limits: Limits) -> Any:
    solver = pyo.SolverFactory(name)
    for family, options in _OPTIONS.items():
        if family in name:
            solver.options.update(options(limits))
    arguments: dict[str, object] = {"load_solutions": False}
    if math.isfinite(limits.seconds):
        arguments["timelimit"] = math.ceil(limits.seconds)
    if _takes_start(solver):
        arguments["warmstart"] = True
    pyomo_logger = logging.getLogger("pyomo")
    level = pyomo_logger.level
    pyomo_logger.setLevel(logging.ERROR)  # a time-out is no warning here
    try:
        return solver.solve(model.pyomo, **arguments)
    finally:
        pyomo_logger.setLevel(level)


def _takes_start(solver: Any) -> bool:
    capable = getattr(solver, "warm_start_capable", None)
    return bool(capable is not None and capable())


def _bound(results: Any, limits: Limits) -> float | None:
    """The reported bound, at least the gap above the objective.

    Solvers that stop within the gap may report the objective itself as the bound.
    """
    reported = _number(results.problem.upper_bound)
    objective = _number(results.problem.lower_bound)
    if reported is None or objective is None:
        return reported
    return max(reported, objective + limits.gap)


def _number(value: object) -> float | None:
    try:
        number = float(getattr(value, "value", value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
