"""What a finished episode tells: its schedule, verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, SupportsIndex

from dsct_gym.schedule import Schedule


def verified(schedule: Schedule) -> Schedule:
    """The schedule itself, once it has passed the verifier.

    Raises:
        RuntimeError: If it fails: a defect of the environment.
    """
    verification = schedule.verify()
    if not verification:
        raise RuntimeError("environment: " + "; ".join(verification.reasons))
    return schedule


class DeferredSchedule(Schedule):
    """A schedule that is built and verified when something of it is first asked for.

    In training, few schedules of many episodes are ever looked at. From then on it is an ordinary
    `Schedule`.

    Args:
        build: Makes the schedule.
    """

    def __init__(self, build: Callable[[], Schedule]) -> None:
        self.__dict__["_build"] = build

    def __getattr__(self, name: str) -> Any:
        # Only reached for what is missing: a field, before the schedule is built. Special names
        # are not, but NumPy and pickle ask for some.
        if name.startswith("__") or "_build" not in self.__dict__:
            raise AttributeError(name)
        build = self.__dict__.pop("_build")
        self.__dict__.update(vars(verified(build())))
        object.__setattr__(self, "__class__", Schedule)
        return getattr(self, name)

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        assert self.machine is not None
        return object.__reduce_ex__(self, protocol)


def _asked_first(name: str) -> property:
    """A field that is built when it is read, though the class has a default for it."""

    def read(schedule: DeferredSchedule) -> Any:
        return schedule.__getattr__(name)

    return property(read)


for _field in fields(Schedule):
    if _field.default is not MISSING:
        setattr(DeferredSchedule, _field.name, _asked_first(_field.name))
