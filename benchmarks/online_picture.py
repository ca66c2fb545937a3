"""The picture and the table of the README on tasks that arrive, from the leaderboard's runs.

python benchmarks/online_picture.py    # writes docs/images/online.png, prints the table
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from dsct_gym.arrays import Floats
from dsct_gym.benchmark.statistics import mean_interval
from dsct_gym.figures import BLUE, FAINT, ORANGE, TEAL, dress, new_figure
from dsct_gym.suites.suite import load_suite

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
RUNS: Final = DOCS / "leaderboard" / "0.2.0-arrivals.csv.gz"
SUITES: Final = {"poisson": BLUE, "bursty": ORANGE, "trace": TEAL}
MARKS: Final = {"poisson": "o", "bursty": "s", "trace": "D"}
BEST, MINE = "hindsight[moves=50000]", "rl-online"


def accuracies() -> dict[str, dict[str, Floats]]:
    """Mean accuracy of each instance, by suite and agent."""
    found: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    with gzip.open(RUNS, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            suite = row["instance"].split("-")[1]
            found[suite][row["solver"]][row["instance"]] = float(row["mean_accuracy"])
    return {
        suite: {
            agent: np.array([values[instance] for instance in sorted(values)])
            for agent, values in agents.items()
        }
        for suite, agents in found.items()
    }


def bounds(suite: str) -> float:
    """Mean of the proven bounds, accuracy per task."""
    members = load_suite(f"online-{suite}")
    tasks = [problem.core.num_tasks for problem in members]
    return float(
        np.mean([known.upper_bound / n for known, n in zip(members.references, tasks, strict=True)])
    )


def draw(found: dict[str, dict[str, Floats]]) -> Figure:
    """Agents as rows, best on top; what each reaches of the best known, for each suite."""
    share = {
        agent: {
            suite: float(agents[agent].mean() / agents[BEST].mean())
            for suite, agents in found.items()
        }
        for agent in found["poisson"]
    }
    order = sorted(share, key=lambda agent: float(np.mean(list(share[agent].values()))))
    figure = new_figure(9.0, 5.6)
    axes = figure.subplots()
    for suite, colour in SUITES.items():
        at = [100 * share[agent][suite] for agent in order]
        label = f"online-{suite}"
        axes.plot(at, range(len(order)), MARKS[suite], color=colour, label=label, alpha=0.85)
    for place, agent in enumerate(order):
        ends = [100 * value for value in share[agent].values()]
        axes.plot([min(ends), max(ends)], [place, place], color=FAINT, lw=1, zorder=0)
    axes.set_yticks(range(len(order)), [agent.replace("[moves=50000]", "") for agent in order])
    for tick in axes.get_yticklabels():
        if tick.get_text() == MINE:
            tick.set_fontweight("bold")
    axes.set_xlabel("mean accuracy, % of what hindsight reaches, which knows all arrivals")
    dress(axes)
    axes.grid(visible=False, axis="y")
    axes.legend(loc="lower right", frameon=False)
    return figure


def main() -> None:
    """Writes the picture, prints the table and what is learned."""
    found = accuracies()
    draw(found).savefig(DOCS / "images" / "online.png")
    agents = sorted(
        found["poisson"], key=lambda agent: -sum(found[s][agent].mean() for s in SUITES)
    )
    print(f"| proven bound | {' | '.join(f'{bounds(suite):.4f}' for suite in SUITES)} |")
    for agent in agents:
        cells = " | ".join(f"{found[suite][agent].mean():.4f}" for suite in SUITES)
        print(f"| `{agent}` | {cells} |")
    for rule in (agent for agent in agents if agent not in (BEST, MINE)):
        told = [mean_interval(found[suite][MINE] - found[suite][rule]) for suite in SUITES]
        cells = " | ".join(f"{at.mean:+.4f} [{at.low:+.4f}, {at.high:+.4f}]" for at in told)
        print(f"| {MINE} − {rule} | {cells} |")


if __name__ == "__main__":
    main()
