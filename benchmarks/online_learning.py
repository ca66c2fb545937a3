"""What learning is worth online: `rl-online` against the rules, hindsight and the bound.

Run as ``python benchmarks/online_learning.py [--instances 64] [--keep FILE]``. The instances are
drawn for this, are in no suite, and nothing was trained or tuned on them: as the suites of arriving
tasks, but for their sizes, with the whole of the trace that is never trained on and the second
halves of the others. ``--keep`` keeps what was found by each agent; agents that are in the file
are not run again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dsct_gym import generate, make_solver
from dsct_gym.agents.online.decision import decide
from dsct_gym.agents.online.weights import as_file
from dsct_gym.agents.rl_online import RlOnline
from dsct_gym.arrays import Floats
from dsct_gym.atomic import write_text
from dsct_gym.benchmark.statistics import mean_interval
from dsct_gym.jit import kernel
from dsct_gym.online import OnlineInstance
from dsct_gym.online.arrivals.shipped import NEVER_TRAINED_ON, TESTING, TRACES
from dsct_gym.online.generator import generate_online
from dsct_gym.online.known import Known
from dsct_gym.online.simulator import Game, know, next_idle
from dsct_gym.random import spawn
from dsct_gym.relaxation import relax

KINDS = ("poisson", "bursty", "trace")
STREAM = 0x0B5
RULES: Mapping[str, Mapping[str, Any]] = {
    "myopic": {"pace": 0.05},
    "slackfit": {"pace": 0.05},
    "mirror-descent": {},
    "price": {},
    "replan": {},
}
TUNED = "price, by kind"
MINE, BEST, BOUND, BEGINNING = "rl-online", "hindsight", "bound", "rl-online, untrained"
HINDSIGHT_MOVES = 40_000
WAITING, MACHINES, REPEATS = 100, 8, 20


def main() -> int:
    """Plays what is not kept, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", type=int, default=64, help="of each kind (64)")
    parser.add_argument("--keep", type=Path, help="file of what was found")
    options = parser.parse_args()
    problems = [draw(kind, index) for kind in KINDS for index in range(options.instances)]
    kept: dict[str, dict[str, Any]] = {}
    if options.keep and options.keep.exists():
        kept = json.loads(options.keep.read_text())
    for name, measure in agents().items():
        if len(kept.get(name, {}).get("accuracy", [])) != len(problems):
            kept[name] = measure(problems)
            if options.keep:
                write_text(options.keep, json.dumps(kept))
            print(f"{name} done", file=sys.stderr, flush=True)
    show(kept, options.instances)
    micros = decision_micros(WAITING, MACHINES)
    print(f"\na decision with {WAITING} tasks waiting, {MACHINES} machines: {micros:.1f} µs")
    return 0


def draw(kind: str, index: int) -> OnlineInstance:
    """An instance of a kind of arrivals."""
    rng = spawn(STREAM, KINDS.index(kind), index)
    arrivals: dict[str, Any] = {"name": kind}
    if kind == "bursty":
        factor, share, length = rng.random(3).tolist()
        arrivals |= {"factor": 4 + 16 * factor, "share": 0.1 + 0.2 * share}
        arrivals["length"] = 0.02 + 0.13 * length
    elif kind == "trace":
        name = TRACES[index % len(TRACES)]
        arrivals = {"name": name} if name == NEVER_TRAINED_ON else {"name": name, **TESTING}
    n, m, mu, rho, beta = rng.random(5).tolist()
    return generate_online(
        round(50 * 6**n),
        3 + int(6 * m),
        arrivals=arrivals,
        tolerance=(0.15, (0.75, 1.5, 3.0)[index % 3]),
        mu=1 + 19 * mu,
        rho=0.2 + 0.8 * rho,
        beta=0.1 + 0.9 * beta,
        seed=1_000 * KINDS.index(kind) + index,
    )


def agents() -> dict[str, Callable[[Sequence[OnlineInstance]], dict[str, Any]]]:
    """What is measured: each gives mean accuracies, and microseconds a task."""

    def by(name: str, **given: Any) -> Callable[[Sequence[OnlineInstance]], dict[str, Any]]:
        return lambda problems: played(name, problems, **given)

    measured = {name: by(name, **given) for name, given in RULES.items()}
    measured[TUNED] = played_tuned
    measured |= {BEGINNING: played_untrained, MINE: by(MINE), BOUND: bounds}
    return measured | {BEST: by(BEST, moves=HINDSIGHT_MOVES)}


