"""Compares the rules for tasks that arrive, and what it costs to decide at once.

Run as ``python benchmarks/online_rules.py [--instances N] [--seed S]``; the instances are drawn for
this and are in no suite. ``--tune N`` looks for parameters of `replan` on instances of other seeds.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dsct_gym import make_solver, upper_bound
from dsct_gym.online import OnlineInstance
from dsct_gym.online.generator import generate_online

CASES: Mapping[str, Mapping[str, Any]] = {
    "poisson .35 .5": {"arrivals": "poisson", "rho": 0.35, "beta": 0.5},
    "bursty .35 .5": {"arrivals": "bursty", "rho": 0.35, "beta": 0.5},
    "bursty .6 .3": {"arrivals": "bursty", "rho": 0.6, "beta": 0.3},
    "bursty .3 1": {"arrivals": "bursty", "rho": 0.3, "beta": 1.0},
}
"""Arrivals, deadline tolerance rho and energy budget ratio beta."""

PACE = {"pace": 0.05}
RULES: Sequence[tuple[str, Mapping[str, Any]]] = [
    ("edf-online", {}),
    ("edf-online", PACE),
    ("myopic", {}),
    ("myopic", PACE),
    *(("fixed-level", {"level": level}) for level in range(1, 11)),
    *(("fixed-level", {"level": level, **PACE}) for level in range(1, 11)),
    ("slackfit", {}),
    ("slackfit", PACE),
    ("model-switching", {}),
    ("model-switching", PACE),
    ("proteus-lp", {}),
    ("proteus-lp", PACE),
    ("ramsis", {}),
    ("ramsis", PACE),
    ("des", {}),
    ("knapsack-threshold", {}),
    ("knapsack-threshold", PACE),
    ("mirror-descent", {}),
    ("price", {}),
    ("replan", {}),
    ("replan", {"energy": 0.0, "queue": 0.0}),
    ("replan", {"energy": 0.0, "queue": 0.0, **PACE}),
]
"""Each rule with its options; of the fixed levels, the best of each case is shown."""

COMMITMENT = [("myopic", "slackfit"), ("price", "replan")]
"""The same choice, made when a task arrives and when a machine is idle."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the comparison, or tunes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=16, help="instances of each case")
    parser.add_argument("--seed", type=int, default=90_000, help="of the first instance")
    parser.add_argument("--tasks", type=int, default=100, help="expected number")
    parser.add_argument("--tune", type=int, metavar="N", help="draws of parameters to try")
    parser.add_argument("--rule", default="replan", help="what to tune")
    options = parser.parse_args(arguments)
    if options.tune:
        print_tuning(options)
    else:
        print_comparison(options)
    return 0


def drawn(case: str, options: argparse.Namespace) -> list[OnlineInstance]:
    """The instances of a case."""
    seeds = range(options.seed, options.seed + options.instances)
    return [generate_online(options.tasks, 5, mu=10.0, seed=s, **CASES[case]) for s in seeds]


def print_comparison(options: argparse.Namespace) -> None:
    """Mean accuracy of every rule by case, ratio to the bound, microseconds a task."""
    problems = {case: drawn(case, options) for case in CASES}
    tasks = sum(each.core.num_tasks for all_ in problems.values() for each in all_)
    bounds = {
        case: np.array([upper_bound(each) / each.core.num_tasks for each in all_])
        for case, all_ in problems.items()
    }
    print(f"{'rule':28s}" + "".join(f"{case:>16s}" for case in CASES) + "  ratio  µs/task")
    _print("bound", [bound.mean() for bound in bounds.values()], 1.0, None)
    found: dict[tuple[str, bool], list[np.ndarray]] = {}
    for name, given in RULES:
        rule, started, results = make_solver(name, **given), 0.0, []
        for all_ in problems.values():
            solved = [rule.solve(problem) for problem in all_]
            results.append(np.array([each.schedule.mean_accuracy for each in solved]))
            started += sum(each.seconds for each in solved)
        ratio = float(np.mean([r / b for r, b in zip(results, bounds.values(), strict=True)]))
        shown = ", ".join(f"{key}={value:g}" for key, value in given.items())
        label = f"{name}[{shown}]" if shown else name
        _print(label, [each.mean() for each in results], ratio, started / tasks * 1e6)
        if not given:
            found[name, True] = results
    for now, later in COMMITMENT:
        gains = [b - a for a, b in zip(found[now, True], found[later, True], strict=True)]
        shown = "".join(f"{g.mean():+9.4f} ±{g.std() / len(g) ** 0.5:.4f}" for g in gains)
        print(f"{later + ' − ' + now:28s}{shown}")


def _print(label: str, means: Sequence[float], ratio: float, micros: float | None) -> None:
    cells = "".join(f"{mean:16.4f}" for mean in means)
    print(f"{label:28s}{cells}  {ratio:5.3f}" + ("" if micros is None else f"{micros:9.1f}"))
    sys.stdout.flush()


RANGES = {
    "replan": {
        "energy": (0.4, 1.5),
        "correction": (4.0, 20.0),
        "queue": (0.1, 1.2),
        "shape": (0.2, 1.0),
    },
    "mirror-descent": {"step": (1.0, 40.0), "start": (0.05, 1.5)},
}


def print_tuning(options: argparse.Namespace) -> None:
    """Random search, uniform in the logarithm: the best ten, by the mean over all cases."""
    problems = [drawn(case, options) for case in CASES]
    rng, tried, started = np.random.default_rng(0), [], time.perf_counter()
    for _ in range(options.tune):
        given = {
            key: float(np.exp(rng.uniform(*np.log(ends))))
            for key, ends in RANGES[options.rule].items()
        }
        rule = make_solver(options.rule, **given)
        scores = [
            float(np.mean([rule.solve(each).schedule.mean_accuracy for each in all_]))
            for all_ in problems
        ]
        tried.append((float(np.mean(scores)), scores, given))
    for mean, scores, given in sorted(tried, key=lambda each: -each[0])[:10]:
        shown = " ".join(f"{key}={value:.3g}" for key, value in given.items())
        print(f"{mean:.4f}", " ".join(f"{score:.4f}" for score in scores), shown)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
