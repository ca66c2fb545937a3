"""The programme of a problem, whatever its machines and deadlines."""

from __future__ import annotations

from dsct_gym.baselines.milp.model import Programme, build_model
from dsct_gym.baselines.milp.points_model import build_points_model
from dsct_gym.baselines.milp.soft_model import build_soft_model
from dsct_gym.points import DvfsInstance
from dsct_gym.problem import Problem
from dsct_gym.soft import SoftInstance


def build(problem: Problem) -> Programme | None:
    """The model of a problem, None when there is nothing to decide."""
    if isinstance(problem, DvfsInstance):
        return build_points_model(problem)
    if isinstance(problem, SoftInstance):
        return build_soft_model(problem)
    return build_model(problem.core)
