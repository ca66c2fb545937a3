"""What energy, time and machines are worth in an instance, and what cuts its tasks.

Everything is read off the optimal prices of the fractional relaxation (`dsct_gym.relaxation`): λ of
energy and p_k of work in the time between two deadlines. At them, machine r earns in the interval k
``s_r max(0, p_k − λ/E_r)`` a second. By the duality of linear programmes the derivatives of the
bound are

- with respect to the budget: λ;
- with respect to the speed of a machine of the same efficiency: what it earns over all intervals,
  a GFLOP/s;
- with respect to a deadline, between its neighbours: what all machines earn before it less what
  they earn after it, a second.

The bound is concave in each of them: an increase brings at most what its price says, and a decrease
costs at least that. Where the bound has a kink, the prices are between the derivatives of both
sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import singledispatch
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.instance import Instance
from dsct_gym.operator.overview import full_works
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.problem import Problem, check_known
from dsct_gym.relaxation import Relaxation, relax

if TYPE_CHECKING:
    from dsct_gym.schedule import Schedule

KNOWS: Final = frozenset({"points"})
"""The variants whose prices are those of intervals between deadlines."""

_ROUNDING: Final = 1e-12
"""Share of a price that is what rounding leaves of a difference of equals."""
_TIGHT: Final = 1e-7
"""Relative distance up to which a limit is taken for reached."""


class Limit(IntEnum):
    """What keeps a task from its best accuracy."""

    FULL = 0
    """Nothing: it is done in full."""
    ENERGY = 1
    """Energy: every machine has time before its deadline that is not worth the energy."""
    DEADLINE = 2
    """Time: all machines are busy until its deadline; in a schedule, its own machine."""
    BOTH = 3
    """Of the relaxation: efficient machines are busy, and the time of others is not worth it."""
    ROOM = 4
    """Of a schedule: neither; there are time and energy to do more of it."""
    LEFT_OUT = 5
    """Of a schedule: it has no machine."""


@dataclass(frozen=True)
class Sensitivity:
    """Prices of an instance, in total accuracy; arrays in its order.

    Attributes:
        relaxation: The relaxation that they are prices of.
        energy_price: λ, accuracy per J.
        rents: What each machine earns until the last deadline (m,), accuracy: losing it costs at
            least that, and a second one of its kind brings at most that.
        speed_prices: What one more GFLOP/s of each machine brings at its efficiency (m,); of one
            with several clocks, if all of them get faster by the same factor.
        first_seconds: What a second of each machine is worth at the beginning (m,), accuracy per s.
        last_seconds: The same before the last deadline (m,).
        deadline_prices: What putting off each deadline brings (n,), accuracy per s; of tasks due at
            the same moment, what it brings to put off all of them. 0 where a deadline does not
            bind.
        limits: What cuts each task in the relaxation, as `Limit` (n,).
    """

    relaxation: Relaxation
    energy_price: float
    rents: Floats
    speed_prices: Floats
    first_seconds: Floats
    last_seconds: Floats
    deadline_prices: Floats
    limits: Ints


class Supply(NamedTuple):
    """What machines have to offer, each clock's increment by itself.

    Attributes:
        speed: GFLOP/s (V,).
        efficiency: GFLOP/J (V,).
        owner: Machine of each (V,).
    """

    speed: Floats
    efficiency: Floats
    owner: Ints


@singledispatch
def supply_of(problem: Problem) -> Supply:
    """What the machines of a problem have to offer."""
    core = problem.core
    return Supply(core.speeds, core.efficiencies, np.arange(core.num_machines))


@supply_of.register
def _(problem: DvfsInstance) -> Supply:
    increments = problem.increments
    return Supply(increments.speed, increments.efficiency, increments.owner)


def sensitivity(problem: Problem) -> Sensitivity:
    """Solves the relaxation and reads off what its prices say.

    Args:
        problem: An `Instance`, or one with operating points.

    Raises:
        InputError: If the problem is of another kind.
    """
    check_prices(problem)
    core, supply, relaxation = problem.core, supply_of(problem), relax(problem)
    order, deadline = core.edf_order, core.deadlines[core.edf_order]
    first = np.searchsorted(deadline, np.unique(deadline))
    price = relaxation.marginal_prices[order][first]
    margin = price[:, None] - relaxation.energy_price / supply.efficiency
    margin[margin <= _ROUNDING * price[:, None]] = 0.0
    earned = supply.speed * margin
    span = np.diff(deadline[first], prepend=0.0)
    fall = earned.sum(axis=1) - np.append(earned.sum(axis=1)[1:], 0.0)
    rents = _by_machine(span @ earned, supply, core.num_machines)
    return Sensitivity(
        relaxation=relaxation,
        energy_price=relaxation.energy_price,
        rents=rents,
        speed_prices=rents / core.speeds,
        first_seconds=_by_machine(earned[0], supply, core.num_machines),
        last_seconds=_by_machine(earned[-1], supply, core.num_machines),
        deadline_prices=np.maximum(0.0, fall)[np.searchsorted(deadline[first], core.deadlines)],
        limits=_limits(core, relaxation, supply.efficiency),
    )


def check_prices(problem: Problem) -> None:
    """Refuses problems whose prices are not those of intervals between deadlines.

    Raises:
        InputError: One line.
    """
    check_known(problem, KNOWS, "'explain'", dict)


def limits_of_schedule(schedule: Schedule) -> Ints:
    """What keeps each task of a schedule from its best accuracy, as `Limit` (n,).

    A task on a machine is cut by its deadline when its machine, at its fastest clock, could do no
    more by some deadline that the task counts towards; otherwise by energy when the budget is
    spent.

    Args:
        schedule: A schedule of an `Instance`, or of one with operating points.

    Raises:
        InputError: If its problem is of another kind.
    """
    check_prices(schedule.instance)
    core = schedule.instance.core
    spent = schedule.energy >= core.energy_budget * (1.0 - _TIGHT)
    limits = np.full(core.num_tasks, Limit.ENERGY if spent else Limit.ROOM, dtype=np.int64)
    for machine, speed in enumerate(core.speeds.tolist()):
        here = core.edf_order[schedule.machine[core.edf_order] == machine]
        due = core.deadlines[here] * speed
        full = np.cumsum(schedule.work[here]) >= due * (1.0 - _TIGHT)
        # A task counts towards its own deadline and all later ones.
        limits[here[: np.max(np.flatnonzero(full), initial=-1) + 1]] = Limit.DEADLINE
    limits[schedule.machine < 0] = Limit.LEFT_OUT
    limits[schedule.work >= full_works(core) * (1.0 - _TIGHT)] = Limit.FULL
    return limits


def _limits(core: Instance, relaxation: Relaxation, efficiency: Floats) -> Ints:
    """What cuts each task in the relaxation (n,)."""
    energy, price = relaxation.energy_price, relaxation.marginal_prices
    idle, some_idle = (
        (price <= energy / each * (1.0 + _TIGHT)) & (energy > 0.0)
        for each in (efficiency.max(), efficiency.min())
    )
    limits = np.where(idle, Limit.ENERGY, np.where(some_idle, Limit.BOTH, Limit.DEADLINE))
    done = relaxation.work >= full_works(core) * (1.0 - _TIGHT)
    return np.where(done, Limit.FULL, limits).astype(np.int64)


def _by_machine(values: Floats, supply: Supply, machines: int) -> Floats:
    """Values of what machines offer added up by machine (m,)."""
    total = np.zeros(machines)
    np.add.at(total, supply.owner, values)
    return total
