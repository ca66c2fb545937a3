"""Playing a policy: one task after the other in EDF order, greedily or by sampling.

The decisions are those of the Assign environment. The plan in `Table.curves` is complete before the
first and after each of them, and its exact optimum is known at any time.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from dsct_gym.agents.network import Network, Scratch, forward
from dsct_gym.agents.outlook import Floats32, Outlook, begin, decide, look
from dsct_gym.allocation import Packed
from dsct_gym.arrays import Floats, Ints
from dsct_gym.baselines.local_search.prices import Prices
from dsct_gym.incremental import CURRENT, Curves
from dsct_gym.instance import Instance
from dsct_gym.jit import helper, kernel
from dsct_gym.relaxation import Relaxation

_WEYL = np.uint64(0x9E3779B97F4A7C15)
_MIX1, _MIX2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)

Part = TypeVar("Part", Outlook, Curves, Prices)


class Table(NamedTuple):
    """All that a rollout on one instance needs.

    Attributes:
        packed: The instance for the allocation kernels.
        outlook: The instance for the policy.
        curves: The plan.
        prices: Its prices.
    """

    packed: Packed
    outlook: Outlook
    curves: Curves
    prices: Prices

    @classmethod
    def of(cls, instance: Instance, relaxation: Relaxation | None = None) -> Table:
        """Prepares an instance; its relaxation may be given."""
        packed = Packed.of(instance)
        curves = Curves.empty(instance.num_tasks, instance.num_machines, packed.task.size)
        return cls(packed, Outlook.of(instance, relaxation), curves, Prices.empty(packed))

    @property
    def gain(self) -> float:
        """Accuracy that the plan gains over no work at all."""
        return float(self.curves.total[CURRENT])

    def copy(self) -> Table:
        """A table of its own: decisions on it leave this one as it is."""
        return Table(self.packed, _copied(self.outlook), _copied(self.curves), _copied(self.prices))

    def take(self, other: Table) -> None:
        """Takes over the state of a copy, what was seen of the task at hand included."""
        for mine, theirs in zip(self[1:], other[1:], strict=True):
            for array, source in zip(mine, theirs, strict=True):
                np.copyto(array, source)


def _copied(part: Part) -> Part:
    kind: Any = type(part)
    copied: Part = kind(*(array.copy() for array in part))
    return copied


@kernel
def start(table: Table) -> None:
    """Puts the plan back to what DSCT-APPROX gives."""
    begin(table.packed, table.outlook, table.curves, table.prices)


@kernel
def rate(network: Network, scratch: Scratch, table: Table, task: int) -> None:
    """Leaves the scores for a task in ``scratch.score`` (m+1,), skipping last."""
    packed, outlook, curves, prices = table
    look(packed, outlook, curves, prices, task, scratch.context, scratch.machine)
    forward(network, scratch)


@kernel
def settle(table: Table, task: int, machine: int) -> None:
    """Decides on the task that was rated last, −1 for none."""
    decide(table.packed, table.outlook, table.curves, table.prices, task, machine)


@kernel
def play_greedily(network: Network, scratch: Scratch, table: Table, first: int, last: int) -> None:
    """Gives the tasks ``first`` to ``last`` to the machines with the best scores.

    The plan in ``table.curves`` is complete at any time: after `start` a few tasks may be played,
    then the next, and whoever stops early has a schedule.
    """
    for task in range(first, last):
        rate(network, scratch, table, task)
        settle(table, task, _best(scratch.score))


@kernel
def play_samples(
    network: Network,
    scratch: Scratch,
    table: Table,
    temperature: float,
    seeds: npt.NDArray[np.uint64],
    gains: Floats,
) -> Ints:
    """Draws decisions from the softmax of the scores over ``temperature``, once for each seed.

    Args:
        network: Weights.
        scratch: Where to work.
        table: The instance.
        temperature: Positive; 1 is what the policy was trained for.
        seeds: One for each rollout (k,); used up.
        gains: Where to write the accuracy that each rollout gains over no work at all (k,).

    Returns:
        Machines (k, n), tasks in EDF order, −1 for none.
    """
    curves = table.curves
    machine = np.empty((seeds.size, curves.machine.size), dtype=np.int64)
    for sample in range(seeds.size):
        start(table)
        for task in range(machine.shape[1]):
            rate(network, scratch, table, task)
            choice = _draw(scratch.score, temperature, _uniform(seeds, sample))
            settle(table, task, choice)
        machine[sample] = curves.machine
        gains[sample] = curves.total[CURRENT]
    return machine


@kernel
def play_recorded(
    network: Network,
    scratch: Scratch,
    table: Table,
    seeds: npt.NDArray[np.uint64],
    values: Floats,
    contexts: Floats32,
    machines: Floats32,
) -> Ints:
    """As `play_samples` at temperature 1, and keeps what was seen, for training.

    Args:
        network: Weights.
        scratch: Where to work.
        table: The instance.
        seeds: One for each rollout (k,); used up.
        values: Where to write the accuracy that the plan gains over no work at all, before each
            decision and at the end (k, n+1).
        contexts: Where to write the columns of the tasks (k, n, C).
        machines: Where to write the columns of the machines (k, n, m, M).
    """
    curves = table.curves
    machine = np.empty((seeds.size, curves.machine.size), dtype=np.int64)
    for sample in range(seeds.size):
        start(table)
        for task in range(machine.shape[1]):
            values[sample, task] = curves.total[CURRENT]
            rate(network, scratch, table, task)
            contexts[sample, task] = scratch.context
            machines[sample, task] = scratch.machine
            choice = _draw(scratch.score, 1.0, _uniform(seeds, sample))
            settle(table, task, choice)
        machine[sample] = curves.machine
        values[sample, machine.shape[1]] = curves.total[CURRENT]
    return machine


@kernel
def follow(
    scratch: Scratch, table: Table, machine: Ints, contexts: Floats32, machines: Floats32
) -> None:
    """Writes what a policy would see on the way to an assignment (n,); see `play_recorded`."""
    packed, outlook, curves, prices = table
    begin(packed, outlook, curves, prices)
    for task in range(machine.size):
        look(packed, outlook, curves, prices, task, scratch.context, scratch.machine)
        contexts[task] = scratch.context
        machines[task] = scratch.machine
        decide(packed, outlook, curves, prices, task, machine[task])


@helper
def _best(score: Floats32) -> int:
    """Index of the best score, −1 for skip, the last one."""
    best = 0
    for r in range(1, score.size):
        if score[r] > score[best]:
            best = r
    return best if best < score.size - 1 else -1


@helper
def _draw(score: Floats32, temperature: float, chance: float) -> int:
    """Index drawn from the softmax of the scores, −1 for skip, the last one."""
    highest = score[0]
    for r in range(1, score.size):
        highest = max(highest, score[r])
    total = 0.0
    for r in range(score.size):
        total += math.exp((score[r] - highest) / temperature)
    rest = chance * total
    for r in range(score.size - 1):
        rest -= math.exp((score[r] - highest) / temperature)
        if rest <= 0.0:
            return r
    return -1


@helper
def _uniform(state: npt.NDArray[np.uint64], index: int) -> float:
    """A random number in (0, 1) with 52 bits from the state at ``index``.

    Source: splitmix64, Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
    OOPSLA 2014.
    """
    state[index] += _WEYL
    mixed = state[index]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX2
    mixed ^= mixed >> np.uint64(31)
    chance: float = (float(mixed >> np.uint64(12)) + 0.5) * 2.0**-52
    return chance
