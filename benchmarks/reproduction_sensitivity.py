"""How far the reproduced figures depend on what the papers' abstracts leave open.

Run: python benchmarks/reproduction_sensitivity.py [instances]
"""

import math
import sys

import numpy as np

from dsct_gym import generate, make_solver, upper_bound
from dsct_gym.benchmark.reproduce.gap import guarantee

ALIKE = {"speed": 10_000.0}
GAIN_SETTINGS = {
    "as reproduced (mu 5, 5 segments, m 10)": {},
    "smooth curves (64 segments)": {"segments": 64},
    "machines of one speed": ALIKE,
    "smooth curves, one speed": {"segments": 64, **ALIKE},
    "mu 1": {"mu": 1.0},
    "mu 20": {"mu": 20.0},
    "n 20": {"n": 20},
    "n 500": {"n": 500},
    "n 20, one speed, smooth": {"n": 20, "segments": 64, **ALIKE},
    "rho 0.3": {"rho": 0.3},
    "rho 0.3, one speed": {"rho": 0.3, **ALIKE},
}
GAP_SETTINGS = {
    "as reproduced (n 100, m 5, rho 0.35, 5 segments)": {},
    "smooth curves (64 segments)": {"segments": 64},
    "machines of one speed": ALIKE,
    "m 2": {"m": 2},
    "m 10": {"m": 10},
    "n 50": {"n": 50},
    "n 500": {"n": 500},
    "rho 0.1": {"rho": 0.1},
    "rho 1": {"rho": 1.0},
}


def gains(instances: int) -> None:
    print("| setting | over edf-no-compression | over edf-3-levels |\n|---|---:|---:|")
    names = ("approx", "edf-no-compression", "edf-3-levels")
    for label, changes in GAIN_SETTINGS.items():
        settings = {"n": 100, "m": 10, "rho": 0.4, "beta": 1.0, **changes}
        drawn = [generate(**settings, seed=seed) for seed in range(instances)]
        ours, plain, levels = (
            np.mean([make_solver(name).solve(each).schedule.mean_accuracy for each in drawn])
            for name in names
        )
        print(f"| {label} | {ours / plain - 1:+.1%} | {ours / levels - 1:+.1%} |", flush=True)


def gaps(instances: int) -> None:
    print("| setting | gap / G |\n|---|---:|")
    for label, changes in GAP_SETTINGS.items():
        ratios = []
        for mu in (1, 2, 5, 10, 15, 20):
            settings = {"n": 100, "m": 5, "rho": 0.35, "beta": 1.0, "mu": mu, **changes}
            for seed in range(instances):
                drawn = generate(**settings, seed=seed)
                missing = (
                    upper_bound(drawn) - make_solver("approx").solve(drawn).schedule.total_accuracy
                )
                rise = float((drawn.top_accuracy - drawn.base_accuracy).max())
                ratios.append(missing / guarantee(drawn.num_machines, mu, rise))
        error = 1.96 * np.std(ratios) / math.sqrt(len(ratios))
        print(f"| {label} | {np.mean(ratios):.2%} ± {error:.2%} |", flush=True)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    gains(count)
    gaps(max(1, count // 2))
