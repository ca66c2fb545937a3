"""The other backend: any MIP solver that Pyomo knows and finds on this machine.

The solver is given a minimisation, whatever it prefers: several of these programs mix up the signs
of a maximisation in what they print, in the bounds that they report or even in the start that they
are given, and all agree on what the lower bound of a minimum is.
"""

from __future__ import annotations

import contextlib
import logging
import math
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import highspy
import pyomo.environ as pyo
from pyomo.common.tempfiles import TempfileManager
from pyomo.opt import SolverStatus, TerminationCondition
from pyomo.opt.solver import SystemCallSolver
from pyomo.solvers.plugins.solvers.persistent_solver import PersistentSolver

from dsct_gym.baselines.milp.backend import Backend, Limits, Outcome, Report
from dsct_gym.baselines.milp.families import Family, find_family
from dsct_gym.baselines.milp.model import Programme
from dsct_gym.errors import InputError
from dsct_gym.streams import stdout_to_stderr

_PRINTED = 5e-6
"""Relative error of a bound read from a log, which may have six digits."""

_SAME = 1e-6
"""Relative difference of the objective that a solver reports and that of its solution."""

_INSTEAD = {"scip": "scip_direct", "cplex": "cplex_direct"}
"""The Python library of a solver, for where its executable is not installed."""

_STOPPED = frozenset(
    {
        TerminationCondition.maxTimeLimit,
        TerminationCondition.maxIterations,
        TerminationCondition.maxEvaluations,
        TerminationCondition.resourceInterrupt,
        TerminationCondition.userInterrupt,
    }
)
"""Ends of a run whose bound holds as far as it got."""

_WITHOUT_PROOF = frozenset({TerminationCondition.feasible, TerminationCondition.other})
"""Ends of a run that say nothing of a bound, but are no failures either."""

_one_at_a_time = threading.Lock()
"""Pyomo's temporary files, its loggers and its capture of output belong to the whole process: two
threads that use it at once wait for each other for ever."""


def pyomo_backend(name: str) -> Backend:
    """A backend around ``pyomo.environ.SolverFactory(name)``.

    Runs in several threads take turns, within their time limits.

    Raises:
        InputError: If Pyomo does not know the solver, it is not installed here, or it cannot
            decide integers.
    """
    if name not in set(pyo.SolverFactory):
        raise InputError(f"solver: Pyomo knows no solver {name!r}")
    with _one_at_a_time, _hushed():
        interface = next(filter(_is_installed, (name, _INSTEAD.get(name, name))), None)
        if interface is None:
            raise InputError(f"solver: {name!r} is not installed on this machine")
        capable = getattr(pyo.SolverFactory(interface), "has_capability", None)
        if capable is not None and not capable("integer"):
            raise InputError(f"solver: {name!r} cannot decide integers")
    family = find_family(interface)

    def run(model: Programme, limits: Limits, report: Report | None) -> Outcome:
        try:
            return _run_in_turn(interface, family, model, limits)
        except KeyboardInterrupt:
            return Outcome(interrupted=True)

    return run


def _is_installed(name: str) -> bool:
    try:
        return bool(pyo.SolverFactory(name).available(exception_flag=False))
    except Exception:  # some plugins raise whatever their import or licence check raises
        return False


def _run_in_turn(name: str, family: Family | None, model: Programme, limits: Limits) -> Outcome:
    started = time.perf_counter()
    if not _one_at_a_time.acquire(timeout=min(limits.seconds, threading.TIMEOUT_MAX)):
        return Outcome()
    try:
        left = replace(limits, seconds=limits.seconds - (time.perf_counter() - started))
        if family is not None and family.whole_seconds and math.isfinite(left.seconds):
            left = replace(left, seconds=math.floor(left.seconds))
        if left.seconds <= 0.0:
            return Outcome()
        with _hushed() as heard, stdout_to_stderr(), TempfileManager:
            try:
                return _run(name, family, model, left)
            except subprocess.TimeoutExpired:
                return Outcome(failure="it did not stop in time")
            except Exception as error:
                # What Pyomo logs says why; its exception, that something went wrong.
                return Outcome(failure=heard[0] if heard else f"{type(error).__name__}: {error}")
    finally:
        _one_at_a_time.release()


