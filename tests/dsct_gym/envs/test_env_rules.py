"""What actions do, against the rules worked out anew from the instance."""

import itertools

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from playing import (
    ASSIGN,
    CONTINUOUS,
    IDS,
    JOINT,
    PLAN,
    RANGES,
    SOFT,
    first_gain,
    gain,
    play,
    work_of_level,
)
from strategies import instances
from truth import assignment_lp


@pytest.mark.parametrize("env_id", [env_id for env_id in IDS if env_id != SOFT])
@settings(max_examples=60, deadline=None)
@given(instance=instances(), seed=st.integers(0, 1000), guidance=st.booleans())
def test_masked_episodes_are_feasible_schedules_worth_their_rewards(
    env_id: str, instance: Instance, seed: int, guidance: bool
) -> None:
    env = gymnasium.make(env_id, instance=instance, guidance=guidance).unwrapped

    def watch(observation: dict, info: dict) -> None:
        assert env.observation_space.contains(observation)
        mask = info["action_mask"]
        assert mask.dtype == np.int8
        assert mask.any()
        assert env.action_masks().dtype == np.bool_
        assert np.array_equal(mask == 1, env.action_masks())

    schedule, total, info = play(env, np.random.default_rng(seed), watch)
    assert schedule.verify().reasons == ()
    gained = gain(schedule) - first_gain(env_id, instance)
    assert total == pytest.approx(gained, abs=1e-9)
    assert info["mean_accuracy"] == pytest.approx(schedule.mean_accuracy, abs=1e-9)
    assert info["energy"] == pytest.approx(schedule.energy, rel=1e-9)
    assert env.task is None


@settings(max_examples=60, deadline=None)
@given(instance=instances(), seed=st.integers(0, 1000), levels=st.integers(1, 7))
def test_joint_mask_allows_exactly_what_fits(instance: Instance, seed: int, levels: int) -> None:
    env = gymnasium.make(JOINT, instance=instance, levels=levels).unwrapped
    rng = np.random.default_rng(seed)
    _, info = env.reset()
    time, energy = np.zeros(instance.num_machines), 0.0
    for task in instance.edf_order.tolist():
        assert env.task == task
        rises = instance.top_accuracy[task] > instance.base_accuracy[task]
        for r, level in itertools.product(range(instance.num_machines), range(1, levels + 1)):
            work = work_of_level(instance, task, level, levels)
            end = time[r] + work / instance.speeds[r]
            spent = energy + work / instance.efficiencies[r]
            late = end / instance.deadlines[task] - 1.0
            over = spent - instance.energy_budget
            allowed = info["action_mask"][r * levels + level - 1] == 1
            if allowed:
                assert rises
                assert late < 1e-9
                assert over <= 1e-9 * instance.energy_budget
            elif rises:
                assert late > -1e-9 or over > -1e-9 * instance.energy_budget
        assert info["action_mask"][-1] == 1
        action = int(rng.choice(np.flatnonzero(info["action_mask"])))
        expected = 0.0
        if action < instance.num_machines * levels:
            r, level = action // levels, action % levels + 1
            work = work_of_level(instance, task, level, levels)
            time[r] += work / instance.speeds[r]
            energy += work / instance.efficiencies[r]
            rise = instance.top_accuracy[task] - instance.base_accuracy[task]
            expected = level / levels * rise
        _, reward, _, _, info = env.step(action)
        assert reward == pytest.approx(expected, abs=1e-9)


def test_what_fits_exactly_is_allowed() -> None:
    # 3 GFLOP at 10 GFLOP/s end at 0.3 s and cost 0.3 J; three such tasks use everything up.
    instance = Instance(
        speeds=[10.0],
        efficiencies=[10.0],
        deadlines=[0.3, 0.6, 0.9],
        work=[[0.0, 3.0]] * 3,
        accuracy=[[0.0, 1.0]] * 3,
        energy_budget=0.9,
    )
    env = gymnasium.make(JOINT, instance=instance)
    _, info = env.reset()
    rewards = []
    for _ in range(3):
        assert info["action_mask"].all()
        _, reward, over, _, info = env.step(9)
        rewards.append(reward)
    assert over
    assert rewards == pytest.approx([1.0, 1.0, 1.0])
    assert info["schedule"].verify()


