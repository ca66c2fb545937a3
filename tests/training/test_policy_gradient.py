"""Policy gradient and imitation: credit, batches that follow from their seed, learning."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from dsct_gym.generator import Scenario
from dsct_gym.instance import Instance
from dsct_gym.random import spawn
from dsct_gym.training.batch import Use, advantages, draw_size, play, show_teacher
from dsct_gym.training.config import Distribution, PolicyGradientConfig
from dsct_gym.training.module import PolicyModule
from dsct_gym.training.policy_gradient import PolicyGradient
from dsct_gym.training.run_folder import RunFolder

SMALL = Distribution(n=(8, 12), m=(2, 3))
TINY = PolicyGradientConfig(
    width=4,
    steps=6,
    rollouts=4,
    batch=400,
    imitation=2,
    distribution=SMALL,
    evaluate_every=100,
    held_out=2,
    sizes=((8, 2),),
    threads=1,
)


def test_credit_is_what_follows_discounted_less_what_others_got() -> None:
    value = np.array([[[0.0, 1.0, 1.0, 3.0], [0.0, 0.0, 2.0, 2.0]]])
    # Gains 1 0 2 and 0 2 0; with a trace of 1/2, credits 1.5 1 2 and 1 2 0.
    credit = np.array([[[1.5, 1.0, 2.0], [1.0, 2.0, 0.0]]])
    centred = credit - credit.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(advantages(value, 0.5), centred / centred.std())


def test_rollouts_that_differ_by_rounding_teach_nothing() -> None:
    value = np.array([[[1.0, 2.0], [1.0, 2.0 + 1e-15]]])
    assert not advantages(value, 0.9).any()


def test_sizes_stay_within_the_distribution_and_reach_its_ends() -> None:
    rng = np.random.default_rng(0)
    sizes = np.array([draw_size(Distribution(), rng) for _ in range(3_000)])
    assert (sizes.min(axis=0) == (10, 2)).all()
    assert (sizes.max(axis=0) == (200, 20)).all()
    assert (2 * sizes[:, 1] <= np.maximum(sizes[:, 0], 4)).all()


@pytest.mark.parametrize("teach", [False, True])
def test_a_seed_gives_one_batch_however_many_threads(teach: bool) -> None:
    network = PolicyModule(4).export()

    def draw(threads: int, seed: int):
        with ThreadPoolExecutor(threads) as pool:
            if teach:
                return show_teacher(
                    network, SMALL, machines_scored=2_000, seed=(seed, 3), pool=pool
                )
            return play(
                network, SMALL, machines_scored=2_000, rollouts=4, seed=(seed, 3), pool=pool
            )

    one, two, other = draw(1, 0), draw(2, 0), draw(1, 1)
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a, b)
    assert one.context.shape != other.context.shape or (one.context != other.context).any()


def test_imitation_makes_the_teacher_more_likely(tmp_path: Path) -> None:
    config = TINY.model_copy(update={"steps": 1, "imitation": 30, "learning_rate": (1e-2, 1e-3)})
    with ThreadPoolExecutor(1) as pool:
        batch = show_teacher(
            PolicyModule(4).export(), SMALL, machines_scored=4_000, seed=(9, 9, 9), pool=pool
        )
    run = PolicyGradient(config, RunFolder(tmp_path, config, resume=False), "cpu")
    run.train()

    def likelihood(module: PolicyModule) -> float:
        with torch.no_grad():
            scores = module(torch.from_numpy(batch.context), torch.from_numpy(batch.machine))
            chosen = torch.from_numpy(batch.action).unsqueeze(-1)
            return float(torch.log_softmax(scores, -1).gather(-1, chosen).mean())

    assert likelihood(run.module) > likelihood(PolicyModule(4, 0, PolicyGradient.sharpness)) + 0.02


def test_size_and_instances_of_a_step_have_streams_of_their_own() -> None:
    """As tuples, seed and step, and the same with instance 0, would be one."""
    drawn = [
        spawn(seed, step, *use).random()
        for seed in (0, 1)
        for step in (0, 1)
        for use in ((Use.SIZE,), (Use.INSTANCE, 0), (Use.INSTANCE, 1))
    ]
    drawn += [np.random.default_rng((seed, step)).random() for seed in (0, 1) for step in (0, 1)]
    assert len(set(drawn)) == len(drawn)

    asked: list[dict] = []
    network, original = PolicyModule(4).export(), Scenario.sample

    def sample(scenario: Scenario, rng: np.random.Generator) -> Instance:
        asked.append(rng.bit_generator.state["state"])
        return original(scenario, rng)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr(Scenario, "sample", sample)
        for step in (0, 1):
            play(network, SMALL, machines_scored=400, rollouts=2, seed=(0, step), pool=pool)
    states = {str(state) for state in asked}
    assert len(states) == len(asked) > 4
    fresh = [np.random.default_rng(seed).bit_generator.state["state"] for seed in (0, (0, 1))]
    assert not states & {str(state) for state in fresh}
