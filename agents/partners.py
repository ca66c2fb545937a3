"""Which tasks are worth swapping: a learned distribution of partners for every task.

A walk that draws both tasks of a swap alike wastes most of its swaps: two tasks that the relaxation
gives like amounts of work, and that are due about the same time, change places with profit many
times as often as two that differ. How much each difference tells is learnt from walks
(`dsct_gym.training.partners`): the logit of a swap's chance to gain, linear in nine differences.
"""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

import numpy as np
from pydantic import Field

from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError, located
from dsct_gym.files import read_json
from dsct_gym.instance import Instance
from dsct_gym.jit import helper, kernel
from dsct_gym.refusals import Strict, validate
from dsct_gym.relaxation import Relaxation

SHIPPED_PARTNERS: Final = Path(__file__).parent / "weights" / "partners.json"
"""The weights that ship."""

PARTNERS: Final = 64
"""Length of a task's list; a partner stands in it as often as the distribution says."""

_WINDOW = 128  # tasks of less work, and of more, that are weighed for a task
_LARGEST = 1e6  # of a weight
_LEAST = 1e-3  # of the mean work and of the latest deadline: less is not told apart


class Trait(IntEnum):
    """What two tasks differ in. Work is what the relaxation gives them, GFLOP."""

    WORK = 0
    """Of the logarithms of their work: the absolute difference."""
    WORK_SQUARED = 1
    """Its square."""
    WORK_ROOT = 2
    """Its square root."""
    RANK = 3
    """Of their EDF ranks over the number of tasks: the absolute difference."""
    RANK_SQUARED = 4
    """Its square."""
    DEADLINE = 5
    """Of the logarithms of their deadlines: the absolute difference."""
    FULL_WORK = 6
    """Of the logarithms of the work that takes them to their full accuracy, likewise."""
    LOAD = 7
    """Of their work over the mean of all tasks, likewise."""
    LARGER_LOAD = 8
    """The larger of these, no difference."""


Weight = Annotated[float, Field(ge=-_LARGEST, le=_LARGEST)]
_TRAITS = len(Trait)


class PartnerFile(Strict):
    """What a file of weights holds.

    Attributes:
        format: Format of the file.
        traits: Names of the traits, in order.
        weights: What a unit of each adds to the logit.
        training: How they were trained.
    """

    format: Literal["dsct-ea-partners/1"] = "dsct-ea-partners/1"
    traits: list[str] = Field(default_factory=lambda: [trait.name.lower() for trait in Trait])
    weights: list[Weight] = Field(min_length=len(Trait), max_length=len(Trait))
    training: dict[str, Any] = Field(default_factory=dict)


class Tasks(NamedTuple):
    """The tasks of an instance as pairs are compared by, in EDF order, each (n,).

    Attributes:
        work: Logarithm of the work that the relaxation gives.
        rank: EDF rank over the number of tasks, in [0, 1).
        deadline: Logarithm of the deadline over the latest.
        full_work: Logarithm of the work to full accuracy.
        load: Work over the mean work.
    """

    work: Floats
    rank: Floats
    deadline: Floats
    full_work: Floats
    load: Floats

    @classmethod
    def of(cls, instance: Instance, relaxation: Relaxation) -> Tasks:
        """Reads them off an instance and its relaxation, in which some task has work."""
        order, n = instance.edf_order, instance.num_tasks
        load = relaxation.work[order] / relaxation.work.mean()
        deadline = instance.deadlines[order] / instance.deadlines.max()
        return cls(
            work=np.log(np.maximum(load, _LEAST)),
            rank=np.arange(n) / n,
            deadline=np.log(deadline + _LEAST),
            full_work=np.log(instance.work[order, -1]),
            load=load,
        )


def load_partner_weights(path: str | Path) -> Floats:
    """The weights of the traits in a file (9,).

    Raises:
        InputError: If it cannot be read or is no such file.
    """
    document = read_json(path)
    try:
        found = validate(PartnerFile, document)
    except InputError as error:
        raise located(path, error) from error
    if found.traits != [trait.name.lower() for trait in Trait]:
        raise InputError(f"{path}: traits: others than this version's")
    return np.array(found.weights)


def list_partners(instance: Instance, relaxation: Relaxation, weights: Floats) -> Ints:
    """Lists for every task the tasks with which it should try to change places.

    Args:
        instance: The problem.
        relaxation: Its relaxation.
        weights: Of the traits (9,).

    Returns:
        EDF ranks (n, 64), by EDF rank, each as often as the chance of its swap to gain, among the
        256 tasks of the most similar work, has a share in the sum of all; (n, 0) where no task has
        any work or there is but one.
    """
    n = instance.num_tasks
    if n < 2 or not relaxation.work.max() > 0.0:
        return np.empty((n, 0), np.int64)
    tasks = Tasks.of(instance, relaxation)
    by_work = np.argsort(tasks.work, kind="stable")
    partners = np.empty((n, PARTNERS), np.int64)
    _fill(tasks, by_work, weights, partners)
    return partners


@kernel
def _fill(tasks: Tasks, by_work: Ints, weights: Floats, partners: Ints) -> None:
    """Draws each list systematically: the same partners every time, in equal steps of the sum."""
    n = by_work.size
    sums = np.empty(2 * _WINDOW + 1)
    traits = np.empty(weights.size)
    for place in range(n):
        task = by_work[place]
        first = max(0, place - _WINDOW)
        last = min(n, place + _WINDOW + 1)
        for other in range(first, last):
            sums[other - first] = _logit(tasks, weights, task, by_work[other], traits)
        most = -np.inf
        for other in range(first, last):
            if other != place:
                most = max(most, sums[other - first])
        total = 0.0
        for other in range(first, last):
            if other != place:
                total += np.exp(sums[other - first] - most)
            sums[other - first] = total
        at = 0
        for index in range(partners.shape[1]):
            wanted = total * (index + 0.5) / partners.shape[1]
            while sums[at] < wanted:
                at += 1
            partners[task, index] = by_work[first + at]


@kernel
def traits_of(tasks: Tasks, one: Ints, other: Ints) -> Floats:
    """The traits of pairs of tasks (k, 9), told by their EDF ranks (k,)."""
    traits = np.empty((one.size, _TRAITS))
    for pair in range(one.size):
        _compare(tasks, one[pair], other[pair], traits[pair])
    return traits


@helper
def _logit(tasks: Tasks, weights: Floats, one: int, other: int, traits: Floats) -> float:
    """Logit of the chance that a swap of two tasks gains, but for a constant."""
    _compare(tasks, one, other, traits)
    value = 0.0
    for trait in range(traits.size):
        value += weights[trait] * traits[trait]
    return value


@helper
def _compare(tasks: Tasks, one: int, other: int, traits: Floats) -> None:
    """Writes the traits of a pair (9,)."""
    work = abs(tasks.work[one] - tasks.work[other])
    rank = abs(tasks.rank[one] - tasks.rank[other])
    traits[Trait.WORK] = work
    traits[Trait.WORK_SQUARED] = work * work
    traits[Trait.WORK_ROOT] = np.sqrt(work)
    traits[Trait.RANK] = rank
    traits[Trait.RANK_SQUARED] = rank * rank
    traits[Trait.DEADLINE] = abs(tasks.deadline[one] - tasks.deadline[other])
    traits[Trait.FULL_WORK] = abs(tasks.full_work[one] - tasks.full_work[other])
    traits[Trait.LOAD] = abs(tasks.load[one] - tasks.load[other])
    traits[Trait.LARGER_LOAD] = max(tasks.load[one], tasks.load[other])
