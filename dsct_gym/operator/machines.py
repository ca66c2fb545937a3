"""Machines in a line of text: ``L4:2,A100,mybox:speed=5 TFLOP/s:watt=90``.

A machine is a device of the catalogue, or whatever its speed and power make it. A bare number is
how many there are of it; what is given of a device of the catalogue replaces what stands there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, cast

from dsct_gym.catalog import device, known_device, measured_speed
from dsct_gym.errors import InputError, instead_of
from dsct_gym.units import EFFICIENCY, POWER, SPEED

MOST: Final = 10_000
"""Most machines of one kind."""

MOST_MACHINES: Final = 100_000
"""Most machines in all."""

_LONGEST: Final = 200
"""Characters of a name that are shown."""


class Origin(StrEnum):
    """Where a speed or a power comes from.

    Predicted speeds follow from the peak rate; a limit is what board or module may draw.
    """

    GIVEN = "given"
    MEASURED = "measured"
    PREDICTED = "predicted"
    LIMIT = "limit"


@dataclass(frozen=True)
class Machine:
    """A machine, or a kind of machine.

    Attributes:
        name: Its name; that of the device where it is one of the catalogue.
        speed: s_r, GFLOP/s, positive.
        power: P_r while busy, W, positive; NaN where a lookup does not know it.
        speed_from: Where the speed comes from.
        power_from: Where the power comes from.
    """

    name: str
    speed: float
    power: float
    speed_from: Origin = Origin.GIVEN
    power_from: Origin = Origin.GIVEN

    @property
    def efficiency(self) -> float:
        """E_r, GFLOP/J."""
        return self.speed / self.power


Lookup = Callable[[str], Machine | None]
"""What is known of a machine by its name; None for nothing."""


def read_machines(text: str, field: str, known: Lookup | None = None) -> list[Machine]:
    """Machines as a line of text names them, copies numbered.

    Args:
        text: ``name[:count][:speed=S][:watt=W][:efficiency=E],...``
        field: Option to name in errors.
        known: What is known of machines by name; by default the catalogue.

    Raises:
        InputError: Naming the machine at fault.
    """
    kinds = [_read_kind(part, field, known or in_catalogue) for part in text.split(",")]
    check_number(sum(count for _, count in kinds), field)
    return numbered([kind for kind, count in kinds for _ in range(count)])


def read_alternatives(texts: Iterable[str], field: str) -> dict[str, list[Machine]]:
    """Sets of machines, each by what it is called: its name alone where it is one machine.

    Raises:
        InputError: As `read_machines`.
    """
    named = {}
    for text in texts:
        machines = read_machines(text, field)
        named[machines[0].name if len(machines) == 1 else text] = machines
    return named


def check_number(machines: int, field: str) -> None:
    """Refuses more machines than there may be.

    Raises:
        InputError: Naming the field.
    """
    if machines > MOST_MACHINES:
        raise InputError(f"{field}: {machines} machines, of which at most {MOST_MACHINES}")


def numbered(machines: Sequence[Machine]) -> list[Machine]:
    """The machines with ``-1``, ``-2``, … behind names that several have."""
    uses: dict[str, int] = {}
    total = {machine.name: 0 for machine in machines}
    for machine in machines:
        total[machine.name] += 1
    named = []
    for machine in machines:
        uses[machine.name] = uses.get(machine.name, 0) + 1
        several = total[machine.name] > 1
        name = f"{machine.name}-{uses[machine.name]}" if several else machine.name
        named.append(replace(machine, name=name))
    return named


def in_catalogue(name: str, models: Sequence[str] = ()) -> Machine | None:
    """The device of the catalogue of that name as a machine, None where there is none.

    Args:
        name: Its name.
        models: Names of the model families that it is to run, for its speed.
    """
    found = known_device(name)
    if found is None:
        return None
    measured = measured_speed(found.name, models)
    return Machine(
        found.name,
        found.speed if measured is None else measured,
        found.tdp_watts,
        Origin.PREDICTED if measured is None else Origin.MEASURED,
        Origin.LIMIT,
    )


def _read_kind(text: str, field: str, known: Lookup) -> tuple[Machine, int]:
    """A kind of machine, and how many there are of it."""
    name, *settings = (part.strip() for part in text.split(":"))
    if not name:
        raise InputError(f"{field}: a name is empty")
    if len(name) > _LONGEST:
        raise InputError(f"{field}: the name {name[:40]!r}... is too long")
    count: int | None = None
    given: dict[str, float] = {}
    for setting in settings:
        key, equals, value = (part.strip() for part in setting.partition("="))
        if not equals:
            if count is not None:
                raise InputError(f"{field}: {name} is told twice how many there are")
            count = _read_count(setting, f"{field}: {name}")
        elif key not in _KEYS:
            raise InputError(f"{field}: {name} has no {key!r}; {instead_of(key, _KEYS)}")
        elif key in given or {"watt", "power"} <= {key, *given}:
            raise InputError(f"{field}: {name}: {key} is given twice")
        else:
            given[key] = _KEYS[key].read(value, f"{field}: {name}: {key}")
            if not given[key] > 0.0:
                raise InputError(f"{field}: {name}: {key} must be positive, got {value}")
    return make_machine(name, given, known, field), 1 if count is None else count


_KEYS: Final = {"speed": SPEED, "watt": POWER, "power": POWER, "efficiency": EFFICIENCY}


def _read_count(text: str, where: str) -> int:
    digits = text.lstrip("0")
    if not (text.isascii() and text.isdigit()) or not 1 <= int(digits[:9] or "0") <= MOST:
        raise InputError(
            f"{where}: expected how many (1 to {MOST}), speed=, watt= or efficiency=,"
            f" got {text[:40]!r}"
        )
    return int(digits)


def make_machine(name: str, given: Mapping[str, float], known: Lookup, field: str) -> Machine:
    """What is known of a machine, with what is given in its place.

    Args:
        name: Its name.
        given: Any two of ``speed`` (GFLOP/s), ``watt`` or ``power`` (W) and ``efficiency``
            (GFLOP/J), or fewer where more is known.
        known: What is known of machines by name.
        field: What to name in errors.

    Raises:
        InputError: If too little is known, or too much is given.
    """
    power, speed = given.get("watt", given.get("power")), given.get("speed")
    efficiency = given.get("efficiency")
    if None not in (power, speed, efficiency):
        raise InputError(f"{field}: {name}: two of speed, watt and efficiency make the third")
    found = known(name)
    if speed is None and power is not None and efficiency is not None:
        speed = efficiency * power
    if power is None and efficiency is not None and (speed or found is not None):
        power = (speed or cast("Machine", found).speed) / efficiency
    machine = found or Machine(name, math.nan, math.nan)
    if speed is not None:
        machine = replace(machine, speed=speed, speed_from=Origin.GIVEN)
    if power is not None:
        machine = replace(machine, power=power, power_from=Origin.GIVEN)
    if not (math.isnan(machine.speed) or math.isnan(machine.power)):
        return machine
    if given or found is not None:
        missing = "speed" if math.isnan(machine.speed) else "watt"
        raise InputError(f"{field}: {name} is not in the catalogue: give its {missing}= as well")
    try:
        device(name)
    except InputError as error:
        raise InputError(f"{field}: {error}; or give its speed= and watt=") from None
    raise AssertionError("what is in the catalogue is known")
