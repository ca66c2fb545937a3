"""What the program prints for other programs, and its exit statuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from outputs.areas import area
from outputs.hashes import Hashes

MEASURED = frozenset({"seconds"})
"""Keys of wall times."""

_MOVED = re.compile(r"^(agents|baselines|training)\.")


def run_command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs the program in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "dsct_gym", *words],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def answer(folder: Path, *words: str) -> Hashes:
    """Exit status of a command, and each key of the JSON that it prints."""
    ran, hashes = run_command(folder, *words), Hashes(MEASURED)
    hashes.add("status", ran.returncode)
    if ran.stdout:
        hashes.add("", long_names(json.loads(ran.stdout)))
    return hashes


def long_names(value: Any) -> Any:
    """A document in which modules have the names that they have below the package."""
    if isinstance(value, dict):
        return {key: long_names(part) for key, part in value.items()}
    if isinstance(value, list):
        return [long_names(part) for part in value]
    return _MOVED.sub(r"dsct_gym.\1.", value) if isinstance(value, str) else value


def document(path: Path) -> Hashes:
    """Each key of a JSON file."""
    hashes = Hashes(MEASURED)
    hashes.add("", json.loads(path.read_text(encoding="utf-8")))
    return hashes


LISTS = ("solvers --json", "suites --json", "devices --json", "families --json")
GENERATIONS = {
    "random": "generate -n 6 -m 2 --mu 7 --rho 0.5 --beta 0.6 --segments 3 --seed 4 --name a",
    "real": "generate -n 7 --devices T4,V100,A100 --family ofa-resnet50 --seed 5 --name b",
}
SOLUTIONS = (
    "approx",
    "approx-refined --seed 1",
    "edf-3-levels",
    "greedy",
    "random --seed 3",
    "annealing --seed 2 --option moves=2000",
    "exact --option threads=1",
    "rl --seed 1",
    "rl-greedy",
)
REFUSED = (
    "solve nowhere.json --solver approx --json",
    "solve a.json --solver nobody --json",
    "solve a.json --solver annealing --option moves=-1",
    "generate -n 0",
    "bound a.json --method nothing",
    "bench --suite nothing --json",
)
BENCHES = (
    "bench a.json b.json --solvers approx,approx-refined,greedy,rl-greedy,edf-3-levels --json",
    "bench a.json --solvers random,annealing[moves=500] --seeds 3 --json",
    "bench --suite tiny --solvers approx-refined,rl-greedy --jobs 2 --json",
    "evaluate greedy rl-greedy annealing[moves=300] --suite tiny --json",
    "evaluate rl-greedy rl --size 6x2,12x3 --count 2 --reference-moves 20 --seeds 2 --json",
)


@area(quick=False)
def commands() -> Iterator[tuple[str, Hashes]]:
    """What the program prints for other programs, and its exit statuses."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = partial(answer, folder)
        yield from generated_files(folder)
        for line in (*LISTS, "schema", "schema schedule", *REFUSED, *BENCHES):
            yield line, run(*line.split())
        for line in SOLUTIONS:
            solver, *options = line.split()
            words = ("a.json", "--solver", solver, *options, "-o", "plan.json", "--json")
            yield f"solve {line}", run("solve", *words)
            yield f"schedule of {line}", document(folder / "plan.json")
            yield f"verify {line}", run("verify", "a.json", "plan.json", "--json")
        yield "verify another", run("verify", "b.json", "plan.json", "--json")
        yield "verify a lie", run("verify", "a.json", lie(folder / "plan.json"), "--json")
        for instance in ("a.json", "b.json", "dc5-ofa60"):
            yield f"bound {instance}", run("bound", instance, "--json")
        yield "bound by columns", run("bound", "a.json", "--method", "columns", "--json")


def generated_files(folder: Path) -> Iterator[tuple[str, Hashes]]:
    """Instances made by command, left in the folder under their names."""
    for kind, line in GENERATIONS.items():
        words = line.split()
        file, hashes = f"{words[-1]}.json", Hashes()
        hashes.add("stdout", run_command(folder, *words).stdout)
        hashes.add("status", run_command(folder, *words, "-o", file).returncode)
        hashes.add("file", (folder / file).read_bytes())
        yield f"generate {kind}", hashes


def lie(path: Path) -> str:
    """Name of a copy of a schedule that claims more than it reaches."""
    schedule = json.loads(path.read_text(encoding="utf-8"))
    schedule["total_accuracy"] += 0.25
    schedule["mean_accuracy"] = schedule["total_accuracy"] / 6
    schedule["energy"] /= 2.0
    path.with_name("lie.json").write_text(json.dumps(schedule), encoding="utf-8")
    return "lie.json"
