"""What the verifier looks for where deadlines are soft, from first principles.

It shares no code with what makes schedules: lateness, penalties and value are worked out anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.soft.instance import SoftInstance
from dsct_gym.verifier import (
    Case,
    Rows,
    Rule,
    Truth,
    adds_up,
    differs,
    exceeds,
    reaches_its_accuracy,
    recompute,
    rules,
    spends_its_energy,
    starts_in_time,
    stays_below_its_bound,
    stays_within_budget,
    takes_its_time,
    waits_for_machines,
    works_on_machines,
    works_within_curves,
)


def does_whole_tasks_whole(case: Case) -> Iterator[str]:
    """A task that is not compressible gets all of its work or none."""
    problem, rows = _problem(case), case.rows
    part = (rows.work > 0.0) & differs(rows.work, problem.core.max_work[rows.task])
    yield from case.named(
        "is whole, but only part of its work is done", problem.whole[rows.task] & part
    )


def refuses_none_without_a_cap(case: Case) -> Iterator[str]:
    """Without a cap every task is given work."""
    problem = _problem(case)
    if problem.penalty.cap is not None:
        return
    refused = np.ones(problem.core.num_tasks, dtype=np.bool_)
    refused[case.rows.task[case.rows.work > 0.0]] = False
    tasks = np.flatnonzero(refused)
    if tasks.size:
        more = f" and {tasks.size - 1} more" if tasks.size > 1 else ""
        yield f"is refused, which penalties without a cap do not allow: task {tasks[0]}{more}"


RULES: Final[tuple[Rule, ...]] = (
    starts_in_time,
    works_on_machines,
    works_within_curves,
    does_whole_tasks_whole,
    refuses_none_without_a_cap,
    takes_its_time,
    waits_for_machines,
    spends_its_energy,
    stays_within_budget,
    reaches_its_accuracy,
    adds_up,
    stays_below_its_bound,
)
"""The rules of a `SoftInstance`."""


@rules.register
def _(problem: SoftInstance) -> tuple[Rule, ...]:
    return RULES


@recompute.register
def _(problem: SoftInstance, rows: Rows) -> Truth:
    truth = recompute(problem.core, rows)
    served = rows.work > 0.0
    end = rows.start + rows.duration
    due = problem.core.deadlines[rows.task]
    late = np.where(served & exceeds(end, due), end - due, 0.0)
    refused = np.ones(problem.core.num_tasks, dtype=np.bool_)
    refused[rows.task[served]] = False
    paid = problem.weights[rows.task] * _charged(problem, late)
    penalty = float(paid[served].sum())
    if problem.penalty.cap is not None:
        penalty += float(problem.weights[refused].sum() * _charged(problem, np.array([np.inf]))[0])
    cost = penalty + problem.energy_price * float(truth.energy.sum())
    return truth._replace(
        value=truth.total_accuracy - cost,
        measures={
            "penalty": penalty,
            "lateness": float(late.sum()),
            "late": float((late > 0.0).sum()),
            "refused": float(refused.sum()),
        },
    )


def _charged(problem: SoftInstance, late: Floats) -> Floats:
    """What tasks of weight 1 pay for lateness (k,), perhaps without end."""
    penalty = problem.penalty
    most = np.inf if penalty.cap is None else penalty.cap
    share: Floats = late / penalty.scale
    if penalty.shape.name == "STEP":
        share = (late > 0.0).astype(np.float64)
    elif penalty.shape.name == "EXPONENTIAL":
        share = np.asarray(np.exp(np.minimum(share, 230.0)) - 1.0)
    return np.minimum(share, most)


def _problem(case: Case) -> SoftInstance:
    assert isinstance(case.problem, SoftInstance)
    return case.problem