def test_flat_curves_and_empty_budgets_leave_only_skipping() -> None:
    shared = {"speeds": [1.0], "efficiencies": [1.0], "deadlines": [1.0], "work": [[0.0, 1.0]]}
    flat = Instance(**shared, accuracy=[[0.5, 0.5]], energy_budget=1.0)
    broke = Instance(**shared, accuracy=[[0.0, 1.0]], energy_budget=0.0)
    for instance in (flat, broke):
        env = gymnasium.make(JOINT, instance=instance)
        _, info = env.reset()
        assert info["action_mask"].tolist() == [0] * 10 + [1]
        _, reward, over, _, info = env.step(10)
        assert (reward, over) == (0.0, True)
        assert info["mean_accuracy"] == instance.base_accuracy[0]


@settings(max_examples=60, deadline=None)
@given(instance=instances(), seed=st.integers(0, 1000))
def test_assign_rewards_are_changes_of_the_optimum(instance: Instance, seed: int) -> None:
    env = gymnasium.make(ASSIGN, instance=instance).unwrapped
    rng = np.random.default_rng(seed)
    env.reset()
    assert env.action_masks().all()
    machine_of = np.full(instance.num_tasks, -1)
    before = float(instance.base_accuracy.sum())
    for task in instance.edf_order.tolist():
        action = int(rng.integers(instance.num_machines + 1))
        machine_of[task] = action if action < instance.num_machines else -1
        optimum = assignment_lp(instance, machine_of)
        _, reward, _, _, info = env.step(action)
        assert reward == pytest.approx(optimum - before, abs=1e-8)
        assert env.schedule.total_accuracy == pytest.approx(optimum, abs=1e-8)
        before = optimum
    assert info["schedule"].total_accuracy == pytest.approx(before, abs=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_exhaustive_search_through_assign_finds_the_optimum(seed: int) -> None:
    from dsct_gym.generator import generate
    from dsct_gym.solver import make_solver

    instance = generate(n=4, m=2, seed=seed, rho=0.3, beta=0.4)
    env = gymnasium.make(ASSIGN, instance=instance)
    best = 0.0
    for actions in itertools.product(range(3), repeat=4):
        _, info = env.reset()
        for action in actions:
            assert info["action_mask"][action] == 1
            _, _, over, _, info = env.step(action)
        assert over
        best = max(best, info["schedule"].total_accuracy)
    brute = max(
        assignment_lp(instance, np.array(machines))
        for machines in itertools.product((-1, 0, 1), repeat=4)
    )
    assert best == pytest.approx(brute, abs=1e-8)
    mip = make_solver("mip").solve(instance, time_limit=30)
    assert best == pytest.approx(mip.schedule.total_accuracy, abs=1e-4)


def test_continuous_takes_the_preferred_machine_that_has_room_and_cuts_the_work() -> None:
    instance = Instance(
        speeds=[10.0, 10.0],
        efficiencies=[10.0, 10.0],
        deadlines=[1.0, 1.0, 1.0],
        work=[[0.0, 8.0]] * 3,
        accuracy=[[0.0, 0.8]] * 3,
        energy_budget=1.7,
    )
    env = gymnasium.make(CONTINUOUS, instance=instance)
    env.reset()
    _, reward, _, _, info = env.step(np.array([0.9, 0.1, 0.5], dtype=np.float32))
    assert reward == pytest.approx(0.6)
    assert info["action_mask"].tolist() == [1, 1, 1]
    # 4 GFLOP are left before the deadline on machine 0.
    _, reward, _, _, info = env.step(np.array([0.9, 0.1, 1.0], dtype=np.float32))
    assert reward == pytest.approx(0.4)
    assert info["action_mask"].tolist() == [0, 1, 1]
    # Machine 0 is full; of the energy 0.7 J are left, 7 GFLOP.
    _, reward, _, _, info = env.step(np.array([0.9, 0.1, 1.0], dtype=np.float32))
    assert reward == pytest.approx(0.7)
    assert info["schedule"].machine.tolist() == [0, 0, 1]
    assert info["energy"] == pytest.approx(1.7)


def test_continuous_skips_at_minus_one_and_clips_what_lies_outside() -> None:
    env = gymnasium.make(CONTINUOUS, n=3, m=2).unwrapped
    env.reset(seed=0)
    assert env.step(np.array([1.0, 1.0, -1.0], dtype=np.float32))[1] == 0.0
    beyond = env.step(np.array([7.0, 0.0, 9.0], dtype=np.float32))
    env.reset(seed=0)
    env.step(np.array([1.0, 1.0, -1.0], dtype=np.float32))
    assert env.step(np.array([1.0, 0.0, 1.0], dtype=np.float32))[1] == beyond[1]


@pytest.mark.parametrize("env_id", [JOINT, ASSIGN, PLAN])
def test_forbidden_actions_are_skipped_or_refused(env_id: str) -> None:
    # Machine 1 of 2 is padding: the instance has one machine.
    instance = Instance([5.0], [1.0], [1.0], [[0.0, 1.0]], [[0.0, 1.0]], 10.0)
    sizes = {"generator": lambda rng: instance, "n": 1, "m": 2}
    env = gymnasium.make(env_id, **sizes)
    _, info = env.reset()
    action = len(info["action_mask"]) - 2
    assert info["action_mask"][action] == 0
    _, reward, over, _, info = env.step(action)
    lost = -1.0 if env_id == PLAN else 0.0  # there the plan has the task done in full
    assert (reward, over, info["invalid_action"]) == (lost, True, True)
    assert info["schedule"].machine.tolist() == [-1]
    strict = gymnasium.make(env_id, **sizes, on_invalid="raise")
    strict.reset()
    with pytest.raises(InputError, match="forbidden by the action mask"):
        strict.step(action)
    assert strict.step(0)[1] > lost


def test_actions_outside_the_space_are_refused() -> None:
    env = gymnasium.make(JOINT, n=3, m=2).unwrapped
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(0)
    env.reset(seed=0)
    for wrong in (-1, 21, 1.5, None, [0, 1]):
        with pytest.raises(InputError, match="action"):
            env.step(wrong)
    for _ in range(3):
        env.step(20)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(20)
    smooth = gymnasium.make(CONTINUOUS, n=3, m=2).unwrapped
    smooth.reset(seed=0)
    for wrong in ([0.0, 0.0], [np.nan, 0.0, 0.0]):
        with pytest.raises(InputError, match="action"):
            smooth.step(np.array(wrong, dtype=np.float32))


def test_padding_is_masked_and_zero() -> None:
    env = gymnasium.make(JOINT, **RANGES).unwrapped
    rng = np.random.default_rng(0)
    sizes = set()

    def watch(observation: dict, info: dict) -> None:
        instance, position = env.instance, env._episodes.play.position[0]
        tables = env.layout.tables(observation)
        n, m = instance.num_tasks, instance.num_machines
        assert observation["machines_mask"].tolist() == [1.0] * m + [0.0] * (3 - m)
        waiting = np.arange(9)
        assert np.array_equal(
            observation["tasks_mask"], (waiting >= position) & (waiting < n), equal_nan=True
        )
        assert not tables["tasks"][observation["tasks_mask"] == 0.0].any()
        assert not tables["machines"][m:].any()
        assert not info["action_mask"][m * 10 : 30].any()
        if position < n:
            assert np.array_equal(tables["task"], tables["tasks"][position])
        sizes.add((n, m))

    env.reset(seed=1)
    for _ in range(40):
        play(env, rng, watch)
    assert len(sizes) > 12
