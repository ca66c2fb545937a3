"""What a solver is, and how it is found by name.

A solver is any class with ``solve(instance, *, time_limit=None, seed=None) -> Solution``. Those
that ship derive from `Solver`, which times, verifies and credits what they return. Other packages
add theirs through the entry-point group ``dsct_gym.solvers``. A solver that takes variants of
DSCT-EA says which in its attribute ``knows``; it is given no other.
"""

from __future__ import annotations

import importlib
import inspect
import math
import operator
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Protocol,
    SupportsFloat,
    SupportsIndex,
    TypeVar,
    cast,
    runtime_checkable,
)

from dsct_gym.errors import InputError, instead_of, similar_to
from dsct_gym.problem import Knowledge, Problem, check_known, knowledge_of

if TYPE_CHECKING:
    from dsct_gym.arrays import Ints
    from dsct_gym.schedule import Schedule

Kind = TypeVar("Kind", bound="Solver")

ENTRY_POINT_GROUP = "dsct_gym.solvers"
_NO_TIME = 1e-9
_FORMER = re.compile(r"dsct_gym\.(agents|baselines|training)\.")


@dataclass(frozen=True)
class Progress:
    """Where an anytime solver stands.

    Attributes:
        seconds: Since the start.
        best: Best value found, None before the first schedule; the total accuracy, but in variants.
        bound: Best proven upper bound on the value, None where there is none.
        done: Share of the work done, in [0, 1]; None where it cannot be told.
    """

    seconds: float
    best: float | None = None
    bound: float | None = None
    done: float | None = None


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True)
class Solution:
    """What a solver returns.

    Attributes:
        schedule: A verified feasible schedule, credited with solver, seconds and bound.
        upper_bound: Upper bound that the solver proved on the value of any schedule, which is the
            total accuracy but in variants; None if it proves none.
        seconds: Wall time, s.
        interrupted: Whether Ctrl-C cut the search short; the schedule is the best until then.
    """

    schedule: Schedule
    upper_bound: float | None
    seconds: float
    interrupted: bool = False

    def whole(self) -> Solution:
        """The solution itself, for those who can do nothing with one that was cut short.

        Raises:
            KeyboardInterrupt: If Ctrl-C cut the search short.
        """
        if self.interrupted:
            raise KeyboardInterrupt
        return self


@dataclass(frozen=True)
class Answer:
    """What a `Solver` subclass hands back before it is timed and verified."""

    schedule: Schedule
    upper_bound: float | None = None
    interrupted: bool = False


@runtime_checkable
class SolverProtocol(Protocol):
    """What the command line and the benchmark need of a solver."""

    def solve(
        self, instance: Any, *, time_limit: float | None = None, seed: int | None = None
    ) -> Solution:
        """Solves one problem: an `Instance`, or a variant that it knows."""
        ...


