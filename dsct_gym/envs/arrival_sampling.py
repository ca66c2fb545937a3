"""Random arrivals in bulk: a scenario, and the kernel that draws from it straight into the rows.

Everything of an instance comes from one number, drawn when its episode begins: the state of a
random stream that no action can touch. The same kernel gives the `OnlineInstance` on request.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from dsct_gym.accuracy import exponential_breakpoints
from dsct_gym.arguments import as_integer, as_number, as_range
from dsct_gym.arrays import Floats, Ints
from dsct_gym.envs.arrival_bank import ArrivalBank, ArrivalLibrary, prepare_row
from dsct_gym.envs.shelf import Shelf
from dsct_gym.envs.source import Drawn
from dsct_gym.errors import InputError
from dsct_gym.generator import THETA_MIN, Count, Quantity
from dsct_gym.instance import Instance
from dsct_gym.jit import helper, kernel
from dsct_gym.online import OnlineInstance
from dsct_gym.online.generator import TOLERANCE
from dsct_gym.random import States, draw_splitmix

_SPREAD = 1.5
"""Room for so many times the mean number of tasks; made larger where that does not do."""


class _Bound(IntEnum):
    """Places of the parameters of a scenario, each a range."""

    N = 0
    M = 1
    MU = 2
    RHO = 3
    BETA = 4
    BURSTINESS = 5
    PERIOD = 6
    TOLERANCE = 7
    SPEED = 8
    EFFICIENCY = 9


@dataclass(frozen=True)
class ArrivalScenario:
    """A distribution of instances whose tasks arrive over time.

    Tasks arrive as a Poisson process whose rate changes between two values, b times the mean and
    1/b of it, at random moments: a share 1 / (1 + b) of the time it is high, in spells of which
    there is one in each ``period`` on average. The number of tasks is random, at least one. Each
    task draws its curve and, uniformly, how long it can wait. Horizon, budget and latencies are
    made of the rest as `dsct_gym.online.generator` does; its scenarios, which know other processes
    and traces, are played as well, given as ``generator``, but drawn more slowly. A number or a
    range (low, high) from which each instance draws uniformly:

    Attributes:
        n: Mean number of tasks.
        m: Number of machines.
        mu: Task heterogeneity θ_max / θ_min, at least 1; θ is uniform.
        rho: What the machines can do until the horizon over the work of n mean tasks in full.
        beta: Energy budget ratio ``B / (horizon Σ P_r)``.
        burstiness: b, at least 1; 1 is a Poisson process of one rate.
        period: Mean time from one spell to the next, in horizons.
        tolerance: Time from a task's arrival to its deadline, in the time that a mean task takes in
            full on a machine of mean speed; each task draws its own.
        speed: Speed of machines, GFLOP/s; each machine draws its own.
        efficiency: Energy efficiency of machines, GFLOP/J; each machine draws its own.
        segments: Segments of the exponential curves.

    Raises:
        InputError: Naming the parameter at fault.
    """

    n: Count = 100
    m: Count = 5
    mu: Quantity = 5.0
    rho: Quantity = 0.35
    beta: Quantity = 0.5
    burstiness: Quantity = 1.0
    period: Quantity = 0.2
    tolerance: Quantity = TOLERANCE
    speed: Quantity = (1_000.0, 20_000.0)
    efficiency: Quantity = (5.0, 60.0)
    segments: int = 5

    def __post_init__(self) -> None:
        for field, least, most in (
            ("n", 1, 10**6),
            ("m", 1, 10**4),
        ):
            low, high = (as_integer(end, field, least, most) for end in _ends(getattr(self, field)))
            _check_order(low, high, field)
        for field, lowest in (
            ("mu", 1.0),
            ("rho", 1e-9),
            ("beta", 0.0),
            ("burstiness", 1.0),
            ("period", 1e-6),
            ("tolerance", 1e-9),
            ("speed", 1e-9),
            ("efficiency", 1e-9),
        ):
            given = _ends(getattr(self, field))
            smallest, largest = (as_number(end, field, lowest, 1e9) for end in given)
            _check_order(smallest, largest, field)
        object.__setattr__(self, "segments", as_integer(self.segments, "segments", 1, 10**5))

    @property
    def max_machines(self) -> int:
        """Most machines of an instance."""
        return int(_ends(self.m)[1])

    @property
    def max_tasks(self) -> int:
        """How many tasks there is room for to begin with; an instance may have more."""
        return math.ceil(_SPREAD * float(_ends(self.n)[1])) + 8

    @property
    def one_size(self) -> bool:
        """Whether all instances have the same number of machines."""
        low, high = _ends(self.m)
        return low == high

    @cached_property
    def bounds(self) -> Floats:
        """Ends of each parameter, by place."""
        names = (place.name.lower() for place in _Bound)
        return np.array([_ends(getattr(self, name)) for name in names], dtype=np.float64)

    @cached_property
    def curve(self) -> tuple[Floats, Floats]:
        """Work (GFLOP) and accuracy at the breakpoints of the most demanding task (K+1,)."""
        scaled, accuracy = exponential_breakpoints(self.segments)
        return scaled / THETA_MIN, accuracy

    def sample(self, rng: np.random.Generator) -> OnlineInstance:
        """Draws an instance.

        Args:
            rng: Gives the one number that all of it is drawn from.
        """
        return self.rebuild(draw_key(rng))

    def rebuild(self, key: int) -> OnlineInstance:
        """The instance that is drawn from a number."""
        room, work, accuracy = self.max_tasks, *self.curve
        while True:
            bank = ArrivalBank.empty(1, room, self.max_machines, work.size, 1)
            found = draw_rows(bank, np.array([0]), _states([key]), self.bounds, work, accuracy)
            if found[0] <= room:
                return _instance(bank)
            room = int(found[0])


def draw_key(rng: np.random.Generator) -> int:
    """The number that an instance is drawn from."""
    return int(rng.integers(0, 1 << 64, dtype=np.uint64))


def _states(keys: Sequence[int]) -> States:
    return np.array(keys, dtype=np.uint64)


def _instance(bank: ArrivalBank) -> OnlineInstance:
    """The instance in the only row of a bank."""
    n, m = int(bank.tasks[0]), int(bank.machines[0])
    core = Instance(
        speeds=bank.speed[0, :m],
        efficiencies=bank.efficiency[0, :m],
        deadlines=bank.deadline[0, :n],
        work=bank.reach[0, :n],
        accuracy=bank.value[0, :n],
        energy_budget=float(bank.budget[0]),
    )
    return OnlineInstance(core, bank.arrival[0, :n], float(bank.horizon[0]))


def _ends(value: Count | Quantity) -> tuple[float, float]:
    ends = as_range(value)
    return (value, value) if ends is None else ends  # type: ignore[return-value]


def _check_order(low: float, high: float, field: str) -> None:
    if low > high:
        raise InputError(f"{field}: range from {low:g} down to {high:g}")


class SampledArrivals(Drawn):
    """Draws a new instance of a scenario for every episode, compiled.

    Args:
        scenario: The scenario.
        env_id: The environment that plays them.
    """

    compiled = True

    def __init__(self, scenario: ArrivalScenario, env_id: str) -> None:
        largest, padded = (scenario.max_tasks, scenario.max_machines), not scenario.one_size
        super().__init__(scenario.sample, *largest, padded=padded, env_id=env_id)
        self.scenario = scenario

    def load(self, library: Shelf, envs: Ints, generators: Sequence[np.random.Generator]) -> Ints:
        """Draws instances into the environments' own rows."""
        assert isinstance(library, ArrivalLibrary)
        work, accuracy = self.scenario.curve
        keys = [draw_key(rng) for rng in generators]
        library.widen(1, work.size)
        rows, left = envs, _states(keys)
        while rows.size:
            bounds = self.scenario.bounds
            found = draw_rows(library.bank, rows, left.copy(), bounds, work, accuracy)
            without = found > library.bank.room
            if without.any():
                library.widen(int(found.max()), work.size)
            rows, left = rows[without], left[without]
        for env, key in zip(envs.tolist(), keys, strict=True):
            library.recipes[env] = partial(self.scenario.rebuild, key)
        return envs


