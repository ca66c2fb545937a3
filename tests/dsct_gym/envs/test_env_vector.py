"""The batched environments against as many single ones."""

import copy
import pickle
import resource
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from dsct_gym.envs.observation import BudgetColumn
from dsct_gym.errors import InputError
from dsct_gym.generator import generate
from dsct_gym.schedule import Schedule
from playing import ASSIGN, CONTINUOUS, IDS, JOINT, RANGES

COUNT = 5


def batched(env_id: str, count: int = COUNT, **options: Any) -> gymnasium.vector.VectorEnv:
    return gymnasium.make_vec(
        env_id, num_envs=count, vectorization_mode="vector_entry_point", **{**RANGES, **options}
    )


def actions_for(env: gymnasium.vector.VectorEnv, mask: np.ndarray, rng: np.random.Generator) -> Any:
    """Mostly allowed actions, now and then a forbidden one."""
    if isinstance(env.single_action_space, gymnasium.spaces.Box):
        return rng.uniform(-1.0, 1.0, env.action_space.shape).astype(np.float32)
    weights = rng.random(mask.shape) * (mask + 0.2)
    return weights.argmax(axis=1)


def same(one: Any, other: Any) -> bool:
    """Equality of observations and infos, whatever is nested in them."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, np.ndarray) and one.dtype == object:
        return all(same(left, right) for left, right in zip(one, other, strict=True))
    if isinstance(one, Schedule):
        # Both are built from the same decisions.
        return np.array_equal(one.work, other.work) and np.array_equal(one.machine, other.machine)
    if isinstance(one, np.ndarray) and one.dtype.kind == "f":
        return bool(np.allclose(one, other, rtol=0.0, atol=1e-12))
    return bool(np.array_equal(one, other))


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize("options", [{}, {"guidance": True, "pool": 4}])
@pytest.mark.parametrize("env_id", IDS)
def test_batches_equal_single_environments_step_for_step(
    env_id: str, options: dict, mode: AutoresetMode
) -> None:
    many = batched(env_id, autoreset_mode=mode, **options)
    single = [lambda: gymnasium.make(env_id, **RANGES, **options).unwrapped] * COUNT
    reference = SyncVectorEnv(single, autoreset_mode=mode)
    assert many.observation_space == reference.observation_space
    assert many.action_space == reference.action_space
    rng = np.random.default_rng(0)
    shown, info = many.reset(seed=11)
    expected, told = reference.reset(seed=11)
    assert same(shown, expected)
    assert same(info, told)
    ended = 0
    for _ in range(60):
        actions = actions_for(many, info["action_mask"], rng)
        step, other = many.step(actions), reference.step(actions)
        for ours, theirs in zip(step[:4], other[:4], strict=True):
            assert same(ours, theirs)
            assert getattr(ours, "dtype", None) == getattr(theirs, "dtype", None)
        info, told = step[4], other[4]
        for extra in info.keys() - told.keys():
            assert extra.endswith("invalid_action")
            assert not info["_invalid_action"].any()
        assert same({key: info[key] for key in told}, told)
        ended += int(step[2].sum())
    assert ended > 25


def test_ended_episodes_tell_verified_schedules() -> None:
    for mode in ("NextStep", "SameStep"):
        env = batched(ASSIGN, autoreset_mode=mode)
        _, info = env.reset(seed=0)
        rng, total, found = np.random.default_rng(0), np.zeros(COUNT), 0
        for _ in range(30):
            _, rewards, over, _, info = env.step(actions_for(env, info["action_mask"], rng))
            total += rewards
            outcome = info.get("final_info", info)
            for i in np.flatnonzero(over):
                schedule = outcome["schedule"][i]
                assert isinstance(schedule, Schedule)
                assert schedule.verify()
                assert outcome["mean_accuracy"][i] == pytest.approx(schedule.mean_accuracy)
                assert outcome["energy"][i] == pytest.approx(schedule.energy)
                gained = schedule.total_accuracy - schedule.instance.base_accuracy.sum()
                assert total[i] == pytest.approx(gained, abs=1e-9)
                assert type(pickle.loads(pickle.dumps(schedule))) is Schedule
                found += 1
            total[over] = 0.0
        assert found > 10


def test_schedules_are_ordinary_ones_however_they_are_met() -> None:
    def fresh() -> Schedule:
        env = batched(JOINT, 1, n=2, m=1, autoreset_mode="SameStep")
        env.reset(seed=0)
        env.step([0])
        *_, info = env.step([0])
        found = info["final_info"]["schedule"][0]
        assert "machine" not in vars(found)
        return found

    expected = fresh()
    assert expected.verify()
    for met in (
        copy.copy(fresh()),
        copy.deepcopy(fresh()),
        pickle.loads(pickle.dumps(fresh())),
        fresh().credited(),
        np.array([fresh()], dtype=object)[0],
    ):
        assert isinstance(met, Schedule)
        assert met.verify()
        assert type(met) is Schedule
        assert np.array_equal(met.work, expected.work)
    with pytest.raises(AttributeError):
        fresh().nothing  # noqa: B018


@pytest.mark.parametrize("env_id", IDS)
def test_threads_change_nothing(env_id: str) -> None:
    one, two = (batched(env_id, 200, num_threads=threads) for threads in (1, 3))
    rng = np.random.default_rng(0)
    _, info = one.reset(seed=0)
    two.reset(seed=0)
    for _ in range(20):
        actions = actions_for(one, info["action_mask"], rng)
        *ours, info = one.step(actions)
        *theirs, _ = two.step(actions)
        assert all(same(left, right) for left, right in zip(ours, theirs, strict=True))
    two.close()


@pytest.mark.parametrize("how", ["deepcopy", "pickle"])
def test_copies_of_batches_continue_identically(how: str) -> None:
    env = batched(JOINT, 150, num_threads=2)
    rng = np.random.default_rng(0)
    _, info = env.reset(seed=0)
    for _ in range(3):
        *_, info = env.step(actions_for(env, info["action_mask"], rng))
    twin = copy.deepcopy(env) if how == "deepcopy" else pickle.loads(pickle.dumps(env))
    for _ in range(12):
        actions = actions_for(env, info["action_mask"], rng)
        *ours, info = env.step(actions)
        *theirs, _ = twin.step(actions)
        assert all(same(left, right) for left, right in zip(ours, theirs, strict=True))


def test_batches_reset_where_asked() -> None:
    env = batched(JOINT, autoreset_mode=AutoresetMode.DISABLED, n=2)
    env.reset(seed=0)
    before = [env.instance(i) for i in range(COUNT)]
    for _ in range(2):
        _, _, over, _, _ = env.step(np.zeros(COUNT, dtype=int))
    assert over.all()
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros(COUNT, dtype=int))
    some = np.array([True, False, True, False, False])
    observation, _ = env.reset(options={"reset_mask": some})
    changed = [env.instance(i) != before[i] for i in range(COUNT)]
    assert changed == some.tolist()
    assert observation["budget"][:, BudgetColumn.TASKS_LEFT].tolist() == [1.0, 0.0, 1.0, 0.0, 0.0]
    given = generate(n=2, m=2)
    env.reset(options={"instance": given})
    assert all(env.instance(i) == given for i in range(COUNT))
    with pytest.raises(InputError, match="reset_mask"):
        env.reset(options={"reset_mask": np.zeros(COUNT, dtype=bool)})
    others = [generate(n=2, m=2, seed=seed) for seed in range(COUNT)]
    env.reset(options={"reset_mask": some, "instance": others})
    assert [env.instance(i) for i in range(COUNT)] == [
        others[i] if some[i] else given for i in range(COUNT)
    ]


def test_environments_that_have_not_begun_allow_to_skip_alone() -> None:
    env = batched(JOINT, n=2)
    some = np.array([True, False, True, False, False])
    _, info = env.reset(options={"reset_mask": some})
    assert info["action_mask"].any(axis=1).all()
    assert info["action_mask"][~some, :-1].sum() == 0
    for ask in (env.action_masks, lambda: env.step(np.zeros(COUNT, dtype=int))):
        with pytest.raises(gymnasium.error.ResetNeeded):
            ask()
    env.instance(0)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.instance(1)


def test_batches_refuse_what_single_environments_refuse() -> None:
    env = batched(JOINT, on_invalid="raise", n=2, m=1)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros(COUNT, dtype=int))
    _, info = env.reset(seed=0, options={"instance": generate(n=2, m=1, beta=0.0)})
    assert info["action_mask"].sum(axis=1).tolist() == [1] * COUNT
    with pytest.raises(InputError, match="action: 0 is forbidden by the action mask of environm"):
        env.step(np.zeros(COUNT, dtype=int))
    env.step(np.full(COUNT, 10))
    for wrong in (np.zeros(COUNT), np.zeros(3, dtype=int), np.full(COUNT, 11)):
        with pytest.raises(InputError, match="action"):
            env.step(wrong)
    for options in ({"num_threads": 0}, {"autoreset_mode": "Never"}, {"render_mode": "human"}):
        with pytest.raises(InputError, match=next(iter(options))):
            batched(JOINT, **options)
    with pytest.raises(InputError, match="num_envs"):
        batched(JOINT, 0)


@pytest.mark.parametrize("env_id", [JOINT, CONTINUOUS])
def test_works_in_subprocesses(env_id: str) -> None:
    several = gymnasium.make_vec(env_id, num_envs=2, vectorization_mode="async", **RANGES)
    one = gymnasium.make_vec(env_id, num_envs=2, vectorization_mode="sync", **RANGES)
    try:
        shown, info = several.reset(seed=3)
        assert same(shown, one.reset(seed=3)[0])
        rng = np.random.default_rng(0)
        for _ in range(12):
            actions = actions_for(one, info["action_mask"], rng)
            *ours, info = several.step(actions)
            assert same(ours[0], one.step(actions)[0])
    finally:
        several.close()


def test_memory_stays_flat() -> None:
    env = batched(ASSIGN, 256, n=10, m=2)
    _, info = env.reset(seed=0)
    rng = np.random.default_rng(0)

    def steps(count: int) -> int:
        nonlocal info
        for _ in range(count):
            *_, info = env.step(actions_for(env, info["action_mask"], rng))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = steps(200)
    # A million more steps; the peak may grow by the allocator's noise, not by 10 bytes a step.
    assert steps(4000) - before < 10_000