class Solver(ABC):
    """Base class of the solvers that ship.

    Attributes:
        name: The name under which it is found.
        knows: What it knows beyond DSCT-EA: what a problem that it is given may need.
        meant_for: What a problem must need for the solver to take part in a benchmark that names no
            solvers: nothing, but for those that add nothing on DSCT-EA itself.
        stochastic: Whether the seed matters: benchmarks then run it with several.
        tolerance: Gap between its bound and its schedule, as a share, at which it takes the one for
            proven by the other; None where it does not search for a proof.
        progress: Called now and then by solvers that take long; None to hear nothing.
        takes_warm_start: Whether it can begin with an assignment that is given.
        warm_start: Machine of each task to begin with (n,), −1 for none; None to begin anew. Its
            schedule is then no worse than the best one of that assignment.
        remark: What it has to tell of how it went about the last problem, in one line; None for
            nothing.
    """

    name: ClassVar[str]
    knows: ClassVar[Knowledge] = frozenset()
    meant_for: ClassVar[Knowledge] = frozenset()
    stochastic: ClassVar[bool] = False
    tolerance: float | None = None
    progress: ProgressCallback | None = None
    takes_warm_start: ClassVar[bool] = False
    warm_start: Ints | None = None
    remark: str | None = None

    def solve(
        self, instance: Problem, *, time_limit: float | None = None, seed: int | None = None
    ) -> Solution:
        """Solves one problem.

        Args:
            instance: The problem: an `Instance`, or a variant that the solver knows.
            time_limit: Wall-clock limit, s; solvers without a search ignore it.
            seed: Seed of whatever is random; the same seed gives the same schedule.

        Returns:
            A solution whose schedule passed the verifier.

        Raises:
            InputError: If ``time_limit`` or ``seed`` is out of range, or the problem needs what the
                solver does not know.
            RuntimeError: If the schedule fails the verifier: a defect of the solver.
        """
        from dsct_gym.toy import toy_like

        check_solver_knows(self, instance, self.name)
        time_limit, seed = as_time_limit(time_limit), as_seed(seed)
        self.warm_up()
        self.practise(toy_like(instance))
        started = time.perf_counter()
        answer = self._solve(instance, time_limit=time_limit, seed=seed)
        seconds = time.perf_counter() - started
        schedule = answer.schedule.credited(
            solver=self.name, seconds=seconds, upper_bound=answer.upper_bound
        )
        verification = schedule.verify()
        if not verification:
            raise RuntimeError(f"{self.name}: {'; '.join(verification.reasons)}")
        return Solution(schedule, answer.upper_bound, seconds, answer.interrupted)

    def warm_up(self) -> None:
        """Compiles or loads the kernels; `solve` does so before its clock starts.

        It costs nothing once it has been done in a process. See `practises`.
        """
        from dsct_gym.toy import toy

        self.practise(toy())

    def practise(self, problem: Problem) -> None:
        """Solves a toy, once in a process, as `practises` says; one of a variant has other kernels.

        A solver that calls others on some problems has them practise as well.
        """
        _practise(type(self), cast("Hashable", problem))

    @abstractmethod
    def _solve(self, instance: Any, *, time_limit: float | None, seed: int | None) -> Answer:
        """Finds a schedule; `solve` times, verifies and credits it.

        Args:
            instance: Of a type whose needs the solver knows: an `Instance` where it declares
                nothing. `solve` lets no other through.
            time_limit: Wall-clock limit, s.
            seed: Seed of whatever is random.
        """


_practice: dict[type, dict[str, Any]] = {}


def practises(**options: Any) -> Callable[[type[Kind]], type[Kind]]:
    """Says that a solver has kernels, and how to have them compiled.

    With these options it calls all of them, for the types of arguments that any instance gives
    them, when it solves the toy of that type of problem (`dsct_gym.toy`), once to the end and once
    without time; it takes milliseconds for that once they are compiled. Classes derived from it are
    taken to have the same kernels.
    """

    def declare(kind: type[Kind]) -> type[Kind]:
        _practice[kind] = options
        return kind

    return declare


@cache
def _practise(kind: type[Solver], problem: Problem) -> None:
    owner = next((each for each in kind.__mro__ if each in _practice), None)
    if owner is None:
        return
    for limit in (None, _NO_TIME):
        # A solver that searches takes Ctrl-C for its own: nothing would have been warmed up.
        if owner(**_practice[owner])._solve(problem, time_limit=limit, seed=0).interrupted:
            raise KeyboardInterrupt


def check_solver_knows(solver: object, problem: Problem, name: str) -> None:
    """Refuses a problem that needs what a solver does not know.

    Raises:
        InputError: One line that names the solvers that do.
    """
    check_known(problem, knowledge_of(solver), repr(name), _knowledge_of_all)


def give_warm_start(solver: object, machine_of: Ints, name: str) -> None:
    """Has a solver begin with an assignment.

    Args:
        solver: The solver.
        machine_of: Machine of each task (n,), −1 for none.
        name: Its name, for the refusal.

    Raises:
        InputError: One line that names the solvers that can, if it cannot.
    """
    if not getattr(solver, "takes_warm_start", False):
        able = []
        for other in solver_entry_points():
            with suppress(InputError):
                if getattr(find_solver(other), "takes_warm_start", False):
                    able.append(other)
        raise InputError(f"start: {name!r} begins anew; those that can use one: {', '.join(able)}")
    solver.warm_start = machine_of  # type: ignore[attr-defined]


