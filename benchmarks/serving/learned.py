"""`rl-service` against rules, on the cells of the experiment on serving and its streams.

python benchmarks/serving/learned.py [--agents static,eali,rl-service] [--streams 10] [-o FILE.csv]

Writes docs/serving/learned.csv, a row as soon as it is there, goes on where it was stopped, and
prints what each agent saves against the first.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np

from dsct_gym.benchmark.reproduce.serving_cells import Cell, all_cells, set_up, tables
from dsct_gym.serving.agent import Situation, make_agent
from dsct_gym.serving.service import serve

TABLE = Path(__file__).parents[2] / "docs" / "serving" / "learned.csv"
COLUMNS = (*Cell._fields, "agent", "streams", "energy_per_request", "violations")
ALLOWED = 0.01

Key = tuple[str, ...]


def key_of(cell: Cell, agent: str) -> Key:
    """What tells a row from the others."""
    return (*map(str, cell), agent)


def read(path: Path) -> dict[Key, dict[str, str]]:
    """The rows that are there."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return {tuple(row[c] for c in COLUMNS[:6]): row for row in csv.DictReader(file)}


def measure(cell: Cell, agent: str, streams: int) -> dict[str, str]:
    """A row: means over streams."""
    truth, known = tables(cell.gpu, cell.network)
    situation, tests = set_up(cell, known, "full")
    assert isinstance(situation, Situation)
    control = make_agent(agent).control(situation)
    found = [
        serve(truth, control, test, situation.objective, situation.latency)
        for test in tests[:streams]
    ]
    return {
        **{name: str(value) for name, value in cell._asdict().items()},
        "agent": agent,
        "streams": str(len(found)),
        "energy_per_request": f"{np.mean([each.energy_per_request for each in found]):.6g}",
        "violations": f"{np.mean([each.violations for each in found]):.6g}",
    }


def summary(rows: dict[Key, dict[str, str]], agents: list[str]) -> None:
    """Prints a table: what is saved against the first agent where both meet the objective."""
    print("| arrivals | load | agent | saved | least | most | cells | objective met |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    parts: dict[tuple[str, str, str], list[tuple[float, float, float]]] = defaultdict(list)
    for row in rows.values():
        base = rows.get((*(row[c] for c in Cell._fields), agents[0]))
        if base is not None and row["agent"] in agents[1:]:
            ratio = float(row["energy_per_request"]) / float(base["energy_per_request"])
            late = float(row["violations"]), float(base["violations"])
            parts[row["arrivals"], row["load"], row["agent"]].append((ratio, *late))
    for (arrivals, load, agent), found in sorted(parts.items()):
        saved = [1.0 - ratio for ratio, *late in found if max(late) <= ALLOWED] or [np.nan]
        met = sum(late <= ALLOWED for _, late, _ in found)
        print(
            f"| {arrivals} | {float(load):.0%} | `{agent}` | {np.mean(saved):.1%} "
            f"| {min(saved):.1%} | {max(saved):.1%} | {len(saved)} | {met} of {len(found)} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", default="static,eali,rl-service")
    parser.add_argument("--streams", type=int, default=10)
    parser.add_argument("-o", "--output", type=Path, default=TABLE)
    args = parser.parse_args()
    agents = args.agents.split(",")
    rows = read(args.output)
    with args.output.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if not rows:
            writer.writeheader()
        for cell in all_cells("full"):
            for agent in agents:
                if (key := key_of(cell, agent)) not in rows:
                    rows[key] = measure(cell, agent, args.streams)
                    writer.writerow(rows[key])
                    file.flush()
    summary(rows, agents)


if __name__ == "__main__":
    main()
