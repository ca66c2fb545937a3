"""The learned solvers: on every shape of instance, never below their start, within their limits."""

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from dsct_gym import generate, make_solver, upper_bound
from dsct_gym.agents import decoding
from dsct_gym.agents.checkpoint import load_policy
from dsct_gym.agents.decoding import Decoder
from dsct_gym.agents.rl import SHIPPED
from dsct_gym.agents.rollout import play_samples
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.relaxation import relax
from shapes import EDGE_CASES
from strategies import instances

NAMES = ["rl", "rl-greedy", "rl-sample", "rl-beam"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", EDGE_CASES)
def test_every_shape_is_solved_no_worse_than_by_approx_refined(name: str, case: str) -> None:
    instance = EDGE_CASES[case]
    total = make_solver(name).solve(instance, seed=1).schedule.total_accuracy
    least = make_solver("approx-refined").solve(instance).schedule.total_accuracy
    assert least * (1 - 1e-9) <= total <= upper_bound(instance) * (1 + 1e-9)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(instance=instances())
def test_every_instance_is_solved(name: str, instance: Instance) -> None:
    solution = make_solver(name).solve(instance, seed=2)
    assert solution.schedule.total_accuracy <= upper_bound(instance) + 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_one_schedule(name: str) -> None:
    instance = generate(30, 4, seed=3)
    first, second = (make_solver(name).solve(instance, seed=5).schedule for _ in range(2))
    assert np.array_equal(first.machine, second.machine)
    assert np.array_equal(first.work, second.work)


def test_more_decoding_never_loses() -> None:
    for seed in range(5):
        instance = generate(40, 5, seed=seed)
        greedy = make_solver("rl-greedy").solve(instance).schedule.total_accuracy
        for name in ("rl-sample", "rl-beam", "rl"):
            total = make_solver(name).solve(instance, seed=0).schedule.total_accuracy
            assert total >= greedy * (1 - 1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_limit_that_is_too_short_gives_a_schedule_all_the_same(name: str) -> None:
    instance = generate(3_000, 20, seed=0)
    make_solver(name).solve(generate(5, 2, seed=0), time_limit=0.1)
    started = time.perf_counter()
    solution = make_solver(name).solve(instance, time_limit=0.02, seed=0)
    least = make_solver("approx-refined").solve(instance).schedule.total_accuracy
    assert solution.schedule.total_accuracy >= least * (1 - 1e-9)
    assert time.perf_counter() - started < 2.0


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("rl", "moves", -1),
        ("rl", "samples", 1.5),
        ("rl-sample", "samples", -1),
        ("rl-beam", "width", 0),
    ],
)
def test_options_out_of_range_are_refused_by_name(name: str, option: str, value: object) -> None:
    with pytest.raises(InputError, match=f"^{option}: "):
        make_solver(name, **{option: value})


def test_samples_are_as_many_as_fit_in_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = generate(20, 3, seed=0)
    network, _ = load_policy(SHIPPED)
    drawn: list[int] = []

    def draw(*arguments: Any) -> Any:
        drawn.append(arguments[4].size)
        return play_samples(*arguments)

    monkeypatch.setattr(decoding, "play_samples", draw)
    decoder = Decoder(network, instance, relax(instance), time.perf_counter() + 100.0)
    decoder.play_greedily()
    decoder._pass_seconds = 10.0  # so that three samples are sure to end in time, not four
    decoder.sample(7, 0)
    assert drawn == [3, 3, 1]
    decoder._pass_seconds = 40.0
    decoder.sample(7, 0)
    assert drawn == [3, 3, 1]