def played(name: str, problems: Sequence[OnlineInstance], **given: Any) -> dict[str, Any]:
    """What a solver finds."""
    solver = make_solver(name, **given)
    solver.solve(problems[0], seed=0)
    solutions = [solver.solve(problem, seed=0) for problem in problems]
    tasks = sum(problem.core.num_tasks for problem in problems)
    return {
        "accuracy": [solution.schedule.mean_accuracy for solution in solutions],
        "micros": 1e6 * sum(solution.seconds for solution in solutions) / tasks,
    }


def played_tuned(problems: Sequence[OnlineInstance]) -> dict[str, Any]:
    """What `price` finds with the numbers that were tuned for each kind of arrivals."""
    count = len(problems) // len(KINDS)
    parts = [
        played("price", problems[place * count : (place + 1) * count], tuned=kind)
        for place, kind in enumerate(KINDS)
    ]
    return {"accuracy": [value for part in parts for value in part["accuracy"]]}


def played_untrained(problems: Sequence[OnlineInstance]) -> dict[str, Any]:
    """What `rl-online` finds with the weights that its training begins with."""
    from tempfile import TemporaryDirectory

    from dsct_gym.training.online.run import untrained

    with TemporaryDirectory() as folder:
        file = Path(folder) / "untrained.json"
        write_text(file, as_file(untrained(), {}))
        return played(MINE, problems, checkpoint=file)


def bounds(problems: Sequence[OnlineInstance]) -> dict[str, Any]:
    """The clairvoyant bound."""
    found = [relax(problem).bound / problem.core.num_tasks for problem in problems]
    return {"accuracy": found}


def show(kept: Mapping[str, Mapping[str, Any]], count: int) -> None:
    """Prints accuracies, what `rl-online` is ahead by, and what it closes."""
    found = {
        name: np.array(row["accuracy"]).reshape(len(KINDS), count) for name, row in kept.items()
    }
    print(f"{'':22s}" + "".join(f"{kind:>9s}" for kind in KINDS) + "  µs/task")
    for name, accuracy in sorted(found.items(), key=lambda row: float(row[1].mean())):
        cells = "".join(f"{mean:9.4f}" for mean in accuracy.mean(axis=1))
        micros = kept[name].get("micros")
        print(f"{name:22s}{cells}" + (f"{micros:9.1f}" if micros and name != BEST else ""))
    mine = found[MINE]
    print(f"\n{MINE} ahead of, 95 % interval of paired differences")
    for name in (*RULES, TUNED, BEGINNING):
        cells = [_interval(mine[row] - found[name][row]) for row in range(len(KINDS))]
        print(f"{name:20s}" + " ".join(f"{cell:>19s}" for cell in cells))
    print("\nof the gap between the best rule and hindsight, closed")
    for row, kind in enumerate(KINDS):
        best = max((*RULES, TUNED), key=lambda name: float(found[name][row].mean()))
        rule, above = found[best][row].mean(), found[BEST][row].mean()
        share = (mine[row].mean() - rule) / (above - rule)
        print(f"{kind:10s}{100 * share:6.1f} %  (best rule: {best})")


def decision_micros(waiting: int, machines: int) -> float:
    """Microseconds of a decision: the least of two hundred measurements."""
    rule, problem = RlOnline(), generate(waiting, machines, mu=10.0, seed=0)
    game, memory = Game.of(problem, 1), np.zeros(rule.memory(machines))
    next_idle(game)
    known, best = know(game), np.inf
    for _ in range(200):
        started = time.perf_counter()
        decide_again(known, memory, rule.parameters, REPEATS)
        best = min(best, (time.perf_counter() - started) / REPEATS)
    return 1e6 * best


@kernel
def decide_again(known: Known, memory: Floats, parameters: Floats, times: int) -> float:
    """Decides the same so many times."""
    work = 0.0
    for _ in range(times):
        work += decide(known, memory, parameters).work
    return work


def _interval(differences: Floats) -> str:
    told = mean_interval(differences)
    return f"{told.mean:+.4f} {told.low:+.3f}{told.high:+.3f}"


if __name__ == "__main__":
    sys.exit(main())
