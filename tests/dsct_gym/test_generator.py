"""Generated instances: the parameters hold in them, and the same seed gives the same bytes."""

import hashlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy._core._multiarray_umath as umath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsct_gym
from dsct_gym.accuracy import (
    DEFAULT_EPSILON,
    curve_lengths,
    exponential_accuracy,
)
from dsct_gym.catalog import device, devices, families, family
from dsct_gym.documents import document, parse_instance
from dsct_gym.errors import InputError
from dsct_gym.generator import THETA_MIN, Scenario, generate
from dsct_gym.instance import Instance

PARAMETERS = st.fixed_dictionaries(
    {
        "n": st.integers(1, 30),
        "mu": st.floats(1.0, 50.0),
        "rho": st.floats(0.01, 5.0),
        "beta": st.floats(0.0, 2.0),
        "segments": st.integers(1, 70),
        "seed": st.integers(0, 2**64),
    },
    optional={
        "m": st.integers(1, 12),
        "devices": st.lists(st.sampled_from([d.name for d in devices()]), min_size=1, max_size=4),
        "family": st.lists(st.sampled_from([f.name for f in families()]), min_size=1, max_size=3),
    },
)


def measured_rho(instance: Instance) -> float:
    return instance.horizon * instance.speeds.sum() / instance.max_work.sum()


def measured_beta(instance: Instance) -> float:
    return instance.energy_budget / (instance.horizon * instance.powers.sum())


@settings(max_examples=150, deadline=None)
@given(PARAMETERS)
def test_the_parameters_hold(parameters: dict[str, Any]) -> None:
    instance = generate(**parameters)
    assert instance.num_tasks == parameters["n"]
    expected_machines = parameters.get("m", len(parameters.get("devices", [0] * 5)))
    assert instance.num_machines == expected_machines
    assert measured_rho(instance) == pytest.approx(parameters["rho"], rel=1e-9)
    assert measured_beta(instance) == pytest.approx(parameters["beta"], rel=1e-9)
    assert (instance.deadlines > 0.0).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40), st.floats(1.0, 100.0), st.integers(0, 1000))
def test_mu_is_the_ratio_of_the_extreme_tasks(n: int, mu: float, seed: int) -> None:
    for chosen in (None, "ofa-resnet50"):
        work = generate(n, mu=mu, seed=seed, family=chosen).max_work
        assert work.max() / work.min() == pytest.approx(mu, rel=1e-9)


def test_equal_tasks_at_mu_1() -> None:
    instance = generate(20, mu=1.0)
    assert np.ptp(instance.work, axis=0).max() == 0.0
    assert instance.max_work[0] == pytest.approx(-math.log(DEFAULT_EPSILON) / THETA_MIN, rel=1e-11)


def test_curves_are_the_exponential_ones() -> None:
    instance = generate(50, mu=8.0, segments=7, seed=3)
    theta = -math.log(DEFAULT_EPSILON) / instance.max_work
    expected = exponential_accuracy(instance.work, theta[:, None])
    np.testing.assert_allclose(instance.accuracy, expected, atol=1e-10)
    np.testing.assert_allclose(instance.accuracy[:, [0, -1]], [[0.001, 0.82]] * 50, rtol=1e-15)
    assert instance.work.shape == (50, 8)


def test_other_accuracies_can_be_asked_for() -> None:
    instance = generate(5, a_min=0.1, a_max=0.9, epsilon=0.05)
    assert instance.base_accuracy.tolist() == [0.1] * 5
    assert instance.top_accuracy.tolist() == [0.9] * 5
    assert instance.max_work.max() == pytest.approx(-math.log(0.05) / THETA_MIN, rel=1e-11)


