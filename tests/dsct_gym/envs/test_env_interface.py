"""What Gymnasium, Stable-Baselines3 and users rely on."""

import copy
import hashlib
import pickle
import pkgutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import RecordEpisodeStatistics

from dsct_gym.errors import InputError
from dsct_gym.generator import generate
from dsct_gym.registration import ENVIRONMENTS
from playing import ASSIGN, IDS, JOINT, RANGES, masked_action, play


def trajectory(env: gymnasium.Env, seed: int, episodes: int = 3) -> str:
    """Digest of everything that some random masked episodes show."""
    rng = np.random.default_rng(seed)
    digest = hashlib.sha256()
    for episode in range(episodes):
        _, total, info = play(
            env,
            rng,
            lambda observation, info: [
                digest.update(array.tobytes())
                for array in (*observation.values(), info["action_mask"])
            ],
            **({"seed": seed} if episode == 0 else {}),
        )
        digest.update(f"{total!r} {info['mean_accuracy']!r}".encode())
    return digest.hexdigest()


@pytest.mark.parametrize("options", [{"n": 5, "m": 2}, {**RANGES, "guidance": True}])
@pytest.mark.parametrize("env_id", IDS)
def test_checkers_have_nothing_to_say(env_id: str, options: dict[str, Any]) -> None:
    from stable_baselines3.common.env_checker import check_env as check_for_sb3

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(env_id, **options).unwrapped, skip_render_check=True)
        check_for_sb3(gymnasium.make(env_id, **options).unwrapped)
        check_env(gymnasium.make(env_id, **options, render_mode="ansi").unwrapped, None, True)


