"""The network, and how it is played: greedily, by samples, by beam search."""

import itertools
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from dsct_gym import allocate, generate
from dsct_gym.agents.beam import play_beam
from dsct_gym.agents.network import Network, Scratch, forward
from dsct_gym.agents.rollout import play_greedily, play_recorded, play_samples, rate
from dsct_gym.arrays import Ints
from dsct_gym.instance import Instance
from dsct_gym.plan import LIMIT, Context, Machine, Plan, begin, decide
from dsct_gym.training.module import PolicyModule
from playing import ASSIGN

WIDTH = 8


def policy(seed: int = 0) -> Network:
    return PolicyModule(WIDTH, seed).export()


def gained(instance: Instance, machine: np.ndarray) -> float:
    """Accuracy that an assignment in EDF order gains, computed from scratch."""
    total = allocate(instance, machine[instance.edf_rank]).total_accuracy
    return float(total - instance.base_accuracy.sum())


@pytest.mark.parametrize("machines", [1, 2, 5, 20])
def test_the_kernel_computes_what_torch_computes(machines: int) -> None:
    rng = np.random.default_rng(machines)
    module = PolicyModule(32, seed=machines)
    network = module.export()
    scratch = Scratch.empty(network, machines)
    for _ in range(20):
        scratch.context[:] = rng.uniform(-LIMIT, LIMIT, len(Context))
        scratch.machine[:] = rng.uniform(-LIMIT, LIMIT, (machines, len(Machine)))
        forward(network, scratch)
        with torch.no_grad():
            scores = module(torch.from_numpy(scratch.context), torch.from_numpy(scratch.machine))
        np.testing.assert_allclose(scratch.score, scores.numpy(), rtol=1e-5, atol=1e-5)


def test_scores_follow_the_machines_when_they_change_places() -> None:
    rng = np.random.default_rng(0)
    network = policy()
    scratch, other = Scratch.empty(network, 6), Scratch.empty(network, 6)
    order = rng.permutation(6)
    scratch.context[:] = other.context[:] = rng.normal(size=len(Context))
    scratch.machine[:] = rng.normal(size=(6, len(Machine)))
    other.machine[:] = scratch.machine[order]
    forward(network, scratch)
    forward(network, other)
    np.testing.assert_allclose(other.score[:6], scratch.score[order], atol=1e-5)
    assert other.score[6] == pytest.approx(scratch.score[6], abs=1e-5)


def test_a_pass_in_pieces_is_the_pass() -> None:
    instance, network = generate(30, 4, seed=1), policy()
    plan, scratch = Plan.of(instance), Scratch.empty(network, 4)
    begin(plan)
    play_greedily(network, scratch, plan, 0, 30)
    whole = plan.curves.machine.copy()
    begin(plan)
    for first in range(0, 30, 7):
        play_greedily(network, scratch, plan, first, min(first + 7, 30))
    assert np.array_equal(plan.curves.machine, whole)


def test_the_assign_environment_gives_the_same_for_the_same_decisions() -> None:
    instance, network = generate(15, 3, seed=4), policy()
    plan, scratch = Plan.of(instance), Scratch.empty(network, 3)
    begin(plan)
    play_greedily(network, scratch, plan, 0, 15)
    env = gymnasium.make(ASSIGN, instance=instance)
    env.reset(seed=0)
    for machine in plan.curves.machine:
        *_, _info = env.step(machine if machine >= 0 else 3)
    assert env.unwrapped.schedule.total_accuracy - instance.base_accuracy.sum() == pytest.approx(
        plan.gain, rel=1e-9
    )


def test_samples_depend_on_their_seed_alone_and_are_recorded_faithfully() -> None:
    instance, network = generate(20, 3, seed=2), policy()
    plan, scratch = Plan.of(instance), Scratch.empty(network, 3)
    seeds = np.arange(1, 6, dtype=np.uint64)
    gains, other = np.empty(5), np.empty(3)
    machines = play_samples(network, scratch, plan, 1.0, seeds.copy(), gains)
    again = play_samples(network, scratch, plan, 1.0, seeds[2:].copy(), other)
    assert np.array_equal(machines[2:], again)
    assert np.array_equal(gains[2:], other)
    assert len({tuple(row) for row in machines.tolist()}) > 1
    for machine, gain in zip(machines, gains, strict=True):
        assert gain == pytest.approx(gained(instance, machine), rel=1e-9)
    values = np.empty((5, 21))
    contexts = np.empty((5, 20, len(Context)), dtype=np.float32)
    rows = np.empty((5, 20, 3, len(Machine)), dtype=np.float32)
    recorded = play_recorded(network, scratch, plan, seeds.copy(), values, contexts, rows)
    assert np.array_equal(recorded, machines)
    assert np.array_equal(values[:, 20], gains)
    begin(plan)
    np.testing.assert_allclose(values[:, 0], plan.gain)


def test_samples_are_drawn_by_their_probabilities() -> None:
    # One task: the first decision is the only one, so its frequencies are the softmax.
    instance, network = generate(1, 3, seed=2), policy(seed=3)
    for name in ("direct", "offset"):
        getattr(network, name)[:] = 0.0
    plan, scratch = Plan.of(instance), Scratch.empty(network, 3)
    begin(plan)
    rate(network, scratch, plan, 0)
    expected = torch.softmax(torch.from_numpy(scratch.score.astype(float)), 0).numpy()
    seeds = np.random.default_rng(0).integers(0, 2**63, 20_000, dtype=np.uint64)
    drawn = play_samples(network, scratch, plan, 1.0, seeds, np.empty(seeds.size))[:, 0]
    counts = np.bincount(np.where(drawn < 0, 3, drawn), minlength=4)
    np.testing.assert_allclose(counts / seeds.size, expected, atol=0.015)


def beam(*arguments: Any) -> tuple[Ints, float]:
    found = play_beam(*arguments, lambda: False)
    assert found is not None
    return found


def test_a_beam_that_is_late_has_nothing() -> None:
    instance, network = generate(12, 3, seed=5), policy()
    plan, scratch = Plan.of(instance), Scratch.empty(network, 3)
    calls = itertools.count()
    assert play_beam(network, scratch, plan, 2, lambda: next(calls) == 20) is None
    assert next(calls) == 21


def test_a_beam_of_one_is_the_greedy_pass_and_beams_are_valued_exactly() -> None:
    instance, network = generate(12, 3, seed=5), policy()
    plan, scratch = Plan.of(instance), Scratch.empty(network, 3)
    begin(plan)
    play_greedily(network, scratch, plan, 0, 12)
    greedy = plan.curves.machine.copy()
    machine, _ = beam(network, scratch, plan, 1)
    assert np.array_equal(machine, greedy)
    machine, gain = beam(network, scratch, plan, 6)
    assert gain == pytest.approx(gained(instance, machine), rel=1e-9)


def test_a_full_beam_finds_the_best_sequence() -> None:
    # With a beam as wide as the number of sequences nothing is dropped: 4^4 = 256.
    instance, network = generate(4, 3, seed=6), policy()
    plan, scratch = Plan.of(instance), Scratch.empty(network, 3)
    _, gain = beam(network, scratch, plan, 256)
    best = -np.inf
    for choice in np.ndindex(4, 4, 4, 4):
        begin(plan)
        for task, machine in enumerate(choice):
            rate(network, scratch, plan, task)
            decide(plan, task, machine if machine < 3 else -1)
        best = max(best, plan.gain)
    assert gain == pytest.approx(best, rel=1e-12)
