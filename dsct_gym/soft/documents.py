"""Files of problems with soft deadlines."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from dsct_gym.documents import (
    InstanceModel,
    NonNegative,
    Positive,
    TaskModel,
    core_of,
    document,
    validate_instance,
)
from dsct_gym.instance import LARGEST
from dsct_gym.refusals import Strict, fault_of
from dsct_gym.soft.instance import SoftInstance
from dsct_gym.soft.penalties import SHAPES, Penalty, Step, name_of

Factor = Annotated[float, Field(ge=0, le=LARGEST)]


class ObjectiveModel(Strict):
    """What lateness and energy cost."""

    penalty: Literal["step", "linear", "exponential"] = Field(
        description="1 for whatever is late, x / scale, or e^(x / scale) − 1 for a lateness x"
    )
    scale: Positive | None = Field(
        default=None, description="s; a step has none and takes no notice of it"
    )
    cap: Positive | None = Field(
        default=None, description="The most that a task pays, and what it pays when refused"
    )
    energy_price: Factor = Field(default=0.0, description="Of a joule")

    @model_validator(mode="after")
    def _has_its_scale(self) -> ObjectiveModel:
        if self.scale is None and self.penalty != "step":
            raise fault_of("scale", "missing")
        return self

    def made(self) -> Penalty:
        """The penalty."""
        if self.penalty == "step":
            return Step(self.cap)
        kind: Any = SHAPES[self.penalty]
        made: Penalty = kind(self.scale, self.cap)
        return made


class SoftTaskModel(TaskModel):
    """A task whose deadline may be missed."""

    weight: Factor = Field(default=1.0, description="Of its penalty")
    whole: bool = Field(default=False, description="All of its work or none")


class SoftModel(InstanceModel):
    """An instance file, format ``dsct-ea/1``, with soft deadlines."""

    format: Literal["dsct-ea/1"]
    objective: ObjectiveModel
    energy_budget: NonNegative | None = Field(description="J; null for no budget")  # type: ignore[assignment]
    tasks: list[SoftTaskModel] = Field(min_length=1)  # type: ignore[assignment]


def read(data: object) -> SoftInstance:
    """Builds the problem from parsed JSON.

    Raises:
        InputError: One line for each fault, naming the field.
    """
    model = validate_instance(SoftModel, data)
    # Any budget will do: the problem puts its own in the core.
    core = core_of(model.model_copy(update={"energy_budget": 0.0}))
    return SoftInstance(
        core=core,
        penalty=model.objective.made(),
        weights=np.array([task.weight for task in model.tasks]),
        whole=np.array([task.whole for task in model.tasks]),
        energy_price=model.objective.energy_price,
        budget=model.energy_budget,
    )


@document.register
def _(problem: SoftInstance) -> dict[str, Any]:
    written = document(problem.core)
    columns = zip(problem.weights.tolist(), problem.whole.tolist(), strict=True)
    for task, (weight, whole) in zip(written["tasks"], columns, strict=True):
        task |= ({} if weight == 1.0 else {"weight": weight}) | ({"whole": True} if whole else {})
    tasks = written.pop("tasks")
    machines = written.pop("machines")
    return {
        **written,
        "energy_budget": problem.budget,
        "objective": objective_document(problem),
        "machines": machines,
        "tasks": tasks,
    }


def objective_document(problem: SoftInstance) -> dict[str, Any]:
    """What lateness and energy cost, as in the file."""
    penalty = problem.penalty
    return {
        "penalty": name_of(penalty),
        **({} if isinstance(penalty, Step) else {"scale": penalty.scale}),
        "cap": penalty.cap,
        "energy_price": problem.energy_price,
    }
