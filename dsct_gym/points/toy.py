"""The toy on machines with operating points."""

from __future__ import annotations

from functools import cache

from dsct_gym.points.generator import draw_points
from dsct_gym.points.instance import DvfsInstance
from dsct_gym.toy import TOYS, toy


@cache
def points_toy() -> DvfsInstance:
    """The toy with three points a machine: kernels read several of them otherwise than one."""
    return draw_points(toy(), 3)


TOYS[DvfsInstance] = points_toy