class _Means(NamedTuple):
    """What tasks of an instance are like.

    Attributes:
        tasks: Mean number of them.
        mu: Ratio of the largest to the smallest.
        time: What a mean task takes in full on a machine of mean speed, s.
    """

    tasks: float
    mu: float
    time: float


@kernel
def draw_rows(
    bank: ArrivalBank, rows: Ints, states: States, bounds: Floats, work: Floats, accuracy: Floats
) -> Ints:
    """Draws instances.

    Args:
        bank: Where to write.
        rows: Rows to write (k,).
        states: State of the random stream of each row (k,); used up.
        bounds: Ends of each parameter, by place.
        work: Work at the breakpoints of the most demanding task, GFLOP.
        accuracy: Accuracy there.

    Returns:
        Number of tasks of each (k,); where that is more than there is room for, the row is not
        written to its end.
    """
    found = np.empty(rows.size, dtype=np.int64)
    for index in range(rows.size):
        row = rows[index]
        _draw_fleet(bank, row, states, index, bounds)
        means = _draw_limits(bank, row, states, index, bounds, work[work.size - 1])
        found[index] = _draw_times(bank, row, states, index, bounds, means)
        if found[index] <= bank.arrival.shape[1]:
            _draw_tasks(bank, row, states, index, bounds, means, work, accuracy)
            prepare_row(bank, row)
    return found


