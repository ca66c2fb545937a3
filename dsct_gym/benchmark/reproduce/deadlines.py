"""Mean accuracy against deadline tolerance rho, with ten machines and no energy limit."""

from __future__ import annotations

import numpy as np

from dsct_gym.arrays import Floats
from dsct_gym.benchmark.reproduce.experiment import (
    Advance,
    Claim,
    Effort,
    Experiment,
    Outcome,
    Row,
    draw_mean,
    new_figure,
    solve,
)
from dsct_gym.figures import FAINT
from dsct_gym.generator import generate
from dsct_gym.relaxation import upper_bound

TASKS = 100
MACHINES = 10
AT = 0.4
TOLERANCES = tuple(round(0.05 * k, 2) for k in range(1, 31))
SOLVERS = ("approx", "edf-3-levels", "edf-no-compression")
CLAIMED = {"edf-no-compression": 0.579, "edf-3-levels": 0.222}


def _tolerances(effort: Effort) -> tuple[float, ...]:
    return TOLERANCES if effort == "full" else tuple(TOLERANCES[k] for k in (0, 3, 7, 13, 19, 29))


def _run(effort: Effort, advance: Advance) -> Outcome:
    seeds = range(200 if effort == "full" else 10)
    found: dict[str, list[Floats]] = {name: [] for name in ("upper bound", *SOLVERS)}
    rows: list[Row] = []
    for rho in _tolerances(effort):
        instances = [generate(TASKS, MACHINES, rho=rho, beta=1.0, seed=seed) for seed in seeds]
        bounds = np.array([upper_bound(instance) / TASKS for instance in instances])
        found["upper bound"].append(bounds)
        for name in SOLVERS:
            means = [solve(name, instance).mean_accuracy for instance in instances]
            found[name].append(np.array(means))
        means_here = {name: float(values[-1].mean()) for name, values in found.items()}
        rows.append({"rho": rho, "instances": len(instances), **means_here})
        advance(f"rho = {rho}")
    figure, (ax,) = new_figure()
    for name, samples in found.items():
        draw_mean(ax, _tolerances(effort), samples, name)
    ax.axvline(AT, color=FAINT, linestyle=":")
    ax.set_xlabel("deadline tolerance ρ")
    ax.set_ylabel("mean accuracy")
    ax.set_ylim(bottom=0.0)
    ax.legend(frameon=False)
    return Outcome(rows, _claims(rows), figure)


def _claims(rows: list[Row]) -> list[Claim]:
    here = next(row for row in rows if row["rho"] == AT)
    claims = []
    for name, claimed in CLAIMED.items():
        ours, theirs = float(here["approx"]), float(here[name])
        claims.append(
            Claim(
                f"gain over {name} at rho = {AT}, m = {MACHINES}",
                f"+{claimed:.1%}",
                f"{ours / theirs - 1:+.1%} of its accuracy, {100 * (ours - theirs):+.1f} points",
            )
        )
    missing = 1.0 - float(here["approx"]) / float(here["upper bound"])
    claims.append(Claim(f"approx below the bound at rho = {AT}", "close", f"{missing:.2%}"))
    return claims


EXPERIMENT = Experiment(
    "accuracy-by-rho",
    f"mean accuracy against rho (n = {TASKS}, m = {MACHINES}, no energy limit)",
    lambda effort: len(_tolerances(effort)),
    _run,
)
