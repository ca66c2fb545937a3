"""Mean accuracy against the energy budget, and the energy saved at a loss of 2 % of accuracy.

What is saved is measured against no compression: `edf-no-compression` with energy without limit.
Each instance gets budgets that are shares of the energy that it spends; saved is what is left of
it at the least share where the mean accuracy still is 98 % of what it reaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
    draw_mean,
    new_figure,
    solve,
)
from dsct_gym.figures import FAINT
from dsct_gym.generator import generate
from dsct_gym.instance import Instance
from dsct_gym.relaxation import upper_bound

TASKS = 100
LOSS = 0.02
CLAIMED = 0.70
TOLERANCES = (0.35, 1.0, 1.5)
SHARES = (0.02, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SOLVERS = ("approx", "approx-refined")
DEVICES = "T4,V100,A100,A40,H100"
FAMILY = "ofa-resnet50"
KINDS = ("synthetic", "catalogue")


@dataclass(frozen=True)
class _Curve:
    """Accuracies of one kind of instance at one rho: (shares, instances) by name."""

    kind: str
    rho: float
    plain: Floats
    found: dict[str, Floats]


def _instance(kind: str, rho: float, seed: int) -> Instance:
    if kind == "synthetic":
        return generate(TASKS, 5, rho=rho, beta=1.0, seed=seed)
    return generate(TASKS, rho=rho, beta=1.0, seed=seed, devices=DEVICES, family=FAMILY)


def _settings() -> list[tuple[str, float]]:
    return [(kind, rho) for kind in KINDS for rho in TOLERANCES]


def _run(effort: Effort, advance: Advance) -> Outcome:
    curves = []
    for kind, rho in _settings():
        curves.append(_measure(kind, rho, 100 if effort == "full" else 3))
        advance(f"{kind}, rho = {rho}")
    rows = [row for curve in curves for row in _rows(curve)]
    figure, axes = new_figure(2)
    for ax, kind in zip(axes, KINDS, strict=True):
        shown = next(curve for curve in curves if curve.kind == kind and curve.rho == 1.0)
        for name, values in shown.found.items():
            draw_mean(ax, SHARES, list(values), name)
        plain = float(shown.plain.mean())
        ax.axhline(
            plain,
            color=COLOURS["edf-no-compression"],
            linestyle=":",
            label="no compression, all energy",
        )
        ax.axhline((1 - LOSS) * plain, color=FAINT, linestyle=":", label=f"{LOSS:.0%} less")
        saved = energy_saved(shown.plain, shown.found["approx"])
        ax.set_title(f"{kind}, ρ = 1: {saved:.0%} saved by approx", fontsize=10)
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        ax.set_xlabel("energy budget, share of what no compression spends")
        ax.set_ylabel("mean accuracy")
        ax.legend(frameon=False)
    return Outcome(rows, _claims(curves), figure)


def _measure(kind: str, rho: float, count: int) -> _Curve:
    plain = np.empty(count)
    found = {name: np.empty((len(SHARES), count)) for name in (*SOLVERS, "upper bound")}
    for seed in range(count):
        instance = _instance(kind, rho, seed)
        uncompressed = solve("edf-no-compression", instance)
        plain[seed] = uncompressed.mean_accuracy
        for index, share in enumerate(SHARES):
            limited = replace(instance, energy_budget=share * uncompressed.energy)
            for name in SOLVERS:
                found[name][index, seed] = solve(name, limited).mean_accuracy
            found["upper bound"][index, seed] = upper_bound(limited) / TASKS
    return _Curve(kind, rho, plain, found)


def energy_saved(plain: Floats, found: Floats) -> float:
    """Share of the energy saved where the mean accuracy first is that of no compression less 2 %.

    Args:
        plain: Mean accuracy of no compression on each instance.
        found: Mean accuracy at each share of its energy on each instance (shares, instances).

    Returns:
        One minus the least share, interpolated between shares; 0 when none is enough.
    """
    target = (1.0 - LOSS) * float(plain.mean())
    means = [0.0, *found.mean(axis=1).tolist()]
    shares = [0.0, *SHARES]
    for k in range(1, len(shares)):
        if means[k] >= target * (1.0 - 1e-12):
            along = (target - means[k - 1]) / (means[k] - means[k - 1])
            return float(1.0 - (shares[k - 1] + along * (shares[k] - shares[k - 1])))
    return 0.0


def _rows(curve: _Curve) -> list[Row]:
    return [
        {
            "instances of": curve.kind,
            "rho": curve.rho,
            "share of energy": share,
            "instances": curve.plain.size,
            "no compression": float(curve.plain.mean()),
            **{name: float(values[index].mean()) for name, values in curve.found.items()},
        }
        for index, share in enumerate(SHARES)
    ]


def _claims(curves: Sequence[_Curve]) -> list[Claim]:
    claims = []
    for kind in KINDS:
        own = [curve for curve in curves if curve.kind == kind]
        shown = "; ".join(
            f"rho {curve.rho:g}: {energy_saved(curve.plain, curve.found['approx']):.1%}"
            for curve in own
        )
        claims.append(
            Claim(
                f"energy saved at a loss of {LOSS:.0%} against no compression, {kind} instances",
                f"up to {CLAIMED:.0%}",
                shown,
            )
        )
    return claims


EXPERIMENT = Experiment(
    "accuracy-by-energy",
    f"mean accuracy against the energy budget (n = {TASKS}), synthetic and catalogue instances",
    lambda effort: len(_settings()),
    _run,
)
