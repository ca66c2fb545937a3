"""Times the fractional relaxation against HiGHS on the same linear programme, and its growth.

    python benchmarks/relaxation.py

HiGHS is timed on solving alone, the model being built before; both run in this process, one after
the other, so that the ratio holds whatever else the machine does.
"""

import resource
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from dsct_gym.generator import generate
from dsct_gym.relaxation import relax
from truth import linear_programme

AGAINST_HIGHS = [(100, 5), (500, 10), (2_000, 10)]
GROWTH = [10_000, 100_000, 1_000_000]


def seconds(function, *arguments):
    started = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - started, result


def compare_with_highs(console: Console) -> None:
    table = Table("n", "m", "relax, ms", "HiGHS, s", "ratio", "relative difference", title="Bound")
    for n, m in AGAINST_HIGHS:
        instance = generate(n, m, seed=1)
        ours = min((seconds(relax, instance) for _ in range(5)), key=lambda run: run[0])
        theirs = seconds(linear_programme(instance).optimum)
        table.add_row(
            f"{n:,}",
            str(m),
            f"{1e3 * ours[0]:.2f}",
            f"{theirs[0]:.2f}",
            f"{theirs[0] / ours[0]:,.0f}",
            f"{abs(ours[1].bound - theirs[1]) / theirs[1]:.1e}",
        )
    console.print(table)


def measure_growth(console: Console) -> None:
    table = Table("n", "m", "s", "s / (n log2 n), ns", "passes", "peak memory, GB", title="Growth")
    for n in GROWTH:
        instance = generate(n, 10, seed=1)
        elapsed, relaxation = seconds(relax, instance)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        table.add_row(
            f"{n:,}",
            "10",
            f"{elapsed:.2f}",
            f"{1e9 * elapsed / (n * np.log2(n)):.1f}",
            str(relaxation.passes),
            f"{peak:.2f}",
        )
    console.print(table)


if __name__ == "__main__":
    console = Console()
    relax(generate(20, 3, seed=0))  # compiles, or loads from the cache
    compare_with_highs(console)
    measure_growth(console)
