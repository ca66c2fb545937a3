"""``DSCT-EA-Soft-v0``: its rules and columns worked out anew, and its batched twin."""

import math

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import dsct_gym  # noqa: F401
from dsct_gym import generate, make_solver
from dsct_gym.envs.soft_columns import MachinePlace, StatePlace, TaskPlace
from dsct_gym.errors import InputError
from dsct_gym.schedule import idle, value
from dsct_gym.soft.softened import softened
from playing import play
from soft_truth import draw_soft, penalty_of

ID = "DSCT-EA-Soft-v0"
PROBLEMS = [
    draw_soft(seed, 7, 3, cap=(None, 1.5)[seed % 2], whole=0.5, budget=seed % 4 == 1)
    for seed in range(8)
]


@pytest.mark.parametrize("problem", PROBLEMS)
def test_rewards_add_up_to_the_value_gained(problem):
    env = gymnasium.make(ID, instance=problem, levels=4)
    for seed in range(3):
        schedule, total, info = play(env, np.random.default_rng(seed), seed=seed)
        assert schedule.verify()
        assert total == pytest.approx(value(schedule) - idle(problem), rel=1e-9, abs=1e-9)
        assert info["energy"] == pytest.approx(schedule.energy)
        assert info["mean_accuracy"] == pytest.approx(schedule.mean_accuracy)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_whatever_is_played_gives_a_schedule_that_holds(problem):
    env = gymnasium.make(ID, instance=problem)
    env.action_space.seed(0)
    for _ in range(3):
        env.reset()
        total, over = 0.0, False
        while not over:
            _, reward, over, _, info = env.step(env.action_space.sample())
            total += reward
        assert info["schedule"].verify()
        assert total == pytest.approx(value(info["schedule"]) - idle(problem), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("problem", PROBLEMS[:4])
def test_columns_worked_out_anew(problem):
    env = gymnasium.make(ID, instance=problem, levels=4)
    core, layout = problem.core, env.unwrapped.layout
    observation, info = env.reset()
    free, rng, spent = np.zeros(core.num_machines), np.random.default_rng(1), 0.0
    for j in core.edf_order:
        tables = layout.tables(observation)
        task, state = tables["task"], tables["budget"]
        assert task[TaskPlace.WEIGHT] == problem.weights[j]
        assert task[TaskPlace.WHOLE] == problem.whole[j]
        assert task[TaskPlace.DEADLINE] == pytest.approx(core.deadlines[j] / core.horizon)
        shape = ("Step", "Linear", "Exponential").index(type(problem.penalty).__name__)
        kinds = (StatePlace.STEP, StatePlace.LINEAR, StatePlace.EXPONENTIAL)
        assert [state[kind] for kind in kinds] == [float(k == shape) for k in range(3)]
        if problem.budget is not None:
            left = 1.0 - spent / problem.budget
            assert state[StatePlace.ENERGY_LEFT] == pytest.approx(left, abs=1e-6)
        for r in range(core.num_machines):
            row, full = tables["machines"][r], core.max_work[j]
            late = max(0.0, free[r] + full / core.speeds[r] - core.deadlines[j])
            paid = problem.weights[j] * penalty_of(problem, late)
            cost = problem.energy_price * full / core.efficiencies[r]
            assert row[MachinePlace.LATE] == pytest.approx(min(late / core.horizon, 5.0), abs=1e-6)
            assert row[MachinePlace.PENALTY] == pytest.approx(min(paid, 5.0), rel=1e-5, abs=1e-6)
            assert row[MachinePlace.ENERGY] == pytest.approx(min(cost, 5.0), rel=1e-5)
            time = math.log(full / core.speeds[r] / core.deadlines[j])
            assert row[MachinePlace.TIME] == pytest.approx(np.clip(time, -5, 5), rel=1e-5)
        action = int(rng.choice(np.flatnonzero(info["action_mask"])))
        observation, _, over, _, info = env.step(action)
        schedule = env.unwrapped.schedule if not over else info["schedule"]
        machine, spent = schedule.machine[j], schedule.energy
        if machine >= 0:
            free[machine] += schedule.duration[j]
    assert over


def test_masks_by_hand():
    problem = PROBLEMS[0]  # no cap: no whole task may be refused
    env = gymnasium.make(ID, instance=problem, levels=3)
    _, info = env.reset()
    for j in problem.core.edf_order:
        mask = info["action_mask"]
        assert mask[-1] == (not problem.whole[j])
        levels = mask[:-1].reshape(-1, 3)
        assert (levels[:, 2] == 1).all()
        assert (levels[:, :2] == (0 if problem.whole[j] else 1)).all()
        _, _, _, _, info = env.step(2)


def test_deadlines_mask_nothing():
    problem = PROBLEMS[3]
    env = gymnasium.make(ID, instance=problem)
    _, info = env.reset()
    over, late = False, 0
    while not over:
        _, _, over, _, info = env.step(int(np.flatnonzero(info["action_mask"])[0]))
        late += not over and bool(info["action_mask"][:-1].any())
    assert late >= 5
    assert (info["schedule"].finish > problem.core.deadlines).any()


@pytest.mark.parametrize("number", [1, 5])
def test_batched_is_the_same_step_for_step(number):
    options = {"pool": PROBLEMS, "levels": 4}
    batch = gymnasium.make_vec(
        ID, num_envs=number, vectorization_mode="vector_entry_point", **options
    )
    single = [gymnasium.make(ID, **options) for _ in range(number)]
    observation, info = batch.reset(seed=3)
    alone = [env.reset(seed=3 + index) for index, env in enumerate(single)]
    rng = np.random.default_rng(0)
    for _ in range(7):
        masks = info["action_mask"]
        actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in masks])
        for index, (seen, told) in enumerate(alone):
            assert np.array_equal(told["action_mask"], masks[index])
            assert all(np.array_equal(seen[key], observation[key][index]) for key in seen)
        observation, rewards, _, _, info = batch.step(actions)
        steps = [env.step(int(a)) for env, a in zip(single, actions, strict=True)]
        assert np.allclose([step[1] for step in steps], rewards, rtol=0, atol=1e-12)
        alone = [(step[0], step[4]) for step in steps]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_gymnasium_checks_it():
    check_env(gymnasium.make(ID, n=6, m=2).unwrapped, skip_render_check=True)


def test_hard_deadlines_are_made_soft():
    instance = generate(6, 2, seed=1)
    problem = softened(instance)
    assert problem.core == instance
    assert problem.energy_price * instance.energy_budget == pytest.approx(0.1 * 6)
    env = gymnasium.make(ID, instance=instance)
    schedule, total, _ = play(env, np.random.default_rng(0))
    assert schedule.instance == problem
    assert total == pytest.approx(value(schedule) - idle(problem))


def test_others_do_not_play_it():
    with pytest.raises(InputError, match="has soft, which DSCT-EA-v0 does not know"):
        gymnasium.make("DSCT-EA-v0", instance=PROBLEMS[0])


def test_annealing_is_a_bound_on_play():
    problem = PROBLEMS[1]
    best = value(make_solver("annealing", moves=100_000).solve(problem, seed=0).schedule)
    env = gymnasium.make(ID, instance=problem)
    for seed in range(10):
        schedule, _, _ = play(env, np.random.default_rng(seed), seed=seed)
        assert value(schedule) <= best + 1e-9
