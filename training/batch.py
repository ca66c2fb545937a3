"""Rollouts of a policy on a batch of instances of one size, and what they are worth."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from dsct_gym.agents.network import Network, Scratch
from dsct_gym.agents.rollout import follow, play_recorded
from dsct_gym.arrays import Floats, Floats32, Ints
from dsct_gym.baselines.local_search import Search
from dsct_gym.plan import Context, Machine, Plan
from dsct_gym.random import spawn
from dsct_gym.training.config import Distribution

_LARGEST = 64  # instances
_TEACHER_MOVES = 100  # for each task
_TEACHER_TEMPERATURE = 0.01  # in units of a typical loss


class Use(IntEnum):
    """What the random numbers of a step are for; each has a stream of its own."""

    SIZE = 0
    INSTANCE = 1


class Batch(NamedTuple):
    """What a policy saw and did; I instances, K rollouts each, n tasks, m machines.

    Attributes:
        context: Columns of the tasks (I, K, n, C).
        machine: Columns of the machines (I, K, n, m, M).
        action: Decisions (I, K, n), m for skipping.
        value: Accuracy that the plan gains before each decision and at the end (I, K, n+1).
    """

    context: Floats32
    machine: Floats32
    action: Ints
    value: Floats

    @classmethod
    def empty(cls, instances: int, rollouts: int, n: int, m: int) -> Batch:
        """Room for rollouts."""
        shape = (instances, rollouts, n)
        return cls(
            context=np.empty((*shape, len(Context)), dtype=np.float32),
            machine=np.empty((*shape, m, len(Machine)), dtype=np.float32),
            action=np.empty(shape, dtype=np.int64),
            value=np.zeros((instances, rollouts, n + 1)),
        )


def draw_size(distribution: Distribution, rng: np.random.Generator) -> tuple[int, int]:
    """A number of tasks and a number of machines."""
    n = _log_uniform(*distribution.n, rng)
    low, high = distribution.m
    return n, _log_uniform(low, max(low, min(high, n // 2)), rng)


def draw_tasks(distribution: Distribution, m: int, rng: np.random.Generator) -> int:
    """A number of tasks that goes with ``m`` machines."""
    low, high = distribution.n
    return _log_uniform(max(low, min(2 * m, high)), high, rng)


def _log_uniform(low: int, high: int, rng: np.random.Generator) -> int:
    return round(math.exp(rng.uniform(math.log(low), math.log(high))))


def count_instances(machines_scored: int, rollouts: int, n: int, m: int) -> int:
    """Number of instances of one size in a step."""
    return min(max(1, machines_scored // (rollouts * n * m)), _LARGEST)


def play(
    network: Network,
    distribution: Distribution,
    *,
    machines_scored: int,
    rollouts: int,
    seed: tuple[int, int],
    pool: ThreadPoolExecutor,
) -> Batch:
    """Plays a policy on new instances; the same seed gives the same batch, however many threads."""
    n, m = draw_size(distribution, spawn(*seed, Use.SIZE))
    instances = count_instances(machines_scored, rollouts, n, m)
    batch = Batch.empty(instances, rollouts, n, m)
    scenario = distribution.scenario(n, m)

    def play_one(index: int) -> None:
        rng = spawn(*seed, Use.INSTANCE, index)
        plan = Plan.of(scenario.sample(rng))
        seeds = rng.integers(0, 2**63, rollouts, dtype=np.uint64)
        batch.action[index] = play_recorded(
            network,
            Scratch.empty(network, m),
            plan,
            seeds,
            batch.value[index],
            batch.context[index],
            batch.machine[index],
        )

    list(pool.map(play_one, range(instances)))
    batch.action[batch.action < 0] = m
    return batch


def show_teacher(
    network: Network,
    distribution: Distribution,
    *,
    machines_scored: int,
    seed: tuple[int, int],
    pool: ThreadPoolExecutor,
) -> Batch:
    """What a policy would see on the way to what annealing finds, one rollout an instance."""
    n, m = draw_size(distribution, spawn(*seed, Use.SIZE))
    instances = count_instances(machines_scored, 16, n, m)
    batch = Batch.empty(instances, 1, n, m)
    scenario = distribution.scenario(n, m)

    def teach_one(index: int) -> None:
        rng = spawn(*seed, Use.INSTANCE, index)
        instance = scenario.sample(rng)
        plan = Plan.of(instance)
        search = Search(instance, plan.outlook.start[instance.edf_rank], int(rng.integers(2**31)))
        if search.can_move:
            loss = search.typical_loss()
            search.step(_TEACHER_TEMPERATURE * loss, _TEACHER_MOVES * n // 2)
            search.step(0.1 * _TEACHER_TEMPERATURE * loss, _TEACHER_MOVES * n // 2)
        batch.action[index, 0] = search.best[instance.edf_order]
        scratch = Scratch.empty(network, m)
        follow(
            scratch, plan, batch.action[index, 0], batch.context[index, 0], batch.machine[index, 0]
        )

    list(pool.map(teach_one, range(instances)))
    batch.action[batch.action < 0] = m
    return batch


def advantages(value: Floats, trace: float) -> Floats:
    """How much better each decision was than those of the other rollouts at the same task.

    The credit of a decision is what the plan gains by it and, discounted by ``trace`` for each
    decision in between, by those after it; the mean over the rollouts is the baseline (Kwon et al.,
    "POMO", NeurIPS 2020; the discount is that of generalised advantage estimation, Schulman et al.,
    ICLR 2016, with the plan's exact optimum as the value function).

    Args:
        value: Accuracy that the plan gains before each decision and at the end (I, K, n+1).
        trace: In [0, 1]; 1 credits every decision with all that follows.

    Returns:
        Advantages (I, K, n), scaled to a standard deviation of 1 within each instance.
    """
    gained = np.diff(value, axis=-1)
    credit = np.empty_like(gained)
    following = np.zeros(gained.shape[:-1])
    for task in range(gained.shape[-1] - 1, -1, -1):
        following = gained[..., task] + trace * following
        credit[..., task] = following
    credit -= credit.mean(axis=1, keepdims=True)
    spread = credit.std(axis=(1, 2), keepdims=True)
    # Rollouts that differ by rounding alone teach nothing.
    level = 1e-9 * np.maximum(1.0, np.abs(value).max(axis=(1, 2), keepdims=True))
    scaled: Floats = np.where(spread > level, credit / np.maximum(spread, level), 0.0)
    return scaled
