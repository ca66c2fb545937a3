"""Random instances in bulk: what `Scenario.sample` draws, compiled, straight into the rows.

A new instance for every episode costs more in Python than the whole episode in a compiled batch.
Here only the random numbers are drawn one generator at a time; `sample_rows` makes of them, bit for
bit, the instances that `Scenario.sample` makes. It covers exponential curves and random machines.
The numbers are kept as the recipe from which `Scenario.sample` rebuilds the `Instance` on request.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import IntEnum
from functools import partial
from typing import cast

import numpy as np

from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.envs.bank import Bank, Library, prepare
from dsct_gym.envs.shelf import Shelf
from dsct_gym.envs.source import Drawn
from dsct_gym.generator import Count, Quantity, Scenario
from dsct_gym.instance import Instance
from dsct_gym.jit import helper, kernel
from dsct_gym.rounding import CLASSES, FACTORS

_PARTIALS = 64
_TIE = 1e-3


class _Parameter(IntEnum):
    """Places of the parameters of a scenario; a number is drawn for each ranged one up to BETA."""

    N = 0
    M = 1
    MU = 2
    RHO = 3
    BETA = 4
    SPEED = 5
    EFFICIENCY = 6


class _Curve(IntEnum):
    """Places of the two rows of a curve."""

    WORK = 0
    ACCURACY = 1


class Sampled(Drawn):
    """Draws a new instance of a scenario for every episode, compiled.

    Args:
        scenario: One that `covers` accepts.
    """

    compiled = True

    def __init__(self, scenario: Scenario) -> None:
        largest = scenario.max_tasks, scenario.max_machines
        super().__init__(scenario.sample, *largest, padded=not scenario.one_size)
        self._scenario = scenario
        n, m, mu, rho, beta = scenario.n, scenario.m, scenario.mu, scenario.rho, scenario.beta
        assert m is not None
        self._ranges: list[Count | Quantity] = [n, m, mu, rho, beta]
        self._bounds = np.array(
            [_ends(value) for value in (*self._ranges, scenario.speed, scenario.efficiency)],
            dtype=np.float64,
        )
        self._ranged = np.array([isinstance(value, tuple) for value in self._ranges])
        self._header = int(self._ranged.sum())
        self._fixed = not isinstance(n, tuple) and not isinstance(m, tuple)
        self._most = self._header + 2 * (self.max_tasks + self.max_machines)
        self._work, self._accuracy = (curve[0] for curve in scenario.unit_curves)

    @staticmethod
    def covers(scenario: Scenario) -> bool:
        """Whether the kernel knows the scenario: no catalogue."""
        return scenario.devices is None and scenario.family is None

    def load(self, library: Shelf, envs: Ints, generators: Sequence[np.random.Generator]) -> Ints:
        """Draws instances into the environments' own rows."""
        assert isinstance(library, Library)
        if library.bank.guided:
            return super().load(library, envs, generators)
        library.widen(self._work.size)
        numbers = np.zeros((envs.size, self._most))
        for drawn, rng in zip(numbers, generators, strict=True):
            self._draw(drawn, rng)
        done = np.zeros(envs.size, dtype=np.bool_)
        curve = np.stack([self._work, self._accuracy])
        library.workers.run(
            partial(
                sample_rows, library.bank, envs, numbers, self._ranged, self._bounds, curve, done
            ),
            envs.size,
        )
        for index, env in enumerate(envs.tolist()):
            library.recipes[env] = partial(self._rebuild, numbers[index])
        for index in np.flatnonzero(~done).tolist():
            library.load(int(envs[index]), self._rebuild(numbers[index]))
        return envs

    def _draw(self, numbers: Floats, rng: np.random.Generator) -> None:
        """Fills in as many random numbers as `Scenario.sample` would draw."""
        if self._fixed:
            rng.random(out=numbers)
            return
        rng.random(out=numbers[: self._header])
        sizes = 0
        position = 0
        for value in self._ranges[:2]:
            if isinstance(value, tuple):
                low, high = int(value[0]), int(value[1])
                sizes += low + int(numbers[position] * (high - low + 1))
                position += 1
            else:
                sizes += int(value)
        rng.random(out=numbers[self._header : self._header + 2 * sizes])

    def _rebuild(self, numbers: Floats) -> Instance:
        return self._scenario.sample(cast("np.random.Generator", _Replay(numbers)))


class _Replay:
    """Stands in for a random generator and gives numbers that were drawn before."""

    def __init__(self, numbers: Floats) -> None:
        self._numbers = numbers
        self._position = 0

    def random(self, size: int) -> Floats:
        """The next numbers."""
        start = self._position
        self._position += size
        return self._numbers[start : self._position]


def _ends(value: Count | Quantity) -> tuple[float, float]:
    return (value[0], value[1]) if isinstance(value, tuple) else (value, value)


