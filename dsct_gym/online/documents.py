"""Files of problems whose tasks arrive over time."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field

from dsct_gym.documents import (
    InstanceModel,
    NonNegative,
    Positive,
    TaskModel,
    core_of,
    document,
    validate_instance,
)
from dsct_gym.online.instance import OnlineInstance


class OnlineTaskModel(TaskModel):
    """A task that is not there before its arrival."""

    arrival: NonNegative = Field(description="s, before the deadline")


class OnlineModel(InstanceModel):
    """An instance file, format ``dsct-ea/1``, of tasks that arrive over time."""

    format: Literal["dsct-ea/1"]
    horizon: Positive = Field(
        description="End of the period that the budget is for, s: at least the last arrival"
    )
    tasks: list[OnlineTaskModel] = Field(min_length=1)  # type: ignore[assignment]


def read(data: object) -> OnlineInstance:
    """Builds the problem from parsed JSON.

    Raises:
        InputError: One line for each fault, naming the field.
    """
    model = validate_instance(OnlineModel, data)
    arrivals = np.array([task.arrival for task in model.tasks])
    return OnlineInstance(core_of(model), arrivals, model.horizon)


@document.register
def _(problem: OnlineInstance) -> dict[str, Any]:
    written = document(problem.core)
    for task, arrival in zip(written["tasks"], problem.arrivals.tolist(), strict=True):
        task["arrival"] = arrival
    return {**written, "horizon": problem.horizon}
