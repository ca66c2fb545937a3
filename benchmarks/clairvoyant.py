"""Times the clairvoyant bound of tasks that arrive against HiGHS on the interval programme.

    python benchmarks/clairvoyant.py

Windows are 2 to 40 % of the horizon. HiGHS is given the programme of `tests/online_truth.py` whole,
so its time includes building the model; both run in this process, one after the other.
"""

import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dsct_gym.relaxation import relax

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from online_truth import draw_online, interval_lp

AGAINST_HIGHS = [(50, 5), (100, 5)]
GROWTH = [(1_000, 10), (10_000, 10), (10_000, 50), (100_000, 10)]
SCENARIO = {"rho": 0.4, "beta": 0.4, "segments": 5}


def seconds(function, problem):
    started = time.perf_counter()
    result = function(problem)
    return time.perf_counter() - started, result


def main() -> None:
    console = Console()
    relax(draw_online(0))  # compiles, or loads from the cache
    table = Table("n", "m", "relax, s", "HiGHS, s", "relative difference")
    for n, m in AGAINST_HIGHS:
        problem = draw_online(1, n=n, m=m, **SCENARIO)
        ours, theirs = seconds(relax, problem), seconds(interval_lp, problem)
        difference = abs(ours[1].bound - theirs[1]) / theirs[1]
        table.add_row(f"{n:,}", str(m), f"{ours[0]:.4f}", f"{theirs[0]:.2f}", f"{difference:.1e}")
    for n, m in GROWTH:
        problem = draw_online(1, n=n, m=m, **SCENARIO)
        table.add_row(f"{n:,}", str(m), f"{seconds(relax, problem)[0]:.3f}", "", "")
    console.print(table)


if __name__ == "__main__":
    main()