@pytest.mark.parametrize("env_id", IDS)
def test_same_seed_same_trajectory_in_another_process(env_id: str) -> None:
    here = trajectory(gymnasium.make(env_id, **RANGES), 7)
    assert trajectory(gymnasium.make(env_id, **RANGES), 7) == here
    assert trajectory(gymnasium.make(env_id, **RANGES), 8) != here
    program = (
        "import gymnasium; from test_env_interface import *; "
        f"print(trajectory(gymnasium.make({env_id!r}, **RANGES), 7))"
    )
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    there = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path += {folders!r}; {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == here


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("how", ["deepcopy", "pickle"])
def test_copies_in_mid_episode_continue_identically(env_id: str, how: str) -> None:
    env = gymnasium.make(env_id, **RANGES)
    rng = np.random.default_rng(0)
    _, info = env.reset(seed=5)
    env.step(masked_action(env, info["action_mask"], rng))
    twin = copy.deepcopy(env) if how == "deepcopy" else pickle.loads(pickle.dumps(env))
    assert twin.unwrapped.schedule.energy == env.unwrapped.schedule.energy
    for _ in range(3):
        over = False
        mask = env.unwrapped.action_masks()
        while not over:
            action = masked_action(env, mask, rng)
            shown, reward, over, _, info = env.step(action)
            other, reward_too, over_too, _, info_too = twin.step(action)
            assert (reward, over) == (reward_too, over_too)
            assert all(np.array_equal(shown[key], other[key]) for key in shown)
            mask = info["action_mask"]
            assert np.array_equal(mask, info_too["action_mask"])
        assert info["schedule"].total_accuracy == info_too["schedule"].total_accuracy
        mask = env.reset()[1]["action_mask"]
        twin.reset()


def test_observations_and_masks_are_fresh_unless_asked_otherwise() -> None:
    env = gymnasium.make(JOINT, n=4, m=2)
    first, info = env.reset(seed=0)
    kept = copy.deepcopy((first, info["action_mask"]))
    env.step(0)
    assert all(np.array_equal(first[key], kept[0][key]) for key in first)
    assert np.array_equal(info["action_mask"], kept[1])
    first["budget"][:] = 99.0
    assert env.unwrapped._episodes.view.budget.max() < 99.0
    shared = gymnasium.make(JOINT, n=4, m=2, copy=False, disable_env_checker=True)
    first, _ = shared.reset(seed=0)
    second, *_ = shared.step(0)
    assert np.shares_memory(first["budget"], second["budget"])


def test_given_instances_are_played(tmp_path: Path) -> None:
    instance = generate(n=4, m=2, seed=3)
    instance.save(tmp_path / "given.json")
    env = gymnasium.make(JOINT, **RANGES).unwrapped
    for given in (instance, tmp_path / "given.json"):
        env.reset(options={"instance": given})
        assert env.instance == instance
    with pytest.raises(InputError, match="instance: 10 tasks, but the environment was made for"):
        env.reset(options={"instance": generate(n=10, m=2)})
    with pytest.raises(InputError, match="options: instance"):
        env.reset(options={"instance": 3})
    fixed = gymnasium.make(ASSIGN, instance=instance).unwrapped
    fixed.reset()
    assert fixed.instance == instance
    fixed.reset(options={"instance": generate(n=4, m=2, seed=4)})
    assert fixed.instance != instance
    fixed.reset()
    assert fixed.instance == instance


def test_statistics_wrapper_sees_the_return() -> None:
    env = RecordEpisodeStatistics(gymnasium.make(ASSIGN, n=5, m=2))
    _, total, info = play(env, np.random.default_rng(0), seed=0)
    assert info["episode"]["r"] == pytest.approx(total, abs=1e-6)
    assert info["episode"]["l"] == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"levels": 0}, "levels: must be a whole number from 1, got 0"),
        ({"on_invalid": "ignore"}, "on_invalid: must be 'skip' or 'raise', got 'ignore'"),
        ({"n": 0}, "n: must be at least 1, got 0"),
        ({"rho": (0.5, 0.2)}, "rho: range from 0.5 down to 0.2"),
        ({"instance": "a.json"}, "instance: str is not an Instance"),
        ({"instance": generate(n=2, m=1), "n": 3}, "n: cannot be combined with instance"),
        ({"generator": 3}, "generator: must be callable or have a method sample"),
        ({"generator": lambda rng: 5, "n": 1, "m": 1}, None),
        ({"generator": lambda rng: generate(n=2, m=1), "mu": 2}, "mu: cannot be combined"),
        ({"pool": 0}, "pool: must be at least 1, got 0"),
        ({"pool": []}, "pool: needs at least one instance"),
        ({"suite": "nothing"}, "suite: no suite 'nothing'"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_arguments_are_named(options: dict[str, Any], message: str | None) -> None:
    if message is None:
        env = gymnasium.make(JOINT, **options)
        with pytest.raises(InputError, match="generator: int is not an Instance"):
            env.reset()
        return
    with pytest.raises(InputError) as raised:
        gymnasium.make(JOINT, **options)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    "program",
    [
        "import dsct_gym, gymnasium as g; g.make('DSCT-EA-v0', n=2, m=1)",
        "import gymnasium as g, dsct_gym; g.make('DSCT-EA-v0', n=2, m=1)",
        "import gymnasium as g; g.make('dsct_gym:DSCT-EA-v0', n=2, m=1)",
        "import importlib.util as u, dsct_gym; u.find_spec('gymnasium'); import gymnasium as g; "
        "g.make('DSCT-EA-v0', n=2, m=1); import dsct_gym.registration as r; r.register_envs(); "
        "r.register_when_imported(); import sys; assert not [f for f in sys.meta_path if "
        "'dsct_gym.registration' in type(f).__module__]",
        "import dsct_gym, sys; assert not {'gymnasium', 'numpy', 'numba'} & set(sys.modules)",
    ],
)
def test_ids_are_registered_on_import_without_importing_gymnasium(program: str) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


@pytest.mark.parametrize("env_id", IDS)
def test_both_forms_of_an_id_play_the_episodes_in_its_file(env_id: str) -> None:
    known = ENVIRONMENTS[env_id]
    episodes = pkgutil.resolve_name(known.episodes)
    assert episodes.env_id == env_id
    one = gymnasium.make(env_id, n=2, m=1).unwrapped
    many = gymnasium.make_vec(env_id, num_envs=2, vectorization_mode="vector_entry_point", n=2, m=1)
    assert type(one) is pkgutil.resolve_name(known.single)
    assert type(many) is pkgutil.resolve_name(known.batched)
    assert type(one._episodes) is type(many._episodes) is episodes
    assert "num_envs=2" in repr(many)
    assert isinstance(one.action_space, gymnasium.spaces.Box) == (known.actions == "continuous")
    assert episodes.segmented == (known.works == "optimal")
