"""Arguments that the single and the batched environments share."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np

from dsct_gym.arguments import as_integer
from dsct_gym.envs.arrival_sampling import ArrivalScenario, SampledArrivals
from dsct_gym.envs.sampling import Sampled
from dsct_gym.envs.source import Drawn, Generator, Pool, Sampler, Source, playable
from dsct_gym.errors import EvaluationWarning, InputError
from dsct_gym.generator import Count, Quantity, Scenario
from dsct_gym.loading import load
from dsct_gym.problem import Problem
from dsct_gym.registration import ENVIRONMENTS
from dsct_gym.suites.suite import load_suite
from dsct_gym.suites.training_split import SPLITS, TrainingSplit

DEFAULT_TASKS = 50


def check_on_invalid(on_invalid: str) -> bool:
    """Whether a forbidden action raises.

    Raises:
        InputError: If ``on_invalid`` is neither ``"skip"`` nor ``"raise"``.
    """
    if on_invalid not in ("skip", "raise"):
        raise InputError(f"on_invalid: must be 'skip' or 'raise', got {on_invalid!r}")
    return on_invalid == "raise"


def plain_seed(seed: SupportsIndex | None) -> int | None:
    """A seed as Gymnasium takes it: no integer of NumPy."""
    return int(seed) if isinstance(seed, np.integer) else seed  # type: ignore[return-value]


def instance_of(options: Mapping[str, Any] | None, env_id: str) -> Problem | None:
    """The problem that the options of ``reset`` give, None where they give none.

    Raises:
        InputError: If it is neither a problem that the environment knows nor the path of its file.
    """
    return None if options is None else _given(options.get("instance"), env_id)


def instances_of(
    options: Mapping[str, Any] | None, count: int, env_id: str
) -> list[Problem | None]:
    """The problem that the options of ``reset`` give each of N environments, None for none.

    Args:
        options: Those of ``reset``; they give the same to all, or a list with one for each.
        count: N.
        env_id: The environment.

    Raises:
        InputError: If one is neither a problem that the environment knows nor the path of its file,
            or a list has another length.
    """
    given = None if options is None else options.get("instance")
    if not isinstance(given, (list, tuple)):
        return [_given(given, env_id)] * count
    if len(given) != count:
        raise InputError(f"options: {len(given)} instances for {count} environments")
    return [_given(entry, env_id) for entry in given]


def _given(given: object, env_id: str) -> Problem | None:
    if given is None:
        return None
    if isinstance(given, (str, Path)):
        given = load(given)
    return playable(given, "options: instance", env_id)


def make_source(
    env_id: str | None = None,
    *,
    instance: Problem | None = None,
    suite: str | None = None,
    split: str | None = None,
    generator: Generator | None = None,
    pool: int | Sequence[Problem] | None = None,
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
        env_id: The environment, which must know what its problems need; None: one that knows
            DSCT-EA alone.
        instance: The one instance of all episodes.
        suite: Name of a benchmark suite; episodes draw from its instances, with a warning unless
            ``split`` says which.
        split: ``"train"`` draws new instances of the scenarios that the suite's were drawn from;
            ``"test"`` draws from the suite's own, on which agents are compared.
        generator: A callable that takes a `numpy.random.Generator` and gives an `Instance`, or
            another problem that the environment knows; or an object with such a method ``sample``.
            The spaces are sized for ``n`` and ``m``, or for
            the first instance drawn where these are left out; ranges say that some are smaller.
        pool: A list of instances, or how many to draw ahead from the scenario or ``generator``;
            episodes draw from them.
        pool_seed: Seed of a pool that is drawn.
        n: Number of tasks, or a range; see `dsct_gym.generator.Scenario`, like the rest.
        m: Number of machines, or a range.
        mu: Task heterogeneity, or a range.
        rho: Deadline tolerance, or a range.
        beta: Energy budget ratio, or a range.
        **scenario: Further arguments of `Scenario` (segments, devices, family, ...). Where tasks
            arrive over time, all of these are arguments of
            `dsct_gym.envs.arrival_sampling.ArrivalScenario` instead.

    Raises:
        InputError: If arguments exclude each other or are out of range.
        TypeError: If there is no such argument, which is what libraries expect that try some.
    """
    known = {field.name for field in fields(ArrivalScenario if _arrive(env_id) else Scenario)}
    for name in scenario:
        if name not in known:
            raise TypeError(f"environment got an unexpected keyword argument {name!r}")
    ranges = {"n": n, "m": m, "mu": mu, "rho": rho, "beta": beta, **scenario}
    ranges = {key: value for key, value in ranges.items() if value is not None}
    ahead: int | None = None
    listed: Sequence[Problem] | None = None
    if isinstance(pool, (int, np.integer)):
        ahead = as_integer(pool, "pool", 1)
    else:
        listed = pool
    given = {"instance": instance, "suite": suite, "generator": generator, "pool": listed}
    chosen = [name for name, value in given.items() if value is not None]
    if len(chosen) > 1:
        raise InputError(f"{chosen[1]}: cannot be combined with {chosen[0]}")
    if chosen and chosen != ["generator"] and (ranges or ahead is not None):
        other = next(iter(ranges), "pool")
        raise InputError(f"{other}: cannot be combined with {chosen[0]}")
    if instance is not None:
        return Pool([playable(instance, "instance", env_id)])
    if split is not None and suite is None:
        raise InputError("split: needs a suite")
    if suite is not None:
        return _suite_source(suite, split, env_id)
    if listed is not None:
        return Pool([playable(entry, "pool", env_id) for entry in listed])
    source = _drawing(generator, ranges, env_id)
    return source if ahead is None else _drawn_ahead(source, ahead, pool_seed)


