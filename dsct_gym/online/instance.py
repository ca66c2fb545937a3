"""A DSCT-EA problem whose tasks arrive over time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.problem import Problem
from dsct_gym.units import TIME


@dataclass(frozen=True, eq=False)
class OnlineInstance:
    """A DSCT-EA problem whose tasks are not there before they arrive; immutable.

    No task starts before its arrival. The budget is for the whole horizon, which everybody knows;
    that tasks arrive, how many and until when the last must end, nobody knows ahead.

    Attributes:
        core: Tasks, machines and budget, as if all tasks were there from the start: a bound for it
            is one here, a schedule for it is not.
        arrivals: When each task arrives (n,), s; from 0 and before its deadline.
        horizon: End of the period that the budget is for, s; no task arrives later.

    Raises:
        InputError: If arrivals or horizon are out of range, naming the field.
    """

    core: Instance
    arrivals: Floats
    horizon: float
    needs: ClassVar[frozenset[str]] = frozenset({"arrivals"})
    """What whoever is given it must know."""

    def __post_init__(self) -> None:
        arrivals = np.array(self.arrivals, dtype=np.float64)
        arrivals.flags.writeable = False
        object.__setattr__(self, "arrivals", arrivals)
        object.__setattr__(self, "horizon", float(self.horizon))
        if arrivals.shape != self.core.deadlines.shape:
            raise InputError(f"arrivals: shape {arrivals.shape} for {self.core.num_tasks} tasks")
        for task, (arrival, deadline) in enumerate(
            zip(arrivals.tolist(), self.core.deadlines.tolist(), strict=True)
        ):
            if not 0.0 <= arrival < deadline:
                raise InputError(
                    f"tasks[{task}].arrival: {arrival:g} s is not from 0 to before the deadline"
                    f" at {deadline:g} s"
                )
        if not arrivals.max() <= self.horizon < np.inf:
            raise InputError(
                f"horizon: {self.horizon:g} s ends before the last arrival at {arrivals.max():g} s"
            )
        if self.horizon <= 0.0:
            raise InputError("horizon: must be positive")

    @property
    def name(self) -> str | None:
        """Name of the problem."""
        return self.core.name

    @cached_property
    def arrival_order(self) -> Ints:
        """Tasks by arrival, ties in the order of the file (n,)."""
        order = np.argsort(self.arrivals, kind="stable").astype(np.int64)
        order.flags.writeable = False
        return order

    @cached_property
    def _contents(self) -> tuple[object, ...]:
        return self.core, self.arrivals.tobytes(), self.horizon

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OnlineInstance):
            return NotImplemented
        return self._contents == other._contents

    def __hash__(self) -> int:
        return hash(self._contents)

    def __repr__(self) -> str:
        return f"Online{repr(self.core)[:-1]}, horizon {self.horizon:g} s)"

    def _repr_html_(self) -> str:
        from dsct_gym.notebook import instance_html

        last = f"arrivals up to {TIME.show(float(self.arrivals.max()))}"
        return instance_html(self.core, told=[last, f"horizon {TIME.show(self.horizon)}"])

    def __reduce__(self) -> tuple[type[OnlineInstance], tuple[object, ...]]:
        return OnlineInstance, (self.core, self.arrivals, self.horizon)


def as_online(problem: Problem) -> OnlineInstance:
    """The problem itself; of an `Instance`, the one in which all tasks are there from the start.

    The horizon is then the latest deadline.
    """
    if isinstance(problem, OnlineInstance):
        return problem
    core = problem.core
    return OnlineInstance(core, np.zeros(core.num_tasks), core.horizon)
