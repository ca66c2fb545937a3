"""``DSCT-EA-Service-v0`` against the simulator that agents are played by, and queueing theory."""

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

import dsct_gym
from dsct_gym.envs.service import ServiceEnv, ServiceVectorEnv
from dsct_gym.envs.service_episodes import WAITS
from dsct_gym.envs.service_view import FIXED, Column, PerClock, UnitColumn
from dsct_gym.errors import InputError
from dsct_gym.registration import SERVICE
from dsct_gym.serving.rule import greedy_rule, network_plans
from dsct_gym.serving.service import serve_by_rule
from dsct_gym.serving.table import Table
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


@pytest.mark.parametrize("clocks", ["batch", "unit"])
def test_it_is_an_environment(clocks):
    env = gymnasium.make(SERVICE, clocks=clocks, **SMALL)
    check_env(env.unwrapped)
    vector = gymnasium.make_vec(
        SERVICE, num_envs=3, vectorization_mode="vector_entry_point", clocks=clocks, **SMALL
    )
    assert vector.unwrapped.single_action_space == env.unwrapped.action_space
    assert vector.unwrapped.single_observation_space == env.unwrapped.observation_space


def test_two_requests_worked_out_by_hand():
    """Two units of 1 ms at 1 GHz and half as fast at 0.5; 100 and 40 W, idle 20 and 10 W."""
    table = Table(
        clocks=np.array([500.0, 1000.0]),
        batches=np.array([1]),
        time=np.array([[[2e-3, 1e-3]], [[2e-3, 1e-3]]]),
        power=np.array([[[40.0, 100.0]], [[40.0, 100.0]]]),
        idle_power=np.array([10.0, 20.0]),
    )
    env = ServiceEnv(table=table, objective=2.0, latency=1e-3, price=3.0, requests=5)
    env.reset(options={"arrivals": [10e-3, 10.5e-3]})
    low, high, wait, start = 0, 1, 0, 1
    # The objective is 4 ms, so nothing comes for two waits of 4 ms and one of 2; the slow clock
    # takes effect after 1 ms.
    told = [env.step(np.array([wait, low])) for _ in range(3)]
    assert [info["dt"] for *_, info in told] == pytest.approx([4e-3, 4e-3, 2e-3])
    assert [info["energy"] for *_, info in told] == pytest.approx([0.020 + 0.030, 0.040, 0.020])
    # At 10 ms: slow for 1 ms, a quarter of the work, then 1.5 ms at the fast clock.
    _, reward, _, _, info = env.step(np.array([start, high]))
    assert (info["time"], info["energy"]) == pytest.approx((12.5e-3, 0.040 + 0.150))
    assert (info["violations"], reward) == (0, pytest.approx(-0.190))
    # The other has waited 2 ms and takes 1 ms fast and 2 ms slow: late by 1 ms.
    _, reward, done, _, info = env.step(np.array([start, low]))
    assert (info["time"], info["energy"]) == pytest.approx((15.5e-3, 0.100 + 0.080))
    assert done
    assert (info["violations"], reward) == (1, pytest.approx(-0.180 - 3.0))
    outcome = info["outcome"]
    assert outcome["energy_per_request"] == pytest.approx((0.11 + 0.19 + 0.18) / 2)
    assert (outcome["switches"], outcome["violations"]) == (3, 0.5)


@pytest.mark.parametrize("clocks", ["batch", "unit"])
def test_energy_is_the_integral_of_power(clocks):
    """Summed over steps, it is all that the card spent from time 0, and times add up likewise."""
    env = ServiceEnv(clocks=clocks, **SMALL)
    stream = np.random.default_rng(0)
    _, infos, _ = play(env, lambda *_: stream.integers(0, [5, 3]), seed=1)
    cards = env._episodes.cards
    total = cards.busy_energy[0] + cards.idle_energy[0]
    assert sum(info["energy"] for info in infos) == pytest.approx(total)
    assert sum(info["dt"] for info in infos) == pytest.approx(cards.now[0])
    told = infos[-1]["outcome"]
    assert told["energy_per_request"] * env._episodes.queues.total[0] == pytest.approx(total)