@contextlib.contextmanager
def _hushed() -> Iterator[list[str]]:
    """Keeps Pyomo's messages off all streams; yields the list of those that tell of an error."""
    logger = logging.getLogger("pyomo")
    kept = logger.handlers, logger.propagate
    ear = _Ear()
    logger.handlers, logger.propagate = [ear], False
    try:
        yield ear.heard
    finally:
        logger.handlers, logger.propagate = kept


class _Ear(logging.Handler):
    """Keeps the errors that it hears."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


def _run(name: str, family: Family | None, model: Programme, limits: Limits) -> Outcome:
    solver = pyo.SolverFactory(name)
    if family is not None:
        solver.options.update(family.options(limits))
    if "highs" in name:
        # HiGHS keeps its threads from one run to the next and refuses another number of them.
        highspy.Highs.resetGlobalScheduler(True)
    arguments: dict[str, object] = {"load_solutions": False, **_start(solver)}
    if math.isfinite(limits.seconds):
        arguments["timelimit"] = limits.seconds
    with _minimised(model):
        if isinstance(solver, PersistentSolver):
            solver.set_instance(model.pyomo)
        results = solver.solve(model.pyomo, **arguments)
        found = len(results.solution) > 0
        if found:
            model.pyomo.solutions.load_from(results)
    condition = results.solver.termination_condition
    interrupted = condition == TerminationCondition.userInterrupt
    if results.solver.status in (SolverStatus.error, SolverStatus.unknown) or condition not in (
        {TerminationCondition.optimal} | _STOPPED | _WITHOUT_PROOF
    ):
        return Outcome(found, interrupted=interrupted, failure=f"it ended with {str(condition)!r}")
    bound = None
    if family is not None:
        gain = pyo.value(model.pyomo.gain) if found else None
        printed = isinstance(solver, SystemCallSolver)
        bound = _claimed_bound(results, gain, limits.gap + family.misses, printed=printed)
    return Outcome(found, bound, interrupted=interrupted)


@contextlib.contextmanager
def _minimised(model: Programme) -> Iterator[None]:
    """The model with the negative of its gain as the objective to minimise."""
    at = model.pyomo
    at.cost = pyo.Objective(expr=-at.gain.expr, sense=pyo.minimize)
    at.gain.deactivate()
    try:
        yield
    finally:
        at.gain.activate()
        at.del_component(at.cost)


def _start(solver: Any) -> dict[str, object]:
    """The argument that makes a solver take the values of the variables for its start."""
    capable = getattr(solver, "warm_start_capable", None)
    if capable is not None and capable():
        return {"warmstart": True}
    # Pyomo's newer interfaces have a setting instead, even where the older one is imitated.
    setting = "warmstart_discrete_vars"
    config = getattr(solver, "config", None)
    if config is not None and setting in config:
        config[setting] = True
    return {}


def _claimed_bound(results: Any, gain: float | None, gap: float, *, printed: bool) -> float | None:
    """The bound on the gain that the end of a run supports, in units of the model.

    Args:
        results: Pyomo's results of the minimisation.
        gain: Gain of the solution, worked out from its variables; None where there is none.
        gap: The gap at which the solver was told to stop and what it may miss beyond.
        printed: Whether the bound was read from a log, digits and all.
    """
    lower, objective = (
        _number(value) for value in (results.problem.lower_bound, results.problem.upper_bound)
    )
    if results.solver.termination_condition in _STOPPED:
        if lower is None:
            return None
        return -lower + (_PRINTED * abs(lower) if printed else 0.0)
    if results.solver.termination_condition != TerminationCondition.optimal or gain is None:
        return None
    if objective is not None and abs(objective + gain) > _SAME * max(1.0, gain):
        return None  # the solution is not the one that was proven optimal
    # Some report the objective itself as the bound once they are within the gap; a log may hold
    # the bound of an earlier moment, a library has that of the end.
    if printed or lower is None:
        return gain + gap
    return max(gain + gap, -lower)


def _number(value: object) -> float | None:
    try:
        number = float(getattr(value, "value", value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
