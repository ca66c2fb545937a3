"""Run time of DSCT-APPROX against the mixed-integer programme, by tasks and by machines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from dsct_gym.benchmark.execution import warm_up
from dsct_gym.benchmark.reproduce.experiment import (
    COLOURS,
    Advance,
    Claim,
    Effort,
    Experiment,
    Outcome,
    Row,
    new_figure,
)
from dsct_gym.figures import FAINT
from dsct_gym.generator import generate
from dsct_gym.solver import make_solver

SOLVERS = ("approx", "approx-refined", "mip")
TIME_LIMIT = 60.0

_TASKS: dict[Effort, tuple[int, ...]] = {
    "full": (10, 20, 30, 50, 75, 100, 150, 200),
    "quick": (5, 10, 20),
}
_MACHINES: dict[Effort, tuple[int, ...]] = {"full": (2, 3, 4, 5, 7, 10), "quick": (2, 3)}
_FIXED: dict[Effort, tuple[int, int]] = {"full": (50, 5), "quick": (15, 3)}
_SEEDS: dict[Effort, int] = {"full": 3, "quick": 1}
_LIMIT: dict[Effort, float] = {"full": TIME_LIMIT, "quick": 2.0}


def _points(effort: Effort) -> list[tuple[str, int, int]]:
    """What varies, tasks and machines of each point."""
    tasks, machines = _FIXED[effort]
    return [
        *(("tasks", n, machines) for n in _TASKS[effort]),
        *(("machines", tasks, m) for m in _MACHINES[effort]),
    ]


def _run(effort: Effort, advance: Advance) -> Outcome:
    limit = _LIMIT[effort]
    for name in SOLVERS:
        warm_up(name)
    rows: list[Row] = []
    for varied, n, m in _points(effort):
        for seed in range(_SEEDS[effort]):
            instance = generate(n, m, seed=seed)
            for name in SOLVERS:
                solution = make_solver(name).solve(instance, time_limit=limit, seed=0).whole()
                schedule = solution.schedule
                bound = solution.upper_bound or schedule.total_accuracy
                rows.append(
                    {
                        "varied": varied,
                        "n": n,
                        "m": m,
                        "seed": seed,
                        "solver": name,
                        "seconds": solution.seconds,
                        "mean_accuracy": schedule.mean_accuracy,
                        "proven_gap": max(0.0, 1.0 - schedule.total_accuracy / bound),
                    }
                )
        advance(f"n = {n}, m = {m}")
    figure, axes = new_figure(2)
    for ax, varied, key in zip(axes, ("tasks", "machines"), ("n", "m"), strict=True):
        for name in SOLVERS:
            own = [row for row in rows if row["varied"] == varied and row["solver"] == name]
            _draw(ax, own, key, name)
        ax.axhline(limit, color=FAINT, linestyle=":", label=f"limit {limit:g} s")
        ax.set_yscale("log")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel(f"number of {varied} {key}")
        ax.set_ylabel("time (s), median and range")
        ax.legend(frameon=False)
    return Outcome(rows, _claims(rows, limit), figure)


def _draw(ax, rows: Sequence[Row], key: str, name: str) -> None:  # type: ignore[no-untyped-def]
    sizes = sorted({int(row[key]) for row in rows})
    seconds = [[float(row["seconds"]) for row in rows if row[key] == size] for size in sizes]
    middle = [float(np.median(values)) for values in seconds]
    ax.plot(sizes, middle, marker="o", markersize=3.5, color=COLOURS[name], label=name)
    ends = (list(map(min, seconds)), list(map(max, seconds)))
    ax.fill_between(sizes, *ends, color=COLOURS[name], alpha=0.15, linewidth=0)


def _claims(rows: Sequence[Row], limit: float) -> list[Claim]:
    exact = [row for row in rows if row["solver"] == "mip"]
    timed_out = [row for row in exact if float(row["seconds"]) >= 0.98 * limit]
    sizes = sorted({(int(row["n"]), int(row["m"])) for row in timed_out})
    first = ", ".join(f"{n}×{m}" for n, m in sizes[:3]) or "none"
    slowest = max(float(row["seconds"]) for row in rows if row["solver"] == "approx")
    return [
        Claim(
            f"the MIP meets its limit of {limit:g} s as n or m grows",
            f"limit of {TIME_LIMIT:g} s",
            f"{len(timed_out)} of {len(exact)} runs; smallest n×m: {first}",
        ),
        Claim("approx stays far below", "polynomial", f"{slowest:.2g} s at most"),
    ]


EXPERIMENT = Experiment(
    "runtime", "run time against the MIP by n and by m", lambda e: len(_points(e)), _run
)
