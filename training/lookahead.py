"""What a decision is worth when the policy itself decides on what follows: labels to learn from.

At some of the tasks of an instance the most promising machines are each tried: the task goes there,
the policy plays on for a while, and the plan's exact optimum tells what came of it. Nothing is
drawn at random after the decision, so even small differences between machines are seen. A policy
that always takes the machine with the best worth is the rollout policy of Bertsekas, Tsitsiklis and
Wu ("Rollout algorithms for combinatorial optimization", Journal of Heuristics 3, 1997); learning it
and starting again is approximate policy iteration.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from dsct_gym.agents.network import Network, Scratch
from dsct_gym.agents.rollout import play_greedily, rate
from dsct_gym.arrays import Floats, Floats32, Ints
from dsct_gym.plan import FINE, Context, Machine, Plan, begin, decide
from dsct_gym.training.batch import draw_size, draw_tasks
from dsct_gym.training.config import PolicyIterationConfig

WORST = -8.0
"""Least worth of a decision that was tried."""


class States(NamedTuple):
    """Tasks at hand with the worth of each decision; S states of m machines.

    Attributes:
        context: Columns of the task (S, C).
        machine: Columns of the machines (S, m, M).
        worth: Worth of each machine and, last, of skipping (S, m+1), in hundredths of what a task
            gains on average, less the best: in [`WORST`, 0], and −∞ for what was not tried.
    """

    context: Floats32
    machine: Floats32
    worth: Floats32


def look_ahead(
    network: Network,
    config: PolicyIterationConfig,
    seed: tuple[int, ...],
    pool: ThreadPoolExecutor,
) -> States:
    """Labels states of new instances with one number of machines.

    The same seed gives the same states, however many threads. The streams ``seed`` and
    ``(*seed, 0)`` are one, so the first instance goes with the number of machines: they stay as
    they are, because the weights that ship were made of them.
    """
    _, m = draw_size(config.distribution, np.random.default_rng(seed))

    def label(index: int) -> States:
        rng = np.random.default_rng((*seed, index))
        return _label_instance(network, config, draw_tasks(config.distribution, m, rng), m, rng)

    parts = list(pool.map(label, range(config.instances)))
    return States(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _label_instance(
    network: Network, config: PolicyIterationConfig, n: int, m: int, rng: np.random.Generator
) -> States:
    """Plays one instance greedily and labels some of its tasks on the way."""
    plan = Plan.of(config.distribution.scenario(n, m).sample(rng))
    spare = plan.copy()
    scratch = Scratch.empty(network, m)
    tasks = np.sort(rng.choice(n, min(config.states, n), replace=False))
    states = States(
        np.empty((tasks.size, len(Context)), dtype=np.float32),
        np.empty((tasks.size, m, len(Machine)), dtype=np.float32),
        np.empty((tasks.size, m + 1), dtype=np.float32),
    )
    begin(plan)
    played = 0
    for row, task in enumerate(tasks.tolist()):
        play_greedily(network, scratch, plan, played, task)
        rate(network, scratch, plan, task)
        states.context[row] = scratch.context
        states.machine[row] = scratch.machine
        order = np.argsort(-scratch.score[:m], kind="stable")
        tried = _choose(order, int(plan.curves.machine[task]), config.candidates, rng)
        worth = np.full(m, -np.inf)
        for machine in tried.tolist():
            spare.take(plan)
            decide(spare, task, machine)
            last = min(n, task + 1 + config.horizon)
            play_greedily(network, scratch, spare, task + 1, last)
            worth[machine] = spare.gain
        states.worth[row] = _scale(worth, plan.unit / FINE)
        decide(plan, task, int(order[0]))
        played = task + 1
    return states


def _choose(order: Ints, here: int, count: int, rng: np.random.Generator) -> Ints:
    """The machines to try: the best scores, any other one, and where the plan has the task."""
    tried = order[: count - 1]
    if order.size >= count:
        tried = np.append(tried, rng.choice(order[count - 1 :]))
    if here >= 0 and here not in tried:
        tried = np.append(tried[:-1], here)
    return tried


def _scale(worth: Floats, unit: float) -> Floats:
    """Worth relative to the best in hundredths.

    Skipping needs no trial: a task may do no work on a machine, so it is never worth more.
    """
    scaled = np.maximum((worth - worth.max()) / unit, WORST)
    return np.append(np.where(np.isfinite(worth), scaled, -np.inf), WORST)
