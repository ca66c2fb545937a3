"""Playing a policy: one task after the other in EDF order, greedily or by sampling.

The decisions are those of the Assign environment. The plan is complete before the first and after
each of them, and its exact optimum is known at any time.
"""

from __future__ import annotations

import math

import numpy as np

from dsct_gym.agents.network import Network, Scratch, forward
from dsct_gym.arrays import Floats, Floats32, Ints
from dsct_gym.incremental import CURRENT
from dsct_gym.jit import helper, kernel
from dsct_gym.plan import Plan, begin, decide, look
from dsct_gym.random import States, draw_splitmix, draw_states


@kernel
def rate(network: Network, scratch: Scratch, plan: Plan, task: int) -> None:
    """Leaves the scores for a task in ``scratch.score`` (m+1,), skipping last."""
    look(plan, task, scratch.context, scratch.machine)
    forward(network, scratch)


_NONE = draw_states(0, 0)


def play_greedily(network: Network, scratch: Scratch, plan: Plan, first: int, last: int) -> None:
    """Gives the tasks ``first`` to ``last`` to the machines with the best scores.

    The plan is complete at any time: after `begin` a few tasks may be played, then the next, and
    whoever stops early has a schedule.
    """
    _play(network, scratch, plan, first, last, 0.0, _NONE, 0)


def play_samples(
    network: Network,
    scratch: Scratch,
    plan: Plan,
    temperature: float,
    seeds: States,
    gains: Floats,
) -> Ints:
    """Draws decisions from the softmax of the scores over ``temperature``, once for each seed.

    Args:
        network: Weights.
        scratch: Where to work.
        plan: The plan; it is begun anew.
        temperature: Positive; 1 is what the policy was trained for.
        seeds: One for each rollout (k,); used up.
        gains: Where to write the accuracy that each rollout gains over no work at all (k,).

    Returns:
        Machines (k, n), tasks in EDF order, −1 for none.
    """
    curves = plan.curves
    machine = np.empty((seeds.size, curves.machine.size), dtype=np.int64)
    for sample in range(seeds.size):
        begin(plan)
        _play(network, scratch, plan, 0, curves.machine.size, temperature, seeds, sample)
        machine[sample] = curves.machine
        gains[sample] = curves.total[CURRENT]
    return machine


@kernel
def _play(
    network: Network,
    scratch: Scratch,
    plan: Plan,
    first: int,
    last: int,
    temperature: float,
    seeds: States,
    sample: int,
) -> None:
    """Decides on the tasks ``first`` to ``last``, without a seed where the temperature is 0.

    One kernel for both ways: what they share takes seconds to compile.
    """
    for task in range(first, last):
        rate(network, scratch, plan, task)
        if temperature > 0.0:
            choice = _draw(scratch.score, temperature, draw_splitmix(seeds, sample))
        else:
            choice = _best(scratch.score)
        decide(plan, task, choice)


@kernel
def play_recorded(
    network: Network,
    scratch: Scratch,
    plan: Plan,
    seeds: States,
    values: Floats,
    contexts: Floats32,
    machines: Floats32,
) -> Ints:
    """As `play_samples` at temperature 1, and keeps what was seen, for training.

    Args:
        network: Weights.
        scratch: Where to work.
        plan: The plan; it is begun anew.
        seeds: One for each rollout (k,); used up.
        values: Where to write the accuracy that the plan gains over no work at all, before each
            decision and at the end (k, n+1).
        contexts: Where to write the columns of the tasks (k, n, C).
        machines: Where to write the columns of the machines (k, n, m, M).
    """
    curves = plan.curves
    machine = np.empty((seeds.size, curves.machine.size), dtype=np.int64)
    for sample in range(seeds.size):
        begin(plan)
        for task in range(machine.shape[1]):
            values[sample, task] = curves.total[CURRENT]
            rate(network, scratch, plan, task)
            contexts[sample, task] = scratch.context
            machines[sample, task] = scratch.machine
            choice = _draw(scratch.score, 1.0, draw_splitmix(seeds, sample))
            decide(plan, task, choice)
        for task in range(machine.shape[1]):
            machine[sample, task] = curves.machine[task]
        values[sample, machine.shape[1]] = curves.total[CURRENT]
    return machine


@kernel
def follow(
    scratch: Scratch, plan: Plan, machine: Ints, contexts: Floats32, machines: Floats32
) -> None:
    """Writes what a policy would see on the way to an assignment (n,); see `play_recorded`."""
    begin(plan)
    for task in range(machine.size):
        look(plan, task, scratch.context, scratch.machine)
        contexts[task] = scratch.context
        machines[task] = scratch.machine
        decide(plan, task, machine[task])


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
