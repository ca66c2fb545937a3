"""Stable-Baselines3 and sb3-contrib on the single and the batched environments."""

import warnings

import gymnasium
import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

import torch
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor

from dsct_gym.envs.sb3 import SchedulingVecEnv
from dsct_gym.errors import InputError
from dsct_gym.generator import generate
from playing import ASSIGN, CONTINUOUS, JOINT

torch.set_num_threads(1)

SMALL = {"n": (3, 6), "m": (1, 2)}


@pytest.mark.parametrize("env_id", [JOINT, ASSIGN, CONTINUOUS])
def test_stock_algorithms_learn_without_a_warning(env_id: str) -> None:
    algorithm = PPO if env_id == CONTINUOUS else MaskablePPO
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for env in (gymnasium.make(env_id, **SMALL), SchedulingVecEnv(env_id, 4, **SMALL)):
            steps = 64 // getattr(env, "num_envs", 1)
            agent = algorithm(
                "MultiInputPolicy", env, n_steps=steps, batch_size=32, n_epochs=1, device="cpu"
            )
            agent.learn(128)
            assert agent.num_timesteps == 128
            assert agent.ep_info_buffer


@pytest.mark.parametrize("env_id", [JOINT, ASSIGN])
def test_adapter_agrees_with_single_environments(env_id: str) -> None:
    many = SchedulingVecEnv(env_id, 3, **SMALL)
    singles = [gymnasium.make(env_id, **SMALL) for _ in range(3)]
    assert is_masking_supported(many)
    many.seed(5)
    shown = many.reset()
    infos = [env.reset(seed=5 + i) for i, env in enumerate(singles)]
    returns, rng = np.zeros(3), np.random.default_rng(0)
    for _ in range(25):
        masks = get_action_masks(many)
        assert masks.dtype == np.bool_
        for i, (observation, info) in enumerate(infos):
            assert np.array_equal(masks[i], info["action_mask"] == 1)
            assert all(np.array_equal(shown[key][i], observation[key]) for key in observation)
        actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in masks])
        shown, rewards, dones, told = many.step(actions)
        for i, env in enumerate(singles):
            observation, reward, over, _, info = env.step(int(actions[i]))
            returns[i] += reward
            assert rewards[i] == np.float32(reward)
            assert dones[i] == over
            assert ("terminal_observation" in told[i]) == over
            if over:
                last = told[i]["terminal_observation"]
                assert all(np.array_equal(last[key], observation[key]) for key in last)
                assert told[i]["episode"]["r"] == pytest.approx(returns[i])
                assert told[i]["episode"]["l"] == info["schedule"].instance.num_tasks
                assert told[i]["mean_accuracy"] == pytest.approx(info["mean_accuracy"])
                assert told[i]["schedule"].verify()
                returns[i] = 0.0
                observation, info = env.reset()
            infos[i] = (observation, info)


def test_each_environment_plays_what_its_own_options_give() -> None:
    first, second = generate(4, 2, seed=0), generate(5, 2, seed=1)
    many = SchedulingVecEnv(ASSIGN, 3, **SMALL)
    many.seed(7)
    many.set_options([{"instance": first}, {}, {"instance": second}])
    many.reset()
    played = [many.batch.instance(env) for env in range(3)]
    alone = gymnasium.make(ASSIGN, **SMALL)
    alone.reset(seed=8)
    assert played == [first, alone.unwrapped.instance, second]
    many.set_options({"instance": second})
    many.reset()
    assert [many.batch.instance(env) for env in range(3)] == [second] * 3
    many.reset()  # options are for one reset
    assert all(many.batch.instance(env) != second for env in range(3))
    many.set_options([{"instance": first}])
    with pytest.raises(InputError, match="options: 1 instances for 3 environments"):
        many.reset()


def test_adapter_answers_what_wrappers_ask() -> None:
    many = VecMonitor(SchedulingVecEnv(JOINT, 3, **SMALL, render_mode="rgb_array"))
    many.reset()
    assert many.get_attr("render_mode") == ["rgb_array"] * 3
    assert many.env_is_wrapped(gymnasium.Wrapper) == [False] * 3
    assert many.render().ndim == 3
    masks = many.env_method("action_masks", indices=[1])
    assert len(masks) == 1
    batch = many.venv.batch
    assert many.get_attr("instance", [2, 0]) == [batch.instance(2), batch.instance(0)]
    assert [schedule.instance for schedule in many.get_attr("schedule")] == [
        batch.instance(env) for env in range(3)
    ]
    with pytest.raises(AttributeError):
        many.get_attr("nothing")
    many.close()
