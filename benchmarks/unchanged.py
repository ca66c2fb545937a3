"""Does a change of the code change anything that users rely on? Hashes of outputs, old and new.

    python benchmarks/unchanged.py               # compare with benchmarks/unchanged.json
    python benchmarks/unchanged.py search play   # the same, these areas only
    python benchmarks/unchanged.py --write FILE  # write the hashes of the code that is installed

Instances, suites, schedules of every solver, trajectories of the environments, decisions of the
shipped policy and the JSON of the commands are made anew through the public interface alone, so
that the same script runs on the code before and after. Exit status 1 when an entry differs or is
gone; what is new is told and does no harm, since every key of a document has a hash of its own.

An entry holds two hashes, the first 16 digits of a SHA-256 each: of the exact bits, and of the same
with numbers in single precision (below 1e-9 they count as 0). The first holds on one machine: the
logarithm of NumPy and of the C library differ in the last bit between processors. The second holds
between machines, for rounding noise of 1e-15 crosses a boundary of single precision once in tens of
millions of values; ``tests/test_unchanged.py`` compares that one, in the areas that are quick and
where no random search amplifies the last bit.

Wall times and versions are left out. So is what the clock decides: every solver runs without a time
limit; `mip` starts from `greedy`, since its default start is annealing cut after a second.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode

import dsct_gym

COMMITTED = Path(__file__).with_suffix(".json")
IDS = {"joint": "DSCT-EA-v0", "assign": "DSCT-EA-Assign-v0", "continuous": "DSCT-EA-Continuous-v0"}
SUITES = ("tiny", "small", "medium", "large", "devices")

Entries = dict[str, dict[str, str]]
"""By name of the entry, then by column, the two hashes."""


# What is hashed, and how.


class Hashes:
    """Hashes of columns of values; a document's keys are columns of their own."""

    def __init__(self, skip: Iterable[str] = ()) -> None:
        self._skip = frozenset(skip)
        self._columns: dict[str, tuple[Any, Any]] = {}

    def add(self, column: str, value: object) -> None:
        """Appends a value to its column, or what a document holds to its keys' columns."""
        for path, leaf in self._leaves(column, value):
            exact, coarse = self._columns.setdefault(path, (hashlib.sha256(), hashlib.sha256()))
            exact.update(encode(leaf))
            coarse.update(encode(leaf, coarse=True))

    def columns(self) -> dict[str, str]:
        """The hashes so far."""
        return {
            column: f"{exact.hexdigest()[:16]} {coarse.hexdigest()[:16]}"
            for column, (exact, coarse) in self._columns.items()
        }

    def _leaves(self, path: str, value: object) -> Iterator[tuple[str, object]]:
        if isinstance(value, Mapping):
            for key in value.keys() - self._skip:
                yield from self._leaves(f"{path}.{key}" if path else str(key), value[key])
        elif is_table(value):
            # The rows of a list that is the whole document have names: one more changes no other.
            for row in value:
                name = row.get("name", "") if not path and isinstance(row, Mapping) else ""
                yield from self._leaves(f"{path}[{name}]", row)
        else:
            yield path, value


def is_table(value: object) -> bool:
    """Whether a sequence holds documents, perhaps with gaps."""
    rows = isinstance(value, list) or (isinstance(value, np.ndarray) and value.dtype == object)
    return rows and any(isinstance(row, Mapping) for row in value)


def encode(value: object, *, coarse: bool = False) -> bytes:
    """Bytes that tell a value and its type from every other."""
    if hasattr(value, "task_energy"):
        return encode(schedule_fields(value), coarse=coarse)
    if isinstance(value, np.ndarray | np.generic) and value.dtype != object:
        array = np.ascontiguousarray(value)
        content = rounded(array) if coarse and array.dtype.kind == "f" else array
        return f"{array.dtype.str}{array.shape}".encode() + content.tobytes()
    if isinstance(value, list | tuple | np.ndarray):
        parts = [encode(part, coarse=coarse) for part in value]
        return b"[" + b",".join(parts) + b"]"
    if coarse and isinstance(value, float):
        value = float(rounded(np.array(value)))
    if isinstance(value, bytes | str | float | int | None):
        return f"{type(value).__name__}:{value!r};".encode()
    raise TypeError(f"{type(value).__name__} has no encoding")


