"""Scheduling compressible ML inference under deadlines and one energy budget (DSCT-EA)."""

from importlib import import_module
from typing import TYPE_CHECKING

from dsct_gym.registration import register_when_imported

if TYPE_CHECKING:
    from dsct_gym.allocation import allocate
    from dsct_gym.errors import InputError
    from dsct_gym.generator import generate
    from dsct_gym.instance import Instance
    from dsct_gym.loading import load
    from dsct_gym.problem import Problem
    from dsct_gym.relaxation import upper_bound
    from dsct_gym.schedule import Schedule
    from dsct_gym.solver import Solution, make_solver
    from dsct_gym.suites.suite import load_suite
    from dsct_gym.warming import warm_up

__all__ = [
    "InputError",
    "Instance",
    "Problem",
    "Schedule",
    "Solution",
    "allocate",
    "generate",
    "load",
    "load_suite",
    "make_solver",
    "upper_bound",
    "warm_up",
]

_HOME = {
    "InputError": "errors",
    "Instance": "instance",
    "Problem": "problem",
    "Schedule": "schedule",
    "Solution": "solver",
    "allocate": "allocation",
    "generate": "generator",
    "load": "loading",
    "load_suite": "suites.suite",
    "make_solver": "solver",
    "upper_bound": "relaxation",
    "warm_up": "warming",
}


def __getattr__(name: str) -> object:
    """Imports a public name on first use, so that importing the package costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


register_when_imported()