@kernel
def sample_rows(
    bank: Bank,
    rows: Ints,
    numbers: Floats,
    ranged: Bools,
    bounds: Floats,
    curve: Floats,
    done: Bools,
    first: int,
    last: int,
) -> None:
    """Makes instances of random numbers.

    Args:
        bank: Where to write.
        rows: Rows to write (k,).
        numbers: Random numbers of each row (k, ·), in the order in which they are drawn.
        ranged: Whether each `_Parameter` up to BETA is a range (5,), so that it is drawn.
        bounds: Ends of each `_Parameter` (7, 2).
        curve: Each `_Curve` row at the breakpoints of the least efficient task (2, K+1).
        done: Whether each row was made (k,); not where a number needs rounding by text.
        first: First of the rows to make.
        last: One past the last.
    """
    scenario = np.empty(ranged.size)
    for index in range(first, last):
        drawn = 0
        for parameter in range(ranged.size):
            low, high = bounds[parameter]
            scenario[parameter] = low
            if ranged[parameter]:
                whole = parameter <= _Parameter.M
                span = high - low + 1.0 if whole else high - low
                part = span * numbers[index, drawn]
                scenario[parameter] = low + (math.floor(part) if whole else part)
                drawn += 1
        row = rows[index]
        done[index] = _sample(bank, row, numbers[index, drawn:], scenario, bounds, curve)
        if done[index]:
            prepare(bank, row)


@kernel
def _sample(
    bank: Bank, row: int, numbers: Floats, scenario: Floats, bounds: Floats, curve: Floats
) -> bool:
    """Writes one instance; see `Scenario.sample`, which this follows line by line."""
    n, m = int(scenario[_Parameter.N]), int(scenario[_Parameter.M])
    mu, rho, beta = scenario[_Parameter.MU], scenario[_Parameter.RHO], scenario[_Parameter.BETA]
    bank.tasks[row], bank.machines[row] = n, m
    theta, moments = numbers[:n], numbers[n : 2 * n]
    lowest, highest = theta.min(), theta.max()
    work = np.empty((n, curve.shape[1]))
    for j in range(n):
        share = theta[j]
        if highest > lowest:
            share = (share - lowest) / (highest - lowest)
        scale = 1.0 / (1.0 + (mu - 1.0) * share)
        for k in range(curve.shape[1]):
            work[j, k] = curve[_Curve.WORK, k] * scale
    sound = _round(work.reshape(-1))
    speed, efficiency = bank.speed[row, :m], bank.efficiency[row, :m]
    slowest, fastest = bounds[_Parameter.SPEED]
    worst, best = bounds[_Parameter.EFFICIENCY]
    for r in range(m):
        speed[r] = slowest + (fastest - slowest) * numbers[2 * n + r]
        efficiency[r] = worst + (best - worst) * numbers[2 * n + m + r]
    sound = _round(speed) and _round(efficiency) and sound
    horizon = _round_figure(rho * _exact_sum(work[:, curve.shape[1] - 1]) / _exact_sum(speed))
    latest = (1.0 - moments).max()
    deadline = horizon * ((1.0 - moments) / latest)
    sound = _round(deadline) and sound
    budget = _round_figure(beta * horizon * _exact_sum(speed / efficiency))
    bank.budget[row, 0] = budget
    sound = sound and not np.isnan(budget)
    order = np.argsort(deadline, kind="mergesort")
    known = curve.shape[1]
    for rank in range(n):
        j = order[rank]
        bank.deadline[row, rank] = deadline[j]
        bank.reach[row, rank, :known] = work[j]
        bank.reach[row, rank, known:] = work[j, known - 1]
        bank.value[row, rank, :known] = curve[_Curve.ACCURACY]
        bank.value[row, rank, known:] = curve[_Curve.ACCURACY, known - 1]
    return sound


@helper
def _round(values: Floats) -> bool:
    """Rounds in place as `round_significant`; false where that would take the way by text."""
    place = 0
    sound = True
    for index in range(values.size):
        size = abs(values[index])
        while place > 0 and CLASSES[place - 1] > size:
            place -= 1
        while place < CLASSES.size and CLASSES[place] <= size:
            place += 1
        values[index] = np.rint(values[index] * FACTORS[place]) / FACTORS[place]
        sound = sound and not np.isnan(values[index])
    return sound


@helper
def _round_figure(value: float) -> float:
    """Rounds as `round_number`; NaN near a tie, which only text decides.

    Scaling may round a number onto a tie that it only comes close to.
    """
    place = 0
    while place < CLASSES.size and CLASSES[place] <= abs(value):
        place += 1
    scaled = value * FACTORS[place]
    if abs(scaled - math.floor(scaled) - 0.5) < _TIE:
        return np.nan
    return float(np.rint(scaled) / FACTORS[place])


@kernel
def _exact_sum(values: Floats) -> float:
    """The sum rounded once, as `math.fsum` (Shewchuk's partial sums, without overlaps)."""
    partials = np.empty(_PARTIALS)
    count = 0
    for index in range(values.size):
        x = values[index]
        kept = 0
        for position in range(count):
            y = partials[position]
            if abs(x) < abs(y):
                x, y = y, x
            high = x + y
            low = y - (high - x)
            if low != 0.0:
                partials[kept] = low
                kept += 1
            x = high
        partials[kept] = x
        count = kept + 1
    if count == 0:
        return 0.0
    count -= 1
    high, low = partials[count], 0.0
    while count > 0:
        x = high
        count -= 1
        y = partials[count]
        high = x + y
        low = y - (high - x)
        if low != 0.0:
            break
    # Half-way cases go the way of the partials below.
    if count > 0 and (low < 0.0) == (partials[count - 1] < 0.0):
        y = 2.0 * low
        x = high + y
        if y == x - high:
            high = x
    return float(high)
