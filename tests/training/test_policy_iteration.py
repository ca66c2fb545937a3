"""Policy iteration: labels are what they say, and the policy learns from them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from dsct_gym.agents.network import Scratch
from dsct_gym.agents.rollout import play_greedily, rate
from dsct_gym.plan import FINE, Plan, begin, decide
from dsct_gym.training.config import Distribution, PolicyIterationConfig
from dsct_gym.training.lookahead import WORST, look_ahead
from dsct_gym.training.module import PolicyModule
from dsct_gym.training.policy_iteration import PolicyIteration, expected_loss
from dsct_gym.training.run_folder import RunFolder

TINY = PolicyIterationConfig(
    width=4,
    steps=2,
    distribution=Distribution(n=(8, 8), m=(4, 4)),
    instances=2,
    states=8,
    candidates=3,
    horizon=100,
    minibatch=16,
    evaluate_every=100,
    held_out=2,
    sizes=((8, 4),),
    threads=1,
)


def test_labels_are_what_the_policy_makes_of_each_decision() -> None:
    network = PolicyModule(4).export()
    config = TINY.model_copy(update={"instances": 1})
    with ThreadPoolExecutor(1) as pool:
        states = look_ahead(network, config, (0, 7), pool)
    instance = config.distribution.scenario(8, 4).sample(_after_size((0, 7, 0)))
    plan, scratch = Plan.of(instance), Scratch.empty(network, 4)
    for task in range(8):
        values = np.full(4, -np.inf)
        for machine in range(4):
            begin(plan)
            play_greedily(network, scratch, plan, 0, task)
            rate(network, scratch, plan, task)
            assert np.array_equal(scratch.machine, states.machine[task])
            decide(plan, task, machine)
            play_greedily(network, scratch, plan, task + 1, 8)
            values[machine] = plan.gain
        worth = states.worth[task, :4]
        tried = np.isfinite(worth)
        assert tried.sum() == 3
        expected = (values - values[tried].max()) / plan.unit * FINE
        np.testing.assert_allclose(worth[tried], np.maximum(expected, WORST)[tried], atol=1e-3)
        assert states.worth[task, 4] == WORST


def _after_size(seed: tuple[int, ...]) -> np.random.Generator:
    """The generator of an instance's numbers once its number of tasks is drawn."""
    rng = np.random.default_rng(seed)
    rng.uniform()
    return rng


def test_a_seed_gives_the_same_labels_however_many_threads() -> None:
    network = PolicyModule(4).export()
    drawn = []
    for threads in (1, 2):
        with ThreadPoolExecutor(threads) as pool:
            drawn.append(look_ahead(network, TINY, (1, 2), pool))
    for one, other in zip(*drawn, strict=True):
        assert np.array_equal(one, other)


def test_the_result_does_not_depend_on_the_threads(tmp_path: Path) -> None:
    weights = []
    for threads in (1, 2):
        config = TINY.model_copy(update={"threads": threads})
        folder = RunFolder(tmp_path / str(threads), config, resume=False)
        run = PolicyIteration(config, folder, "cpu")
        run.train()
        weights.append(run.module.export())
    for one, other in zip(*weights, strict=True):
        assert np.array_equal(one, other)


def test_the_policy_loses_less_worth_after_learning(tmp_path: Path) -> None:
    config = TINY.model_copy(
        update={"steps": 15, "instances": 8, "learning_rate": (1e-2, 1e-3), "horizon": 4}
    )
    run = PolicyIteration(config, RunFolder(tmp_path, config, resume=False), "cpu")
    start_module = PolicyModule(4, 0, PolicyIteration.sharpness)
    with ThreadPoolExecutor(1) as pool:
        states = look_ahead(start_module.export(), config, (9, 9), pool)
    run.train()

    def lost(module: PolicyModule) -> float:
        with torch.no_grad():
            scores = module(torch.from_numpy(states.context), torch.from_numpy(states.machine))
            return float(expected_loss(scores, torch.from_numpy(states.worth)))

    assert lost(run.module) < 0.8 * lost(start_module)
