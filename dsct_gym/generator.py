"""Random instances: scenarios with given heterogeneity, deadline tolerance and energy budget.

The scenario parameters follow the source (mu, rho, beta); what its abstract and its parent paper do
not state is this project's own choice and is marked so here:

- Task efficiencies: two random tasks have exactly ``theta_min`` and ``theta_max = mu theta_min``,
  the others are uniform between them (this is a uniform sample stretched to the ends), so ``mu``
  holds exactly in every instance of two tasks or more. With one task it is uniform in the range.
- ``theta_min`` is 0.1 per GFLOP (own choice): full work is then 46 GFLOP for the least efficient
  task, about EfficientNet-B6, and 9.2 GFLOP for the most efficient at ``mu = 5``, about ResNet-50.
- Deadlines are uniform on (0, d_max] and stretched so that the largest is exactly d_max, which
  follows from ``rho``; the budget follows from ``beta``.
- Of a catalogue family, each task is a request of ``theta_max / theta_j`` images (1 to ``mu``): the
  family's curve, stretched. So ``mu`` is the ratio of the largest to the smallest request.

Everything is rounded to 12 significant digits before it enters the instance, so an instance in
memory equals its file, and ``rho`` and ``beta`` hold in it to about 1e-11.

Sources: Barros et al., ICPP 2024 (DSCT-EA) and its parent problem DSCT (CCGrid 2024).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from dsct_gym.accuracy import (
    DEFAULT_A_MAX,
    DEFAULT_A_MIN,
    DEFAULT_EPSILON,
    exponential_breakpoints,
    pad_curves,
)
from dsct_gym.arguments import as_integer, as_number, as_range
from dsct_gym.arrays import Floats, Ints
from dsct_gym.catalog import Device, ModelFamily, device, family, sustained_speed
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.rounding import round_number, round_significant

Count: TypeAlias = int | tuple[int, int]
"""A number, or an inclusive (low, high) range to draw from uniformly."""

Quantity: TypeAlias = float | tuple[float, float]
"""A number, or a (low, high) range to draw from uniformly."""

THETA_MIN: Final = 0.1
"""Task efficiency of the most demanding task, 1/GFLOP."""

DEFAULT_MACHINES: Final = 5
_MOST = 10**8
_MOST_SEGMENTS = 10**5
_LARGEST = 1e9
_SMALLEST = 1e-9


@dataclass(frozen=True)
class Scenario:
    """A distribution of instances; draw from it with `sample`.

    Parameters are checked on construction; names become tuples of catalogue names.

    Attributes:
        n: Number of tasks, at least 1.
        m: Number of machines, at least 1. None: one for each device named, else 5.
        mu: Task heterogeneity theta_max / theta_min, at least 1.
        rho: Deadline tolerance ``d_max Σ s_r / Σ f_j^max``, positive.
        beta: Energy budget ratio ``B / (d_max Σ P_r)``, at least 0; 1 lets every machine run
            until d_max.
        segments: Segments of the exponential curves, at least 1; 64 or more stand for the smooth
            curve (`dsct_gym.accuracy.discretisation_error` bounds the difference).
        devices: Names of catalogue devices (one text may hold several, separated by commas), or
            None for random machines. With as many machines as names, these are the machines; with
            fewer, a random selection; with more, copies as evenly as possible, the rest at random.
            They keep the order of the names. Speeds are as measured where all families named were
            measured on a device, else as predicted (`dsct_gym.catalog.sustained_speed`).
        family: Name of a catalogue model family, or several among which each task draws one; None
            for exponential curves. Families bring their own breakpoints: ``segments`` is not used.
        speed: Speed of random machines, GFLOP/s.
        efficiency: Energy efficiency of random machines, GFLOP/J.
        a_min: Accuracy of exponential curves without work.
        a_max: Accuracy of exponential curves at full work.
        epsilon: What is left of the exponential at full work, in (0, 1).

    Raises:
        InputError: Naming the parameter at fault.
    """

    n: Count = 100
    m: Count | None = None
    mu: Quantity = 5.0
    rho: Quantity = 0.35
    beta: Quantity = 0.5
    segments: int = 5
    devices: str | Sequence[str] | None = None
    family: str | Sequence[str] | None = None
    speed: Quantity = (1_000.0, 20_000.0)
    efficiency: Quantity = (5.0, 60.0)
    a_min: float = DEFAULT_A_MIN
    a_max: float = DEFAULT_A_MAX
    epsilon: float = DEFAULT_EPSILON

    def __post_init__(self) -> None:
        devices = _as_names(self.devices, "devices", device)
        machines = self.m
        if machines is None:
            machines = DEFAULT_MACHINES if devices is None else len(devices)
        checked = {
            "devices": devices,
            "family": _as_names(self.family, "family", family),
            "n": _as_count(self.n, "n"),
            "m": _as_count(machines, "m"),
            "segments": as_integer(self.segments, "segments", 1, _MOST_SEGMENTS),
            "mu": as_quantity(self.mu, "mu", 1.0),
            "rho": as_quantity(self.rho, "rho", _SMALLEST),
            "beta": as_quantity(self.beta, "beta", 0.0),
            "speed": as_quantity(self.speed, "speed", _SMALLEST),
            "efficiency": as_quantity(self.efficiency, "efficiency", _SMALLEST),
            "a_min": as_number(self.a_min, "a_min", 0.0, 1.0),
            "a_max": as_number(self.a_max, "a_max", 0.0, 1.0),
            "epsilon": as_number(self.epsilon, "epsilon", _SMALLEST, 1.0 - _SMALLEST),
        }
        for field, value in checked.items():
            object.__setattr__(self, field, value)
        if self.a_max < self.a_min:
            raise InputError(f"a_max: {self.a_max:g} is below a_min {self.a_min:g}")

    @property
    def max_tasks(self) -> int:
        """Largest number of tasks of an instance."""
        return self.n[1] if isinstance(self.n, tuple) else self.n

    @property
    def max_machines(self) -> int:
        """Largest number of machines of an instance."""
        assert self.m is not None
        return self.m[1] if isinstance(self.m, tuple) else self.m

    @property
    def one_size(self) -> bool:
        """Whether all instances have the same numbers of tasks and machines."""
        return not any(
            isinstance(value, tuple) and value[0] < value[1] for value in (self.n, self.m)
        )

    def sample(self, rng: np.random.Generator, *, name: str | None = None) -> Instance:
        """Draws an instance.

        What is drawn does not depend on ``rho`` and ``beta``: with the same generator state, they
        only move the deadlines and the budget.

        Args:
            rng: Source of randomness.
            name: Name of the instance.
        """
        assert self.m is not None
        n, m = draw_count(self.n, rng), draw_count(self.m, rng)
        mu, rho, beta = (draw_quantity(value, rng) for value in (self.mu, self.rho, self.beta))
        work, accuracy = self._draw_curves(_spread(n, mu, rng), mu, rng)
        moments = 1.0 - rng.random(n)
        fleet = self._draw_machines(m, rng)
        # Exactly rounded sums: the same on every machine, whatever its vector width.
        total_work, total_speed = math.fsum(work[:, -1].tolist()), math.fsum(fleet.speeds.tolist())
        horizon = round_number(rho * total_work / total_speed)
        power = math.fsum((fleet.speeds / fleet.efficiencies).tolist())
        return Instance(
            speeds=fleet.speeds,
            efficiencies=fleet.efficiencies,
            deadlines=round_significant(horizon * (moments / moments.max())),
            work=work,
            accuracy=accuracy,
            energy_budget=round_number(beta * horizon * power),
            name=name,
            machine_names=fleet.names,
        )

    def expected_work(self, mu: float) -> float:
        """Mean work of a task at full accuracy, GFLOP, over all that may be drawn.

        With θ uniform on 1..mu, in units of theta_min, the mean of 1/θ is ln(mu) / (mu − 1).
        """
        spread = math.log(mu) / (mu - 1.0) if mu > 1.0 else 1.0
        unit = mu if self.family is not None else 1.0
        return unit * spread * float(self.unit_curves.work[:, -1].mean())

    def _draw_curves(
        self, theta: Floats, mu: float, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Work and accuracy of tasks with efficiency ``theta`` in 1..mu, in units of theta_min."""
        kinds = len(self.unit_curves.work)
        kind = (
            _draw_indices(kinds, theta.size, rng) if kinds > 1 else np.zeros_like(theta, np.int64)
        )
        unit = mu if self.family is not None else 1.0
        work = self.unit_curves.work[kind] * (unit / theta)[:, None]
        return round_significant(work), self.unit_curves.accuracy[kind]

    def _draw_machines(self, m: int, rng: np.random.Generator) -> _Fleet:
        listed = self._listed
        if listed is None:
            speeds = round_significant(draw_many(self.speed, m, rng))
            return _Fleet(speeds, round_significant(draw_many(self.efficiency, m, rng)), None)
        size = listed.speeds.size
        chosen = np.arange(m) % size if m % size == 0 else _draw_copies(size, m, rng)
        chosen = np.sort(chosen)
        names = [listed.names[index] for index in chosen.tolist()] if listed.names else []
        return _Fleet(listed.speeds[chosen], listed.efficiencies[chosen], _numbered(names))

    @cached_property
    def unit_curves(self) -> _Curves:
        """The curves (kinds, K+1) that tasks stretch: exponential at theta_min, or of one image."""
        if isinstance(self.family, tuple):
            return _Curves(*pad_curves([family(name).curve for name in self.family]))
        scaled_work, accuracy = exponential_breakpoints(
            self.segments, a_min=self.a_min, a_max=self.a_max, epsilon=self.epsilon
        )
        work = round_significant(scaled_work / THETA_MIN)
        return _Curves(work[None, :], round_significant(accuracy)[None, :])

    @cached_property
    def _listed(self) -> _Fleet | None:
        if self.devices is None:
            return None
        found = [device(name) for name in self.devices]
        speeds = np.array([sustained_speed(entry, self.family or ()) for entry in found])
        efficiencies = round_significant(speeds / np.array([entry.tdp_watts for entry in found]))
        return _Fleet(round_significant(speeds), efficiencies, tuple(entry.name for entry in found))


