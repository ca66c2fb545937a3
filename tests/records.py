"""Benchmark records for tests."""

from dsct_gym.benchmark.record import Record


def record(instance: str, solver: str, total: float, **changes: object) -> Record:
    """A record of ten tasks whose fractional bound is 8."""
    values = {
        "instance": instance,
        "solver": solver,
        "tasks": 10,
        "machines": 2,
        "seed": 0,
        "time_limit": None,
        "total_accuracy": total,
        "mean_accuracy": total / 10,
        "fractional_bound": 8.0,
        "proven_bound": None,
        "energy": 3.0,
        "energy_budget": 4.0,
        "makespan": 1.0,
        "slack": 0.5,
        "fairness": 0.9,
        "seconds": 0.5,
        "interrupted": False,
    }
    return Record(**{**values, **changes})