@pytest.mark.parametrize("chosen", [None, "ofa-resnet50"])
def test_draws_are_spread_as_documented(chosen: str | None) -> None:
    """Kolmogorov-Smirnov distances below the 0.1 % level, 1.95 / sqrt(size)."""
    instance = generate(4000, 4000, mu=10.0, seed=1, family=chosen)
    theta = instance.max_work.min() / instance.max_work
    uniform = {
        "theta": (theta - 0.1) / 0.9,
        "deadlines": instance.deadlines / instance.horizon,
        "speeds": (instance.speeds - 1_000.0) / 19_000.0,
        "efficiencies": (instance.efficiencies - 5.0) / 55.0,
    }
    for name, sample in uniform.items():
        assert sample.min() >= -1e-9, name
        assert sample.max() <= 1.0 + 1e-9, name
        distance = np.abs(np.sort(sample) - (np.arange(sample.size) + 0.5) / sample.size).max()
        assert distance < 1.95 / math.sqrt(sample.size), name
    assert abs(np.corrcoef(instance.deadlines, theta)[0, 1]) < 0.06


def test_rho_and_beta_move_only_deadlines_and_budget() -> None:
    base, other = generate(30, seed=5), generate(30, seed=5, rho=0.7, beta=0.25)
    np.testing.assert_array_equal(base.work, other.work)
    np.testing.assert_array_equal(base.speeds, other.speeds)
    np.testing.assert_array_equal(base.efficiencies, other.efficiencies)
    np.testing.assert_allclose(other.deadlines, 2.0 * base.deadlines, rtol=1e-10)
    assert other.energy_budget == pytest.approx(base.energy_budget, rel=1e-10)


def test_seeds_differ() -> None:
    assert generate(5, seed=1) != generate(5, seed=2)
    assert generate(5) == generate(5, seed=0)


def test_it_is_part_of_the_package() -> None:
    assert dsct_gym.generate is generate
    assert dsct_gym.generate(3, 2).num_machines == 2


# Devices and families


def test_devices_become_machines() -> None:
    instance = generate(4, devices=["t4", "V100", "jetson orin nano"])
    assert instance.machine_names == ("T4", "V100", "Jetson-Orin-Nano")
    for r, name in enumerate(instance.machine_names):
        assert instance.speeds[r] == pytest.approx(device(name).speed, rel=1e-11)
        assert instance.efficiencies[r] == pytest.approx(device(name).efficiency, rel=1e-11)
    assert generate(4, devices="t4, V100,Jetson-Orin-Nano") == instance
    assert generate(4, 3, devices="t4,V100,Jetson-Orin-Nano") == instance


def test_fewer_machines_than_devices_are_a_selection() -> None:
    listed = ["T4", "V100", "A100", "L4", "M40"]
    seen = set()
    for seed in range(60):
        names = generate(1, 2, devices=listed, seed=seed).machine_names
        assert names is not None
        assert [name for name in listed if name in names] == list(names)
        seen.update(names)
    assert seen == set(listed)


def test_more_machines_than_devices_are_even_copies() -> None:
    names = generate(1, 7, devices="T4,V100,A100").machine_names
    assert names is not None
    counts = sorted(sum(name.startswith(f"{d}-") for name in names) for d in ("T4", "V100", "A100"))
    assert counts == [2, 2, 3]
    assert len(set(names)) == 7
    assert generate(1, devices="T4,t4").machine_names == ("T4-1", "T4-2")


def test_numbered_copies_never_collide_with_devices() -> None:
    instance = generate(1, 2 * len(devices()), devices=[d.name for d in devices()])
    assert instance.num_machines == 2 * len(devices())


def test_tasks_of_a_family_are_requests_of_one_to_mu_images() -> None:
    work, accuracy = family("ofa-resnet50").curve
    instance = generate(40, mu=6.0, family="OFA-ResNet50", seed=2)
    images = instance.max_work / work[-1]
    assert images.min() == pytest.approx(1.0, rel=1e-11)
    assert images.max() == pytest.approx(6.0, rel=1e-11)
    np.testing.assert_allclose(instance.work, images[:, None] * work, rtol=1e-11)
    np.testing.assert_allclose(instance.accuracy, np.tile(accuracy, (40, 1)), rtol=1e-15)