def test_units_at_one_clock_are_a_batch_at_it():
    """Whoever never changes the clock of a batch gets the same by batches and by units."""

    def by_units(observation, info):
        running = observation[-2 + UnitColumn.RUNNING] > 0.0
        if not running:
            by_units.clock = stream.integers(3)
        return np.array([4, by_units.clock])

    stream = np.random.default_rng(5)
    _, units, _ = play(ServiceEnv(clocks="unit", **SMALL), by_units, seed=3)
    stream = np.random.default_rng(5)
    env = ServiceEnv(**SMALL)
    _, batches, _ = play(env, lambda *_: np.array([4, stream.integers(3)]), seed=3)
    assert len(units) > len(batches)
    assert units[-1]["outcome"] == pytest.approx(batches[-1]["outcome"])


def test_units_by_hand():
    """Each unit at the clock chosen at its start, where changes take no time."""
    env = ServiceEnv(clocks="unit", **SMALL | {"latency": 0.0})
    env.reset(options={"arrivals": [0.0, 1e-3, 1.5e-3]})
    env.step(np.array([0, 2]))
    observation, _, _, _, info = env.step(np.array([4, 2]))
    time, power = TABLE.time[:, 0], TABLE.power[:, 0]
    assert info["energy"] == pytest.approx(time[0, 2] * power[0, 2])
    assert observation[-2:].tolist() == [0.125, 0.5]
    assert info["action_mask"].tolist() == [True, *4 * [False], *3 * [True]]
    rest = time[1] / env._episodes.setting.objective
    assert observation[FIXED : FIXED + 3] == pytest.approx(rest)
    assert observation[Column.WAITING] == (2 if time[0, 2] >= 1.5e-3 else 1) / 8
    _, _, done, _, info = env.step(np.array([0, 0]))
    assert info["energy"] == pytest.approx(time[1, 0] * power[1, 0])
    assert not done
    assert env._episodes.queues.latency[0, 0] == pytest.approx(time[0, 2] + time[1, 0])


def test_resting_at_a_low_clock_saves_what_the_card_draws_less():
    found = {}
    for clock in (0, 2):

        def choose(observation, info, idle=clock):
            return np.array([4, 2 if observation[Column.WAITING] else idle])

        env = ServiceEnv(**SMALL | {"load": 0.1, "latency": 0.0})
        _, infos, _ = play(env, choose, seed=0)
        found[clock] = infos[-1]["outcome"] | {"idle": env._episodes.cards.idle_energy[0]}
    ratio = TABLE.idle_power[0] / TABLE.idle_power[2]
    assert found[0]["idle"] == pytest.approx(ratio * found[2]["idle"])
    assert found[0]["p99"] == pytest.approx(found[2]["p99"])


@pytest.mark.parametrize(("choice", "largest"), [(4, 8), (1, 1), (2, 2)])
def test_starting_at_once_is_the_greedy_rule(choice, largest):
    env = ServiceEnv(price=2.0, **SMALL)
    rewards, infos, _ = play(env, lambda *_: np.array([choice, 1]), seed=4)
    arrivals = env._episodes.queues.arrival[0]
    arrivals = arrivals[np.isfinite(arrivals)]
    rule = greedy_rule(TABLE, largest, 1, network_plans(TABLE))
    rule = rule._replace(batch=np.minimum(rule.batch, largest), park=1)
    found = serve_by_rule(TABLE, rule, arrivals, 0.018, 1e-3)
    told = infos[-1]["outcome"]
    assert told == pytest.approx(found.summary())
    energy = found.busy_energy + found.idle_energy
    late = round(found.violations * found.requests)
    assert sum(info["energy"] for info in infos) == pytest.approx(energy)
    assert sum(info["violations"] for info in infos) == late
    assert rewards.sum() == pytest.approx(-energy - 2.0 * late)
    assert sum(info["dt"] for info in infos) == pytest.approx(found.seconds)


def test_batches_of_one_are_the_queue_m_d_1():
    env = ServiceEnv(table=TABLE, requests=12_000, objective=20.0, load=0.25)
    _, infos, _ = play(env, lambda *_: np.array([1, 2]))
    time, rate = float(TABLE.time[:, 0, 2].sum()), 0.25 * env._episodes.setting.sustained
    expected = time + rate * time**2 / (2.0 * (1.0 - rate * time))
    assert infos[-1]["outcome"]["mean_latency"] == pytest.approx(expected, rel=0.04)


