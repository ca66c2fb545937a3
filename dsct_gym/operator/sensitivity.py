"""What energy, time and machines are worth in an instance, and what cuts its tasks.

Everything is read off the optimal prices of the fractional relaxation (`dsct_gym.relaxation`): λ of
energy and p_k of work in the time between two moments at which something arrives or is due. At
them, machine r earns in the interval k ``s_r max(0, p_k − λ/E_r)`` a second. By the duality of
linear programmes the derivatives of the bound are

- with respect to the budget: λ;
- with respect to the speed of a machine of the same efficiency: what it earns over all intervals,
  a GFLOP/s;
- with respect to a deadline, up to the next moment: what all machines would earn in the interval
  after it at the price that the tasks due then pay, less what they earn there, a second. A task
  pays the least price in its window, or the slope at which its curve begins where that is less;
  where all tasks are there from the start, this is what machines earn before the deadline.

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

from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.instance import Instance
from dsct_gym.online.instance import OnlineInstance
from dsct_gym.online.relaxation import prices_over_time
from dsct_gym.operator.overview import full_works
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.problem import Problem, check_known
from dsct_gym.relaxation import Relaxation, relax
from dsct_gym.schedule import releases

if TYPE_CHECKING:
    from dsct_gym.schedule import Schedule

KNOWS: Final = frozenset({"points", "arrivals"})
"""The variants whose relaxation has a price of work at every moment."""

ASKED_ANEW: Final = ("'describe'", "'sweep'")
"""The commands that solve a problem anew for every question, and so take those of all kinds."""

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
        first_seconds: What a second of each machine is worth at the beginning, when the first task
            is there (m,), accuracy per s.
        last_seconds: The same before the last deadline (m,).
        dearest_seconds: The most that a second of each machine is worth at any moment (m,).
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
    dearest_seconds: Floats
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


class Market(NamedTuple):
    """Prices of work over time.

    Attributes:
        span: Length of each interval between two moments (T,), s.
        price: Price of work in it (T,), accuracy per GFLOP.
        end: The interval after each task's deadline (n,), T after the last.
        paid: The least price in each task's window (n,), accuracy per GFLOP.
    """

    span: Floats
    price: Floats
    end: Ints
    paid: Floats


@singledispatch
def market_of(problem: Problem, relaxation: Relaxation) -> Market:
    """The prices of work of a relaxed problem, whose tasks are all there from the start."""
    core = problem.core
    moments, due = np.unique(core.deadlines, return_inverse=True)
    order = core.edf_order
    # Of tasks due at the same moment the first in the order is told the price until then.
    first = np.searchsorted(core.deadlines[order], moments)
    price = relaxation.marginal_prices[order][first]
    return Market(np.diff(moments, prepend=0.0), price, due + 1, price[due])


@market_of.register
def _(problem: OnlineInstance, relaxation: Relaxation) -> Market:
    timeline, price = prices_over_time(problem)
    end = np.asarray(timeline.end[problem.core.edf_rank], dtype=np.int64)
    return Market(timeline.length, price, end, relaxation.marginal_prices)


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
        problem: An `Instance`, or one with operating points or arrivals.

    Raises:
        InputError: If the problem is of another kind.
    """
    check_prices(problem)
    core, supply, relaxation = problem.core, supply_of(problem), relax(problem)
    market = market_of(problem, relaxation)
    earned = _earned(market.price, supply, relaxation.energy_price)
    rents = _by_machine(market.span @ earned, supply, core.num_machines)
    return Sensitivity(
        relaxation=relaxation,
        energy_price=relaxation.energy_price,
        rents=rents,
        speed_prices=rents / core.speeds,
        first_seconds=_by_machine(earned[0], supply, core.num_machines),
        last_seconds=_by_machine(earned[-1], supply, core.num_machines),
        dearest_seconds=_by_machine(earned.max(axis=0), supply, core.num_machines),
        deadline_prices=_deadline_prices(core, market, supply, relaxation.energy_price),
        limits=_limits(core, relaxation, supply.efficiency),
    )


