"""Machines with operating points in environments: those that know them, and those that do not."""

import gymnasium
import numpy as np
import pytest

from dsct_gym import Instance, allocate, generate
from dsct_gym.errors import InputError
from dsct_gym.files import write_instance
from dsct_gym.points import DvfsInstance
from dsct_gym.registration import ENVIRONMENTS
from playing import ASSIGN, masked_action, play
from points_truth import SPECIAL, draw_problem, points_lp

PROBLEMS = SPECIAL | {f"seed {seed}": draw_problem(seed, n=8, most=5) for seed in range(90, 94)}
OTHERS = [env_id for env_id, known in ENVIRONMENTS.items() if "points" not in known.knows]


def batch(count: int, **options) -> gymnasium.vector.VectorEnv:
    return gymnasium.make_vec(
        ASSIGN, num_envs=count, vectorization_mode="vector_entry_point", **options
    )


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_return_is_the_optimum_of_the_assignment(name: str) -> None:
    problem = PROBLEMS[name]
    env = gymnasium.make(ASSIGN, instance=problem)
    schedule, total, info = play(env, np.random.default_rng(0))
    assert schedule.pieces is not None
    assert schedule.verify()
    gained = schedule.total_accuracy - problem.core.base_accuracy.sum()
    assert total == pytest.approx(gained, abs=1e-9)
    assert info["mean_accuracy"] == pytest.approx(schedule.mean_accuracy, abs=1e-12)
    assert info["energy"] == pytest.approx(schedule.energy, rel=1e-9, abs=1e-12)
    assert schedule.total_accuracy == pytest.approx(points_lp(problem, schedule.machine), abs=1e-7)
    assert env.unwrapped.instance is problem


def test_every_field_of_a_schedule_is_there_when_it_is_read_first() -> None:
    env = gymnasium.make(ASSIGN, instance=draw_problem(90))
    for field in ("pieces", "machine", "rows"):
        schedule, _, _ = play(env, np.random.default_rng(0))
        assert getattr(schedule, field) is not None, field
    fresh, _, _ = play(env, np.random.default_rng(0))
    assert (fresh.solver, fresh.seconds, fresh.upper_bound) == (None, None, None)
    assert fresh.credited(solver="someone").pieces is not None


def test_a_batch_plays_what_single_environments_play() -> None:
    problems = [draw_problem(seed, n=7, m=3) for seed in range(94, 97)]
    envs = batch(3, instance=problems[0])
    observations, _ = envs.reset(options={"instance": problems})
    singles = [gymnasium.make(ASSIGN, instance=problem) for problem in problems]
    rng = np.random.default_rng(0)
    for index, single in enumerate(singles):
        observation, _ = single.reset()
        for key, value in observation.items():
            assert np.array_equal(value, observations[key][index])
    for _ in range(7):
        actions = rng.integers(0, 4, 3)
        observations, rewards, over, _, infos = envs.step(actions)
        for index, (single, action) in enumerate(zip(singles, actions, strict=True)):
            observation, reward, ended, _, _ = single.step(action)
            assert reward == rewards[index]
            assert ended == over[index]
            for key, value in observation.items():
                assert np.array_equal(value, observations[key][index])
    for index, problem in enumerate(problems):
        schedule = infos["schedule"][index]
        assert schedule.instance == problem
        assert schedule.pieces is not None
        assert schedule.total_accuracy == info_total(schedule)


def info_total(schedule) -> float:
    """What `allocate` makes of the same machines."""
    return allocate(schedule.instance, schedule.machine).total_accuracy


def test_plain_instances_go_on_when_one_with_points_comes_beside_them() -> None:
    """Another environment of the batch is reset in the midst of an episode."""
    plain, clocked = generate(6, 2, seed=3), draw_problem(97, n=6, m=2)
    alone = batch(2, instance=plain)
    mixed = batch(2, instance=plain, autoreset_mode="Disabled")
    for envs in (alone, mixed):
        envs.reset(seed=0)
    actions = np.array([[0, 1], [1, 1], [0, 0], [1, 0], [0, 2], [1, 1]])
    total = np.zeros(2)
    for step, action in enumerate(actions):
        if step == 3:
            mark = {"instance": [None, clocked], "reset_mask": np.array([False, True])}
            mixed.reset(options=mark)
            total[1] = 0.0
        _, expected, _, _, told = alone.step(action)
        _, rewards, _, _, infos = mixed.step(action)
        total += rewards
        assert rewards[0] == pytest.approx(expected[0], abs=1e-12)
    assert isinstance(infos["schedule"][0].instance, Instance)
    assert np.array_equal(infos["schedule"][0].machine, told["schedule"][0].machine)
    for action in actions[3:]:
        mixed.reset(options={"reset_mask": np.array([True, False])})
        _, rewards, _, _, infos = mixed.step(action)
        total += rewards
    schedule = infos["schedule"][1]
    assert schedule.instance == clocked
    assert total[1] == pytest.approx(
        schedule.total_accuracy - clocked.core.base_accuracy.sum(), abs=1e-9
    )