def _knowledge_of_all() -> dict[str, Knowledge]:
    """What every registered solver that can be imported knows."""
    found = {}
    for name in solver_entry_points():
        with suppress(InputError):
            found[name] = knowledge_of(find_solver(name))
    return found


def as_time_limit(time_limit: SupportsFloat | None) -> float | None:
    """A limit as a plain number, s; scalars of NumPy are taken, and infinity for no limit.

    Raises:
        InputError: If it is no number or not positive.
    """
    if time_limit is None:
        return None
    if isinstance(time_limit, (bool, str)) or not isinstance(time_limit, SupportsFloat):
        raise InputError(f"time_limit: must be a number, got {type(time_limit).__name__}")
    seconds = float(time_limit)
    if not seconds > 0.0:
        raise InputError(f"time_limit: must be positive, got {seconds:g}")
    return None if seconds == math.inf else seconds


def as_seed(seed: SupportsIndex | None) -> int | None:
    """A seed as a plain integer; integers of NumPy are taken.

    Raises:
        InputError: If it is no whole number or negative.
    """
    if seed is None:
        return None
    try:
        number = operator.index(seed)
    except TypeError as error:
        raise InputError(f"seed: must be a whole number, got {seed!r}") from error
    if number < 0:
        raise InputError(f"seed: must be at least 0, got {number}")
    return number


@cache
def solver_entry_points() -> Mapping[str, EntryPoint]:
    """All registered solvers by name, sorted; those of the process's first look."""
    found = {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
    return MappingProxyType(dict(sorted(found.items())))


def make_solver(name: str, **options: object) -> SolverProtocol:
    """Makes a solver by registered name or by ``module:Class``.

    Args:
        name: A name that `solver_entry_points` lists, or ``package.module:Class``.
        **options: Passed to the solver's constructor.

    Raises:
        InputError: If there is no such solver, it cannot be imported or refuses an option.
    """
    factory = find_solver(name)
    check_options(f"solver {name!r}", factory, options)
    solver = factory(**options)
    if not isinstance(solver, SolverProtocol):
        raise InputError(f"solver: {name!r} has no solve method")
    return solver


def check_options(
    owner: str,
    factory: Callable[..., object],
    options: Iterable[str],
    *,
    taken: Iterable[str] = (),
) -> None:
    """Refuses options that something called by name does not have.

    Args:
        owner: What it is, for the error.
        factory: What will be called with them.
        options: Their names.
        taken: Parameters that are no options.

    Raises:
        InputError: Naming the first that there is not.
    """
    accepted = inspect.signature(factory).parameters
    if any(p.kind is p.VAR_KEYWORD for p in accepted.values()):
        return
    for option in options:
        if option not in accepted or option in taken:
            close = similar_to(option, set(accepted).difference(taken))
            meant = f"; did you mean {close[0]}" if close else ""
            raise InputError(f"{option}: {owner} has no such option{meant}")


def find_solver(name: str) -> Callable[..., object]:
    """What makes a solver: its class, or a function.

    Raises:
        InputError: If there is no such solver or it cannot be imported.
    """
    entry = solver_entry_points().get(name)
    try:
        if entry is not None:
            return cast("Callable[..., object]", entry.load())
        if ":" in name:
            return _find_class(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"solver: {name!r} cannot be loaded ({error})") from error
    raise InputError(f"solver: no solver {name!r}; {instead_of(name, solver_entry_points())}")


def former_name(name: str) -> str:
    """A ``module:Class`` of this package as it was called when its folders were top-level modules.

    Records of that time are found by it; every other name is its own.
    """
    return name.removeprefix("dsct_gym.") if _FORMER.match(name) else name


def _find_class(name: str) -> Callable[..., object]:
    """What ``module:Class`` names; a module of the user's before one that has moved."""
    try:
        return _import_class(name)
    except (ImportError, AttributeError):
        moved = f"dsct_gym.{name}"
        if not _FORMER.match(moved):
            raise
        try:
            return _import_class(moved)
        except (ImportError, AttributeError):
            pass
        raise


def _import_class(name: str) -> Callable[..., object]:
    module, _, attribute = name.partition(":")
    return cast("Callable[..., object]", getattr(importlib.import_module(module), attribute))