def rounded(values: np.ndarray) -> np.ndarray:
    """In single precision; what is next to nothing is 0."""
    with np.errstate(over="ignore"):
        return np.where(np.abs(values) < 1e-9, 0.0, values).astype(np.float32)


def schedule_fields(schedule: Any) -> tuple[object, ...]:
    """All that a schedule says except the seconds."""
    return (
        schedule.machine,
        schedule.start,
        schedule.duration,
        schedule.work,
        schedule.accuracy,
        schedule.task_energy,
        schedule.total_accuracy,
        schedule.energy,
        schedule.solver,
        schedule.upper_bound,
    )


def file_bytes(thing: Any) -> bytes:
    """What an instance writes into its file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.json"
        thing.save(path)
        return path.read_bytes()


# The areas.


class Area(NamedTuple):
    """A part of what is compared."""

    collect: Callable[[], Iterator[tuple[str, Hashes]]]
    quick: bool


AREAS: dict[str, Area] = {}


def area(
    *, quick: bool
) -> Callable[[Callable[[], Iterator[tuple[str, Hashes]]]], Callable[..., Any]]:
    """Registers a function that yields entries; quick ones are compared by the tests too."""

    def register(collect: Callable[[], Iterator[tuple[str, Hashes]]]) -> Callable[..., Any]:
        AREAS[collect.__name__] = Area(collect, quick)
        return collect

    return register


GENERATED: dict[str, dict[str, Any]] = {
    "defaults": {},
    "seed": {"seed": 12_345},
    "wide": {"n": 40, "m": 12, "mu": 20.0, "rho": 0.9, "beta": 0.2, "seed": 1},
    "alike": {"n": 30, "m": 4, "mu": 1.0, "seed": 2},
    "smooth": {"n": 10, "m": 3, "segments": 64, "seed": 3},
    "one segment": {"n": 10, "m": 3, "segments": 1, "seed": 4},
    "one of each": {"n": 1, "m": 1, "seed": 5},
    "extreme": {"n": 20, "m": 3, "mu": 1e6, "rho": 1e-6, "beta": 1e3, "seed": 6},
    "no energy": {"n": 20, "m": 3, "beta": 0.0, "seed": 7},
    "devices": {"n": 25, "devices": "T4,V100,A100", "seed": 8},
    "copies": {"n": 25, "m": 7, "devices": ["T4", "V100", "A100"], "seed": 9},
    "some devices": {"n": 25, "m": 2, "devices": "T4,V100,A100", "seed": 10},
    "family": {"n": 25, "m": 3, "family": "ofa-resnet50", "seed": 11},
    "families": {"n": 25, "m": 3, "family": "ofa-resnet50,efficientnet", "seed": 12},
    "real": {"n": 25, "devices": "H100,L4", "family": "efficientnet", "mu": 9.0, "seed": 13},
    "named": {"n": 5, "m": 2, "name": "a name, ünïcode", "seed": 14},
    "machines": {"n": 9, "m": 4, "speed": (1.0, 9.0), "efficiency": 2.5, "seed": 15},
    "curves": {"n": 9, "m": 4, "a_min": 0.1, "a_max": 0.9, "epsilon": 0.2, "seed": 16},
}


@area(quick=True)
def instances() -> Iterator[tuple[str, Hashes]]:
    """Files of generated instances."""
    for name, options in GENERATED.items():
        hashes = Hashes()
        hashes.add("file", file_bytes(dsct_gym.generate(**options)))
        yield name, hashes


@area(quick=True)
def suites() -> Iterator[tuple[str, Hashes]]:
    """Files of the suites' instances, and the best that is known of them."""
    for name in SUITES:
        suite, hashes = dsct_gym.load_suite(name), Hashes()
        hashes.add("name", suite.name)
        hashes.add("description", suite.description)
        for instance, reference in zip(suite, suite.references, strict=True):
            hashes.add("files", file_bytes(instance))
            fields = ("total_accuracy", "machine_of", "found_by", "upper_bound", "bound_by")
            hashes.add("reference", {field: getattr(reference, field) for field in fields})
        yield name, hashes