def test_several_families_are_mixed() -> None:
    names = ("ofa-resnet50", "efficientnet", "mobilenetv2")
    instance = generate(60, family=",".join(names))
    tops = {family(name).curve[1][-1]: family(name).curve[0].size for name in names}
    assert set(instance.top_accuracy.tolist()) == set(tops)
    lengths = curve_lengths(instance.work)
    assert all(tops[a] == length for a, length in zip(instance.top_accuracy, lengths, strict=True))


# Files and machines


@settings(max_examples=60, deadline=None)
@given(PARAMETERS)
def test_memory_equals_the_file(parameters: dict[str, Any]) -> None:
    instance = generate(**parameters)
    text = json.dumps(document(instance))
    assert parse_instance(json.loads(text)) == instance
    for number in _numbers(json.loads(text)):
        assert float(f"{number:.12g}") == number


def _numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for inner in value.values() for number in _numbers(inner)]
    if isinstance(value, list):
        return [number for inner in value for number in _numbers(inner)]
    return [value] if isinstance(value, float) else []


# These bytes are a promise: instances are cited by their parameters and seed.
FINGERPRINTS = {
    "default": ({}, "b0c22d9d6e42cb47"),
    "large": ({"n": 500, "m": 10, "mu": 20.0, "segments": 64, "seed": 7}, "ea03f4f910b4b3dc"),
    "real": (
        {"n": 60, "devices": "T4,V100,A100,L4,P100", "family": "ofa-resnet50"},
        "a456b05571277245",
    ),
    "mixed": (
        {"n": 40, "m": 8, "devices": "T4,M40,H100", "family": "vit,regnety"},
        "4b155653f71fb233",
    ),
}


def fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


@pytest.mark.parametrize("case", FINGERPRINTS)
def test_the_same_seed_gives_the_same_bytes(case: str, tmp_path: Path) -> None:
    parameters, expected = FINGERPRINTS[case]
    generate(**parameters).save(tmp_path / "instance.json")
    assert fingerprint(tmp_path / "instance.json") == expected


def test_another_process_gives_the_same_bytes(tmp_path: Path) -> None:
    here, there = tmp_path / "here.json", tmp_path / "there.json"
    generate(80, 7, mu=9.0, seed=11).save(here)
    code = (
        "import sys; from dsct_gym import generate; "
        "generate(80, 7, mu=9.0, seed=11).save(sys.argv[1])"
    )
    # Without the vector units that NumPy has chosen on this processor.
    chosen = [feature for feature in umath.__cpu_dispatch__ if umath.__cpu_features__[feature]]
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(chosen)}
    subprocess.run([sys.executable, "-c", code, str(there)], env=environment, check=True)
    assert here.read_bytes() == there.read_bytes()


# Scenarios


RANGES = Scenario(n=(3, 9), m=(2, 4), mu=(1.0, 20.0), rho=(0.2, 1.0), beta=(0.1, 0.8))


def test_ranges_are_respected_and_used() -> None:
    rng = np.random.default_rng(0)
    drawn = [RANGES.sample(rng) for _ in range(400)]
    assert {instance.num_tasks for instance in drawn} == set(range(3, 10))
    assert {instance.num_machines for instance in drawn} == {2, 3, 4}
    for measure, low, high in (
        (measured_rho, 0.2, 1.0),
        (measured_beta, 0.1, 0.8),
        (lambda i: i.max_work.max() / i.max_work.min(), 1.0, 20.0),
    ):
        values = np.array([measure(instance) for instance in drawn])
        assert values.min() >= low * (1 - 1e-9)
        assert values.max() <= high * (1 + 1e-9)
        assert values.mean() == pytest.approx((low + high) / 2, rel=0.1)
    assert (RANGES.max_tasks, RANGES.max_machines) == (9, 4)


def test_sampling_is_determined_by_the_generator() -> None:
    first, second = np.random.default_rng(3), np.random.default_rng(3)
    for _ in range(5):
        assert RANGES.sample(first) == RANGES.sample(second)


