"""Compares the rules for tasks that arrive, and what it costs to decide at once.

Run as ``python benchmarks/online_rules.py [--instances N] [--seed S]``; the instances are drawn for
this and are in no suite. What ships of `replan` was found by ``--tune 60 --instances 12 --seed
50000``, of `mirror-descent` by ``--rule mirror-descent --tune 120 --seed 50000``, both rounded.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dsct_gym import make_solver, upper_bound
from dsct_gym.arrays import Floats
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
"""Each rule with its options."""

LEVELS = range(1, 11)
"""Of `fixed-level`, the best for each case afterwards is shown: best static."""

COMMITMENT = [("myopic", "slackfit"), ("price", "replan")]
"""The same choice, made when a task arrives and when a machine is idle."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the comparison, or tunes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=16, help="instances of each case")
    parser.add_argument("--seed", type=int, default=90_000, help="of the first instance")
    parser.add_argument("--tasks", type=int, default=100, help="expected number")
    parser.add_argument("--rules", help="names of those to play, with commas between; else all")
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
    played = Played([drawn(case, options) for case in CASES])
    print(f"{'':22s}" + "".join(f"{case:>15s}" for case in CASES) + "  ratio µs/task")
    _print("bound", played.bounds, played.bounds, None)
    for pace in ({}, PACE):
        each = [played.by("fixed-level", {"level": level, **pace})[0] for level in LEVELS]
        best = [
            max((one[case] for one in each), key=lambda found: float(found.mean()))
            for case in range(len(CASES))
        ]
        _print(_label("best static", pace), best, played.bounds, None)
    plain: dict[str, list[Floats]] = {}
    chosen = options.rules.split(",") if options.rules else [name for name, _ in RULES]
    for name, given in RULES:
        if name not in chosen:
            continue
        found, micros = played.by(name, given)
        _print(_label(name, given), found, played.bounds, micros)
        if not given:
            plain[name] = found
    for now, later in COMMITMENT:
        if not {now, later} <= plain.keys():
            continue
        gains = [b - a for a, b in zip(plain[now], plain[later], strict=True)]
        cells = "".join(f"{g.mean():+8.4f}±{g.std(ddof=1) / len(g) ** 0.5:.4f}" for g in gains)
        print(f"{later + ' − ' + now:22s}{cells}")


class Played:
    """Instances by case, on which rules are played.

    Attributes:
        problems: The instances of each case.
        bounds: Clairvoyant bound on the mean accuracy of each instance, by case.
    """

    def __init__(self, problems: Sequence[Sequence[OnlineInstance]]) -> None:
        self.problems = problems
        self.bounds = [
            np.array([upper_bound(each) / each.core.num_tasks for each in case])
            for case in problems
        ]

    def by(self, name: str, given: Mapping[str, Any]) -> tuple[list[Floats], float]:
        """Mean accuracy of a rule on each instance by case, and microseconds a task."""
        rule, seconds, found = make_solver(name, **given), 0.0, []
        for case in self.problems:
            solved = [rule.solve(problem) for problem in case]
            found.append(np.array([each.schedule.mean_accuracy for each in solved]))
            seconds += sum(each.seconds for each in solved)
        tasks = sum(each.core.num_tasks for case in self.problems for each in case)
        return found, seconds / tasks * 1e6


def _label(name: str, given: Mapping[str, Any]) -> str:
    """A rule as its row begins."""
    return name + (" paced" if "pace" in given else "") + (" unpriced" if "queue" in given else "")


def _print(
    label: str, found: Sequence[Floats], bounds: Sequence[Floats], micros: float | None
) -> None:
    """One row."""
    cells = "".join(f"{each.mean():15.4f}" for each in found)
    ratio = np.mean([np.mean(each / bound) for each, bound in zip(found, bounds, strict=True)])
    print(f"{label:22s}{cells}  {ratio:5.3f}" + ("" if micros is None else f"{micros:8.1f}"))
    sys.stdout.flush()


RANGES = {
    "replan": {
        "energy": (0.3, 2.0),
        "correction": (1.0, 20.0),
        "queue": (0.1, 3.0),
        "shape": (0.1, 1.5),
    },
    "price": {
        "energy": (0.4, 1.5),
        "correction": (4.0, 20.0),
        "queue": (0.1, 2.0),
        "shape": (0.1, 1.0),
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