@cache
def problems() -> dict[str, dsct_gym.Instance]:
    """What the solvers are asked, by name; those of ``PROVABLE`` also by proof."""
    generate = dsct_gym.generate
    return {
        "6x2": generate(6, 2, seed=1),
        "8x3": generate(8, 3, mu=20.0, rho=0.6, beta=0.3, seed=2),
        "3x7": generate(3, 7, rho=0.2, seed=3),
        "1x1": generate(1, 1, seed=4),
        "ragged": ragged(),
        "tied": tied(),
        "real": generate(9, devices="T4,V100", family="ofa-resnet50,efficientnet", seed=5),
        "no energy": generate(12, 3, beta=0.0, seed=6),
        "one machine": generate(15, 1, mu=10.0, seed=7),
        "20x3": generate(20, 3, mu=10.0, rho=0.5, beta=0.4, seed=8),
        "50x5": generate(50, 5, seed=9),
        "50x5 loose": generate(50, 5, mu=20.0, rho=1.0, beta=0.2, segments=64, seed=10),
        "30x10": generate(30, 10, mu=5.0, rho=0.35, beta=0.5, seed=11),
    }


TINY = ("6x2", "8x3", "3x7", "1x1", "ragged", "tied", "no energy")
PROVABLE = (*TINY, "real", "one machine", "20x3")


def ragged() -> dsct_gym.Instance:
    """Curves of different lengths, flat ones, flat ends, deadlines of very different size."""
    return dsct_gym.Instance(
        speeds=[1.0, 2.0],
        efficiencies=[2.0, 1.0],
        deadlines=[1.0, 2.0, 1e-6, 3.0, 1e6],
        work=[[0, 1, 3], [0, 2, 2], [0, 0.5, 0.5], [0, 1, 4], [0, 3, 9]],
        accuracy=[
            [0.1, 0.5, 0.8],
            [0, 0.9, 0.9],
            [0.2, 0.3, 0.3],
            [0.4, 0.4, 0.4],
            [0.1, 0.7, 0.7],
        ],
        energy_budget=3.0,
        name="ragged",
        task_names=["a", None, "c", None, None],
    )


def tied() -> dsct_gym.Instance:
    """Equal tasks on equal machines: whatever breaks ties shows."""
    return dsct_gym.Instance(
        speeds=[1.0] * 3,
        efficiencies=[1.0] * 3,
        deadlines=[1.0, 2.0, 1.0, 2.0, 2.0, 1.0, 2.0],
        work=[[0.0, 1.0, 3.0]] * 7,
        accuracy=[[0.1, 0.5, 0.8]] * 7,
        energy_budget=4.0,
    )


HEURISTICS = ("approx", "approx-refined", "edf-no-compression", "edf-3-levels", "greedy", "random")
LEARNED = ("rl", "rl-greedy", "rl-sample", "rl-beam")


def solved(solver: str, names: Iterable[str], **options: object) -> Iterator[tuple[str, Hashes]]:
    """What a solver answers with seed 0 and without."""
    for name in names:
        hashes = Hashes()
        for column, seed in (("seed 0", 0), ("no seed", None)):
            agent = dsct_gym.make_solver(solver, **options)
            solution = agent.solve(problems()[name], seed=seed)
            said = (solution.upper_bound, solution.interrupted, bool(solution.schedule.verify()))
            hashes.add(column, [solution.schedule, *said])
        yield f"{solver} {name}", hashes


