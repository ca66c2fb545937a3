"""Upper bounds on the value of any schedule, found by name.

The value is the total accuracy, but in variants. The fractional relaxation is the core's own; it
costs milliseconds. Other packages add bounds that take longer and are tighter through the
entry-point group ``dsct_gym.bounds``; one that takes variants says which in its attribute
``knows``.
"""

from __future__ import annotations

from contextlib import suppress
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol, cast

from dsct_gym.errors import InputError
from dsct_gym.problem import Knowledge, Problem, check_known, knowledge_of
from dsct_gym.relaxation import has_relaxation, upper_bound

if TYPE_CHECKING:
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

        Args:
            instance: The problem.
            time_limit: Wall-clock limit, s.
            progress: Called now and then; its ``bound`` is valid too.
        """
        ...


def bound_names() -> list[str]:
    """The names of all methods, sorted."""
    return sorted({FRACTIONAL, *(entry.name for entry in entry_points(group=ENTRY_POINT_GROUP))})


def find_bound(name: str) -> BoundMethod:
    """A method by name.

    Raises:
        InputError: If there is no such method or it cannot be imported.
    """
    if name == FRACTIONAL:
        return _fractional
    for entry in entry_points(group=ENTRY_POINT_GROUP, name=name):
        try:
            return cast("BoundMethod", entry.load())
        except (ImportError, AttributeError) as error:
            raise InputError(f"method: {name!r} cannot be loaded ({error})") from error
    raise InputError(f"method: no bound {name!r}; there are {', '.join(bound_names())}")


def bound_for(problem: Problem, name: str) -> BoundMethod:
    """A method by name that knows what a problem needs.

    Raises:
        InputError: If there is no such method, it cannot be imported, or does not know it.
    """
    method = find_bound(name)
    knows = _knowledge_of_relaxation(problem) if name == FRACTIONAL else knowledge_of(method)
    check_known(problem, knows, repr(name), lambda: _knowledge_of_all(problem))
    return method


def _knowledge_of_all(problem: Problem) -> dict[str, Knowledge]:
    found = {FRACTIONAL: _knowledge_of_relaxation(problem)}
    for name in bound_names():
        if name != FRACTIONAL:
            with suppress(InputError):
                found[name] = knowledge_of(find_bound(name))
    return found


def _knowledge_of_relaxation(problem: Problem) -> Knowledge:
    """The relaxation knows the types that registered one."""
    return problem.needs if has_relaxation(problem) else frozenset()


def _fractional(
    instance: Problem,
    *,
    time_limit: float | None = None,
    progress: ProgressCallback | None = None,
) -> float:
    return upper_bound(instance)
