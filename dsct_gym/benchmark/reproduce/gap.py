"""Optimality gap of DSCT-APPROX and its guarantee G against task heterogeneity mu.

``G = m A (1 + ln(mu) / e)`` bounds ``UB - SOL`` of the parent problem, which has no energy limit:
here ``beta = 1``, which lets every machine run until the last deadline.
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.ticker import MaxNLocator

from dsct_gym.benchmark.reproduce.experiment import (
    COLOURS,
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
from dsct_gym.generator import generate
from dsct_gym.relaxation import upper_bound

TASKS = 100
MACHINES = 5
RHO = 0.35
HETEROGENEITY = tuple(range(1, 21))
CLAIMED = 0.1236


def guarantee(machines: int, mu: float, rise: float) -> float:
    """``G = m A (1 + ln(mu) / e)``, with ``A`` the largest rise of a curve."""
    return machines * rise * (1.0 + math.log(mu) / math.e)


def _instances(effort: Effort) -> int:
    return 200 if effort == "full" else 10


def _run(effort: Effort, advance: Advance) -> Outcome:
    rows: list[Row] = []
    gaps: dict[str, list[list[float]]] = {"approx": [], "approx-refined": []}
    guarantees = []
    for mu in HETEROGENEITY:
        found: dict[str, list[float]] = {name: [] for name in gaps}
        for seed in range(_instances(effort)):
            instance = generate(TASKS, MACHINES, mu=mu, rho=RHO, beta=1.0, seed=seed)
            bound = upper_bound(instance)
            for name, values in found.items():
                values.append(bound - solve(name, instance).total_accuracy)
        rise = float((instance.top_accuracy - instance.base_accuracy).max())
        guarantees.append(guarantee(MACHINES, mu, rise))
        for name, values in found.items():
            gaps[name].append(values)
        rows.append(_row(mu, guarantees[-1], found))
        advance(f"mu = {mu}")
    ratio = float(np.mean([row["approx gap / G"] for row in rows]))
    worst = max(float(row["approx largest gap / G"]) for row in rows)
    refined = float(np.mean([row["approx-refined gap / G"] for row in rows]))
    claims = [
        Claim("mean of gap / G over mu in 1..20", f"{CLAIMED:.2%}", f"{ratio:.2%}"),
        Claim("largest gap / G", "at most 100%", f"{worst:.2%}"),
        Claim("mean of gap / G with exact works (approx-refined)", "not in it", f"{refined:.2%}"),
    ]
    figure, (left, right) = new_figure(2)
    for name, samples in gaps.items():
        draw_mean(left, HETEROGENEITY, samples, name)
        shares = [np.array(s) / g for s, g in zip(samples, guarantees, strict=True)]
        draw_mean(right, HETEROGENEITY, shares, name)
    left.plot(HETEROGENEITY, guarantees, "k:", label="guarantee G")
    left.set_ylim(bottom=0.0)
    left.set_ylabel("upper bound − solution (total accuracy)")
    right.axhline(
        CLAIMED, color=COLOURS["approx"], linestyle=":", label="paper: 12.36 % on average"
    )
    right.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    right.set_ylim(bottom=0.0)
    right.set_ylabel("gap / G")
    for ax in (left, right):
        ax.set_xlabel("task heterogeneity μ")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(frameon=False)
    return Outcome(rows, claims, figure)


def _row(mu: float, bound: float, found: dict[str, list[float]]) -> Row:
    row: Row = {"mu": mu, "instances": len(found["approx"]), "G": bound}
    for name, values in found.items():
        row[f"{name} mean gap"] = float(np.mean(values))
        row[f"{name} gap / G"] = float(np.mean(values)) / bound
        row[f"{name} largest gap / G"] = float(np.max(values)) / bound
    return row


EXPERIMENT = Experiment(
    "gap-by-mu",
    f"optimality gap and G against mu (n = {TASKS}, m = {MACHINES}, rho = {RHO}, no energy limit)",
    lambda effort: len(HETEROGENEITY),
    _run,
)
