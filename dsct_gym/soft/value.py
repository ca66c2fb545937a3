"""What a schedule is worth where deadlines are soft, and what else there is to tell of it."""

from __future__ import annotations

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.schedule import Schedule, further_measures, idle, objective
from dsct_gym.soft.instance import SoftInstance
from dsct_gym.soft.penalties import of_refusal, penalties
from dsct_gym.tolerances import FEASIBILITY


def lateness_of(problem: SoftInstance, finish: Floats) -> Floats:
    """By how much tasks that end at ``finish`` (n,) are late (n,), s; 0 within the tolerance."""
    deadline = problem.core.deadlines
    return np.where(finish > deadline * (1.0 + FEASIBILITY), finish - deadline, 0.0)


def penalties_of(schedule: Schedule) -> Floats:
    """What each task of a schedule of a `SoftInstance` pays (n,).

    A task that is refused although none may be pays infinity: no rule lets it pass.
    """
    problem = schedule.instance
    assert isinstance(problem, SoftInstance)
    paid = penalties(problem.penalty, lateness_of(problem, schedule.finish))
    paid = np.where(schedule.work > 0.0, paid, of_refusal(problem.penalty))
    return np.where(problem.weights > 0.0, problem.weights * paid, 0.0)


@objective.register
def _(problem: SoftInstance, schedule: Schedule) -> float:
    cost = penalties_of(schedule).sum() + problem.energy_price * schedule.task_energy.sum()
    return float(schedule.accuracy.sum() - cost)


@idle.register
def _(problem: SoftInstance) -> float:
    return float((problem.core.base_accuracy - idle_penalties(problem)).sum())


def idle_penalties(problem: SoftInstance) -> Floats:
    """What each task pays where nothing is done (n,), from which gaps are measured.

    Where no task may be refused, that is no schedule: each task then pays for the lateness of
    whatever is ready only when all machines together could have done the work of all tasks.
    """
    if problem.may_refuse:
        return problem.weights * of_refusal(problem.penalty)
    core = problem.core
    everything = core.max_work.sum() / core.speeds.sum()
    lateness = np.maximum(0.0, everything - core.deadlines)
    return problem.weights * penalties(problem.penalty, lateness)


@further_measures.register
def _(problem: SoftInstance, schedule: Schedule) -> dict[str, float]:
    works = schedule.work > 0.0
    lateness = np.where(works, lateness_of(problem, schedule.finish), 0.0)
    return {
        "penalty": float(penalties_of(schedule).sum()),
        "lateness": float(lateness.sum()),
        "late": float((lateness > 0.0).sum()),
        "refused": float((~works).sum()),
    }
