"""Upper bounds on the total accuracy, found by name.

The fractional relaxation is the core's own; it costs milliseconds. Other packages add bounds that
take longer and are tighter through the entry-point group ``dsct_gym.bounds``.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, cast

from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dsct_gym.instance import Instance
    from dsct_gym.solver import ProgressCallback

ENTRY_POINT_GROUP = "dsct_gym.bounds"
FRACTIONAL = "fractional"


class BoundMethod(Protocol):
    """What an entry point of the group names."""

    def __call__(
        self,
        instance: Instance,
        *,
        time_limit: float | None = None,
        progress: ProgressCallback | None = None,
    ) -> float:
        """An upper bound on the total accuracy of any schedule, valid whenever it stops.

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


def warm_up_bound(name: str) -> None:
    """Compiles or loads the kernels of a method, before the clock starts.

    A method that has kernels has an attribute ``warm_up``, which is called without arguments.

    Raises:
        InputError: As `find_bound`.
    """
    from dsct_gym.toy import toy

    _fractional(toy())
    warm_up: Callable[[], None] | None = getattr(find_bound(name), "warm_up", None)
    if warm_up is not None:
        warm_up()


def _fractional(
    instance: Instance,
    *,
    time_limit: float | None = None,
    progress: ProgressCallback | None = None,
) -> float:
    from dsct_gym.relaxation import upper_bound

    return upper_bound(instance)
