"""What the verifier holds against a schedule of tasks that arrive: that none starts before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dsct_gym.online.instance import OnlineInstance
from dsct_gym.verifier import RULES as PLAIN
from dsct_gym.verifier import Case, Pieces, Rows, Rule, Truth, exceeds, recompute, rules


def starts_after_arrival(case: Case) -> Iterator[str]:
    """Nothing is given to a machine before it is there."""
    problem = case.problem
    assert isinstance(problem, OnlineInstance)
    early = case.runs & exceeds(problem.arrivals[case.rows.task], case.rows.start)
    yield from case.named("starts before its arrival", early)


RULES: Final[tuple[Rule, ...]] = (*PLAIN, starts_after_arrival)
"""The rules of an `OnlineInstance`."""


@rules.register
def _(problem: OnlineInstance) -> tuple[Rule, ...]:
    return RULES


@recompute.register
def _(problem: OnlineInstance, rows: Rows, pieces: Pieces | None = None) -> Truth:
    return recompute(problem.core, rows)
