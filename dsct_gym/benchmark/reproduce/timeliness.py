"""Penalties of lateness against energy as the price of energy varies, for each shape of penalty.

After Kang and Youn, "Simulated annealing for timeliness and energy aware deep learning job
assignment", ICTC 2019: only its abstract can be had, so jobs, deadlines, prices and formulas are
this project's own. Jobs are few enough that the optimum is known (`exact`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dsct_gym.arrays import Floats
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
from dsct_gym.figures import INK
from dsct_gym.schedule import idle, measures, value
from dsct_gym.soft import SoftInstance
from dsct_gym.soft.generator import training_jobs
from dsct_gym.soft.penalties import SHAPES
from dsct_gym.solver import make_solver

JOBS = 12
GPUS = ("P100", "V100", "A100")
RHO = 0.8
PRICES = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.3)
"""What the energy of all jobs in full costs, as a share of the accuracy that they reach."""
SOLVERS = ("exact", "annealing", "atc", "greedy", "edf")
SECONDS = 0.5
_STYLES = {
    "exact": {"color": INK, "marker": "o", "markersize": 8.0, "markerfacecolor": "none"},
    "annealing": {"color": COLOURS["approx-refined"], "marker": "o", "markersize": 4.0},
    "atc": {"color": COLOURS["mip"], "marker": "s", "markersize": 3.5},
    "greedy": {"color": COLOURS["edf-3-levels"], "marker": "^", "markersize": 4.0},
    "edf": {"color": COLOURS["edf-no-compression"], "marker": "x", "markersize": 6.0},
}


class _Point(NamedTuple):
    """What a solver reaches for a shape and a price, one number an instance (k,) each."""

    energy: Floats
    penalty: Floats
    gap: Floats


def _run(effort: Effort, advance: Advance) -> Outcome:
    count = 20 if effort == "full" else 2
    points: dict[tuple[str, float, str], _Point] = {}
    for shape in SHAPES:
        for price in PRICES:
            for solver, point in _measure(shape, price, count).items():
                points[shape, price, solver] = point
            advance(f"{shape}, price {price:g}")
    figure, axes = new_figure(len(SHAPES))
    for ax, shape in zip(axes, SHAPES, strict=True):
        for solver in SOLVERS:
            along = [points[shape, price, solver] for price in PRICES]
            means = [(point.energy.mean(), point.penalty.mean()) for point in along]
            energy, penalty = zip(*means, strict=True)
            line = "none" if solver == "exact" else "-"
            ax.plot(energy, penalty, linestyle=line, label=solver, **_STYLES[solver])  # type: ignore[arg-type]
        ax.set_title(f"{shape} penalty", fontsize=10)
        ax.set_xlabel("energy, MJ (dearer to the left)")
        ax.set_ylabel("penalties of lateness, sum")
        ax.legend(frameon=False)
    rows = [_row(key, point) for key, point in points.items()]
    return Outcome(rows, _claims(points), figure)


def _measure(shape: str, price: float, count: int) -> dict[str, _Point]:
    """What each solver reaches on the same instances."""
    problems = [_problem(shape, price, seed) for seed in range(count)]
    found: dict[str, list[tuple[float, float, float]]] = {solver: [] for solver in SOLVERS}
    for problem in problems:
        best = 0.0
        for solver in SOLVERS:
            solution = make_solver(solver).solve(problem, time_limit=SECONDS, seed=0).whole()
            schedule = solution.schedule
            best = value(schedule) if solver == "exact" else best
            missed = (best - value(schedule)) / (best - idle(problem))
            paid = measures(schedule)["penalty"]
            found[solver].append((schedule.energy / 1e6, paid, missed))
    return {solver: _Point(*np.array(told).T) for solver, told in found.items()}


def _problem(shape: str, price: float, seed: int) -> SoftInstance:
    return training_jobs(JOBS, GPUS, penalty=shape, rho=RHO, price=price, seed=seed)


def _row(key: tuple[str, float, str], point: _Point) -> Row:
    shape, price, solver = key
    return {
        "penalty": shape,
        "price": price,
        "solver": solver,
        "instances": point.energy.size,
        "energy (MJ)": float(point.energy.mean()),
        "penalties": float(point.penalty.mean()),
        "missed of the optimum": float(point.gap.mean()),
        "missed at most": float(point.gap.max()),
    }


def _claims(points: dict[tuple[str, float, str], _Point]) -> Sequence[Claim]:
    """The abstract claims no number: simulated annealing solves what is not smooth."""
    claims = []
    for solver in SOLVERS[1:]:
        gaps = {
            shape: np.concatenate([points[shape, price, solver].gap for price in PRICES])
            for shape in SHAPES
        }
        told = "; ".join(f"{shape} {gap.mean():.2%}" for shape, gap in gaps.items())
        most = max(float(gap.max()) for gap in gaps.values())
        paper = "minimises a cost that is not smooth" if solver == "annealing" else "not compared"
        claims.append(
            Claim(
                f"what {solver} misses of the optimum, mean", paper, f"{told}; at most {most:.2%}"
            )
        )
    return claims


EXPERIMENT = Experiment(
    "timeliness",
    f"penalties against energy for {JOBS} training jobs on {len(GPUS)} GPUs, by price of energy",
    lambda effort: len(SHAPES) * len(PRICES),
    _run,
)
