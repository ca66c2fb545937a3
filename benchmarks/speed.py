"""Is a change slower? The same workloads in two checkouts, in alternating pairs.

    python benchmarks/speed.py OLD [NEW] [--rounds 5] [--only relaxation,annealing]

OLD and NEW are checkouts; NEW is this one when left out. Each runs in a process of its own, by the
checkout's `.venv/bin/python` or else by this interpreter. A process warms up, so that nothing is
compiled in what is timed, repeats its workload for half a second or more and tells the least
seconds a unit: other work on the machine can only add to them. A ratio is what the new checkout
takes over what the old one took in the same pair, above 1 where the new one is slower; the table
has the median of the pairs with the least and the most. Ratios are of wall time, which is what
users wait for, and of processor time, which other work disturbs less.

Only the public interface is used, so that the script runs on checkouts far apart. `allocation` is
`dsct_gym.allocate` with the schedule it builds; the incremental form is what `annealing` runs.
Steps are those of a random masked episode of 50 tasks on 5 machines, recorded and played again;
batches are of 1,024 environments and begin a new episode within. Five rounds take some minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

REPEATS = 5  # at least
SECONDS = 0.5  # at least
BATCH = 1_024
TASKS, MACHINES = 50, 5
MOVES = 100_000


class Seconds(NamedTuple):
    """What a unit of work took, s."""

    wall: float
    processor: float


class Run(NamedTuple):
    """Something to time, again and again.

    Attributes:
        work: Does it once.
        units: How many units of work that is.
        before: Makes ready, not timed.
    """

    work: Callable[[], object]
    units: int = 1
    before: Callable[[], object] = tuple


class Workload(NamedTuple):
    """A row of the table.

    Attributes:
        unit: What its seconds are for.
        prepare: Gives what to run.
    """

    unit: str
    prepare: Callable[[], Run]


def relaxation() -> Run:
    import dsct_gym

    return Run(partial(dsct_gym.upper_bound, dsct_gym.generate(2_000, 10, seed=1)))


def allocation() -> Run:
    import dsct_gym

    instance = dsct_gym.generate(TASKS, MACHINES, seed=1)
    assignments = np.random.default_rng(0).integers(0, MACHINES, (200, TASKS))

    def work() -> None:
        for machine_of in assignments:
            dsct_gym.allocate(instance, machine_of)

    return Run(work, len(assignments))


def annealing() -> Run:
    import dsct_gym

    solver = dsct_gym.make_solver("annealing", moves=MOVES)
    return Run(partial(solver.solve, dsct_gym.generate(TASKS, MACHINES, seed=1), seed=0), MOVES)


def policy(tasks: int) -> Run:
    import dsct_gym

    solver = dsct_gym.make_solver("rl-greedy")
    return Run(partial(solver.solve, dsct_gym.generate(tasks, MACHINES, seed=1)))


def batch(env_id: str) -> Run:
    import gymnasium

    import dsct_gym  # noqa: F401  registers the environments

    form = "vector_entry_point"
    envs = gymnasium.make_vec(env_id, BATCH, vectorization_mode=form, n=TASKS, m=MACHINES)
    return replayed(envs, TASKS + 1, BATCH)


def single(env_id: str) -> Run:
    import gymnasium

    import dsct_gym  # noqa: F401  registers the environments

    return replayed(gymnasium.make(env_id, n=TASKS, m=MACHINES), TASKS, 1)


def replayed(env: Any, steps: int, width: int) -> Run:
    """Steps of an episode whose random allowed actions were chosen beforehand."""
    rng = np.random.default_rng(0)
    _, info = env.reset(seed=0)
    actions = []
    for _ in range(steps):
        if env.action_space.dtype.kind == "f":
            action = rng.uniform(-1.0, 1.0, env.action_space.shape).astype(np.float32)
        else:
            action = (rng.random(info["action_mask"].shape) * info["action_mask"]).argmax(axis=-1)
        actions.append(action)
        *_, info = env.step(action)

    def work() -> None:
        for action in actions:
            env.step(action)

    return Run(work, steps * width, partial(env.reset, seed=0))


def program(*arguments: str) -> Run:
    words = [sys.executable, *arguments]
    return Run(partial(subprocess.run, words, check=True, stdout=subprocess.DEVNULL))


WORKLOADS = {
    "relaxation": Workload("bound, n = 2,000, m = 10", relaxation),
    "allocation": Workload("evaluation, 50 x 5", allocation),
    "annealing": Workload("move, 50 x 5", annealing),
    "joint": Workload("step, batch", partial(batch, "DSCT-EA-v0")),
    "assign": Workload("step, batch", partial(batch, "DSCT-EA-Assign-v0")),
    "continuous": Workload("step, batch", partial(batch, "DSCT-EA-Continuous-v0")),
    "single": Workload("step, single joint", partial(single, "DSCT-EA-v0")),
    "policy-50": Workload("rl-greedy, 50 x 5", partial(policy, 50)),
    "policy-200": Workload("rl-greedy, 200 x 5", partial(policy, 200)),
    "help": Workload("dsct-gym --help", partial(program, "-m", "dsct_gym", "--help")),
    "import": Workload("import dsct_gym", partial(program, "-c", "import dsct_gym")),
}


def measure(name: str) -> Seconds:
    """Least seconds a unit of a workload, in this process."""
    run = WORKLOADS[name].prepare()
    run.before()
    run.work()
    wall: list[float] = []
    processor: list[float] = []
    while len(wall) < REPEATS or sum(wall) < SECONDS:
        run.before()
        started, used = time.perf_counter(), processor_seconds()
        run.work()
        wall.append(time.perf_counter() - started)
        processor.append(processor_seconds() - used)
    return Seconds(min(wall) / run.units, min(processor) / run.units)


def processor_seconds() -> float:
    """Processor time of this process and of those that it started and that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


