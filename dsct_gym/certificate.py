"""Upper bounds that can be checked without the solver that found them: prices, by weak duality.

Let a column be one machine's whole schedule. With a price μ_j ≥ 0 on each task and a price λ ≥ 0 on
energy, no schedule has a total accuracy above

    Σ_j a_j(0) + Σ_j μ_j + λ B + Σ_r max(0, v_r(μ, λ)),

where v_r is the most that a schedule of machine r alone is worth: what its tasks gain over
``a_j(0)``, less their prices and the price of their energy, within the deadlines. For a schedule
gains ``Σ_r (worth of its part on r) + Σ_{j placed} μ_j + λ · energy``, and no term exceeds its
counterpart above. This holds for any prices, those that column generation ends with being the best:
a forged certificate proves a weaker bound, never a wrong one.

Source: Barnhart et al., "Branch-and-price: column generation for solving huge integer programs",
Operations Research 46(3), 1998; the bound is Lagrange's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.atomic import write_text
from dsct_gym.documents import CERTIFICATE_FORMAT, CertificateModel
from dsct_gym.errors import InputError
from dsct_gym.files import read_json
from dsct_gym.gaps import exceeds
from dsct_gym.instance import LARGEST, Instance
from dsct_gym.machine_value import largest_value
from dsct_gym.processes import usable_cores
from dsct_gym.refusals import validate
from dsct_gym.toy import toy

PRECISION: Final = 1e-7
"""How far a checked bound may lie above what the prices prove, as a share of the total accuracy at
the ends of all curves."""

_COARSE = (1e-3, 1e-4, 1e-5, 1e-6)


@dataclass(frozen=True, eq=False)
class Certificate:
    """Prices that prove an upper bound on the total accuracy of an instance.

    Attributes:
        task_prices: Price μ_j of each task (n,), accuracy, in 0..1e100; read-only.
        energy_price: Price λ of energy, accuracy per J, in 0..1e100.
        instance: Name of the instance, None where it has none.
        method: What found the prices.
        upper_bound: Total accuracy that they are claimed to prove; nothing here relies on it.

    Raises:
        InputError: If a price is out of range, naming it.
    """

    task_prices: Floats
    energy_price: float
    instance: str | None = None
    method: str | None = None
    upper_bound: float | None = None

    def __post_init__(self) -> None:
        prices = np.array(self.task_prices, dtype=np.float64)
        if prices.ndim != 1 or prices.size == 0:
            raise InputError("task_prices: must be a list of numbers, one a task")
        if not 0.0 <= self.energy_price <= LARGEST:
            raise InputError(f"energy_price: must be in 0..1e100, got {self.energy_price:g}")
        for task in np.flatnonzero(~((prices >= 0.0) & (prices <= LARGEST)))[:1].tolist():
            raise InputError(f"task_prices[{task}]: must be in 0..1e100, got {prices[task]:g}")
        prices.setflags(write=False)
        object.__setattr__(self, "task_prices", prices)

    def check(self, instance: Instance, *, precision: float = PRECISION) -> float:
        """Upper bound on the total accuracy of every schedule, worked out from the prices alone.

        Every rounding goes upwards, so the bound holds to the last digit. It is worked out finer
        and finer, until it confirms ``upper_bound`` or reaches the precision: to confirm a bound is
        far cheaper than to find how far it could fall. Machines are valued side by side, one
        thread a core.

        Args:
            instance: The problem that the prices are for.
            precision: How far the bound may lie above what the prices prove, as a share of
                ``Σ a_j(f_j^max)``, in 0..1, where it does not confirm the claim before. Where a
                value function has too many pieces, it is made coarser, which raises the bound too.

        Returns:
            The bound, at most ``Σ a_j(f_j^max)``.

        Raises:
            InputError: If the instance has another name or number of tasks, or ``precision`` is
                out of range.
        """
        self.check_fits(instance)
        if not 0.0 <= precision <= 1.0:
            raise InputError(f"precision: must be in 0..1, got {precision:g}")
        top = math.fsum(instance.top_accuracy)
        energy = math.nextafter(self.energy_price * instance.energy_budget, math.inf)
        fixed = (*instance.base_accuracy, *self.task_prices, energy)
        bound = math.nextafter(top, math.inf)
        goal = -math.inf if self.upper_bound is None else self.upper_bound
        for values in self._machine_values(instance, precision):
            bound = min(bound, math.nextafter(math.fsum((*fixed, *values)), math.inf))
            if bound <= goal:
                break
        return bound

    def _machine_values(self, instance: Instance, precision: float) -> Iterator[list[float]]:
        """What the schedule of each machine can be worth at most (m,), finer and finer."""
        machines = list(zip(instance.speeds.tolist(), instance.efficiencies.tolist(), strict=True))
        value = self._valuation(instance)
        floors = dict.fromkeys(machines, 0.0)
        tasks, top = instance.num_tasks, math.fsum(instance.top_accuracy)
        with ThreadPoolExecutor(usable_cores()) as pool:
            for share in (*(coarse for coarse in _COARSE if coarse > precision), precision):
                error = share * top / (tasks * instance.num_machines)
                found = dict(
                    zip(
                        floors, pool.map(value, floors, floors.values(), repeat(error)), strict=True
                    )
                )
                yield [found[machine] for machine in machines]
                floors = {
                    each: max(0.0, most - 2.0 * tasks * error) for each, most in found.items()
                }

    def _valuation(
        self, instance: Instance
    ) -> Callable[[tuple[float, float], float, float], float]:
        """What a machine of some speed and efficiency is worth, above a floor and with an error."""
        order = instance.edf_order
        # All roundings upwards: a narrower or a higher segment only earns more.
        width = np.nextafter(np.diff(instance.work[order], axis=1), 0.0)
        rise = np.diff(instance.accuracy[order], axis=1)
        rise = np.where(rise > 0.0, np.nextafter(rise, np.inf), 0.0)
        fee = self.task_prices[order]

        def value(machine: tuple[float, float], floor: float, error: float) -> float:
            speed, efficiency = machine
            capacity = np.nextafter(speed * instance.deadlines[order], np.inf)
            rate = math.nextafter(self.energy_price / efficiency, 0.0)
            return largest_value(capacity, width, rise, rate, fee, floor, error)

        return value

    def prove(self, instance: Instance) -> float:
        """The bound of `check`, which must be what the certificate claims.

        Raises:
            InputError: If the prices prove less than it claims, or are not for the instance.
        """
        proven, claimed = self.check(instance), self.upper_bound
        if claimed is not None and exceeds(proven, claimed):
            raise InputError(f"upper_bound: the prices prove {proven:.9g}, not {claimed:.9g}")
        return proven

    def check_fits(self, instance: Instance) -> None:
        """Refuses an instance that the prices are not for.

        Raises:
            InputError: If it has another name or number of tasks.
        """
        if self.instance is not None and instance.name not in (None, self.instance):
            raise InputError(f"instance: it is for {self.instance!r}, not {instance.name!r}")
        if self.task_prices.size != instance.num_tasks:
            raise InputError(
                f"task_prices: {self.task_prices.size} prices for {instance.num_tasks} tasks"
            )

    def document(self) -> dict[str, Any]:
        """The certificate as the JSON document of its file."""
        return {
            "format": CERTIFICATE_FORMAT,
            "instance": self.instance,
            "method": self.method,
            "upper_bound": self.upper_bound,
            "energy_price": self.energy_price,
            "task_prices": self.task_prices.tolist(),
        }

    def save(self, path: str | Path) -> None:
        """Writes a certificate file (format ``dsct-ea-certificate/1``), whole or not at all.

        Raises:
            InputError: If the file cannot be written.
        """
        write_text(path, json.dumps(self.document(), ensure_ascii=False, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Certificate:
        """Reads a certificate file (format ``dsct-ea-certificate/1``).

        Raises:
            InputError: If the file cannot be read or breaks the format, naming the field.
        """
        return parse_certificate(read_json(path))


class CertifiedBound(float):
    """An upper bound on the total accuracy that comes with the prices that prove it.

    What found it says so; `Certificate.check` says whether, and how far, it is true.

    Args:
        bound: Upper bound on the total accuracy.
        certificate: The prices.
        interrupted: Whether Ctrl-C cut the search for better prices short.

    Attributes:
        certificate: As above.
        interrupted: As above.
    """

    def __new__(cls, bound: float, certificate: Certificate, interrupted: bool = False) -> Self:
        """A number like any other; what it carries is set by ``__init__``."""
        return super().__new__(cls, bound)

    def __init__(self, bound: float, certificate: Certificate, interrupted: bool = False) -> None:
        self.certificate = certificate
        self.interrupted = interrupted

    def __reduce__(self) -> tuple[type[CertifiedBound], tuple[float, Certificate, bool]]:
        return type(self), (float(self), self.certificate, self.interrupted)


def parse_certificate(data: object) -> Certificate:
    """Builds a certificate from parsed JSON.

    Raises:
        InputError: One line for each fault, naming the field.
    """
    model = validate(CertificateModel, data)
    return Certificate(
        task_prices=np.array(model.task_prices, dtype=np.float64),
        energy_price=model.energy_price,
        instance=model.instance,
        method=model.method,
        upper_bound=model.upper_bound,
    )


def is_certificate(data: object) -> bool:
    """Whether parsed JSON says that it is a certificate, perhaps of another version."""
    named = data.get("format") if isinstance(data, dict) else None
    return isinstance(named, str) and named.startswith("dsct-ea-certificate")


@cache
def warm_up_checker() -> None:
    """Compiles or loads the kernels of `Certificate.check`, before a clock starts."""
    instance = toy()
    Certificate(np.zeros(instance.num_tasks), 0.0).check(instance)