class _Curves(NamedTuple):
    """Breakpoints of the kinds of curve, (kinds, K+1) each."""

    work: Floats
    accuracy: Floats


class _Fleet(NamedTuple):
    """Machines, (m,) each."""

    speeds: Floats
    efficiencies: Floats
    names: tuple[str, ...] | None


def generate(
    n: int = 100,
    m: int | None = None,
    *,
    mu: float = 5.0,
    rho: float = 0.35,
    beta: float = 0.5,
    segments: int = 5,
    seed: int = 0,
    devices: str | Sequence[str] | None = None,
    family: str | Sequence[str] | None = None,
    name: str | None = None,
    speed: Quantity = (1_000.0, 20_000.0),
    efficiency: Quantity = (5.0, 60.0),
    a_min: float = DEFAULT_A_MIN,
    a_max: float = DEFAULT_A_MAX,
    epsilon: float = DEFAULT_EPSILON,
) -> Instance:
    """Generates a random instance; the same arguments give the same instance on every machine.

    Args:
        n: Number of tasks.
        m: Number of machines; by default one for each device named, else 5.
        mu: Task heterogeneity theta_max / theta_min, at least 1.
        rho: Deadline tolerance ``d_max Σ s_r / Σ f_j^max``, positive.
        beta: Energy budget ratio ``B / (d_max Σ P_r)``, at least 0.
        segments: Segments of the exponential curves.
        seed: Seed, at least 0.
        devices: Names of catalogue devices instead of random machines; see `Scenario`.
        family: Catalogue model family, or several, instead of exponential curves.
        name: Name of the instance.
        speed: Speed of random machines or its range, GFLOP/s.
        efficiency: Energy efficiency of random machines or its range, GFLOP/J.
        a_min: Accuracy of exponential curves without work.
        a_max: Accuracy of exponential curves at full work.
        epsilon: What is left of the exponential at full work.

    Raises:
        InputError: Naming the argument at fault.
    """
    scenario = Scenario(
        n=n,
        m=m,
        mu=mu,
        rho=rho,
        beta=beta,
        segments=segments,
        devices=devices,
        family=family,
        speed=speed,
        efficiency=efficiency,
        a_min=a_min,
        a_max=a_max,
        epsilon=epsilon,
    )
    rng = np.random.default_rng(as_integer(seed, "seed", 0))
    return scenario.sample(rng, name=name)


