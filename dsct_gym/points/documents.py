"""Files of problems whose machines have operating points."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from dsct_gym.documents import (
    InstanceModel,
    MachineModel,
    Positive,
    core_of,
    document,
    validate_instance,
)
from dsct_gym.errors import InputError
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.points.operating_points import FIELD, OperatingPoints
from dsct_gym.refusals import Strict, fault_of


class PointModel(Strict):
    """One operating point of a machine."""

    speed: Positive = Field(description="GFLOP/s")
    power: Positive = Field(description="W, while busy")


_PLAIN: Final = ("speed", "efficiency")
_TOLD: Final[list[Any]] = [
    {
        "required": [FIELD],
        "not": {"anyOf": [{"required": [field]} for field in _PLAIN]},
    },
    {"required": [*_PLAIN], "not": {"required": [FIELD]}},
]
"""The two ways to say what a machine does, for the schema."""


class DvfsMachineModel(Strict):
    """A machine with operating points; one with speed and efficiency has a single one."""

    model_config = ConfigDict(json_schema_extra={"oneOf": _TOLD})

    name: str | None = None
    speed: Positive | None = Field(default=None, description="GFLOP/s")
    efficiency: Positive | None = Field(default=None, description="GFLOP/J")
    operating_points: list[PointModel] | None = Field(
        default=None, min_length=1, description="Instead of speed and efficiency"
    )

    @model_validator(mode="after")
    def _is_told_once(self) -> DvfsMachineModel:
        given = [field for field in _PLAIN if getattr(self, field) is not None]
        if self.operating_points is not None and given:
            raise fault_of(FIELD, f"given beside {' and '.join(given)}")
        if self.operating_points is None and len(given) < len(_PLAIN):
            missing = FIELD if not given else min({*_PLAIN}.difference(given))
            raise fault_of(missing, "missing")
        return self

    def points(self) -> OperatingPoints:
        """Its operating points."""
        if self.operating_points is not None:
            return OperatingPoints(
                np.array([point.speed for point in self.operating_points]),
                np.array([point.power for point in self.operating_points]),
            )
        assert self.speed is not None
        assert self.efficiency is not None
        return OperatingPoints(np.array([self.speed]), np.array([self.speed / self.efficiency]))


class DvfsModel(InstanceModel):
    """An instance file, format ``dsct-ea/1``, of machines with operating points."""

    format: Literal["dsct-ea/1"]
    machines: list[DvfsMachineModel] = Field(min_length=1)  # type: ignore[assignment]


def read(data: object) -> DvfsInstance:
    """Builds the problem from parsed JSON.

    Raises:
        InputError: One line for each fault, naming the field.
    """
    model = validate_instance(DvfsModel, data)
    points = []
    for index, machine in enumerate(model.machines):
        try:
            points.append(machine.points())
        except InputError as error:
            lines = [f"machines[{index}].{line}" for line in error.lines]
            raise InputError("\n".join(lines)) from None
    # A machine of any speed will do: `of` puts each at its fastest point.
    plain = InstanceModel.model_construct(
        **{
            **{field: getattr(model, field) for field in InstanceModel.model_fields},
            "machines": [
                MachineModel(name=machine.name, speed=1.0, efficiency=1.0)
                for machine in model.machines
            ],
        }
    )
    return DvfsInstance.of(core_of(plain), points)


@document.register
def _(problem: DvfsInstance) -> dict[str, Any]:
    written = document(problem.core)
    for machine, points in zip(written["machines"], problem.points, strict=True):
        del machine["speed"], machine["efficiency"]
        machine[FIELD] = [
            {"speed": speed, "power": power}
            for speed, power in zip(points.speeds.tolist(), points.powers.tolist(), strict=True)
        ]
    return written
