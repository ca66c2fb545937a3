"""Where the instances of an environment come from.

Instances that are known in advance (one given, a suite, a pool) are prepared once and shared by
all episodes; a scenario or a generator of the user's own draws a new one for every episode, from
the environment's own random generator.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from dsct_gym.arrays import Ints
from dsct_gym.envs.options import playable
from dsct_gym.errors import InputError
from dsct_gym.generator import Count, Quantity, Scenario
from dsct_gym.instance import Instance

if TYPE_CHECKING:
    from dsct_gym.envs.bank import Library

DEFAULT_TASKS = 50


@runtime_checkable
class Sampler(Protocol):
    """Anything that draws instances, such as a `Scenario`."""

    def sample(self, rng: np.random.Generator) -> Instance:
        """Draws an instance."""
        ...


Generator = Sampler | Callable[[np.random.Generator], Instance]


class Source(ABC):
    """Gives each episode its instance.

    Attributes:
        max_tasks: Most tasks of an instance.
        max_machines: Most machines of an instance.
        prepared: Instances known in advance; a batch of N environments keeps them in the rows
            from N on.
    """

    max_tasks: int
    max_machines: int
    prepared: Sequence[Instance] = ()

    @abstractmethod
    def load(self, library: Library, envs: Ints, generators: Sequence[np.random.Generator]) -> Ints:
        """Chooses the next instances of some environments and has them loaded.

        Args:
            library: The rows; row e is environment e's own.
            envs: The environments.
            generators: The random generator of each of these environments.

        Returns:
            The row of each of these environments' instances.
        """


class Pool(Source):
    """Draws uniformly from instances prepared ahead.

    Args:
        instances: At least one.
    """

    def __init__(self, instances: Sequence[Instance]) -> None:
        if not instances:
            raise InputError("pool: needs at least one instance")
        self.prepared = tuple(instances)
        self.max_tasks = max(instance.num_tasks for instance in instances)
        self.max_machines = max(instance.num_machines for instance in instances)

    def load(self, library: Library, envs: Ints, generators: Sequence[np.random.Generator]) -> Ints:
        """Draws rows of the pool; a pool of one draws nothing."""
        first, size = len(library.recipes) - len(self.prepared), len(self.prepared)
        if size == 1:
            return np.full(envs.size, first)
        return np.array([first + int(rng.random() * size) for rng in generators])


class Drawn(Source):
    """Draws a new instance for every episode.

    Args:
        sampler: What draws them.
        max_tasks: Most tasks of an instance.
        max_machines: Most machines of an instance.
    """

    def __init__(
        self,
        sampler: Callable[[np.random.Generator], Instance],
        max_tasks: int,
        max_machines: int,
    ) -> None:
        self._sampler = sampler
        self.max_tasks, self.max_machines = max_tasks, max_machines

    def load(self, library: Library, envs: Ints, generators: Sequence[np.random.Generator]) -> Ints:
        """Draws instances into the environments' own rows."""
        for env, rng in zip(envs.tolist(), generators, strict=True):
            library.load(env, self.draw(rng))
        return envs

    def draw(self, rng: np.random.Generator) -> Instance:
        """Draws one instance."""
        return playable(self._sampler(rng), "generator")


def make_source(
    *,
    instance: Instance | None = None,
    suite: str | None = None,
    generator: Generator | None = None,
    pool: int | Sequence[Instance] | None = None,
    pool_seed: int = 0,
    n: Count | None = None,
    m: Count | None = None,
    mu: Quantity | None = None,
    rho: Quantity | None = None,
    beta: Quantity | None = None,
    **scenario: Any,
) -> Source:
    """The source that an environment's arguments describe.

    Args:
        instance: The one instance of all episodes.
        suite: Name of a benchmark suite; episodes draw from its instances.
        generator: A callable that takes a `numpy.random.Generator` and gives an `Instance`, or an
            object with such a method ``sample``. The spaces are sized for ``n`` and ``m``, or for
            the first instance drawn where these are left out.
        pool: A list of instances, or how many to draw ahead from the scenario or ``generator``;
            episodes draw from them.
        pool_seed: Seed of a pool that is drawn.
        n: Number of tasks, or a range; see `dsct_gym.generator.Scenario`, like the rest.
        m: Number of machines, or a range.
        mu: Task heterogeneity, or a range.
        rho: Deadline tolerance, or a range.
        beta: Energy budget ratio, or a range.
        **scenario: Further arguments of `Scenario` (segments, devices, family, ...).

    Raises:
        InputError: If arguments exclude each other or are out of range.
    """
    ranges = {"n": n, "m": m, "mu": mu, "rho": rho, "beta": beta, **scenario}
    ranges = {key: value for key, value in ranges.items() if value is not None}
    ahead = pool if isinstance(pool, int) else None
    listed = None if isinstance(pool, int) else pool
    given = {"instance": instance, "suite": suite, "generator": generator, "pool": listed}
    chosen = [name for name, value in given.items() if value is not None]
    if len(chosen) > 1:
        raise InputError(f"{chosen[1]}: cannot be combined with {chosen[0]}")
    if chosen and chosen != ["generator"] and (ranges or ahead is not None):
        other = next(iter(ranges), "pool")
        raise InputError(f"{other}: cannot be combined with {chosen[0]}")
    if instance is not None:
        return Pool([playable(instance, "instance")])
    if suite is not None:
        return Pool(_suite(suite))
    if listed is not None:
        return Pool([playable(entry, "pool") for entry in listed])
    source = _drawing(generator, ranges)
    return source if ahead is None else _drawn_ahead(source, ahead, pool_seed)


def _drawing(generator: Generator | None, ranges: dict[str, Any]) -> Drawn:
    """The source that draws each episode's instance."""
    if generator is None:
        generator = _scenario(ranges)
    elif isinstance(generator, Scenario) and ranges:
        raise InputError(f"{next(iter(ranges))}: the scenario given as generator sets it")
    if isinstance(generator, Scenario):
        from dsct_gym.envs.sampling import Sampled

        if Sampled.covers(generator):
            return Sampled(generator)
        return Drawn(generator.sample, generator.max_tasks, generator.max_machines)
    sampler = generator.sample if isinstance(generator, Sampler) else generator
    if not callable(sampler):
        raise InputError("generator: must be callable or have a method sample")
    unknown = [name for name in ranges if name not in ("n", "m")]
    if unknown:
        raise InputError(f"{unknown[0]}: cannot be combined with generator")
    if len(ranges) < 2:
        first = playable(sampler(np.random.default_rng(0)), "generator")
        ranges = {"n": first.num_tasks, "m": first.num_machines, **ranges}
    bounds = Scenario(**ranges)
    return Drawn(sampler, bounds.max_tasks, bounds.max_machines)


def _scenario(ranges: dict[str, Any]) -> Scenario:
    try:
        return Scenario(**{"n": DEFAULT_TASKS, **ranges})
    except TypeError as error:
        raise InputError(f"environment: {error}") from error


def _drawn_ahead(source: Drawn, size: int, seed: int) -> Pool:
    if size < 1:
        raise InputError(f"pool: must be at least 1, got {size}")
    rng = np.random.default_rng(seed)
    pool = Pool([source.draw(rng) for _ in range(size)])
    pool.max_tasks, pool.max_machines = source.max_tasks, source.max_machines
    return pool


def _suite(name: str) -> list[Instance]:
    from dsct_gym.suites.suite import load_suite

    return [playable(instance, "suite") for instance in load_suite(name)]