def _spread(n: int, mu: float, rng: np.random.Generator) -> Floats:
    """Efficiencies in units of theta_min (n,): uniform on 1..mu, both ends taken if n > 1."""
    share = rng.random(n)
    lowest, highest = share.min(), share.max()
    if highest > lowest:
        share = (share - lowest) / (highest - lowest)
    return 1.0 + (mu - 1.0) * share


# Draws are made from `random` alone: the one method whose stream is plain 53-bit integers. The
# affine maps are separate NumPy operations, which no compiler fuses.


def draw_many(value: Quantity, size: int, rng: np.random.Generator) -> Floats:
    """Numbers from a range (size,), or the same number so often."""
    low, high = value if isinstance(value, tuple) else (value, value)
    return low + (high - low) * rng.random(size)


def draw_quantity(value: Quantity, rng: np.random.Generator) -> float:
    """A number from a range; nothing is drawn where it is given."""
    return float(draw_many(value, 1, rng)[0]) if isinstance(value, tuple) else value


def draw_count(value: Count, rng: np.random.Generator) -> int:
    """A whole number from a range; nothing is drawn where it is given."""
    if not isinstance(value, tuple):
        return value
    low, high = value
    return low + int(_draw_indices(high - low + 1, 1, rng)[0])


def _draw_indices(choices: int, size: int, rng: np.random.Generator) -> Ints:
    """Uniform integers in 0..choices−1, (size,)."""
    return (rng.random(size) * choices).astype(np.int64)


