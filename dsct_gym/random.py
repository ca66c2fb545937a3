"""Random numbers for compiled kernels: two small generators whose state is the caller's array.

Everything else draws from `numpy.random.Generator`, which in a kernel costs about three times as
much a number. Both are deterministic: the same state gives the same numbers in every process. Their
state comes from `numpy.random.SeedSequence`, so that neighbouring seeds give unrelated streams.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dsct_gym.jit import helper

States: TypeAlias = npt.NDArray[np.uint64]

_WEYL = np.uint64(0x9E3779B97F4A7C15)
_MIX1, _MIX2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def spawn(seed: int, *key: int) -> np.random.Generator:
    """A generator of its own for each key, independent of those of all other keys.

    A tuple as the seed does not do: zeros at its end are not told from none, so that ``(a, b)`` and
    ``(a, b, 0)`` give one stream.

    Args:
        seed: At least 0.
        key: At least one number, each at least 0.
    """
    assert key
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def draw_states(seed: int, count: int) -> States:
    """States from a seed (count,).

    Args:
        seed: At least 0.
        count: How many: one for each stream of `draw_splitmix`, two for `draw_xorshift`.
    """
    return np.random.SeedSequence(seed).generate_state(count, np.uint64).astype(np.uint64)


@helper
def draw_splitmix(states: States, index: int) -> float:
    """A random number in (0, 1) with 52 bits from the stream whose state is at ``index``.

    A stream needs one number of state: for many of them side by side.

    Source: splitmix64, Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
    OOPSLA 2014.
    """
    states[index] += _WEYL
    mixed = states[index]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX2
    mixed ^= mixed >> np.uint64(31)
    return _unit(mixed)


@helper
def draw_xorshift(state: States) -> float:
    """A random number in (0, 1) with 52 bits from one stream with state (2,), not all 0.

    Source: xorshift128+, Vigna, "Further scramblings of Marsaglia's xorshift generators", 2017.
    """
    one, other = state[0], state[1]
    one ^= one << np.uint64(23)
    one ^= (one >> np.uint64(18)) ^ other ^ (other >> np.uint64(5))
    state[0], state[1] = other, one
    return _unit(one + other)


@helper
def _unit(bits: np.uint64) -> float:
    """The highest 52 of 64 bits as the middle of one of 2^52 equal parts of (0, 1)."""
    return (float(bits >> np.uint64(12)) + 0.5) * 2.0**-52
