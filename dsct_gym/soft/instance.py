"""A DSCT-EA problem whose deadlines may be missed, at a price."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from dsct_gym.arrays import Bools, Floats
from dsct_gym.errors import InputError
from dsct_gym.instance import LARGEST, Instance
from dsct_gym.soft.penalties import Penalty, name_of
from dsct_gym.tolerances import FEASIBILITY


@dataclass(frozen=True, eq=False)
class SoftInstance:
    """A DSCT-EA problem with soft deadlines and a price of energy; immutable.

    The value of a schedule is ``Σ a_j(f_j) − Σ w_j penalty(max(0, C_j − d_j)) − price × energy``.
    The order of the tasks on a machine matters. A task that is refused (no work) pays the penalty
    of lateness without end where the penalty has a cap; where it has none, no task may be refused.

    Attributes:
        core: Tasks and machines; its deadlines are those from which lateness counts. Its budget is
            ``budget``, or what no schedule can spend more than.
        penalty: What lateness costs a task of weight 1.
        weights: Weight w_j of each task's penalty (n,), at least 0; None for 1 each.
        whole: Which tasks are not compressible: all of their work or none (n,); None for no task.
        energy_price: What a joule costs, at least 0.
        budget: Energy budget, J; None for none.

    Raises:
        InputError: If a field is out of range, naming it; or if the budget is less than what whole
            tasks take that must not be refused.
    """

    core: Instance
    penalty: Penalty
    weights: Floats = None  # type: ignore[assignment]
    whole: Bools = None  # type: ignore[assignment]
    energy_price: float = 0.0
    budget: float | None = None
    needs: ClassVar[frozenset[str]] = frozenset({"soft"})
    """What whoever is given it must know."""

    def __post_init__(self) -> None:
        tasks = self.core.num_tasks
        self._set("weights", _column(self.weights, "weight", tasks, np.ones(tasks)))
        whole = _column(self.whole, "whole", tasks, np.zeros(tasks, dtype=np.bool_))
        self._set("whole", whole.astype(np.bool_))
        self.whole.setflags(write=False)
        self._set("energy_price", float(self.energy_price))
        wrong = np.flatnonzero(~((self.weights >= 0.0) & (self.weights <= LARGEST)))
        if wrong.size:
            first = int(wrong[0])
            raise InputError(
                f"tasks[{first}].weight: must be in 0..{LARGEST:g}, got {self.weights[first]:g}"
            )
        if not 0.0 <= self.energy_price <= LARGEST:
            raise InputError(
                f"objective.energy_price: must be in 0..{LARGEST:g}, got {self.energy_price:g}"
            )
        most = float((self.core.max_work / self.core.efficiencies.min()).sum())
        self._set("core", replace(self.core, energy_budget=self._limit(min(most, LARGEST))))
        self._check_budget()

    def _set(self, field: str, value: object) -> None:
        object.__setattr__(self, field, value)

    def _limit(self, most: float) -> float:
        if self.budget is None:
            return most
        self._set("budget", float(self.budget))
        return self.budget

    def _check_budget(self) -> None:
        if self.budget is None or self.may_refuse:
            return
        least = float(self.least_energy.sum())
        if least > self.budget * (1.0 + FEASIBILITY):
            raise InputError(
                f"energy_budget: {self.budget:g} J, but the whole tasks, none of which may be"
                f" refused without a cap, take {least:g} J"
            )

    @property
    def name(self) -> str | None:
        """Name of the problem."""
        return self.core.name

    @property
    def may_refuse(self) -> bool:
        """Whether tasks may be refused: where the penalty has a cap."""
        return self.penalty.cap is not None

    @cached_property
    def least_energy(self) -> Floats:
        """What each whole task takes at least (n,), J; 0 for those that are compressible."""
        least = self.core.max_work / self.core.efficiencies.max()
        return np.where(self.whole, least, 0.0)

    @cached_property
    def _contents(self) -> tuple[object, ...]:
        columns = self.weights.tobytes(), self.whole.tobytes()
        return self.core, self.penalty, *columns, self.energy_price, self.budget

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SoftInstance):
            return NotImplemented
        return self._contents == other._contents

    def __hash__(self) -> int:
        return hash(self._contents)

    def __repr__(self) -> str:
        label = f"{self.name!r}, " if self.name else ""
        limit = "" if self.budget is None else f", budget {self.budget:.6g} J"
        cap = "" if self.may_refuse else " without a cap"
        return (
            f"SoftInstance({label}{self.core.num_tasks} tasks, {self.core.num_machines} machines, "
            f"{name_of(self.penalty)} penalty{cap}, energy price {self.energy_price:g}{limit})"
        )

    def _repr_html_(self) -> str:
        from dsct_gym.notebook import instance_html

        told = [
            f"{name_of(self.penalty)} penalty of lateness"
            + ("" if self.may_refuse else " without a cap"),
            f"energy price {self.energy_price:.4g} per J",
        ]
        return instance_html(self.core, told=told, budget=self.budget is not None)

    def __reduce__(self) -> tuple[type[SoftInstance], tuple[object, ...]]:
        fields = (self.core, self.penalty, self.weights, self.whole, self.energy_price, self.budget)
        return SoftInstance, fields


def _column(given: Any, field: str, tasks: int, default: Any) -> Any:
    """One number a task, read-only."""
    column = np.array(default if given is None else given)
    if column.shape != (tasks,):
        raise InputError(f"{field}: shape {column.shape} for {tasks} tasks")
    if column.dtype.kind not in "biuf":
        raise InputError(f"{field}: not an array of numbers")
    if default.dtype == np.bool_ and column.dtype != np.bool_:
        raise InputError(f"{field}: must be true or false")
    column = column.astype(default.dtype)
    column.setflags(write=False)
    return column
