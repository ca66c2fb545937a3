"""Upper bounds on the value of any schedule, found by name.

The value is the total accuracy, but in variants. The fractional relaxation is the core's own; it
costs milliseconds. Other packages add bounds that take longer and are tighter through the
entry-point group ``dsct_gym.bounds``; one that takes variants says which in its attribute
``knows``.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Protocol, cast

from dsct_gym.certificate import warm_up_checker
from dsct_gym.errors import InputError, instead_of
from dsct_gym.problem import Knowledge, Problem, check_known, knowledge_of
from dsct_gym.relaxation import has_relaxation, upper_bound
from dsct_gym.solver import check_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from dsct_gym.solver import ProgressCallback

ENTRY_POINT_GROUP = "dsct_gym.bounds"
FRACTIONAL = "fractional"


class BoundMethod(Protocol):
    """What an entry point of the group names."""

    def __call__(
        self,
        instance: Any,
        *,
        time_limit: float | None = None,
        progress: ProgressCallback | None = None,
    ) -> float:
        """An upper bound on the value of any schedule, valid whenever it stops.

        One that prices prove is a `dsct_gym.certificate.CertifiedBound`; any other number is
        believed as long as no schedule at hand refutes it.

        Args:
            instance: The problem.
            time_limit: Wall-clock limit, s.
            progress: Called now and then; its ``bound`` is valid too.
        """
        ...


def bound_names() -> list[str]:
    """The names of all methods, sorted."""
    return sorted({FRACTIONAL, *_entry_points()})


def find_bound(name: str, **options: object) -> BoundMethod:
    """A method by name.

    Args:
        name: One of `bound_names`.
        **options: Passed to the method at every call.

    Raises:
        InputError: If there is no such method, it cannot be imported or has no such option.
    """
    method = _load(name)
    if not options:
        return method
    check_options(f"bound {name!r}", method, options, taken=("instance", "time_limit", "progress"))
    return partial(cast("Callable[..., float]", method), **options)


def _load(name: str) -> BoundMethod:
    if name == FRACTIONAL:
        return _fractional
    entry = _entry_points().get(name)
    if entry is None:
        raise InputError(f"method: no bound {name!r}; {instead_of(name, bound_names())}")
    try:
        return cast("BoundMethod", entry.load())
    except (ImportError, AttributeError) as error:
        raise InputError(f"method: {name!r} cannot be loaded ({error})") from error


@cache
def _entry_points() -> dict[str, EntryPoint]:
    """All registered methods by name; those of the process's first look."""
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}


def bound_for(problem: Problem, name: str, **options: object) -> BoundMethod:
    """As `find_bound`, for a problem: the method must know what it needs.

    Raises:
        InputError: As `find_bound`; or if the method does not know it, naming those that do.
    """
    knows = _knowledge_of(name, problem)
    check_known(problem, knows, repr(name), lambda: _knowledge_of_all(problem))
    return find_bound(name, **options)


def _knowledge_of(name: str, problem: Problem) -> Knowledge:
    """What a method knows; the relaxation knows the types that registered one."""
    if name == FRACTIONAL:
        return problem.needs if has_relaxation(problem) else frozenset()
    return knowledge_of(_load(name))


def _knowledge_of_all(problem: Problem) -> dict[str, Knowledge]:
    found = {}
    for name in bound_names():
        with suppress(InputError):
            found[name] = _knowledge_of(name, problem)
    return found


def warm_up_bound(name: str) -> None:
    """Compiles or loads the kernels of a method, before the clock starts.

    A method that has kernels has an attribute ``warm_up``, which is called without arguments.

    Raises:
        InputError: As `find_bound`.
    """
    from dsct_gym.toy import toy

    _fractional(toy())
    if name != FRACTIONAL:
        warm_up_checker()
    warm_up: Callable[[], None] | None = getattr(find_bound(name), "warm_up", None)
    if warm_up is not None:
        warm_up()


def _fractional(
    instance: Problem,
    *,
    time_limit: float | None = None,
    progress: ProgressCallback | None = None,
) -> float:
    return upper_bound(instance)
