"""How far `exact` gets in a minute: proofs and gaps, beside those of the fractional bound.

    python benchmarks/exact.py [--seconds 60] [--count 10] [--sizes 30x10,50x5,100x10,200x5]
                               [--threads 2]

Random instances with mu in [1, 20], rho in [0.2, 1] and beta in [0.1, 1]. Gaps are relative to the
best schedule found; "relaxation" is the gap that the fractional bound would leave.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from dsct_gym import Instance, generate, upper_bound
from dsct_gym.baselines.exact import Exact
from dsct_gym.solver import Progress

SIZES = "30x10,50x5,100x10,200x5"
GOOD = 1e-4


@dataclass(frozen=True)
class Run:
    """One instance: gaps, and seconds until the end and until a gap of `GOOD` (infinite: never)."""

    relaxation: float
    gap: float
    seconds: float
    seconds_to_good: float


def draw(n: int, m: int, seed: int) -> Instance:
    random = np.random.default_rng([n, m, seed])
    mu, rho, beta = random.uniform([1.0, 0.2, 0.1], [20.0, 1.0, 1.0])
    return generate(n, m, mu=mu, rho=rho, beta=beta, seed=seed)


def measure(instance: Instance, seconds: float, threads: int) -> Run:
    solver = Exact(threads=threads)
    reached = [np.inf]

    def hear(news: Progress) -> None:
        if news.best and news.bound is not None and news.bound - news.best <= GOOD * news.best:
            reached.append(news.seconds)

    solver.progress = hear
    solution = solver.solve(instance, time_limit=seconds)
    best, bound = solution.schedule.total_accuracy, solution.upper_bound
    assert bound is not None
    return Run(
        relaxation=upper_bound(instance) / best - 1.0,
        gap=bound / best - 1.0,
        seconds=solution.seconds,
        seconds_to_good=min(reached),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    Exact().solve(draw(8, 2, 0))  # compiles, or loads from the cache
    console = Console()
    table = Table(
        "n x m",
        "relaxation, mean",
        "gap, mean",
        "gap, worst",
        "proven 1e-4",
        "proven 1e-5",
        "s to 1e-4, median",
        "s, mean",
        title=f"exact, {options.count} instances a size, {options.seconds:g} s, "
        f"threads: {options.threads}",
    )
    for size in options.sizes.split(","):
        n, m = map(int, size.split("x"))
        runs = [
            measure(draw(n, m, seed), options.seconds, options.threads)
            for seed in track(range(options.count), size, console=console)
        ]
        gaps = np.array([run.gap for run in runs])
        table.add_row(
            size,
            f"{np.mean([run.relaxation for run in runs]):.2e}",
            f"{gaps.mean():.2e}",
            f"{gaps.max():.2e}",
            f"{np.mean(gaps <= GOOD):.0%}",
            f"{np.mean(gaps <= 1.001e-5):.0%}",
            f"{np.median([run.seconds_to_good for run in runs]):.1f}",
            f"{np.mean([run.seconds for run in runs]):.1f}",
        )
    console.print(table)
    console.print(f"load average at the end {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
