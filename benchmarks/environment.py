"""Times `step` alone: the environments against Gymnasium's own CartPole, in the same run.

python benchmarks/environment.py [--envs 1024] [-n 50] [-m 5] [--seconds 2] [--rounds 3]

Random allowed actions, made outside the timed region; episodes end and begin within it. Of several
rounds, interleaved, the median counts.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
from rich.console import Console
from rich.table import Table

from dsct_gym.registration import ENVIRONMENTS, SERVICE

REFERENCE = "CartPole-v1"
IDS = (REFERENCE, *ENVIRONMENTS, SERVICE)


def actions(
    space: gymnasium.Space[Any], mask: np.ndarray | None, rng: np.random.Generator
) -> Callable[[np.ndarray | None], Any]:
    """A random action, or a batch of them, for what the mask allows."""
    if isinstance(space, gymnasium.spaces.Box):
        return lambda mask: rng.uniform(-1.0, 1.0, space.shape).astype(np.float32)
    if isinstance(space, gymnasium.spaces.MultiDiscrete):
        return lambda mask: rng.integers(0, space.nvec)
    if mask is None:
        return lambda mask: rng.integers(0, 2, space.shape) if space.shape else rng.integers(0, 2)
    return lambda mask: (rng.random(mask.shape, dtype=np.float32) * mask).argmax(axis=-1)


def single(env_id: str, seconds: float, options: dict[str, Any]) -> float:
    """Steps per second of a single environment; resets are not counted."""
    env = gymnasium.make(env_id, **options)
    rng = np.random.default_rng(0)
    _, info = env.reset(seed=0)
    choose = actions(env.action_space, info.get("action_mask"), rng)
    steps, spent = 0, 0.0
    while spent < seconds:
        action = choose(info.get("action_mask"))
        started = time.perf_counter()
        _, _, terminated, truncated, info = env.step(action)
        spent += time.perf_counter() - started
        steps += 1
        if terminated or truncated:
            _, info = env.reset()
    return steps / spent


def batched(env_id: str, seconds: float, options: dict[str, Any], count: int) -> float:
    """Steps per second of a batch; resets happen within `step` and count."""
    env = gymnasium.make_vec(
        env_id, num_envs=count, vectorization_mode="vector_entry_point", **options
    )
    rng = np.random.default_rng(0)
    _, info = env.reset(seed=0)
    choose = actions(env.action_space, info.get("action_mask"), rng)
    steps, spent = 0, 0.0
    # Whole episodes of 50 steps, so that resets weigh what they weigh in training.
    while spent < seconds or steps % 51:
        action = choose(info.get("action_mask"))
        started = time.perf_counter()
        *_, info = env.step(action)
        spent += time.perf_counter() - started
        steps += 1
    env.close()
    return steps * count / spent


def cases(args: argparse.Namespace) -> Iterator[tuple[str, str, Callable[[float], float]]]:
    """Name, form and measurement of each row."""
    size = {"n": args.n, "m": args.m}
    for env_id in IDS:
        options = size if env_id in ENVIRONMENTS else {}
        yield env_id, "single", lambda s, i=env_id, o=options: single(i, s, o)
    for env_id in IDS:
        own = env_id in ENVIRONMENTS
        options = size if own else {}
        yield (
            env_id,
            "new instances" if own else "batched",
            lambda s, i=env_id, o=options: batched(i, s, o, args.envs),
        )
        if own:
            pooled = {**size, "pool": 1024}
            yield (
                env_id,
                "pool of 1,024",
                lambda s, i=env_id, o=pooled: batched(i, s, o, args.envs),
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--envs", type=int, default=1024)
    parser.add_argument("-n", type=int, default=50)
    parser.add_argument("-m", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    rows = list(cases(args))
    for *_, measure in rows:
        measure(0.05)
    rates: list[list[float]] = [[] for _ in rows]
    for _ in range(args.rounds):
        for index, (*_, measure) in enumerate(rows):
            rates[index].append(measure(args.seconds))
    table = Table(
        title=f"steps per second, n = {args.n}, m = {args.m}",
        caption=f"median and range of {args.rounds} rounds; batches of {args.envs:,}",
    )
    table.add_column("environment", no_wrap=True)
    table.add_column("form", no_wrap=True)
    for name in ("median", "least", "most", "of CartPole"):
        table.add_column(name, justify="right", no_wrap=True)
    for (name, form, _), found in zip(rows, rates, strict=True):
        rate = statistics.median(found)
        if name == REFERENCE:
            table.add_section()
            reference = rate
        table.add_row(
            name,
            form,
            f"{rate:,.0f}",
            f"{min(found):,.0f}",
            f"{max(found):,.0f}",
            f"{rate / reference:.1%}",
        )
    console = Console()
    console.width = max(console.width, 100)
    console.print(table)


if __name__ == "__main__":
    main()
