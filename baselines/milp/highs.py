"""The default backend: HiGHS through highspy, with warm start, progress and a clean Ctrl-C."""

from __future__ import annotations

import math
import threading
import time
from typing import Any

import highspy
import numpy as np
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from dsct_gym.baselines.milp.backend import Limits, Outcome, Report
from dsct_gym.baselines.milp.model import Programme

_LISTEN = 0.1  # s between looks at the progress and at Ctrl-C
_FEASIBILITY = 1e-7
_ACCEPTED = "MIP start solution is feasible"
_SOUND = frozenset(
    {
        highspy.HighsModelStatus.kOptimal,
        highspy.HighsModelStatus.kTimeLimit,
        highspy.HighsModelStatus.kIterationLimit,
        highspy.HighsModelStatus.kSolutionLimit,
        highspy.HighsModelStatus.kInterrupt,
    }
)
"""How a run can end whose dual bound holds: the model is feasible, so the rest are failures."""


def run_highs(model: Programme, limits: Limits, report: Report | None) -> Outcome:
    """Runs HiGHS; see `dsct_gym.baselines.milp.backend.Backend`."""
    started = time.perf_counter()
    form = LinearStandardFormCompiler().write(model.pyomo, mixed_form=True, set_sense=None)
    highs = highspy.Highs()
    _set_options(highs, limits)
    highs.passModel(_highs_model(form))
    start = highspy.HighsSolution()
    start.col_value = np.array([column.value for column in form.columns], dtype=np.float64)
    highs.setSolution(start)
    if math.isfinite(limits.seconds):
        left = limits.seconds - (time.perf_counter() - started)
        highs.setOptionValue("time_limit", max(left, 0.0))
    interrupted, accepted = _Run(highs, report).wait()
    info = highs.getInfo()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    if found:
        for column, value in zip(form.columns, highs.getSolution().col_value, strict=True):
            column.set_value(value, skip_validation=True)
    status, bound = highs.getModelStatus(), float(info.mip_dual_bound)
    if status not in _SOUND:
        failure = f"it ended with {highs.modelStatusToString(status)!r}"
        return Outcome(found, None, accepted, interrupted, failure)
    return Outcome(found, bound if math.isfinite(bound) else None, accepted, interrupted)


def _set_options(highs: Any, limits: Limits) -> None:
    options: dict[str, object] = {
        "log_to_console": False,
        "threads": limits.threads,
        "random_seed": limits.seed % 2**31,
        "mip_rel_gap": 0.0,
        "mip_abs_gap": limits.gap,
        "mip_feasibility_tolerance": _FEASIBILITY,
        "primal_feasibility_tolerance": _FEASIBILITY,
    }
    for name, value in options.items():
        highs.setOptionValue(name, value)


def _highs_model(form: Any) -> Any:
    """The compiled Pyomo model as HiGHS takes it."""
    kind = np.array([row.bound_type for row in form.rows])
    rhs = np.asarray(form.rhs, dtype=np.float64)
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = form.A.shape
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = form.c.toarray().ravel()
    bounds = [column.bounds for column in form.columns]
    lp.col_lower_ = np.array([-math.inf if low is None else low for low, _ in bounds])
    lp.col_upper_ = np.array([math.inf if high is None else high for _, high in bounds])
    lp.row_lower_ = np.where(kind == 1, -math.inf, rhs)
    lp.row_upper_ = np.where(kind == -1, math.inf, rhs)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = form.A.indptr
    lp.a_matrix_.index_ = form.A.indices
    lp.a_matrix_.value_ = form.A.data
    types = {True: highspy.HighsVarType.kInteger, False: highspy.HighsVarType.kContinuous}
    lp.integrality_ = [types[column.is_binary()] for column in form.columns]
    return lp


class _Run:
    """One run in a thread of its own, so that this one can listen for Ctrl-C."""

    def __init__(self, highs: Any, report: Report | None) -> None:
        self._highs = highs
        self._report = report
        self._stop = False
        self._ended = threading.Event()
        self._accepted = False
        self._error: Exception | None = None
        self._news: tuple[float | None, float | None] | None = None
        highs.cbLogging.subscribe(self._on_log)
        highs.cbMipLogging.subscribe(self._on_progress)
        for event in (highs.cbMipInterrupt, highs.cbSimplexInterrupt, highs.cbIpmInterrupt):
            event.subscribe(self._on_chance_to_stop)

    def wait(self) -> tuple[bool, bool]:
        """Runs to the end; returns whether it was interrupted, and took the warm start.

        Raises:
            Exception: Whatever the run raised.
        """
        interrupted = False
        # HiGHS keeps its threads from one run to the next and refuses another number of them.
        highspy.Highs.resetGlobalScheduler(True)
        threading.Thread(target=self._run, daemon=True).start()
        # Not Thread.join: cut short by an exception, it takes the thread for ended.
        while not self._ended.is_set():
            try:
                self._ended.wait(_LISTEN)
                self._tell()
            except KeyboardInterrupt:
                interrupted = self._stop = True
        if self._error is not None:
            raise self._error
        return interrupted, self._accepted

    def _run(self) -> None:
        try:
            self._highs.run()
        except Exception as error:
            self._error = error
        finally:
            self._ended.set()

    def _tell(self) -> None:
        news, self._news = self._news, None
        if news is not None and self._report is not None:
            self._report(*news)

    def _on_log(self, event: Any) -> None:
        self._accepted = self._accepted or _ACCEPTED in event.message

    def _on_progress(self, event: Any) -> None:
        best, bound = event.data_out.mip_primal_bound, event.data_out.mip_dual_bound
        self._news = (
            best if math.isfinite(best) else None,
            bound if math.isfinite(bound) else None,
        )

    def _on_chance_to_stop(self, event: Any) -> None:
        if self._stop:
            event.interrupt()
