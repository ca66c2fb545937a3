"""`mirror-descent`: a price for each resource, moved against its use."""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np

from dsct_gym.arguments import as_number
from dsct_gym.arrays import Floats
from dsct_gym.jit import helper
from dsct_gym.online.known import NOTHING, Choice, Known, room
from dsct_gym.online.policy import CompiledPolicy, at_arrival
from dsct_gym.solver import practises


class _Parameter(IntEnum):
    """Places of its options."""

    START = 0
    STEP = 1


class _Memory(IntEnum):
    """Places of what is kept in mind; from TIME on the logarithm of each machine's price.

    GAIN: What the tasks that have arrived would gain in full, in all.
    WORK: What that takes, GFLOP.
    CLOCK: When the prices last moved, s.
    ENERGY: Logarithm of the price of energy.
    """

    GAIN = 0
    WORK = 1
    CLOCK = 2
    ENERGY = 3
    TIME = 4


@helper
def _decide(known: Known, memory: Floats, parameters: Floats) -> Choice:
    """The machine and the level of most value beyond their prices; then the prices move."""
    _let_time_pass(known, memory, parameters[_Parameter.STEP])
    task = known.waiting[0]
    memory[_Memory.GAIN] += known.gain[task, known.gain.shape[1] - 1]
    memory[_Memory.WORK] += known.reach[task, known.reach.shape[1] - 1]
    unit = parameters[_Parameter.START] * memory[_Memory.GAIN] / memory[_Memory.WORK]
    joule = unit * known.efficiency.mean() * math.exp(memory[_Memory.ENERGY])
    best, choice = 0.0, NOTHING
    for machine in range(known.speed.size):
        most = room(known, task, machine)
        second = unit * known.speed[machine] * math.exp(memory[_Memory.TIME + machine])
        price = joule / known.efficiency[machine] + second / known.speed[machine]
        for level in range(known.level.shape[1]):
            work = known.level[task, level]
            value = known.gain[task, level] - price * work
            if 0.0 < work <= most and value > best:
                best, choice = value, Choice(task=task, machine=machine, work=work)
    if choice.task >= 0:
        _use(known, memory, parameters[_Parameter.STEP], choice)
    return choice


@helper
def _let_time_pass(known: Known, memory: Floats, step: float) -> None:
    """Lowers all prices by the share of each resource that has come in since the last arrival."""
    income = (known.clock - memory[_Memory.CLOCK]) / known.horizon
    memory[_Memory.CLOCK] = known.clock
    for price in range(_Memory.ENERGY, memory.size):
        memory[price] -= step * income


@helper
def _use(known: Known, memory: Floats, step: float, choice: Choice) -> None:
    """Raises the prices of what a choice uses by the share of it that it takes."""
    machine = choice.machine
    energy = choice.work / known.efficiency[machine] / known.budget
    memory[_Memory.ENERGY] += step * energy
    memory[_Memory.TIME + machine] += step * choice.work / known.speed[machine] / known.horizon


@practises()
class MirrorDescent(CompiledPolicy):
    """Dual mirror descent: prices of energy and of each machine's time follow their use.

    A task that arrives is given the machine and the compression level with the most
    ``a_j(f) − λ f / E_r − μ_r f / s_r``, or nothing where none is above 0. Then each price is
    multiplied by ``exp(η (use − income))``, both as shares of what there is in the whole horizon:
    λ by what was spent of the budget against the time that has passed, μ_r by the time that was
    taken of machine r. All begin at the same share of what the tasks that have arrived gain over
    what they need, in full and on average.

    Source: Balseiro, Lu and Mirrokni, "The best of many worlds: dual mirror descent for online
    allocation problems", Operations Research 2023, arXiv 2011.10124, with entropy as the mirror.

    Args:
        step: η, at least 0.
        start: Where the prices begin; 1 is what a task gains in full on average, over what it needs
            on a machine of mean efficiency, of energy and of time.
        levels: As for `DispatchPolicy`.
        pace: As for `DispatchPolicy`.

    Raises:
        InputError: If an option is out of range.
    """

    name = "mirror-descent"
    play = at_arrival(_decide)

    def __init__(
        self,
        *,
        step: float = 2.0,
        start: float = 0.75,
        levels: int = 10,
        pace: float | None = None,
    ) -> None:
        super().__init__(levels=levels, pace=pace)
        self.step = as_number(step, "step", 0.0, 1e6)
        self.start = as_number(start, "start", 0.0, 1e6)

    def memory(self, machines: int) -> int:
        """Two sums, the clock and the prices."""
        return _Memory.TIME + machines

    @property
    def parameters(self) -> Floats:
        """By `_Parameter` (2,)."""
        return np.array([self.start, self.step])
