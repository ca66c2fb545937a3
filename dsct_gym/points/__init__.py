"""Machines with several clocks: the variant `points` of DSCT-EA.

A machine has operating points, each a speed at a power, and may change between them while a task
runs. Only the lower convex hull of standing still and its points matters: the edges of the hull
are increments, each so many GFLOP/s at so many GFLOP/J, cheapest first. What is true of machines in
the mathematics of DSCT-EA is true of increments, so its algorithms carry over
(`dsct_gym.points.relaxation`, `dsct_gym.points.allocation`).
"""

from dsct_gym.points import allocation, documents, relaxation, rules, schedule, toy
from dsct_gym.points.instance import DvfsInstance, Increments
from dsct_gym.points.operating_points import OperatingPoints

__all__ = [
    "DvfsInstance",
    "Increments",
    "OperatingPoints",
    "allocation",
    "documents",
    "relaxation",
    "rules",
    "schedule",
    "toy",
]