@area(quick=True)
def heuristics() -> Iterator[tuple[str, Hashes]]:
    """Schedules of the solvers without a search; bounds; exact works for an assignment."""
    for solver in HEURISTICS:
        yield from solved(solver, problems())
    for name, instance in problems().items():
        hashes = Hashes()
        hashes.add("bound", dsct_gym.upper_bound(instance))
        machine_of = np.arange(instance.num_tasks) % (instance.num_machines + 1) - 1
        hashes.add("works", dsct_gym.allocate(instance, machine_of))
        yield f"allocate {name}", hashes


@area(quick=False)
def search() -> Iterator[tuple[str, Hashes]]:
    """Schedules of annealing and of the learned agents."""
    yield from solved("annealing", problems(), moves=20_000)
    for solver in LEARNED:
        yield from solved(solver, problems())


@area(quick=False)
def proofs() -> Iterator[tuple[str, Hashes]]:
    """Schedules and bounds that are optimal, by one thread."""
    yield from solved("mip", TINY, threads=1, start="greedy")
    yield from solved("exact", PROVABLE, threads=1)


@area(quick=True)
def policy() -> Iterator[tuple[str, Hashes]]:
    """The shipped weights, what they say of themselves, and what they decide on the suites."""
    player = dsct_gym.make_solver("rl-greedy")
    weights = Path(inspect.getfile(type(player))).parent / "weights" / "policy.safetensors"
    content, hashes = weights.read_bytes(), Hashes()
    hashes.add("file", content)
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    for key, stated in metadata.items():
        hashes.add(key, json.loads(stated))
    yield "header", hashes
    for name in ("tiny", "small", "medium", "devices"):
        hashes = Hashes()
        for instance in dsct_gym.load_suite(name):
            hashes.add("machine", player.solve(instance).schedule.machine)
        yield f"decisions {name}", hashes


# Environments.


RANGES: dict[str, Any] = {
    "n": (2, 9),
    "m": (1, 3),
    "mu": (1.0, 20.0),
    "rho": (0.2, 1.0),
    "beta": (0.1, 1.0),
}


def drawn(rng: np.random.Generator) -> dsct_gym.Instance:
    """A generator of the user's own."""
    return dsct_gym.generate(7, 3, beta=0.3, seed=int(rng.random() * 1e6))


def worlds() -> dict[str, dict[str, Any]]:
    """Arguments of the environments, by where instances come from and what is shown."""
    return {
        "fixed size": {"n": 8, "m": 3},
        "ranges": RANGES,
        "guidance": {**RANGES, "guidance": True},
        "catalogue": {"n": 6, "devices": "T4,V100", "family": "ofa-resnet50"},
        "segments": {"n": (3, 6), "m": 2, "segments": 9, "levels": 4},
        "pool drawn": {**RANGES, "pool": 5, "pool_seed": 3, "guidance": True},
        "pool given": {"pool": [ragged(), tied()], "guidance": True},
        "generator": {"generator": drawn},
        "suite": {"suite": "tiny"},
        "instance": {"instance": tied(), "levels": 3},
    }


class Player:
    """Random actions from plain 53-bit integers, which no version of NumPy draws differently."""

    def __init__(self, space: gymnasium.Space[Any], *, masked: bool = True) -> None:
        self._rng = np.random.default_rng(0)
        self._space = space
        self._masked = masked

    def choose(self, mask: np.ndarray) -> Any:
        """An action that the mask allows, or any."""
        if isinstance(self._space, gymnasium.spaces.Box):
            return (2.0 * self._rng.random(self._space.shape) - 1.0).astype(np.float32)
        allowed = np.flatnonzero(mask) if self._masked else np.arange(mask.size)
        return int(allowed[int(self._rng.random() * allowed.size)])

    def choose_all(self, masks: np.ndarray) -> np.ndarray:
        """One action for each row."""
        return np.array([self.choose(mask) for mask in masks])


