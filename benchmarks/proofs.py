"""How many optima each solver proves in its runs, how soon, and the gap that it is left with.

    dsct-gym bench --suite tiny,small,medium,devices --solvers mip,exact \
        --time-limit 60 --threads 1 -o out
    python benchmarks/proofs.py out [more folders]

Gaps are between a run's own schedule and its own bound; up to 1e-5 counts as proven, as in the
suites, and a run's trace tells when it got there. Where folders hold the same run, the last counts.
The table is in docs/search.md.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from pathlib import Path
from statistics import fmean, median

from rich.console import Console
from rich.table import Table

from dsct_gym.benchmark.store import Store, StoredRun
from dsct_gym.suites.suite import PROVEN, suites


def seconds_to_proof(run: StoredRun) -> float:
    """When best and bound were near enough, s; infinite if they never were."""
    for seconds, best, bound in run.trace:
        if best is not None and bound is not None and bound - best <= PROVEN * bound:
            return seconds
    return math.inf


def gap(run: StoredRun) -> float:
    """What the run's schedule may miss, relative to its bound."""
    record = run.record
    return max(0.0, 1.0 - record.total_accuracy / record.upper_bound)


def load(folders: list[Path]) -> dict[tuple[str, str], list[StoredRun]]:
    """The runs by suite and solver."""
    runs = {run.key: run for folder in folders for run in Store(folder).load()[0]}
    groups = defaultdict(list)
    for run in runs.values():
        groups[run.record.instance.rpartition("-")[0], run.record.solver].append(run)
    return groups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    groups = load(parser.parse_args().folders)
    table = Table("suite", "solver", "proven", "s to proof, median", "gap, mean", "gap, worst")
    order = {name: place for place, name in enumerate(suites())}
    for suite, solver in sorted(groups, key=lambda key: (order.get(key[0], len(order)), key)):
        runs = groups[suite, solver]
        seconds = [seconds_to_proof(run) for run in runs]
        gaps = [gap(run) for run in runs]
        table.add_row(
            suite,
            solver,
            f"{sum(map(math.isfinite, seconds))} of {len(runs)}",
            f"{median(seconds):.2f}",
            f"{fmean(gaps):.4%}",
            f"{max(gaps):.4%}",
        )
    console = Console()
    console.print(table)
    for (suite, solver), runs in groups.items():
        missed = [run.record.instance for run in runs if math.isinf(seconds_to_proof(run))]
        if missed and suite in order:
            console.print(f"{solver} did not prove {', '.join(missed)}")


if __name__ == "__main__":
    main()
