"""``DSCT-EA-Plan-v0``: rewards, observations, passes and orders, and the policy that ships."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import CASES
from dsct_gym import Instance, allocate, generate, make_solver
from dsct_gym.agents.checkpoint import load_policy
from dsct_gym.agents.network import Scratch
from dsct_gym.agents.rl import SHIPPED
from dsct_gym.agents.rollout import rate
from dsct_gym.agents.stable import play as play_stable
from dsct_gym.envs.game import Game
from dsct_gym.errors import InputError
from dsct_gym.plan import Context, Machine, Plan, begin, decide
from playing import PLAN, RANGES, first_gain, masked_action
from strategies import instances
from view_truth import TruePlan, context_columns, machine_columns

ORDERS = ["edf", "reverse"]


def made(instance: Instance, **options: Any) -> gymnasium.Env:
    return gymnasium.make(PLAN, instance=instance, **options)


def ranks(n: int, order: str, passes: int) -> list[int]:
    """EDF ranks of the tasks of an episode, spelt out."""
    once = list(range(n)) if order == "edf" else [n - 1 - index for index in range(n)]
    return once * passes


def assigned(env: gymnasium.Env) -> np.ndarray:
    """Machine of each task by EDF rank; a schedule tells that of tasks with work alone."""
    unwrapped: Any = env.unwrapped
    return unwrapped._episodes.play.machine[0, : unwrapped.instance.num_tasks].copy()


@settings(max_examples=60, deadline=None)
@given(
    instance=instances(),
    order=st.sampled_from(ORDERS),
    passes=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_rewards_are_differences_of_totals_from_scratch(
    instance: Instance, order: str, passes: int, seed: int
) -> None:
    env, rng = made(instance, order=order, passes=passes), np.random.default_rng(seed)
    _, info = env.reset()
    before = env.unwrapped.schedule.total_accuracy
    assert before - instance.base_accuracy.sum() == pytest.approx(
        first_gain(PLAN, instance), rel=1e-12, abs=1e-12
    )
    over, total, first = False, 0.0, before
    for rank in ranks(instance.num_tasks, order, passes):
        assert not over
        task = int(instance.edf_order[rank])
        assert env.unwrapped.task == task
        action = masked_action(env, info["action_mask"], rng)
        _, reward, over, _, info = env.step(action)
        now = assigned(env)[instance.edf_rank]
        assert now[task] == (action if action < instance.num_machines else -1)
        after = allocate(instance, now).total_accuracy
        assert env.unwrapped.schedule.total_accuracy == after
        assert reward == pytest.approx(after - before, abs=1e-10)
        before, total = after, total + reward
    assert over
    assert total == pytest.approx(before - first, abs=1e-9)
    assert info["mean_accuracy"] == pytest.approx(before / instance.num_tasks, abs=1e-12)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("case", CASES)
def test_staying_returns_exactly_nothing(case: str, order: str) -> None:
    instance = CASES[case]
    env = made(instance, order=order, passes=2)
    observation, _ = env.reset()
    over = False
    while not over:
        here = env.unwrapped.layout.tables(observation)["machines"][:, Machine.HERE]
        assert here.sum() == 1.0
        observation, reward, over, _, info = env.step(int(here.argmax()))
        assert reward == 0.0
    refined = make_solver("approx-refined").solve(instance).schedule
    assert np.array_equal(info["schedule"].machine, refined.machine)


@pytest.mark.parametrize(("order", "passes"), [("edf", 1), ("edf", 2), ("reverse", 2)])
@pytest.mark.parametrize("case", ["12 x 3", "scarce energy", "many machines", "no energy"])
def test_observations_are_the_columns_worked_out_anew(case: str, order: str, passes: int) -> None:
    instance = CASES[case]
    n, m = instance.num_tasks, instance.num_machines
    env, rng = made(instance, order=order, passes=passes), np.random.default_rng(0)
    observation, _ = env.reset()
    truth = TruePlan(instance, assigned(env))
    for step, rank in enumerate(ranks(n, order, passes)):
        if step % n == 0:
            truth.decided[:] = -1
        tables, changes = env.unwrapped.layout.tables(observation), truth.changes(rank)
        of_task, of_machines = context_columns(truth, rank), machine_columns(truth, rank, changes)
        of_task[Context.TASKS_LEFT] = (n - step % n) / n
        expected = np.array([of_task[place] for place in Context])
        assert tables["task"] == pytest.approx(expected, rel=1e-5, abs=1e-5)
        expected = np.column_stack([of_machines[place] for place in Machine])
        shown = np.where(np.isnan(expected), np.nan, tables["machines"])
        assert np.allclose(shown, expected, rtol=1e-5, atol=1e-5, equal_nan=True)
        best = int(tables["machines"][:, Machine.CHANGE].argmax())
        choice = int(rng.choice([best, best, *range(m)]))
        observation, *_ = env.step(choice)
        truth.decide(rank, choice, assigned(env))
    assert not observation["task"].any()
    assert not observation["machines"].any()
    assert observation["machines_mask"].tolist() == [1.0] * m


@pytest.mark.parametrize("seed", range(4))
def test_the_policy_that_ships_replays_its_decisions(seed: int) -> None:
    instance = generate(40, 4, mu=10.0, rho=0.4, beta=0.5, seed=seed)
    network, _ = load_policy(SHIPPED)
    plan, scratch = Plan.of(instance), Scratch.empty(network, 4)
    begin(plan)
    env = made(instance)
    observation, _ = env.reset()
    first, total = plan.gain, 0.0
    for rank in range(40):
        rate(network, scratch, plan, rank)
        tables = env.unwrapped.layout.tables(observation)
        assert np.array_equal(tables["task"], scratch.context)
        assert np.array_equal(tables["machines"], scratch.machine)
        action = int(scratch.score.argmax())
        decide(plan, rank, action if action < 4 else -1)
        observation, reward, _, _, info = env.step(action)
        total += reward
    assert total == pytest.approx(plan.gain - first, rel=1e-12)
    schedule = make_solver("rl-greedy").solve(instance).schedule
    assert np.array_equal(info["schedule"].machine, schedule.machine)
    assert info["schedule"].total_accuracy == schedule.total_accuracy
    assert info["mean_accuracy"] == pytest.approx(schedule.mean_accuracy, rel=1e-12)


@pytest.mark.parametrize(("order", "passes"), [("edf", 1), ("edf", 3), ("reverse", 2)])
def test_taking_the_best_change_is_descent(order: str, passes: int) -> None:
    instance = generate(60, 5, mu=10.0, seed=3)
    env = made(instance, order=order, passes=passes)
    observation, _ = env.reset()
    over = False
    while not over:
        machines = env.unwrapped.layout.tables(observation)["machines"]
        here = int(machines[:, Machine.HERE].argmax())
        best = int(machines[:, Machine.CHANGE].argmax())
        gains = machines[best, Machine.CHANGE] > 1e-6
        observation, _, over, _, info = env.step(best if gains else here)
    descent = make_solver("descent", order=order, passes=passes).solve(instance).schedule
    assert np.array_equal(info["schedule"].machine, descent.machine)


def test_what_is_left_out_can_come_back_in_a_later_pass() -> None:
    instance = generate(6, 2, mu=5.0, seed=1)
    env = made(instance, passes=2)
    env.reset()
    start = env.unwrapped.schedule
    for _ in range(6):
        observation, *_ = env.step(2)
    assert env.unwrapped.schedule.energy == 0.0
    assert not env.unwrapped.layout.tables(observation)["machines"][:, Machine.HERE].any()
    for rank in range(6):
        *_, over, _, info = env.step(int(start.machine[instance.edf_order[rank]]))
    assert over
    assert info["schedule"].total_accuracy == pytest.approx(start.total_accuracy, rel=1e-12)


def test_instances_of_other_sizes_are_padded_and_masked() -> None:
    env = gymnasium.make(PLAN, **RANGES, passes=2).unwrapped
    rng, sizes = np.random.default_rng(0), set()
    for episode in range(40):
        observation, info = env.reset(seed=1 if episode == 0 else None)
        n, m = env.instance.num_tasks, env.instance.num_machines
        sizes.add((n, m))
        over, steps = False, 0
        while not over:
            tables = env.layout.tables(observation)
            assert observation["machines_mask"].tolist() == [1.0] * m + [0.0] * (3 - m)
            assert not tables["machines"][m:].any()
            assert info["action_mask"].tolist() == [1] * m + [0] * (3 - m) + [1]
            assert env.observation_space.contains(observation)
            observation, _, over, _, info = env.step(masked_action(env, info["action_mask"], rng))
            steps += 1
        assert steps == 2 * n
    assert len(sizes) > 12


def test_a_larger_curve_than_any_before_changes_nothing() -> None:
    """The arrays of a batch grow in the middle of other episodes."""
    fine, coarse = generate(5, 2, segments=9, seed=1), generate(5, 2, segments=2, seed=2)
    many = gymnasium.make_vec(
        PLAN,
        num_envs=2,
        vectorization_mode="vector_entry_point",
        pool=[coarse],
        autoreset_mode="Disabled",
        passes=2,
    )
    alone = made(coarse, passes=2)
    many.reset(seed=0)
    alone.reset()
    for action in (0, 1, 1):
        many.step(np.array([action, 0]))
        alone.step(action)
    many.reset(
        options={"reset_mask": np.array([False, True]), "instance": [None, fine]},
    )
    other = made(fine, passes=2)
    other.reset()
    for action in (1, 0, 0, 1, 0):
        _, rewards, *_ = many.step(np.array([action, action]))
        assert rewards.tolist() == [env.step(action)[1] for env in (alone, other)]


def test_text_counts_the_decisions_of_all_passes() -> None:
    env = made(generate(3, 2, seed=0), order="reverse", passes=2, render_mode="ansi")
    env.reset()
    order = env.unwrapped.instance.edf_order
    told = []
    for _ in range(6):
        told.append(env.render().splitlines()[0])
        env.step(0)
    names = [line.split()[1].rstrip(",") for line in told]
    assert names == [str(task) for task in [*order[::-1], *order[::-1]]]
    assert [line.rpartition("(")[2] for line in told] == [f"{k} of 6)" for k in range(1, 7)]
    assert env.render().startswith("All 3 tasks decided")


def test_an_agent_is_played_by_the_rules_of_its_training() -> None:
    pytest.importorskip("stable_baselines3")
    env = gymnasium.make(PLAN, n=5, m=2, order="reverse", passes=3)
    game = Game.of(env)
    assert game.rules == {"order": "reverse", "passes": 3}
    assert Game.of(game.resized(4, 3)).rules == game.rules
    assert Game.of(game.resized(4, 3)).observation_space["machines"].shape == (48,)

    class Stays:
        observation_space, action_space = env.observation_space, env.action_space

        def __init__(self) -> None:
            self.seen: list[float] = []

        def predict(self, shown: dict, **_: Any) -> tuple[np.ndarray, None]:
            self.seen.append(float(shown["task"][0, Context.DEADLINE]))
            return shown["machines"].reshape(1, 2, -1)[:, :, Machine.HERE].argmax(axis=1), None

    instance, policy = generate(5, 2, seed=4), Stays()
    schedule = play_stable(policy, [instance])[0]
    deadlines = np.sort(instance.deadlines)[::-1] / instance.deadlines.max()
    assert policy.seen == pytest.approx(np.tile(deadlines, 3), rel=1e-6)
    assert np.array_equal(
        schedule.machine, make_solver("approx-refined").solve(instance).schedule.machine
    )


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"order": "late"}, "order: 'late' is not one of edf, reverse"),
        ({"passes": 0}, "passes: must be at least 1, got 0"),
        ({"passes": 1.5}, "passes: "),
    ],
)
def test_rules_out_of_range_are_refused(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        gymnasium.make(PLAN, n=2, m=1, **options)
    with pytest.raises(InputError, match=fault):
        gymnasium.make_vec(PLAN, num_envs=2, vectorization_mode="vector_entry_point", **options)


def test_other_ids_have_no_passes() -> None:
    with pytest.raises(TypeError, match="passes"):
        gymnasium.make("DSCT-EA-Assign-v0", n=2, m=1, passes=2)
