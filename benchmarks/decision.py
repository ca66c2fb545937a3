"""How long the policy that ships takes for a decision, at several sizes.

    python benchmarks/decision.py [--count 8]

One thread; instances with mu in [1, 20], rho in [0.2, 1] and beta in [0.1, 1]. "A decision" is a
greedy pass over the number of tasks: what the policy sees, the network, and what its decision does
to the plan. "Before" is what a solver does once: relaxation, DSCT-APPROX and its optimum.
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from dsct_gym.agents.checkpoint import load_policy
from dsct_gym.agents.network import Network, Scratch
from dsct_gym.agents.rl import SHIPPED
from dsct_gym.agents.rollout import play_greedily
from dsct_gym.generator import Scenario
from dsct_gym.plan import Plan, begin

SIZES = ((10, 2), (30, 10), (50, 5), (100, 10), (200, 5), (1_000, 5), (1_000, 20), (5_000, 20))
REPEATS = 5


def measure(network: Network, n: int, m: int, count: int) -> tuple[list[float], list[float]]:
    """Least seconds before the pass and of the pass, for each instance."""
    scenario = Scenario(n=n, m=m, mu=(1.0, 20.0), rho=(0.2, 1.0), beta=(0.1, 1.0))
    scratch = Scratch.empty(network, m)
    before, passes = [], []
    for number in range(count):
        instance = scenario.sample(np.random.default_rng((n, m, number)))
        clock = [[0.0, 0.0] for _ in range(REPEATS)]
        for seconds in clock:
            began = time.perf_counter()
            plan = Plan.of(instance)
            begin(plan)
            ready = time.perf_counter()
            play_greedily(network, scratch, plan, 0, n)
            seconds[:] = ready - began, time.perf_counter() - ready
        before.append(min(first for first, _ in clock))
        passes.append(min(last for _, last in clock))
    return before, passes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=8, help="instances of each size")
    count = parser.parse_args().count
    network, _ = load_policy(SHIPPED)
    measure(network, 10, 2, 1)  # compiles, or loads from the cache
    table = Table("n", "m", "before, ms", "pass, ms", "µs a decision", "worst instance")
    for n, m in SIZES:
        before, passes = measure(network, n, m, count)
        table.add_row(
            f"{n:,}",
            str(m),
            f"{1e3 * np.mean(before):.2f}",
            f"{1e3 * np.mean(passes):.2f}",
            f"{1e6 * np.mean(passes) / n:.1f}",
            f"{1e6 * np.max(passes) / n:.1f}",
        )
    console = Console()
    console.print(table)
    console.print(f"load average at the end {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
