"""Resting: a slow clock while nothing is to be run, and waking in time for what waits.

A card without work draws less at a slower clock. A command takes a while to take effect, so the
rule commands the clock of the next batch while its requests still wait to be batched.
"""

from __future__ import annotations

import numpy as np

from dsct_gym.arrays import Ints
from dsct_gym.serving.rule import Rule

_PARTS = 8
"""Into how many steps a single step of waiting is cut."""


def rested(rule: Rule, park: int, lead: float) -> Rule:
    """A rule whose card rests at a clock when nothing waits, and while there is time to wait.

    Args:
        rule: Which requests to start when, by which plan. The clocks throughout must be the first
            of its plans, as `dsct_gym.serving.plans.worthwhile_plans` gives them.
        park: The clock to rest at, as a place in the table.
        lead: So long before a batch is started for its age its clock is commanded, s; infinite to
            wake for the first request.
    """
    fine = _finer(rule, _PARTS) if rule.batch.shape[1] == 2 else rule
    starts = fine.batch > 0
    steps = starts.shape[1]
    first = np.where(starts.any(axis=1), starts.argmax(axis=1), steps - 1)[:, None]
    awake = np.arange(steps) >= first - np.ceil(lead / fine.step - 1e-9)
    next_plan = np.take_along_axis(fine.plan, first, axis=1)
    plan = np.where(starts, fine.plan, np.where(awake, next_plan, park))
    return fine._replace(plan=np.ascontiguousarray(plan), park=park)


def _finer(rule: Rule, parts: int) -> Rule:
    """The same rule with each step of age but the last, which has no end, cut into parts."""

    def cut(values: Ints) -> Ints:
        """Each column but the last so many times."""
        parted = np.repeat(values[:, :-1], parts, axis=1)
        return np.ascontiguousarray(np.concatenate([parted, values[:, -1:]], axis=1))

    return rule._replace(batch=cut(rule.batch), plan=cut(rule.plan), step=rule.step / parts)
