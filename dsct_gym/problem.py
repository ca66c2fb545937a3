"""The seam between DSCT-EA and its variants: what every problem has, and who may be given it.

A variant is a type around an `Instance`, never a field in it: whatever takes an `Instance` would
ignore a field, while strict types and `check_known` keep a variant away from what does not know it.
What differs from type to type is a `functools.singledispatch` function in the module that owns the
idea, registered beside the variant: `dsct_gym.relaxation.relax`, `dsct_gym.verifier.rules` and
`recompute`, `dsct_gym.documents.document`, `dsct_gym.schedule.objective`, `idle` and
`further_measures`. `dsct_gym.loading.register` makes its files known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from dsct_gym.errors import InputError
from dsct_gym.instance import Instance

Knowledge = frozenset[str]
"""What there is to know beyond DSCT-EA: ``"arrivals"``, ``"points"``, ``"soft"``."""


class Problem(Protocol):
    """All that files, verifier, runner and charts may ask of a problem; an `Instance` is one."""

    @property
    def core(self) -> Instance:
        """Its tasks, physical machines and budget; an `Instance` is its own."""
        ...

    @property
    def needs(self) -> Knowledge:
        """What whoever is given it must know; nothing for an `Instance`."""
        ...

    @property
    def name(self) -> str | None:
        """Name of the problem."""
        ...


def knowledge_of(agent: object) -> Knowledge:
    """What a solver, bound or environment declares to know; nothing where it declares nothing."""
    return frozenset(getattr(agent, "knows", ()))


def check_known(
    problem: object,
    knows: Knowledge,
    who: str,
    others: Callable[[], Mapping[str, Knowledge]],
    *,
    field: str = "instance",
) -> None:
    """Lets a problem through to those who know all that it needs: the one place that asks.

    Args:
        problem: What somebody is to be given.
        knows: What they know.
        who: Who they are, for the refusal.
        others: Gives those who could be asked instead, by name; called only for a refusal.
        field: Argument to name in the refusal.

    Raises:
        InputError: If they do not know it, naming those who do; or if it is no problem at all.
    """
    needs = getattr(problem, "needs", None)
    if needs is None or not (needs or isinstance(problem, Instance)):
        raise InputError(f"{field}: {type(problem).__name__} is not an Instance")
    missing = needs - knows
    if not missing:
        return
    able = [other for other, theirs in others().items() if needs <= theirs]
    instead = f"those that do: {', '.join(able)}" if able else "none that is installed does"
    has = " and ".join(sorted(missing))
    raise InputError(f"{field}: has {has}, which {who} does not know; {instead}")
