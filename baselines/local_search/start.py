"""Where a search begins: the complete plan of `approx-refined` after a few passes over it."""

from __future__ import annotations

import time
from typing import Final, NamedTuple

import numpy as np

from dsct_gym.arrays import Ints
from dsct_gym.baselines.local_search.descent import descend
from dsct_gym.list_schedule import assign
from dsct_gym.plan import Plan, begin, ranks_in
from dsct_gym.problem import Problem
from dsct_gym.relaxation import Relaxation
from dsct_gym.schedule import check_assignment

PASSES: Final = 3
"""Passes before a search: a fourth gains less than the search does in the time that it takes."""


class Start(NamedTuple):
    """An assignment to search from.

    Attributes:
        machine_of: Machine of each task (n,), −1 for none, in the order of the instance.
        interrupted: Whether Ctrl-C ended the passes.
    """

    machine_of: Ints
    interrupted: bool


def completed(problem: Problem, relaxation: Relaxation, machine_of: Ints) -> Ints:
    """An assignment in which tasks without a machine have the one that list scheduling gives them.

    Args:
        problem: The problem.
        relaxation: Its relaxation.
        machine_of: Machine of each task (n,), −1 for none.

    Raises:
        InputError: If it is no assignment of the problem.
    """
    given = check_assignment(problem.core, machine_of)
    return np.where(given >= 0, given, assign(problem, relaxation))


def descended(
    problem: Problem, relaxation: Relaxation, deadline: float = np.inf, *, passes: int = PASSES
) -> Start:
    """Passes in which each task makes its best change, latest deadline first.

    Args:
        problem: The problem.
        relaxation: Its relaxation.
        deadline: Moment on the clock of `time.perf_counter` at which to stop; infinite for none.
        passes: How many; fewer when one changes nothing.
    """
    plan = Plan.of(problem, relaxation)
    begin(plan)
    interrupted = False
    try:
        for _ in descend(plan, ranks_in("reverse", problem.core.num_tasks), passes):
            if time.perf_counter() >= deadline:
                break
    except KeyboardInterrupt:
        interrupted = True
    return Start(plan.curves.machine[problem.core.edf_rank], interrupted)