def _drawing(generator: Generator | None, ranges: dict[str, Any], env_id: str | None) -> Drawn:
    """The source that draws each episode's instance."""
    if env_id is not None and _arrive(env_id):
        if generator is None:
            return SampledArrivals(ArrivalScenario(**ranges), env_id)
        if isinstance(generator, ArrivalScenario) and not ranges:
            return SampledArrivals(generator, env_id)
    if generator is None:
        generator = Scenario(**{"n": DEFAULT_TASKS, **ranges})
    elif isinstance(generator, (Scenario, ArrivalScenario)) and ranges:
        raise InputError(f"{next(iter(ranges))}: the scenario given as generator sets it")
    if isinstance(generator, Scenario):
        if Sampled.covers(generator) and not _is_soft(env_id):
            return Sampled(generator)
        return _sized(generator.sample, generator, env_id)
    sampler = generator.sample if isinstance(generator, Sampler) else generator
    if not callable(sampler):
        raise InputError("generator: must be callable or have a method sample")
    unknown = [name for name in ranges if name not in ("n", "m")]
    if unknown:
        raise InputError(f"{unknown[0]}: cannot be combined with generator")
    if len(ranges) < 2:
        first = playable(sampler(np.random.default_rng(0)), "generator", env_id).core
        ranges = {"n": first.num_tasks, "m": first.num_machines, **ranges}
    return _sized(sampler, Scenario(**ranges), env_id)


def _arrive(env_id: str | None) -> bool:
    """Whether an environment plays tasks that arrive over time."""
    known = ENVIRONMENTS.get(env_id or "")
    return known is not None and "arrivals" in known.knows


def _is_soft(env_id: str | None) -> bool:
    """Whether an environment plays soft deadlines, for which drawn instances are prepared anew."""
    known = ENVIRONMENTS.get(env_id or "")
    return known is not None and "soft" in known.knows


def _sized(
    sampler: Callable[[np.random.Generator], Problem], bounds: Scenario, env_id: str | None
) -> Drawn:
    largest = bounds.max_tasks, bounds.max_machines
    return Drawn(sampler, *largest, padded=not bounds.one_size, env_id=env_id)


def _drawn_ahead(source: Drawn, size: int, seed: int) -> Pool:
    rng = np.random.default_rng(as_integer(seed, "pool_seed", 0))
    pool = Pool([source.draw(rng) for _ in range(size)])
    pool.max_tasks, pool.max_machines = source.max_tasks, source.max_machines
    pool.padded = source.padded
    return pool


def _suite_source(name: str, split: str | None, env_id: str | None) -> Source:
    if split is not None and split not in SPLITS:
        raise InputError(f"split: {split!r} is not one of {', '.join(SPLITS)}")
    if split == "train":
        drawn = TrainingSplit(name)
        n, m = (max(sizes) for sizes in zip(*drawn.sizes, strict=True))
        return Drawn(drawn.sample, n, m, padded=len(drawn.sizes) > 1, env_id=env_id)
    instances = [playable(instance, "suite", env_id) for instance in load_suite(name)]
    if split is None:
        warnings.warn(
            f"suite: agents are compared on the instances of {name!r}: split='train' draws others"
            " like them to train on, split='test' says that nobody trains here",
            EvaluationWarning,
            stacklevel=2,
        )
    return Pool(instances)
