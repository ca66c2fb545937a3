"""`mip`: the mixed-integer programme, solved by HiGHS or any solver that Pyomo knows.

Source of the problem: Barros et al., ICPP 2024; `milp/model.py` states the programme.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dsct_gym.allocation import allocate
from dsct_gym.baselines.annealing import Annealing
from dsct_gym.baselines.milp.claims import (
    Improvement,
    believed,
    least_bound,
    warn_of_refuted,
)
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.problem import Problem
from dsct_gym.relaxation import relax
from dsct_gym.schedule import Schedule, value
from dsct_gym.solver import Answer, Progress, ProgressCallback, Solution, Solver, make_solver

if TYPE_CHECKING:
    from dsct_gym.baselines.milp.backend import Backend, Report
    from dsct_gym.baselines.milp.model import Programme
    from dsct_gym.baselines.milp.smooth import SmoothCurves

_LEAST = 1e-3  # value from which a relative gap counts
_START_SECONDS = 1.0
_START_SHARE = 0.1
_START_MOVES = 50_000
_BUILD_SECONDS = 5e-5  # for each pair of task and machine, at least


class Mip(Solver):
    """Mixed-integer programming: a proof, where time allows it.

    The solver starts from a heuristic schedule. Its best assignment gets exact processing times,
    so that the schedule is feasible to the last digit and never worse than the start; on time-out
    or Ctrl-C the best so far is returned, and where the solver dies, with a `SolverWarning`. The
    upper bound is the fractional relaxation's, or less where the solver ended in a way that
    supports its claim and no schedule found refutes it.

    Where deadlines are soft the programme is that of `milp/soft_model.py`; its solution is made as
    good as single changes make it. It is for small problems, but for a step penalty, which leaves
    only the question who is in time.

    Args:
        solver: ``"highs"``, or the name of any MIP solver that Pyomo knows and that is installed
            (``"cbc"``, ``"glpk"``, ``"gurobi"``, ``"scip"``, ``"appsi_highs"``, …).
        relative_gap: Gap between bound and best at which to stop, relative to the total accuracy;
            by default 1e-6, or 1e-4 for smooth curves.
        threads: Threads of the solver; by default 2, or 1 where there is only one core.
        start: Name of the solver that makes the warm start, in a tenth of the time limit and one
            second at most; ``"annealing"`` makes 50,000 moves.
        smooth: The exponential curves to solve instead of the instance's own, by outer
            approximation; True for those from which the instance was generated. The schedule then
            answers the instance whose curves are the chords through the given breakpoints and the
            work done, so that its accuracy is the smooth one, and the bound is on the smooth
            objective.

    Raises:
        InputError: If an option is out of range or the solver is not to be had.
    """

    name = "mip"
    knows = frozenset({"points", "soft"})
    takes_warm_start = True
    tolerance: float

    def __init__(
        self,
        solver: str = "highs",
        relative_gap: float | None = None,
        threads: int | None = None,
        start: str = "annealing",
        smooth: SmoothCurves | bool = False,
    ) -> None:
        if relative_gap is None:
            relative_gap = 1e-4 if smooth else 1e-6
        if not 0.0 <= relative_gap < 1.0:
            raise InputError(f"relative_gap: must be in [0, 1), got {relative_gap:g}")
        if threads is not None and not (isinstance(threads, int) and threads >= 1):
            raise InputError(f"threads: must be a whole number of at least 1, got {threads}")
        if isinstance(smooth, str):
            raise InputError(f"smooth: must be true, false or SmoothCurves, got {smooth!r}")
        if start == self.name:
            raise InputError("start: mip cannot start from itself")
        self._solver = solver
        self._backend = _find_backend(solver)
        self.tolerance = relative_gap
        self._threads = threads or min(2, os.cpu_count() or 1)
        self._start = Annealing(_START_MOVES) if start == Annealing.name else make_solver(start)
        self._smooth = smooth

    def practise(self, problem: Problem) -> None:
        """As the base class; the kernels are those of annealing and of what makes the start."""
        Annealing().practise(problem)
        if isinstance(self._start, Solver):
            self._start.practise(problem)

    def _solve(self, instance: Problem, *, time_limit: float | None, seed: int | None) -> Answer:
        deadline = time.perf_counter() + (math.inf if time_limit is None else time_limit)
        if self._smooth:
            if not isinstance(instance, Instance):
                raise InputError("smooth: only for machines with one clock")
            return self._solve_smooth(instance, deadline, seed or 0)
        limits = _Limits(self.tolerance, deadline, seed or 0)
        first, fractional = self._first(instance, limits), relax(instance).bound
        if first.interrupted:
            return Answer(first.schedule, fractional, interrupted=True)
        found = self._improve(instance, first.schedule, limits, self.progress)
        bound = least_bound(fractional, found.claims, value(found.schedule))
        return Answer(found.schedule, bound, found.interrupted)

    def _first(self, instance: Problem, limits: _Limits) -> Solution:
        """The warm start: the one given, or one made in a tenth of the time or a second."""
        if self.warm_start is not None:
            return Solution(allocate(instance, self.warm_start), None, 0.0)
        seconds = min(_START_SECONDS, max(_START_SHARE * limits.seconds_left(), 1e-3))
        return self._start.solve(instance, time_limit=seconds, seed=limits.seed)

    def _solve_smooth(self, instance: Instance, deadline: float, seed: int) -> Answer:
        from dsct_gym.baselines.milp.smooth import SmoothCurves, solve_smooth

        given = self._smooth
        curves = given if isinstance(given, SmoothCurves) else SmoothCurves.of(instance)
        # Half of the gap for the programme, half for the distance of tangents and curve.
        limits = _Limits(0.5 * self.tolerance, deadline, seed)

        def improve(outer: Instance, warm: Schedule, best: float) -> Improvement:
            hear = self.progress
            on_smooth = None if hear is None else (lambda news: hear(replace(news, best=best)))
            return self._improve(outer, warm, limits, on_smooth)

        return solve_smooth(
            instance,
            curves,
            lambda fine: self._first(fine, limits),
            improve,
            relative_gap=self.tolerance,
            seconds_left=limits.seconds_left,
        )

    def _improve(
        self, instance: Problem, start: Schedule, limits: _Limits, hear: ProgressCallback | None
    ) -> Improvement:
        """Solves the model from a schedule."""
        from dsct_gym.baselines.milp.backend import Limits, attempt
        from dsct_gym.baselines.milp.build import build

        nothing = Improvement(start)
        if (
            limits.seconds_left()
            < _BUILD_SECONDS * instance.core.num_tasks * instance.core.num_machines
        ):
            return nothing
        try:
            model = build(instance)
            if model is not None:
                model.set_values(start)
        except KeyboardInterrupt:
            return nothing._replace(interrupted=True)
        seconds = limits.seconds_left()
        if model is None or seconds <= 0.0:
            return nothing
        gap = limits.relative_gap * max(abs(value(start)), _LEAST) / model.unit
        within = Limits(seconds, gap, self._threads, limits.seed)
        outcome = attempt(self._solver, self._backend, model, within, _reporter(model, hear))
        schedules = [start]
        if outcome.found:
            schedules.append(model.schedule())
        best = max(schedules, key=value)
        claims = [] if outcome.bound is None else [model.total(outcome.bound)]
        warn_of_refuted(self._solver, claims, value(best))
        return Improvement(
            best,
            tuple(believed(claims, value(best))),
            outcome.interrupted,
            failed=outcome.failure is not None,
        )


@dataclass(frozen=True)
class _Limits:
    """When to stop: the gap relative to the total accuracy, the deadline on the clock; the seed."""

    relative_gap: float
    deadline: float
    seed: int

    def seconds_left(self) -> float:
        """Time until the deadline, s."""
        return self.deadline - time.perf_counter()


def _reporter(model: Programme, hear: ProgressCallback | None) -> Report | None:
    """Turns what a backend reports into `Progress`."""
    if hear is None:
        return None
    started = time.perf_counter()

    def report(gain: float | None, bound: float | None) -> None:
        best, above = (None if x is None else model.total(x) for x in (gain, bound))
        hear(Progress(time.perf_counter() - started, best=best, bound=above))

    return report


def _find_backend(solver: str) -> Backend:
    if solver == "highs":
        from dsct_gym.baselines.milp.highs import run_highs

        return run_highs
    from dsct_gym.baselines.milp.pyomo_solver import pyomo_backend

    return pyomo_backend(solver)
