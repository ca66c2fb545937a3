"""``DSCT-EA-Service-v0`` against the simulator that agents are played by, and queueing theory."""

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

import dsct_gym
from dsct_gym.envs.service import ServiceEnv, ServiceVectorEnv
from dsct_gym.envs.service_episodes import WAITS, Column
from dsct_gym.errors import InputError
from dsct_gym.registration import SERVICE
from dsct_gym.serving.rule import greedy_rule, network_plans
from dsct_gym.serving.service import serve_by_rule
from dsct_gym.serving.toy import affine_table

assert dsct_gym
TABLE = affine_table(compute=(1.0, 0.2), largest_batch=8, clocks=(700.0, 1000.0, 1400.0))
SMALL = {"table": TABLE, "requests": 60, "latency": 1e-3, "objective": 6.0}


def play(env: ServiceEnv, choose, seed: int = 0):
    """One episode; rewards, infos and observations."""
    observation, info = env.reset(seed=seed)
    rewards, infos, seen = [], [info], [observation]
    done = False
    while not done:
        observation, reward, done, _, info = env.step(choose(observation, info))
        rewards.append(reward)
        infos.append(info)
        seen.append(observation)
    return np.array(rewards), infos, np.array(seen)


def test_it_is_an_environment():
    env = gymnasium.make(SERVICE, **SMALL)
    check_env(env.unwrapped)
    vector = gymnasium.make_vec(
        SERVICE, num_envs=3, vectorization_mode="vector_entry_point", **SMALL
    )
    assert vector.unwrapped.single_action_space == env.unwrapped.action_space


@pytest.mark.parametrize(("choice", "largest"), [(4, 8), (1, 1), (2, 2)])
def test_starting_at_once_is_the_greedy_rule(choice, largest):
    env = ServiceEnv(price=2.0, **SMALL)
    rewards, infos, _ = play(env, lambda *_: np.array([choice, 1]), seed=4)
    arrivals = env._episodes.queues.arrival[0]
    arrivals = arrivals[np.isfinite(arrivals)]
    rule = greedy_rule(TABLE, largest, 1, network_plans(TABLE))
    rule = rule._replace(batch=np.minimum(rule.batch, largest))
    found = serve_by_rule(TABLE, rule, arrivals, 0.018, 1e-3)
    told = infos[-1]["outcome"]
    assert told == pytest.approx(found.summary())
    idle_before = arrivals[0] * TABLE.idle_power[2]
    energy = found.busy_energy + found.idle_energy
    late = round(found.violations * found.requests)
    assert sum(info["energy"] for info in infos) == pytest.approx(energy - idle_before)
    assert sum(info["violations"] for info in infos) == late
    assert rewards.sum() == pytest.approx(-(energy - idle_before) - 2.0 * late)
    assert arrivals[0] + sum(info["dt"] for info in infos) == pytest.approx(found.seconds)


def test_batches_of_one_are_the_queue_m_d_1():
    env = ServiceEnv(table=TABLE, requests=40_000, objective=20.0, load=0.25)
    _, infos, _ = play(env, lambda *_: np.array([1, 2]))
    time, rate = float(TABLE.time[:, 0, 2].sum()), env._episodes.rate
    expected = time + rate * time**2 / (2.0 * (1.0 - rate * time))
    assert infos[-1]["outcome"]["mean_latency"] == pytest.approx(expected, rel=0.03)


def test_what_is_seen_worked_out_anew():
    env = ServiceEnv(**SMALL)
    stream = np.random.default_rng(1)
    env.reset(seed=2)
    episodes, setting = env._episodes, env._episodes.setting
    done = False
    while not done:
        observation, _, done, _, info = env.step(
            np.array([stream.integers(0, 3), stream.integers(0, 3)])
        )
        now, arrivals = info["time"], episodes.queues.arrival[0]
        waiting = arrivals[episodes.queues.head[0] : episodes.queues.come[0]]
        expected = np.zeros(len(Column))
        if waiting.size:
            whole = TABLE.time.sum(axis=0)[min(waiting.size, 8) - 1, episodes.cards.clock[0]]
            expected[Column.WAITING] = waiting.size / 8
            expected[Column.OLDEST] = (now - waiting[0]) / setting.objective
            expected[Column.MIDDLE] = (now - waiting[waiting.size // 2]) / setting.objective
            expected[Column.RUN_TIME] = whole / setting.objective
        for column, window in ((Column.SHORT_RATE, 4.0), (Column.LONG_RATE, 40.0)):
            length = min(max(now, setting.objective), window * setting.objective)
            lately = ((arrivals > now - length) & (arrivals <= now)).sum()
            expected[column] = lately / length / setting.sustained
        expected[Column.CLOCK] = TABLE.clocks[episodes.cards.clock[0]] / 1400.0
        expected[Column.TARGET] = TABLE.clocks[episodes.cards.target[0]] / 1400.0
        left = episodes.cards.effect[0] - now
        expected[Column.IN_FLIGHT] = left / setting.objective if np.isfinite(left) else 0.0
        assert observation == pytest.approx(np.clip(expected, 0.0, 10.0), abs=1e-5)
        sizes = np.array([1, 2, 4, 8])
        useful = [True, *(np.array([0, 1, 2, 4]) < waiting.size)]
        assert setting.sizes.tolist() == sizes.tolist()
        assert info["action_mask"].tolist() == [*useful, True, True, True]


def test_waiting_ends_with_a_request_or_after_a_step():
    env = ServiceEnv(**SMALL)
    env.reset(seed=0)
    arrivals = env._episodes.queues.arrival[0]
    for _ in range(30):
        before = env._episodes.cards.now[0]
        info = env.step(np.array([0, 0]))[-1]
        later = arrivals[arrivals > before][0]
        step = env._episodes.setting.objective / WAITS
        assert info["time"] == pytest.approx(min(later, before + step))


def test_many_side_by_side_are_each_alone():
    vector = ServiceVectorEnv(3, **SMALL)
    singles = [ServiceEnv(**SMALL) for _ in range(3)]
    seen, _ = vector.reset(seed=7)
    for row, env in enumerate(singles):
        assert np.array_equal(seen[row], env.reset(seed=7 + row)[0])
    stream, over = np.random.default_rng(0), [False] * 3
    for _ in range(400):
        actions = stream.integers(0, [5, 3], (3, 2))
        seen, rewards, done, cut, infos = vector.step(actions)
        assert not cut.any()
        for row, env in enumerate(singles):
            if over[row]:
                observation, info = env.reset()
                reward, over[row] = 0.0, False
            else:
                observation, reward, over[row], _, info = env.step(actions[row])
            assert np.array_equal(seen[row], observation)
            assert (rewards[row], done[row]) == (reward, over[row])
            for key in ("time", "dt", "energy", "violations"):
                assert infos[key][row] == info[key]
            assert np.array_equal(infos["action_mask"][row], info["action_mask"])
            if over[row]:
                assert infos["outcome"][row] == info["outcome"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"load": 0.0}, "load"),
        ({"objective": 0.5}, "objective"),
        ({"requests": 1}, "requests"),
        ({"latency": -1.0}, "latency"),
        ({"price": "x"}, "price"),
        ({"arrivals": "x"}, "arrivals"),
    ],
)
def test_what_is_refused(change, line):
    with pytest.raises(InputError, match=line):
        ServiceEnv(**{**SMALL, **change})


def test_order_of_calls():
    env = ServiceEnv(**SMALL)
    with pytest.raises(ResetNeeded):
        env.step(np.array([0, 0]))
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action"):
        env.step(np.array([9, 0]))
