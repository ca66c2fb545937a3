"""The toy of machines with operating points."""

from __future__ import annotations

from functools import cache

from dsct_gym.points.generator import draw_points
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.toy import toy, toy_like


@cache
def toy_with_points() -> DvfsInstance:
    """`dsct_gym.toy.toy` with three operating points a machine."""
    return draw_points(toy(), 3)


@toy_like.register
def _(problem: DvfsInstance) -> DvfsInstance:
    return toy_with_points()
