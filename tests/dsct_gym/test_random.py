"""The generators of the kernels against their definitions in Python's integers."""

import numpy as np

from dsct_gym.jit import kernel
from dsct_gym.random import States, draw_splitmix, draw_states, draw_xorshift

MASK = 2**64 - 1
# The first five numbers of splitmix64 from the state 1234567, as published with its definition.
SPLITMIX = [
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]


@kernel
def _splitmix(states: States, index: int, count: int) -> np.ndarray:
    drawn = np.empty(count)
    for at in range(count):
        drawn[at] = draw_splitmix(states, index)
    return drawn


@kernel
def _xorshift(state: States, count: int) -> np.ndarray:
    drawn = np.empty(count)
    for at in range(count):
        drawn[at] = draw_xorshift(state)
    return drawn


def unit(bits: int) -> float:
    return ((bits >> 12) + 0.5) / 2**52


def test_splitmix_gives_the_published_numbers() -> None:
    states = np.array([1, 1234567, 3], dtype=np.uint64)
    assert _splitmix(states, 1, 5).tolist() == [unit(bits) for bits in SPLITMIX]
    assert states[[0, 2]].tolist() == [1, 3]


def test_xorshift_gives_the_numbers_of_its_definition() -> None:
    state = draw_states(7, 2)
    first, second = (int(number) for number in state)
    expected = []
    for _ in range(1_000):
        first ^= (first << 23) & MASK
        first, second = second, first ^ second ^ (first >> 18) ^ (second >> 5)
        expected.append(unit((first + second) & MASK))
    assert _xorshift(state, 1_000).tolist() == expected


def test_numbers_lie_in_the_open_unit_interval_evenly() -> None:
    for drawn in (_splitmix(draw_states(1, 1), 0, 100_000), _xorshift(draw_states(1, 2), 100_000)):
        assert 0.0 < drawn.min() < drawn.max() < 1.0
        counts, _ = np.histogram(drawn, 20, (0.0, 1.0))
        assert abs(counts - 5_000).max() < 5 * np.sqrt(5_000)
    assert unit(0) > 0.0
    assert unit(MASK) < 1.0


def test_a_seed_has_its_states() -> None:
    assert np.array_equal(draw_states(5, 4), draw_states(5, 4))
    assert not np.intersect1d(draw_states(5, 4), draw_states(6, 4)).size
    sequence = np.random.SeedSequence(5).generate_state(4, np.uint64)
    assert np.array_equal(draw_states(5, 4), sequence)
