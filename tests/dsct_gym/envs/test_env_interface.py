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
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(env_id, **options).unwrapped, skip_render_check=True)
        check_env(gymnasium.make(env_id, **options, render_mode="ansi").unwrapped, None, True)


@pytest.mark.learning
@pytest.mark.parametrize("options", [{"n": 5, "m": 2}, {**RANGES, "guidance": True}])
@pytest.mark.parametrize("env_id", IDS)
def test_the_checker_of_stable_baselines_has_nothing_to_say(
    env_id: str, options: dict[str, Any]
) -> None:
    from stable_baselines3.common.env_checker import check_env as check_for_sb3

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_for_sb3(gymnasium.make(env_id, **options).unwrapped)


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
        ({"suite": "nothing", "split": "train"}, "suite: no suite 'nothing'"),
        ({"suite": "tiny", "split": "valid"}, "split: 'valid' is not one of train, test"),
        ({"split": "train", "n": 3}, "split: needs a suite"),
        ({"pool": True}, "pool: "),
        ({"pool_seed": -1, "pool": 2}, "pool_seed: must be at least 0, got -1"),
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


def made(form: str, env_id: str, **options: Any) -> Any:
    """An environment in one of its three forms."""
    if form == "single":
        return gymnasium.make(env_id, **options).unwrapped
    if form == "batched":
        many = {"num_envs": 2, "vectorization_mode": "vector_entry_point"}
        return gymnasium.make_vec(env_id, **many, **options)
    from dsct_gym.envs.sb3 import SchedulingVecEnv

    return SchedulingVecEnv(env_id, 2, **options)


FORMS = ["single", "batched", pytest.param("sb3", marks=pytest.mark.learning)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"instance": generate(n=2, m=1)},
        {"suite": "tiny", "split": "test"},
        {"pool": [generate(n=2, m=1)]},
        {"generator": lambda rng: generate(n=2, m=1)},
    ],
)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("env_id", IDS)
def test_unknown_argument_is_a_type_error_that_names_it(
    env_id: str, form: str, options: dict[str, Any]
) -> None:
    """TorchRL's GymEnv tries ``frameskip`` and goes without it where this is what it hears."""
    for value in (1, None):
        with pytest.raises(TypeError, match="got an unexpected keyword argument 'frameskip'") as e:
            made(form, env_id, **options, frameskip=value)
        assert not isinstance(e.value, ValueError)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("env_id", IDS)
def test_before_the_first_reset_it_is_said_that_one_is_needed(env_id: str, form: str) -> None:
    env = made(form, env_id, n=3, m=2, render_mode="rgb_array")
    action = env.action_space.sample()
    asked = [lambda: env.step(action), env.render, env.action_masks]
    if form == "single":
        asked += [lambda: env.instance, lambda: env.task, lambda: env.schedule]
    if form == "batched":
        asked += [lambda: env.instance(0), lambda: env.schedule(0)]
    if form == "sb3":
        asked[0] = lambda: env.step(np.stack([action, action]))
    for ask in asked:
        with pytest.raises(gymnasium.error.ResetNeeded, match=r"call reset\(\) first"):
            ask()
    env.reset()
    assert env.action_masks().any(axis=-1).all()
    for ask in asked:
        ask()


NUMPY: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"n": np.int64(5), "m": np.int32(2)}, {"n": 5, "m": 2}),
    ({"n": np.array([3, 6]), "m": (np.int64(1), np.int64(2))}, {"n": (3, 6), "m": (1, 2)}),
    ({"n": [3, 6], "levels": np.int64(3)}, {"n": (3, 6), "levels": 3}),
    (
        {"mu": np.float32(3.0), "rho": np.array([0.25, 0.5]), "beta": np.float64(0.5)},
        {"mu": 3.0, "rho": (0.25, 0.5), "beta": 0.5},
    ),
    (
        {"n": 4, "pool": np.int64(2), "pool_seed": np.uint8(7), "guidance": np.bool_(True)},
        {"n": 4, "pool": 2, "pool_seed": 7, "guidance": True},
    ),
    (
        {"n": 4, "segments": np.int16(3), "a_max": np.float32(0.5)},
        {"n": 4, "segments": 3, "a_max": 0.5},
    ),
    ({"devices": np.array(["T4", "V100"]), "n": 3}, {"devices": ["T4", "V100"], "n": 3}),
]


@pytest.mark.parametrize(("options", "plain"), NUMPY)
@pytest.mark.parametrize("form", FORMS)
def test_numbers_of_numpy_are_as_good_as_plain_ones(
    form: str, options: dict[str, Any], plain: dict[str, Any]
) -> None:
    one, other = made(form, JOINT, **options), made(form, JOINT, **plain)
    assert one.observation_space == other.observation_space
    assert one.action_space == other.action_space
    if form == "sb3":
        one.seed(3)
        other.seed(3)
        shown, expected = one.reset(), other.reset()
    else:
        (shown, _), (expected, _) = one.reset(seed=np.int64(3)), other.reset(seed=3)
    assert all(np.array_equal(shown[key], expected[key]) for key in shown)


def test_batches_are_counted_by_numbers_of_numpy_too() -> None:
    for seeds in ([3, None], np.array([3, 4]), (np.int64(3), None)):
        env = gymnasium.make_vec(
            JOINT,
            num_envs=np.int64(2),
            vectorization_mode="vector_entry_point",
            num_threads=np.int64(1),
            **RANGES,
        )
        env.reset(seed=seeds)
        single = gymnasium.make(JOINT, **RANGES)
        single.reset(seed=3)
        assert env.instance(0) == single.unwrapped.instance


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