def add_step(hashes: Hashes, env: Any, observation: object, info: object, *told: object) -> None:
    """All that one step shows."""
    hashes.add("observation", observation)
    hashes.add("info", info)
    hashes.add("masks", env.unwrapped.action_masks())
    hashes.add("step", list(told))


def play_single(
    env_id: str,
    options: Mapping[str, Any],
    *,
    episodes: int = 3,
    masked: bool = True,
    given: dict[str, Any] | None = None,
) -> Hashes:
    """Episodes of a single environment."""
    env, hashes = gymnasium.make(env_id, **options), Hashes()
    player = Player(env.action_space, masked=masked)
    for episode in range(episodes):
        observation, info = env.reset(seed=11 if episode == 0 else None, options=given)
        hashes.add("instance", file_bytes(env.unwrapped.instance))
        add_step(hashes, env, observation, info)
        over = False
        while not over:
            action = player.choose(info["action_mask"])
            observation, reward, over, truncated, info = env.step(action)
            add_step(hashes, env, observation, info, reward, over, truncated)
    env.close()
    return hashes


def play_batch(
    env_id: str,
    options: Mapping[str, Any],
    mode: AutoresetMode,
    *,
    count: int = 5,
    steps: int = 25,
) -> Hashes:
    """Steps of a batched environment, across the ends of episodes."""
    envs = gymnasium.make_vec(
        env_id,
        num_envs=count,
        vectorization_mode="vector_entry_point",
        autoreset_mode=mode,
        **options,
    )
    hashes, player = Hashes(), Player(envs.single_action_space)
    observation, info = envs.reset(seed=11)
    add_step(hashes, envs, observation, info)
    for _ in range(steps):
        actions = player.choose_all(info["action_mask"])
        observation, reward, over, truncated, info = envs.step(actions)
        add_step(hashes, envs, observation, info, reward, over, truncated)
        if mode is AutoresetMode.DISABLED and over.any():
            observation, info = envs.reset(options={"reset_mask": over})
            add_step(hashes, envs, observation, info)
    for env in range(min(count, 5)):
        hashes.add("instance", file_bytes(envs.unwrapped.instance(env)))
    envs.close()
    return hashes


@area(quick=True)
def play() -> Iterator[tuple[str, Hashes]]:
    """Episodes of single environments."""
    for kind, env_id in IDS.items():
        for world, options in worlds().items():
            yield f"{kind} {world}", play_single(env_id, options)
        yield (
            f"{kind} instance in options",
            play_single(env_id, {"n": 9, "m": 3, "guidance": True}, given={"instance": ragged()}),
        )
        yield f"{kind} forbidden", play_single(env_id, RANGES, masked=False)


@area(quick=True)
def batches() -> Iterator[tuple[str, Hashes]]:
    """Steps of batched environments."""
    for kind, env_id in IDS.items():
        for mode in AutoresetMode:
            yield f"{kind} guidance, {mode.value}", play_batch(env_id, worlds()["guidance"], mode)
        for world, options in worlds().items():
            if world != "guidance":
                yield f"{kind} {world}", play_batch(env_id, options, AutoresetMode.NEXT_STEP)
        # Enough environments to be shared among threads.
        threaded = {"n": 5, "m": 2, "num_threads": 2}
        yield (
            f"{kind} threads",
            play_batch(env_id, threaded, AutoresetMode.SAME_STEP, count=300, steps=12),
        )


@area(quick=False)
def stable_baselines() -> Iterator[tuple[str, Hashes]]:
    """Steps of the form for Stable-Baselines3."""
    from dsct_gym.envs.sb3 import SchedulingVecEnv

    for kind, env_id in IDS.items():
        for world in ("ranges", "guidance"):
            envs, hashes = SchedulingVecEnv(env_id, num_envs=4, **worlds()[world]), Hashes({"t"})
            player = Player(envs.action_space)
            envs.seed(11)
            hashes.add("observation", envs.reset())
            for _ in range(25):
                masks = envs.action_masks()
                hashes.add("masks", masks)
                observation, rewards, dones, infos = envs.step(player.choose_all(masks))
                hashes.add("observation", observation)
                hashes.add("step", [rewards, dones])
                hashes.add("info", infos)
            envs.close()
            yield f"{kind} {world}", hashes


