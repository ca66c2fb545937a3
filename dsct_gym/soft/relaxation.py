"""The simplest bound where deadlines are soft: every task as if it had all machines to itself.

Started at once, on the machine and with the work that suit it best, a task is worth most; what the
machines' time and the budget would forbid is ignored. `dsct_gym.soft.time_prices` does not ignore
it, and takes longer.
"""

from __future__ import annotations

import numpy as np

from dsct_gym.accuracy import evaluate_curves
from dsct_gym.arrays import Floats
from dsct_gym.relaxation import Relaxation, relax
from dsct_gym.soft.instance import SoftInstance
from dsct_gym.soft.penalties import of_refusal, penalties


@relax.register
def _(problem: SoftInstance) -> Relaxation:
    core = problem.core
    rows = np.arange(core.num_tasks)
    best = np.full(core.num_tasks, -np.inf)
    if problem.may_refuse:
        best = core.base_accuracy - problem.weights * of_refusal(problem.penalty)
    machine, work = np.zeros(core.num_tasks, np.int64), np.zeros(core.num_tasks)
    for r in range(core.num_machines):
        worth, works = _alone(problem, r)
        chosen = worth.argmax(axis=1)
        better = worth[rows, chosen] > best
        best = np.where(better, worth[rows, chosen], best)
        machine = np.where(better, r, machine)
        work = np.where(better, works[rows, chosen], work)
    busy, energy = np.zeros((2, core.num_machines))
    np.add.at(busy, machine, work / core.speeds[machine])
    np.add.at(energy, machine, work / core.efficiencies[machine])
    return Relaxation(
        bound=float(best.sum()),
        energy_price=problem.energy_price,
        marginal_prices=np.zeros(core.num_tasks),
        work=work,
        busy_time=busy,
        energy=energy,
        passes=1,
    )


def _alone(problem: SoftInstance, machine: int) -> tuple[Floats, Floats]:
    """What each task is worth at most on a machine (n, L), started at once, and for which work.

    Between two of these works accuracy is linear, and energy too; the penalty is at least that at
    the lesser of them. So a bound on what lies between them is the greater of the two ends, each
    with the lesser penalty.
    """
    core, speed = problem.core, problem.core.speeds[machine]
    in_time = np.minimum(core.deadlines * speed, core.max_work)[:, None]
    works = np.sort(np.concatenate([core.work, in_time], axis=1), axis=1)
    if problem.whole.any():
        works = np.where(problem.whole[:, None], core.max_work[:, None], works)
    lateness = np.maximum(0.0, works / speed - core.deadlines[:, None])
    lateness = np.where(lateness > 1e-9 * core.deadlines[:, None], lateness, 0.0)
    paid = problem.weights[:, None] * penalties(problem.penalty, lateness)
    gained = np.stack([evaluate_curves(core.work, core.accuracy, each) for each in works.T], axis=1)
    gained -= problem.energy_price * works / core.efficiencies[machine]
    worth = gained - paid
    # The upper end of each piece between two works, at the penalty of the lower.
    worth[:, 1:] = np.maximum(worth[:, 1:], gained[:, 1:] - paid[:, :-1])
    whole = gained - paid
    return np.where(problem.whole[:, None], whole, worth), works
