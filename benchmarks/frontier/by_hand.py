"""Partners by a rule of thumb: tasks alike in work and in deadline. What learning has to beat."""

from __future__ import annotations

import numpy as np

from dsct_gym.agents.partners import Tasks
from dsct_gym.arrays import Ints
from dsct_gym.instance import Instance
from dsct_gym.jit import kernel
from dsct_gym.relaxation import Relaxation

NEAREST = 16
WORK, RANK = 0.3, 0.3  # differences that count as one: of logarithms of work, of EDF ranks over n
WINDOW = 128  # tasks of less work, and of more, that are looked at, as with learned partners


def list_by_hand(instance: Instance, relaxation: Relaxation) -> Ints | None:
    """The 16 nearest tasks of each (n, 16), by EDF rank; None where there are not so many."""
    if instance.num_tasks <= NEAREST or not relaxation.work.max() > 0.0:
        return None
    tasks = Tasks.of(instance, relaxation)
    partners = np.empty((instance.num_tasks, NEAREST), np.int64)
    _fill(tasks.work, tasks.rank, np.argsort(tasks.work, kind="stable"), partners)
    return partners


@kernel
def _fill(work, rank, by_work, partners):  # type: ignore[no-untyped-def]
    n = by_work.size
    distance = np.empty(2 * WINDOW + 1)
    for place in range(n):
        task = by_work[place]
        first, last = max(0, place - WINDOW), min(n, place + WINDOW + 1)
        for other in range(first, last):
            apart = (work[task] - work[by_work[other]]) / WORK
            late = (rank[task] - rank[by_work[other]]) / RANK
            distance[other - first] = apart * apart + late * late
        distance[place - first] = np.inf
        nearest = np.argsort(distance[: last - first])[: partners.shape[1]]
        for index in range(partners.shape[1]):
            partners[task, index] = by_work[first + nearest[index]]