# The command line.


# Wall times, and where it ran.
MEASURED = frozenset({"seconds"})
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


# Writing and comparing.


def collect(name: str) -> Entries:
    """The entries of an area."""
    return {entry: hashes.columns() for entry, hashes in AREAS[name].collect()}


class Comparison(NamedTuple):
    """What became of the entries of an area."""

    differing: list[str]
    rounded: list[str]
    gone: list[str]
    new: list[str]


def compare(name: str, old: Entries, new: Entries) -> Comparison:
    """Sets the hashes of an area side by side.

    Args:
        name: The area.
        old: What was written.
        new: What there is now.

    Returns:
        Names of the columns that differ, that differ in the last digits only, that are gone, and
        that are new.
    """
    before, after = flat(name, old), flat(name, new)
    result = Comparison([], [], sorted(before.keys() - after.keys()), [])
    result.new.extend(sorted(after.keys() - before.keys()))
    for column in before.keys() & after.keys():
        if before[column] != after[column]:
            alike = before[column].split()[1] == after[column].split()[1]
            (result.rounded if alike else result.differing).append(column)
    result.differing.sort()
    result.rounded.sort()
    return result


def flat(name: str, entries: Entries) -> dict[str, str]:
    """The hashes of an area by full name."""
    return {
        f"{name}: {entry}: {column}": hashed
        for entry, columns in entries.items()
        for column, hashed in columns.items()
    }


def committed() -> dict[str, Entries]:
    """The hashes that are committed, by area."""
    areas: dict[str, Entries] = json.loads(COMMITTED.read_text(encoding="utf-8"))
    return areas


def check(names: Sequence[str]) -> int:
    """Compares areas with what is committed and tells what differs; the exit status."""
    written, failed = committed(), False
    for name in names:
        started = time.perf_counter()
        try:
            found = collect(name)
        except Exception:
            traceback.print_exc()
            print(f"{name}: could not be collected")
            failed = True
            continue
        result = compare(name, written.get(name, {}), found)
        for verdict, columns in zip(
            ("differs", "differs in the last digits", "gone", "new"), result, strict=True
        ):
            for column in columns:
                print(f"{column}: {verdict}")
        failed |= bool(result.differing or result.rounded or result.gone)
        count = len(flat(name, found))
        print(f"{name}: {count} hashes, {time.perf_counter() - started:.1f} s", file=sys.stderr)
    print("something differs" if failed else "nothing differs")
    return int(failed)


def write(names: Sequence[str], path: Path) -> None:
    """Writes the hashes of areas."""
    areas = {}
    for name in names:
        started = time.perf_counter()
        areas[name] = collect(name)
        print(f"{name}: {time.perf_counter() - started:.1f} s", file=sys.stderr)
    path.write_text(as_text(areas), encoding="utf-8")


def as_text(areas: Mapping[str, Entries]) -> str:
    """JSON with one entry a line."""

    def line(value: object) -> str:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)

    blocks = []
    for name, entries in areas.items():
        rows = ",\n".join(f"  {line(entry)}: {line(entries[entry])}" for entry in sorted(entries))
        blocks.append(f" {line(name)}: {{\n{rows}\n }}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("areas", nargs="*", metavar="AREA", help=", ".join(AREAS))
    parser.add_argument("--write", type=Path, metavar="FILE")
    args = parser.parse_args()
    unknown = set(args.areas) - set(AREAS)
    if unknown:
        parser.error(f"no area {', '.join(sorted(unknown))}; there are {', '.join(AREAS)}")
    names = args.areas or list(AREAS)
    if args.write is not None:
        write(names, args.write)
    else:
        sys.exit(check(names))


if __name__ == "__main__":
    main()