class Checkout:
    """A copy of the code, with what runs it.

    Args:
        folder: Root of the working tree.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        own = self.folder / ".venv" / "bin" / "python"
        self._python = str(own) if own.exists() else sys.executable
        self._environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        found = Path(self._run("-c", "import dsct_gym; print(dsct_gym.__file__)").strip())
        if found.resolve().parent.parent != self.folder:
            sys.exit(f"{self.folder}: {self._python} imports {found}")

    def measure(self, name: str) -> Seconds:
        """Least seconds a unit of a workload, in a new process."""
        return Seconds(*json.loads(self._run(__file__, "--measure", name)))

    def _run(self, *arguments: str) -> str:
        ran = subprocess.run(
            [self._python, *arguments],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            check=True,
        )
        return ran.stdout


def pairs(old: Checkout, new: Checkout, name: str, rounds: int) -> list[tuple[Seconds, Seconds]]:
    """Seconds a unit in the old and the new checkout, which take turns at being first."""
    found = []
    for number in range(rounds):
        order = (old, new) if number % 2 == 0 else (new, old)
        seconds = {checkout: checkout.measure(name) for checkout in order}
        found.append((seconds[old], seconds[new]))
    return found


def row(name: str, found: list[tuple[Seconds, Seconds]]) -> str:
    """A workload's line of the table."""
    old, new = (statistics.median(each.wall for each in side) for side in zip(*found, strict=True))
    wall = [after.wall / before.wall for before, after in found]
    processor = [after.processor / before.processor for before, after in found]
    told = f"{name:<11}{WORKLOADS[name].unit:<24}{show(old):>9}{show(new):>9}"
    return told + "".join(f"   {spread(ratios)}" for ratios in (wall, processor))


def spread(ratios: list[float]) -> str:
    """Median, least and most."""
    return f"{statistics.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f})"


def show(seconds: float) -> str:
    """A duration in a fitting unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def compare(old: Checkout, new: Checkout, names: list[str], rounds: int) -> None:
    """Prints a line for each workload as soon as it is measured."""
    heading = f"{'':<11}{'seconds for a':<24}{'old':>9}{'new':>9}"
    print(f"{heading}   {'new/old, wall':<19}   new/old, processor")
    for name in names:
        print(row(name, pairs(old, new, name, rounds)), flush=True)
    print(f"{rounds} pairs each; load average at the end {os.getloadavg()[0]:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old", nargs="?", type=Path)
    parser.add_argument("new", nargs="?", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(WORKLOADS), metavar="A,B")
    parser.add_argument("--measure", choices=WORKLOADS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure is not None:
        print(json.dumps(measure(args.measure)))
        return
    names = args.only.split(",")
    unknown = sorted(set(names) - set(WORKLOADS))
    if args.old is None or unknown or args.rounds < 1:
        parser.error(f"no workload {unknown[0]}" if unknown else "OLD, and rounds of at least 1")
    compare(Checkout(args.old), Checkout(args.new), names, args.rounds)


if __name__ == "__main__":
    main()