def test_generate_is_a_scenario_with_a_seeded_generator() -> None:
    scenario = Scenario(n=12, m=3, mu=2.0, rho=0.5, beta=0.25, segments=4)
    sampled = scenario.sample(np.random.default_rng(9), name="x")
    assert sampled == generate(12, 3, mu=2.0, rho=0.5, beta=0.25, segments=4, seed=9, name="x")
    assert (scenario.max_tasks, scenario.max_machines) == (12, 3)


def test_scenarios_with_a_pool_of_devices() -> None:
    scenario = Scenario(n=4, m=(1, 6), devices="T4,V100,A100", family="vit,resnet")
    rng = np.random.default_rng(0)
    assert {scenario.sample(rng).num_machines for _ in range(100)} == set(range(1, 7))
    assert Scenario(devices="T4,V100").max_machines == 2


def test_scenarios_are_values() -> None:
    assert Scenario(n=[3, 9], m=(2, 4), mu=[1, 20], rho=(0.2, 1), beta=(0.1, 0.8)) == RANGES
    assert hash(Scenario()) == hash(Scenario())
    assert Scenario(devices="t4").devices == ("T4",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n": 0}, "n: must be at least 1, got 0"),
        ({"n": 2.0}, "n: must be a whole number, got 2.0"),
        ({"n": True}, "n: must be a whole number, got True"),
        ({"n": "5"}, "n: must be a whole number, got '5'"),
        ({"n": 10**30}, "n: must be at most 100000000"),
        ({"n": (1, 2, 3)}, "n: must be a whole number, got (1, 2, 3)"),
        ({"n": (9, 3)}, "n: range from 9 down to 3"),
        ({"n": (0, 3)}, "n: must be at least 1, got 0"),
        ({"m": 0}, "m: must be at least 1, got 0"),
        ({"m": -3}, "m: must be at least 1, got -3"),
        ({"mu": 0.99}, "mu: must be in 1..1e+09, got 0.99"),
        ({"mu": float("nan")}, "mu: must be in 1..1e+09, got nan"),
        ({"mu": (1.0, float("inf"))}, "mu: must be in 1..1e+09, got inf"),
        ({"mu": "5"}, "mu: must be a number, got '5'"),
        ({"rho": 0.0}, "rho: must be in 1e-09..1e+09, got 0"),
        ({"rho": -1}, "rho: must be in 1e-09..1e+09, got -1"),
        ({"rho": (0.5, 0.2)}, "rho: range from 0.5 down to 0.2"),
        ({"beta": -0.1}, "beta: must be in 0..1e+09, got -0.1"),
        ({"beta": True}, "beta: must be a number, got True"),
        ({"segments": 0}, "segments: must be at least 1, got 0"),
        ({"segments": 10**9}, "segments: must be at most 100000"),
        ({"speed": 0.0}, "speed: must be in 1e-09..1e+09, got 0"),
        ({"efficiency": (5.0, -1.0)}, "efficiency: must be in 1e-09..1e+09, got -1"),
        ({"a_min": -0.1}, "a_min: must be in 0..1, got -0.1"),
        ({"a_min": 0.9}, "a_max: 0.82 is below a_min 0.9"),
        ({"epsilon": 0}, "epsilon: must be in 1e-09..1, got 0"),
        ({"devices": "T44"}, "devices: no device 'T44'; did you mean T4"),
        ({"devices": ["V10O"]}, "devices: no device 'V10O'; did you mean V100"),
        ({"devices": "T4,,V100"}, "devices: a name is empty"),
        ({"devices": []}, "devices: needs at least one name"),
        ({"devices": [4]}, "devices: must be names"),
        ({"devices": 4}, "devices: must be names"),
        ({"family": "ofa-resnet"}, "family: no family 'ofa-resnet'; did you mean ofa-resnet50"),
        ({"family": "?"}, "family: no family '?'; there are ofa-resnet50, ofa-mobilenetv3"),
    ],
)
def test_refusals_name_the_option(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        Scenario(**changes)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("seed", "message"),
    [(-1, "seed: must be at least 0"), (1.5, "seed: must be a whole number"), (None, "seed: must")],
)
def test_seeds_are_checked(seed: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        generate(3, seed=seed)
