"""`auto`: whichever solver is sensible for the size of a problem and the time that there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dsct_gym.errors import InputError
from dsct_gym.problem import Problem, check_known, knowledge_of
from dsct_gym.solver import (
    Answer,
    Solution,
    Solver,
    as_time_limit,
    find_solver,
    make_solver,
    solver_entry_points,
)

DEFAULT_SECONDS: Final = 10.0
"""Time limit where none is given: only a search has use for more."""

SHORT: Final = 0.5
"""Seconds that are too few for a search to gain much."""

PROVABLE: Final = 1_000
"""Pairs of task and machine up to which branch and price comes to a proof, or close, in seconds."""

WALKABLE: Final = 20_000
"""Tasks up to which a walk sees enough of its neighbours in seconds."""

_SEARCH: Final = ("annealing", "hindsight")
_QUICK: Final = ("descent", "hindsight", "price")
"""Who to ask for what, the first that knows the problem."""


@dataclass(frozen=True)
class Choice:
    """A solver and why it was chosen.

    Attributes:
        name: Its name.
        why: Why, in a few words.
        time_limit: The limit that it gets, s.
    """

    name: str
    why: str
    time_limit: float


def choose(problem: Problem, time_limit: float | None = None) -> Choice:
    """Chooses a solver.

    Args:
        problem: The problem.
        time_limit: Wall-clock limit, s; None for `DEFAULT_SECONDS`.

    Raises:
        InputError: If no solver that is installed knows the problem.
    """
    seconds = DEFAULT_SECONDS if time_limit is None else time_limit
    tasks, machines = problem.core.num_tasks, problem.core.num_machines
    order: tuple[str, ...]
    if seconds < SHORT:
        order, why = _QUICK, f"a search has little use of {seconds:g} s"
    elif tasks * machines <= PROVABLE:
        order, why = ("exact", *_SEARCH, *_QUICK), f"{tasks} tasks: few enough to prove something"
    elif tasks <= WALKABLE:
        order, why = (*_SEARCH, *_QUICK), f"{tasks} tasks: too many for a proof"
    else:
        order, why = (*_QUICK, *_SEARCH), f"{tasks} tasks: too many for a walk"
    name = _first_that_knows(problem, order)
    if name != order[0]:
        why = f"it knows {' and '.join(sorted(problem.needs))}"
    return Choice(name, why, seconds)


def _first_that_knows(problem: Problem, order: tuple[str, ...]) -> str:
    """The first of some solvers, or else of all that are installed, that knows a problem."""
    known = {}
    for name in (*order, *solver_entry_points()):
        if name == Auto.name:
            continue
        try:
            known[name] = knowledge_of(find_solver(name))
        except InputError:  # it is not installed
            continue
        if problem.needs <= known[name]:
            return name
    check_known(problem, frozenset(), repr(Auto.name), lambda: known)
    raise AssertionError("a problem that needs nothing is known to all")


def _candidates() -> list[Solver]:
    """Those solvers that are asked for by name."""
    found = []
    for name in dict.fromkeys(("exact", *_SEARCH, *_QUICK)):
        try:
            solver = make_solver(name)
        except InputError:  # it is not installed
            continue
        if isinstance(solver, Solver):
            found.append(solver)
    return found


class Auto(Solver):
    """The sensible solver for the size of the problem and the time that there is.

    With less than half a second `descent`; else `exact` up to 1,000 pairs of task and machine,
    `annealing` up to 20,000 tasks, `descent` beyond. For variants, of these and `hindsight` the
    first that knows them. All of them stop at the limit, or on Ctrl-C, with the best schedule until
    then and a bound. Without a time limit there are 10 s.

    Attributes:
        choice: Which solver was chosen, and why; None before the first problem.
    """

    name = "auto"
    knows = frozenset({"points", "arrivals", "soft"})
    stochastic = True
    takes_warm_start = True

    def __init__(self) -> None:
        self.choice: Choice | None = None
        self._chosen: Solver | None = None

    def solve(
        self, instance: Problem, *, time_limit: float | None = None, seed: int | None = None
    ) -> Solution:
        """Chooses a solver, compiles its kernels and has it solve the problem."""
        check_known(instance, self.knows, repr(self.name), dict)
        self.choice = choose(instance, as_time_limit(time_limit))
        self.remark = f"{self.choice.name}, for {self.choice.why}"
        chosen = make_solver(self.choice.name)
        assert isinstance(chosen, Solver)
        self._chosen, self.tolerance = chosen, chosen.tolerance
        return super().solve(instance, time_limit=self.choice.time_limit, seed=seed)

    def practise(self, problem: Problem) -> None:
        """Those practise that may be chosen; once one is, it alone."""
        for solver in _candidates() if self._chosen is None else [self._chosen]:
            if problem.needs <= solver.knows:
                solver.practise(problem)

    def _solve(self, instance: Problem, *, time_limit: float | None, seed: int | None) -> Answer:
        assert self._chosen is not None
        self._chosen.progress = self.progress
        if self._chosen.takes_warm_start:
            self._chosen.warm_start = self.warm_start
        return self._chosen._solve(instance, time_limit=time_limit, seed=seed)
