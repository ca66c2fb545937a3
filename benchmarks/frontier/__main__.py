"""What learning is worth at equal time: against descent and annealing without anything learned.

    python -m benchmarks.frontier [--quick] [--redraw]

Writes the picture and the tables of docs/agents.md, and every run to out/frontier.csv: `--redraw`
makes them again from there, and a measurement that was cut off goes on there. `--quick` prints
tables of a few small instances and leaves the page as it is.

Instances: mu in [1, 20], rho in [0.2, 1], beta in [0.1, 1]; number ``index`` is drawn from
``numpy.random.default_rng((STREAM, n, m, index, 1))``, a stream that nothing else draws from.

A way is a start and the partners with which a walk from there swaps tasks: any, those of a rule of
thumb, or learned ones, trained anew with three seeds. All walks are the same otherwise and cool as
`annealing` does. A run gets a multiple of what the policy's pass took on the same instance;
relaxation, start, lists of partners and the preparation of the walk are part of it. What all need
alike in the end, the schedule of the final assignment, is not. Seconds are CPU seconds of the one
thread, so that other work on the machine counts for little, and the runs of both sides take turns.
Each side shows the way that is best in the mean: both may choose.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks.frontier.measuring import CASES, QUICK, Case, Learned, Run, measure
from benchmarks.frontier.picture import picture
from benchmarks.frontier.results import (
    Results,
    ablation_table,
    alone_table,
    time_table,
    ways_table,
)
from dsct_gym.agents.checkpoint import load_policy
from dsct_gym.agents.rl import SHIPPED
from dsct_gym.training.partners import train_partners

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "out" / "frontier.csv"
PAGE = ROOT / "docs" / "agents.md"
SEEDS = (0, 1, 2)  # of the training of partners
PICTURE = ROOT / "docs" / "images" / "frontier.png"


def rewrite(page: str, name: str, table: str) -> str:
    """The page with a table in its place, between two comments."""
    ends = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    pattern = f"{re.escape(ends[0])}.*?{re.escape(ends[1])}"
    return re.sub(pattern, lambda _: f"{ends[0]}\n{table}\n{ends[1]}", page, flags=re.DOTALL)


def save(runs: Sequence[Run]) -> None:
    RUNS.parent.mkdir(exist_ok=True)
    with RUNS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Run)])
        writer.writeheader()
        writer.writerows(asdict(run) for run in runs)


def load() -> list[Run]:
    kinds = {"str": str, "int": int, "float": float}
    with RUNS.open(newline="", encoding="utf-8") as file:
        return [
            Run(**{field.name: kinds[str(field.type)](row[field.name]) for field in fields(Run)})
            for row in csv.DictReader(file)
        ]


def measure_all(console: Console, cases: Sequence[Case], runs: list[Run]) -> list[Run]:
    """The runs that there are and those that are missing, kept after each instance."""
    learned = Learned(load_policy(SHIPPED)[0], [train_partners(seed=seed) for seed in SEEDS])
    measure(replace(QUICK[0], n=20, m=3, reference=10), learned, 0)  # compiles
    done = {(run.n, run.m, run.index) for run in runs}
    with Progress(console=console) as progress:
        for case in cases:
            for index in progress.track(range(case.count), description=case.label):
                if (case.n, case.m, index) not in done:
                    runs += measure(case, learned, index)
                    if cases is CASES:
                        save(runs)
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few instances, tables only")
    parser.add_argument("--redraw", action="store_true", help="from the runs of the last time")
    options = parser.parse_args()
    console = Console()
    cases = QUICK if options.quick else CASES
    began, load_before = time.perf_counter(), os.getloadavg()[0]
    kept = [] if options.quick or not RUNS.exists() else load()
    runs = kept if options.redraw else measure_all(console, cases, kept)
    results = [Results(case, runs) for case in cases]
    tables = {
        "starts": alone_table(results),
        "equal time": time_table(results),
        "best ways": ways_table(results),
        "ablation": ablation_table(results),
    }
    for name, table in tables.items():
        print(f"{name}\n\n{table}")
    if not options.redraw:
        minutes = (time.perf_counter() - began) / 60.0
        loads = f"{load_before:.1f} at the start, {os.getloadavg()[0]:.1f} at the end"
        print(f"{minutes:.0f} minutes; load average {loads}, {os.cpu_count()} cores")
    if options.quick:
        return
    page = PAGE.read_text(encoding="utf-8")
    for name, table in tables.items():
        page = rewrite(page, name, table)
    PAGE.write_text(page, encoding="utf-8")
    picture(results).savefig(PICTURE)


if __name__ == "__main__":
    main()
