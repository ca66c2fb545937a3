"""Annealing on weighted tardiness problems of the OR-Library, beside their best known values.

    python benchmarks/weighted_tardiness.py wt40.txt BEST.csv --seconds 1 [--every 5]

BEST.csv has columns ``n,instance,value`` (lines that begin with # are skipped).
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from dsct_gym.schedule import measures
from dsct_gym.soft.orlib import read_weighted_tardiness
from dsct_gym.solver import make_solver


def best_known(path: Path, jobs: int) -> dict[int, float]:
    """Best known value of each problem, by number."""
    lines = [line for line in path.read_text("utf-8").splitlines() if line[:1] != "#"]
    rows = csv.DictReader(lines)
    return {int(row["instance"]): float(row["value"]) for row in rows if int(row["n"]) == jobs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("best", type=Path)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    jobs = read_weighted_tardiness(arguments.file, 1).core.num_tasks
    known = best_known(arguments.best, jobs)
    above, missed = [], []
    for index in sorted(known)[:: arguments.every]:
        problem = read_weighted_tardiness(arguments.file, index)
        solution = make_solver("annealing").solve(
            problem, time_limit=arguments.seconds, seed=arguments.seed
        )
        found, best = measures(solution.schedule)["penalty"], known[index]
        above.append((found - best) / best if best > 0.0 else found)
        if found > best + 0.5:
            missed.append(f"{index}: {found:g} instead of {best:g}")
    reached = len(above) - len(missed)
    print(
        f"{reached} of {len(above)} reach the best known value in {arguments.seconds:g} s;"
        f" on average {np.mean(above):.4%} above"
    )
    print("\n".join(missed))


if __name__ == "__main__":
    main()
