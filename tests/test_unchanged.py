"""Instances, suites, schedules, trajectories and decisions are those that were committed.

The promises behind it: the same seed gives the same bytes, the version in an environment's id means
the same trajectory, the shipped policy decides the same. `benchmarks/unchanged.py` says what is
hashed and compares everything, to the last bit; here its quick areas are compared with numbers in
single precision. So no rounding to decimals, where inputs of twelve digits lie exactly on a
boundary time and again; the last bit, in which the logarithms of processors and libraries differ,
crosses one of single precision once in tens of millions of values; and what searches at random and
amplifies such a bit (annealing, samples of a policy) stays out.

Where a change is meant, ``python benchmarks/unchanged.py --write benchmarks/unchanged.json`` takes
it up, and the commit says which entries changed and why.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import unchanged
from outputs import AREAS, Hashes, collect

QUICK = [name for name, area in AREAS.items() if area.quick]


@pytest.mark.parametrize("name", QUICK)
def test_what_users_rely_on_is_unchanged(name):
    result = unchanged.compare(name, unchanged.committed()[name], collect(name))
    assert result.differing == []
    assert result.gone == []


def test_every_area_is_committed():
    assert unchanged.committed().keys() == AREAS.keys()


def hashed(*values, skip=()):
    hashes = Hashes(skip)
    for value in values:
        hashes.add("", value)
    return {"entry": hashes.columns()}


def compared(old, new, **options):
    return unchanged.compare("area", hashed(old, **options), hashed(new, **options))


def test_a_new_key_changes_no_other():
    old = [{"name": "a", "x": 1}, {"name": "b", "x": 2}]
    new = [{"name": "a", "x": 1, "y": 0}, {"name": "b", "x": 2}, {"name": "c", "x": 3}]
    result = compared(old, new)
    assert result.new == ["area: entry: [a].y", "area: entry: [c].name", "area: entry: [c].x"]
    assert not any(result[:3])
    assert compared(new, old).gone == result.new


def test_the_last_digits_are_told_apart_from_the_others():
    old = {"rows": [{"x": 0.1, "y": 0.0}, {"x": np.array([0.1, 1.0]), "y": 1}]}
    assert not any(compared(old, old))
    last = {"rows": [{"x": 0.1, "y": 1e-17}, {"x": np.array([0.1, 1.0 - 1e-16]), "y": 1}]}
    assert compared(old, last).rounded == ["area: entry: rows[].x", "area: entry: rows[].y"]
    more = {"rows": [{"x": 0.1, "y": 0.0}, {"x": np.array([0.1, 1.0 - 1e-6]), "y": 1}]}
    assert compared(old, more).differing == ["area: entry: rows[].x"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (0, None),
        ("1", 1),
        (["a", "b"], ["ab"]),
        ([[1], 2], [[1, 2]]),
        (np.zeros(2), np.zeros((2, 1))),
        (np.zeros(2), np.zeros(2, np.float32)),
        (np.array([1, 0]), np.array([0, 1])),
        ({"x": [1, 2]}, {"x": [2, 1]}),
    ],
)
def test_different_values_differ(one, other):
    assert compared(one, other).differing


def test_what_is_measured_is_left_out():
    row = {"solver": "greedy", "seconds": 0.1}
    assert not any(compared([row], [{**row, "seconds": 0.2}], skip={"seconds"}))
