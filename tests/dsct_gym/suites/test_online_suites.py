"""Suites of tasks that arrive, and what may be trained on for them."""

import numpy as np
import pytest

from dsct_gym.online import OnlineInstance
from dsct_gym.online.arrivals import Replay, Windows, shipped_trace
from dsct_gym.online.capped import capped_bound
from dsct_gym.online.generator import OnlineScenario
from dsct_gym.suites.suite import load_suite, read_suite_manifest
from dsct_gym.suites.training_split import TrainingSplit

NAMES = ["online-poisson", "online-bursty", "online-trace"]


@pytest.mark.parametrize("name", NAMES)
def test_tasks_arrive_within_the_horizon_and_much_of_the_gap_is_closed_in_hindsight(name):
    suite = load_suite(name)
    assert suite.needs == {"arrivals"}
    for problem, known in zip(suite, suite.references, strict=True):
        assert isinstance(problem, OnlineInstance)
        assert known.found_by == "hindsight"
        assert 0.0 <= known.gap < 0.08
        assert known.bound_by == "capped"
        assert known.upper_bound == pytest.approx(capped_bound(problem), rel=1e-9)
        assert np.unique(problem.arrivals).size > 5


def test_every_trace_has_six_instances_and_known_ones_are_of_the_second_half():
    told = [entry.scenario["arrivals"] for entry in read_suite_manifest("online-trace").instances]
    for name in ("azure-code", "azure-conv", "mooncake", "servegen"):
        mine = [each for each in told if each["name"] == name]
        assert len(mine) == 6
        assert all(
            each.get("begin", 0.0) == (0.0 if name == "azure-code" else 0.5) for each in mine
        )


def test_devices_and_families_are_real_in_some():
    suite = load_suite("online-trace")
    named = [problem for problem in suite if problem.core.machine_names is not None]
    assert len(named) == 10
    assert not any(problem.core.machine_names for problem in load_suite("online-bursty"))


@pytest.mark.parametrize("name", NAMES)
def test_the_training_split_draws_others(name):
    known = set(load_suite(name))
    split, rng = TrainingSplit(name), np.random.default_rng(0)
    drawn = [split.sample(rng) for _ in range(30)]
    assert all(isinstance(problem, OnlineInstance) for problem in drawn)
    assert not known.intersection(drawn)
    assert len(set(drawn)) == 30
    machines = {m for _, m in split.sizes}
    assert {problem.core.num_machines for problem in drawn} <= machines


def test_nobody_trains_on_what_is_kept_for_tests():
    scenarios = TrainingSplit("online-trace").scenarios
    assert len(scenarios) == 18
    code = shipped_trace("azure-code").times
    whole = shipped_trace("servegen")
    assert isinstance(whole, Windows)
    for scenario in scenarios:
        assert isinstance(scenario, OnlineScenario)
        process = scenario.arrivals
        if isinstance(process, Replay):
            assert (process.begin, process.end) == (0.0, 0.5)
            assert not np.array_equal(process.times, code)
        else:
            assert isinstance(process, Windows)
            assert process.rates.size == whole.rates.size // 2
            assert np.array_equal(process.rates, whole.rates[: process.rates.size])