def test_a_row_forgets_the_points_of_the_instance_before() -> None:
    """Drawn instances, written by a kernel of their own, follow one with points."""
    env, same = (gymnasium.make(ASSIGN, n=6, m=2) for _ in range(2))
    env.reset(seed=5, options={"instance": draw_problem(98, n=6, m=2)})
    for each in (env, same):
        each.reset(seed=5)
    rng = np.random.default_rng(0)
    schedule, total, _ = play(env, rng, seed=6)
    expected, known, _ = play(same, np.random.default_rng(0), seed=6)
    assert isinstance(schedule.instance, Instance)
    assert schedule.instance == expected.instance
    assert total == pytest.approx(known, abs=1e-12)


def test_deeper_machines_and_longer_curves_find_room() -> None:
    shallow = draw_problem(99, n=5, m=2, most=2)
    deep = draw_problem(100, n=5, m=2, most=9, segments=8)
    env = gymnasium.make(ASSIGN, instance=shallow)
    for problem in (shallow, deep, shallow.core, shallow):
        schedule, total, _ = play(env, np.random.default_rng(1), options={"instance": problem})
        gained = schedule.total_accuracy - problem.core.base_accuracy.sum()
        assert total == pytest.approx(gained, abs=1e-9)


def test_a_generator_may_draw_them() -> None:
    def draw(rng: np.random.Generator) -> DvfsInstance:
        return draw_problem(int(rng.integers(1000)), n=5, m=2)

    env = gymnasium.make(ASSIGN, generator=draw)
    schedule, _, _ = play(env, np.random.default_rng(0), seed=4)
    assert isinstance(schedule.instance, DvfsInstance)
    envs = batch(3, generator=draw, autoreset_mode="SameStep")
    envs.reset(seed=4)
    for _ in range(5):
        *_, infos = envs.step(envs.action_space.sample())
    assert all(each.verify() for each in infos["final_info"]["schedule"])


def test_a_file_of_them_is_played(tmp_path) -> None:
    path, problem = tmp_path / "instance.json", draw_problem(101)
    write_instance(problem, path)
    env = gymnasium.make(ASSIGN, instance=problem)
    env.reset(options={"instance": path})
    assert env.unwrapped.instance == problem


@pytest.mark.parametrize("mode", ["rgb_array", "ansi"])
def test_they_are_rendered(mode: str) -> None:
    env = gymnasium.make(ASSIGN, instance=draw_problem(102), render_mode=mode)
    _, info = env.reset()
    env.step(masked_action(env, info["action_mask"], np.random.default_rng(0)))
    assert env.render() is not None


@pytest.mark.parametrize("env_id", OTHERS)
def test_who_does_not_know_them_says_who_does(env_id: str, tmp_path) -> None:
    problem, path = draw_problem(103, n=5, m=2), tmp_path / "instance.json"
    write_instance(problem, path)
    told = f"has points, which {env_id} does not know; those that do: .*{ASSIGN}"
    with pytest.raises(InputError, match=f"^instance: {told}"):
        gymnasium.make(env_id, instance=problem)
    with pytest.raises(InputError, match=f"^pool: {told}"):
        gymnasium.make(env_id, pool=[problem.core, problem])
    with pytest.raises(InputError, match=f"^generator: {told}"):
        gymnasium.make(env_id, generator=lambda rng: problem)
    env = gymnasium.make(env_id, generator=lambda rng: problem, n=5, m=2)
    with pytest.raises(InputError, match=f"^generator: {told}"):
        env.reset()
    env = gymnasium.make(env_id, instance=problem.core)
    for given in (problem, path):
        with pytest.raises(InputError, match=f"^options: instance: {told}"):
            env.reset(options={"instance": given})