def check_prices(problem: Problem) -> None:
    """Refuses problems whose relaxation has no price of work at every moment.

    Raises:
        InputError: One line.
    """
    check_known(problem, KNOWS, "'explain'", lambda: dict.fromkeys(ASKED_ANEW, problem.needs))


def _earned(price: Floats, supply: Supply, energy_price: float) -> Floats:
    """What machines earn a second at prices of work (k,), accuracy per s (k, V)."""
    margin = price[:, None] - energy_price / supply.efficiency
    margin[margin <= _ROUNDING * price[:, None]] = 0.0
    return supply.speed * margin


def _deadline_prices(core: Instance, market: Market, supply: Supply, energy_price: float) -> Floats:
    """What putting off each deadline brings, with all tasks due then (n,), accuracy per s."""
    moments, due = np.unique(core.deadlines, return_inverse=True)
    begin = np.zeros(core.num_tasks)
    segments = core.segments
    np.maximum.at(begin, core.edf_order[segments.task], segments.slope)
    paid = np.zeros(moments.size)
    np.maximum.at(paid, due, np.minimum(market.paid, begin))
    after = np.zeros(moments.size)
    after[due] = np.append(market.price, 0.0)[market.end]
    there = _earned(np.maximum(paid, after), supply, energy_price)
    return np.asarray((there - _earned(after, supply, energy_price)).sum(axis=1)[due])


def limits_of_schedule(schedule: Schedule) -> Ints:
    """What keeps each task of a schedule from its best accuracy, as `Limit` (n,).

    A task on a machine is cut by its deadline when its machine, at its fastest clock, could do no
    more by some deadline that the task counts towards; otherwise by energy when the budget is
    spent. Where tasks arrive, machines keep their order.

    Args:
        schedule: A schedule of an `Instance`, or of one with operating points or arrivals.

    Raises:
        InputError: If its problem is of another kind.
    """
    check_prices(schedule.instance)
    core = schedule.instance.core
    spent = schedule.energy >= core.energy_budget * (1.0 - _TIGHT)
    limits = np.full(core.num_tasks, Limit.ENERGY if spent else Limit.ROOM, dtype=np.int64)
    arrivals = releases(schedule.instance)
    cut = _full_by_deadline(schedule) if arrivals is None else _wedged(schedule, arrivals)
    limits[cut] = Limit.DEADLINE
    limits[schedule.machine < 0] = Limit.LEFT_OUT
    limits[schedule.work >= full_works(core) * (1.0 - _TIGHT)] = Limit.FULL
    return limits


def _full_by_deadline(schedule: Schedule) -> Bools:
    """Tasks whose machine could do no more by a deadline that they count towards (n,)."""
    core = schedule.instance.core
    cut = np.zeros(core.num_tasks, dtype=np.bool_)
    for machine, speed in enumerate(core.speeds.tolist()):
        here = core.edf_order[schedule.machine[core.edf_order] == machine]
        due = core.deadlines[here] * speed
        full = np.cumsum(schedule.work[here]) >= due * (1.0 - _TIGHT)
        # A task counts towards its own deadline and all later ones.
        cut[here[: np.max(np.flatnonzero(full), initial=-1) + 1]] = True
    return cut


def _wedged(schedule: Schedule, arrivals: Floats) -> Bools:
    """Tasks that fill the time between those before and those after them on their machine (n,).

    Those before are done as early, those after as late as arrivals and deadlines let them.
    """
    core, took = schedule.instance.core, schedule.duration
    order = np.lexsort((core.deadlines, schedule.start))
    cut = np.zeros(core.num_tasks, dtype=np.bool_)
    for machine in range(core.num_machines):
        here = order[schedule.machine[order] == machine].tolist()
        early, late = np.zeros(len(here)), np.zeros(len(here))
        ready = 0.0
        for place, task in enumerate(here):
            early[place] = max(ready, arrivals[task])
            ready = early[place] + took[task]
        last = np.inf
        for place, task in reversed(list(enumerate(here))):
            late[place] = min(last, core.deadlines[task])
            last = late[place] - took[task]
        room = late - early - took[here]
        cut[here] = room <= _TIGHT * core.deadlines[here]
    return cut


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