def _draw_copies(size: int, m: int, rng: np.random.Generator) -> Ints:
    """Indices of m machines of ``size`` devices: all as often, the rest drawn without repeats."""
    rest = np.argsort(rng.random(size), kind="stable")[: m % size]
    return np.concatenate([np.arange(m - m % size) % size, rest])


def _numbered(names: Sequence[str]) -> tuple[str, ...]:
    """The names, with ``-1``, ``-2``, ... appended to those that occur more than once."""
    uses: dict[str, int] = {}
    result = []
    for name in names:
        uses[name] = uses.get(name, 0) + 1
        result.append(f"{name}-{uses[name]}" if names.count(name) > 1 else name)
    return tuple(result)


def _as_names(
    value: str | Sequence[str] | None, field: str, find: Callable[[str], Device | ModelFamily]
) -> tuple[str, ...] | None:
    """Names as the catalogue spells them."""
    if value is None:
        return None
    try:
        listed = value.split(",") if isinstance(value, str) else list(value)
    except TypeError as error:
        raise InputError(f"{field}: must be names") from error
    if not all(isinstance(name, str) for name in listed):
        raise InputError(f"{field}: must be names")
    if not listed:
        raise InputError(f"{field}: needs at least one name")
    if any(not name.strip() for name in listed):
        raise InputError(f"{field}: a name is empty")
    try:
        return tuple(find(name).name for name in listed)
    except InputError as error:
        raise InputError(f"{field}: {error}") from None


def _as_count(value: Count, field: str) -> Count:
    ends = as_range(value)
    if ends is None:
        return as_integer(value, field, 1, _MOST)
    low, high = (as_integer(end, field, 1, _MOST) for end in ends)
    _check_order(low, high, field)
    return low, high


def as_quantity(value: Quantity, field: str, least: float) -> Quantity:
    """A number or a range, at least so much.

    Raises:
        InputError: Naming the field, if it is none or out of range.
    """
    ends = as_range(value)
    if ends is None:
        return as_number(value, field, least, _LARGEST)
    low, high = (as_number(end, field, least, _LARGEST) for end in ends)
    _check_order(low, high, field)
    return low, high


def _check_order(low: float, high: float, field: str) -> None:
    if low > high:
        raise InputError(f"{field}: range from {low:g} down to {high:g}")
