"""`price`: each task where it is worth most beyond the price of its energy and of its time."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import IntEnum
from functools import cache
from importlib import resources

import numpy as np

from dsct_gym.arguments import as_number
from dsct_gym.arrays import Floats
from dsct_gym.errors import InputError, instead_of
from dsct_gym.jit import helper
from dsct_gym.online.known import NOTHING, Choice, Known, room
from dsct_gym.online.policy import CompiledPolicy, at_arrival
from dsct_gym.solver import practises

TUNED = "price.json"
"""The parameters that ship, by kind of arrivals, and how they were found."""

_LARGEST = 1e6


class Parameter(IntEnum):
    """Places of what is tuned; all are without unit.

    ENERGY: Price of energy when spending is on time; 1 is what a task gains in full on average,
        over the energy that this takes on a machine of mean efficiency.
    CORRECTION: How fast that price rises with spending ahead of time.
    QUEUE: Price of a machine's time as far ahead as tasks can wait on average; 1 is what a task
        gains in full on average, over the work that this takes.
    SHAPE: How fast that price rises with how far ahead the time is; the time that is next costs
        nothing, for it would be lost.
    """

    ENERGY = 0
    CORRECTION = 1
    QUEUE = 2
    SHAPE = 3


class _Sum(IntEnum):
    """Places of what is kept in mind: sums over the tasks that have arrived."""

    GAIN = 0
    WORK = 1
    PATIENCE = 2


@helper
def _decide(known: Known, memory: Floats, parameters: Floats) -> Choice:
    """The machine and the level of most value beyond their prices, if there is any."""
    task, last = known.waiting[0], known.level.shape[1] - 1
    memory[_Sum.GAIN] += known.gain[task, last]
    memory[_Sum.WORK] += known.reach[task, known.reach.shape[1] - 1]
    memory[_Sum.PATIENCE] += known.deadline[task] - known.arrival[task]
    unit = memory[_Sum.GAIN] / memory[_Sum.WORK]  # accuracy per GFLOP
    patience = memory[_Sum.PATIENCE] / known.arrival.size
    ahead = known.spent / known.budget - known.clock / known.horizon if known.budget > 0.0 else 0.0
    joule = parameters[Parameter.ENERGY] * math.exp(parameters[Parameter.CORRECTION] * ahead)
    joule *= unit * known.efficiency.mean()
    power = parameters[Parameter.SHAPE] + 1.0
    second = parameters[Parameter.QUEUE] * unit * patience / power
    best, choice = 0.0, NOTHING
    for machine in range(known.speed.size):
        most = room(known, task, machine)
        wait = max(known.free[machine] - known.clock, 0.0) / patience
        before = wait**power
        for level in range(last + 1):
            work = known.level[task, level]
            if not 0.0 < work <= most:
                continue
            until = wait + work / known.speed[machine] / patience
            queue = second * known.speed[machine] * (until**power - before)
            value = known.gain[task, level] - joule * work / known.efficiency[machine] - queue
            if value > best:
                best, choice = value, Choice(task=task, machine=machine, work=work)
    return choice


@practises()
class Price(CompiledPolicy):
    """Accuracy against prices of energy and of time, with four tuned numbers.

    A task that arrives is given the machine and the compression level with the most
    ``a_j(f) − λ f / E_r − κ s_r ∫ x^p dx``, the integral being over the time in the machine's queue
    that it would take, x seconds from now; it is skipped where nothing is above 0. The price of
    energy follows spending: ``λ = λ_0 exp(η (energy spent / B − time passed / horizon))``. Prices
    are in units of what the tasks that have arrived gain and need on average.

    Source: this project's own. Prices that follow spending: Balseiro, Lu and Mirrokni, "The best
    of many worlds: dual mirror descent for online allocation problems", Operations Research 2023.

    Args:
        tuned: For which arrivals its numbers were tuned: ``"any"`` or one of the kinds in
            `TUNED`, where it also says how.
        energy: λ_0 instead of the tuned one, at least 0; see `Parameter`, like the rest.
        correction: η instead of the tuned one, at least 0.
        queue: κ instead of the tuned one, at least 0.
        shape: p instead of the tuned one, at least 0.
        levels: As for `DispatchPolicy`.
        pace: As for `DispatchPolicy`.

    Raises:
        InputError: If an option is out of range.
    """

    name = "price"
    play = at_arrival(_decide)

    def __init__(
        self,
        tuned: str = "any",
        *,
        energy: float | None = None,
        correction: float | None = None,
        queue: float | None = None,
        shape: float | None = None,
        levels: int = 10,
        pace: float | None = None,
    ) -> None:
        super().__init__(levels=levels, pace=pace)
        known = tuned_numbers()
        if tuned not in known:
            raise InputError(f"tuned: {tuned!r} is no kind of arrivals; {instead_of(tuned, known)}")
        self.numbers = known[tuned].copy()
        own = (energy, correction, queue, shape)
        for place, number in zip(Parameter, own, strict=True):
            if number is not None:
                field = place.name.lower()
                self.numbers[place] = as_number(number, field, 0.0, _LARGEST)

    def memory(self, machines: int) -> int:
        """Three sums."""
        return len(_Sum)

    @property
    def parameters(self) -> Floats:
        """By `Parameter` (4,)."""
        return self.numbers


@cache
def tuned_numbers() -> Mapping[str, Floats]:
    """The numbers that ship by kind of arrivals, each by `Parameter` (4,)."""
    text = resources.files(__package__).joinpath(TUNED).read_text("utf-8")
    kinds = json.loads(text)["kinds"]
    return {
        kind: np.array([told[place.name.lower()] for place in Parameter])
        for kind, told in kinds.items()
    }