@helper
def _between(states: States, index: int, bounds: Floats, place: int) -> float:
    """A number drawn from a range; nothing is drawn from one without extent."""
    low: float = bounds[place, 0]
    high: float = bounds[place, 1]
    return low + (high - low) * draw_splitmix(states, index) if high > low else low


@helper
def _whole_between(states: States, index: int, bounds: Floats, place: int) -> int:
    low, high = bounds[place, 0], bounds[place, 1]
    return int(low + math.floor((high - low + 1.0) * draw_splitmix(states, index)))


@helper
def _draw_fleet(bank: ArrivalBank, row: int, states: States, index: int, bounds: Floats) -> None:
    """Draws the machines of a row."""
    bank.machines[row] = _whole_between(states, index, bounds, _Bound.M)
    for r in range(bank.machines[row]):
        bank.speed[row, r] = _between(states, index, bounds, _Bound.SPEED)
        bank.efficiency[row, r] = _between(states, index, bounds, _Bound.EFFICIENCY)


@helper
def _draw_limits(
    bank: ArrivalBank, row: int, states: States, index: int, bounds: Floats, largest: float
) -> _Means:
    """Draws how many tasks are expected, and from that and the machines horizon and budget."""
    speed, power = 0.0, 0.0
    for r in range(bank.machines[row]):
        speed += bank.speed[row, r]
        power += bank.speed[row, r] / bank.efficiency[row, r]
    tasks = float(_whole_between(states, index, bounds, _Bound.N))
    mu = _between(states, index, bounds, _Bound.MU)
    mean = largest * (math.log(mu) / (mu - 1.0) if mu > 1.0 else 1.0)
    bank.horizon[row] = _between(states, index, bounds, _Bound.RHO) * tasks * mean / speed
    beta = _between(states, index, bounds, _Bound.BETA)
    bank.budget[row] = beta * bank.horizon[row] * power
    return _Means(tasks=tasks, mu=mu, time=mean * bank.machines[row] / speed)


@helper
def _draw_times(
    bank: ArrivalBank, row: int, states: States, index: int, bounds: Floats, means: _Means
) -> int:
    """Draws when tasks arrive, as far as there is room; gives their number."""
    horizon = bank.horizon[row]
    burst = _between(states, index, bounds, _Bound.BURSTINESS)
    period = _between(states, index, bounds, _Bound.PERIOD) * horizon
    share = 1.0 / (1.0 + burst)
    high = draw_splitmix(states, index) < share
    clock, until, count = 0.0, 0.0, 0
    while True:
        if clock >= until:
            high = high if until == 0.0 else not high
            spell = period * (share if high else 1.0 - share)
            until = clock - spell * math.log(draw_splitmix(states, index))
        rate = means.tasks / horizon * (burst if high else 1.0 / burst)
        moment = clock - math.log(draw_splitmix(states, index)) / rate
        if moment >= until and until < horizon:
            clock = until
            continue
        clock = moment
        if clock >= horizon:
            break
        if count < bank.arrival.shape[1]:
            bank.arrival[row, count] = clock
        count += 1
    if count == 0:
        bank.arrival[row, 0] = horizon * draw_splitmix(states, index)
        count = 1
    bank.tasks[row] = count
    return count


@helper
def _draw_tasks(
    bank: ArrivalBank,
    row: int,
    states: States,
    index: int,
    bounds: Floats,
    means: _Means,
    work: Floats,
    accuracy: Floats,
) -> None:
    """Draws curve and deadline of each task of a row."""
    last = work.size - 1
    for task in range(bank.tasks[row]):
        theta = 1.0 + (means.mu - 1.0) * draw_splitmix(states, index)
        latency = _between(states, index, bounds, _Bound.TOLERANCE) * means.time
        bank.deadline[row, task] = bank.arrival[row, task] + latency
        for k in range(bank.reach.shape[2]):
            at = min(k, last)
            bank.reach[row, task, k] = work[at] / theta
            bank.value[row, task, k] = accuracy[at]
