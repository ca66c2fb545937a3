"""How fast `annealing` moves, how that grows with n, and what it misses after some time.

    python benchmarks/annealing.py [--quick]

One thread. Instances as in benchmarks/exact.py: mu in [1, 20], rho in [0.2, 1], beta in [0.1, 1].
Shortfalls are against the best of `exact`, of annealing for as long, and of all runs here. At
1,000 x 20 they are against the fractional bound, so the true ones are smaller.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass

import numpy as np
from exact import draw
from rich.console import Console
from rich.progress import track
from rich.table import Table

from dsct_gym import Instance, upper_bound
from dsct_gym.baselines.annealing import Annealing
from dsct_gym.baselines.exact import Exact

PACE_TASKS = (50, 100, 200, 500, 1_000, 2_000)
PACE_MACHINES = 5
SWEEPS = 400  # moves a task
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Case:
    """Instances of one size, the limits to try, and the seconds of each reference run (0: none)."""

    n: int
    m: int
    limits: tuple[float, ...]
    reference: float


CASES = (
    Case(50, 5, (0.05, 1.0), 5.0),
    Case(200, 5, (2.0,), 10.0),
    Case(1_000, 20, (10.0,), 0.0),
)


def measure_pace(console: Console, seeds: tuple[int, ...]) -> None:
    table = Table("n", "m", "moves / s", "µs a move", title="Pace, one thread")
    cost = []
    for n in track(PACE_TASKS, "pace", console=console, transient=True):
        moves = SWEEPS * n
        runs = [Annealing(moves).solve(draw(n, PACE_MACHINES, seed), seed=0) for seed in seeds]
        cost.append(np.mean([run.seconds for run in runs]) / moves)
        table.add_row(
            f"{n:,}", str(PACE_MACHINES), f"{1.0 / cost[-1]:,.0f}", f"{1e6 * cost[-1]:.2f}"
        )
    console.print(table)
    power = np.polyfit(np.log(PACE_TASKS), np.log(cost), 1)[0]
    console.print(f"cost of a move grows like n^{power:.2f}\n")


def reference(instance: Instance, seconds: float) -> tuple[float, float]:
    """Best total known before the runs that are measured, and a bound."""
    if seconds == 0.0:
        return -np.inf, upper_bound(instance)
    solution = Exact(threads=1).solve(instance, time_limit=seconds)
    assert solution.upper_bound is not None
    annealed = Annealing().solve(instance, time_limit=seconds, seed=len(SEEDS))
    best = max(solution.schedule.total_accuracy, annealed.schedule.total_accuracy)
    return best, solution.upper_bound


def measure_shortfall(console: Console, count: int, share: float) -> None:
    table = Table(
        "n x m",
        "seconds",
        "mean",
        "worst",
        "against",
        "best to bound",
        title=f"Shortfall in mean accuracy, {count} instances a size",
    )
    for case in CASES:
        missing: dict[float, list[float]] = {limit: [] for limit in case.limits}
        slack = []
        label = f"{case.n:,} x {case.m}"
        for number in track(range(count), label, console=console, transient=True):
            instance = draw(case.n, case.m, number)
            best, bound = reference(instance, share * case.reference)
            found = {
                limit: [
                    Annealing().solve(instance, time_limit=limit, seed=seed).schedule.total_accuracy
                    for seed in (SEEDS if limit <= 1.0 else SEEDS[:1])
                ]
                for limit in case.limits
            }
            if case.reference:
                best = max(best, *(max(totals) for totals in found.values()))
            else:
                best = bound
            slack.append((bound - best) / case.n)
            for limit, totals in found.items():
                missing[limit].append((best - float(np.mean(totals))) / case.n)
        for limit, shortfalls in missing.items():
            table.add_row(
                label,
                f"{limit:g}",
                f"{np.mean(shortfalls):.1e}",
                f"{np.max(shortfalls):.1e}",
                "best" if case.reference else "bound",
                f"{np.mean(slack):.1e}" if case.reference else "-",
            )
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three instances, short references")
    quick = parser.parse_args().quick
    console = Console()
    load = os.getloadavg()[0]
    Exact().solve(draw(8, 2, 0))  # compiles, or loads from the cache
    measure_pace(console, SEEDS[:1] if quick else SEEDS)
    measure_shortfall(console, 3 if quick else 10, 0.2 if quick else 1.0)
    loads = f"{load:.1f} at the start, {os.getloadavg()[0]:.1f} at the end"
    console.print(f"load average {loads}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