def test_what_is_seen_worked_out_anew():
    env = ServiceEnv(**SMALL, price=0.5)
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
        expected = np.zeros(FIXED + len(PerClock) * 3)
        batch = min(max(waiting.size, 1), 8)
        time, energy = TABLE.time[:, batch - 1], TABLE.power[:, batch - 1]
        alone = (TABLE.time * TABLE.power)[:, 0, 2].sum()
        if waiting.size:
            expected[Column.WAITING] = waiting.size / 8
            expected[Column.OLDEST] = (now - waiting[0]) / setting.objective
            expected[Column.MIDDLE] = (now - waiting[waiting.size // 2]) / setting.objective
        come = arrivals[arrivals <= now]
        expected[Column.LAST] = (now - (come[-1] if come.size else 0.0)) / setting.objective
        expected[FIXED + 3 * PerClock.TIME + np.arange(3)] = time.sum(axis=0) / setting.objective
        spent = (time * energy).sum(axis=0) / batch / alone
        expected[FIXED + 3 * PerClock.ENERGY + np.arange(3)] = spent
        idle = TABLE.idle_power * TABLE.time[:, 0, 2].sum() / alone
        expected[FIXED + 3 * PerClock.IDLE + np.arange(3)] = idle
        expected[Column.LATENCY] = 1e-3 / setting.objective
        expected[Column.PRICE] = np.log(1.0 + 0.5 / alone)
        for column, window in ((Column.SHORT_RATE, 4.0), (Column.LONG_RATE, 40.0)):
            length = min(max(now, setting.objective), window * setting.objective)
            lately = ((arrivals > now - length) & (arrivals <= now)).sum()
            expected[column] = lately / length / setting.sustained
        expected[FIXED + 3 * PerClock.RUNS + episodes.cards.clock[0]] = 1.0
        expected[FIXED + 3 * PerClock.TOLD + episodes.cards.target[0]] = 1.0
        left = episodes.cards.effect[0] - now
        expected[Column.IN_FLIGHT] = left / setting.objective if np.isfinite(left) else 0.0
        assert observation == pytest.approx(np.clip(expected, 0.0, 10.0), abs=1e-5)
        sizes = np.array([1, 2, 4, 8])
        useful = [True, *(np.array([0, 1, 2, 4]) < waiting.size)]
        assert setting.sizes.tolist() == sizes.tolist()
        assert info["action_mask"].tolist() == [*useful, True, True, True]


def test_waiting_ends_with_a_request_or_after_a_step():
    env = ServiceEnv(**SMALL)
    observation, _ = env.reset(seed=0)
    arrivals = env._episodes.queues.arrival[0]
    for _ in range(30):
        before = env._episodes.cards.now[0]
        steps = WAITS if observation[Column.WAITING] else 1
        observation, *_, info = env.step(np.array([0, 0]))
        later = arrivals[arrivals > before][0]
        step = env._episodes.setting.objective / steps
        assert info["time"] == pytest.approx(min(later, before + step))


def test_loads_and_prices_of_a_range_are_drawn_anew():
    env = ServiceEnv(**SMALL, load=(0.2, 0.8), price=(1.0, 100.0))
    ends, prices = [], []
    for seed in range(60):
        env.reset(seed=seed)
        ends.append(env._episodes.queues.arrival[0, : env._episodes.queues.total[0]].max())
        prices.append(env._episodes.price[0])
    assert 1.0 <= min(prices) < 3.0 < 30.0 < max(prices) <= 100.0
    assert max(ends) > 2.0 * min(ends)


@pytest.mark.parametrize("clocks", ["batch", "unit"])
def test_many_side_by_side_are_each_alone(clocks):
    ranges = {"load": (0.3, 0.7), "price": (1.0, 9.0)}
    vector = ServiceVectorEnv(3, clocks=clocks, **SMALL, **ranges)
    singles = [ServiceEnv(clocks=clocks, **SMALL, **ranges) for _ in range(3)]
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
        ({"clocks": "layer"}, "clocks"),
        ({"load": (0.5, 0.2)}, "load"),
        ({"price": (0.0, 1.0)}, "price"),
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


@pytest.mark.parametrize("given", [[], [1.0, 0.5], [-1.0], [np.nan], [[0.0]], np.arange(61.0)])
def test_arrivals_that_are_refused(given):
    with pytest.raises(InputError, match="arrivals"):
        ServiceEnv(**SMALL).reset(options={"arrivals": given})


def test_given_arrivals_are_played():
    vector = ServiceVectorEnv(2, **SMALL)
    vector.reset(seed=0, options={"arrivals": [None, [0.1, 0.2]]})
    assert vector._episodes.queues.total[1] == 2
    assert vector._episodes.queues.arrival[1, :2].tolist() == [0.1, 0.2]
    assert vector._episodes.queues.total[0] > 2
    with pytest.raises(InputError, match="arrivals"):
        vector.reset(options={"arrivals": [None]})
