"""`rl-service`: its network in NumPy, its files, and that it plays what the environment plays."""

import numpy as np
import pytest

from dsct_gym.agents.rl_service import Asked, RlService, known_setting, some_clocks
from dsct_gym.agents.serving.files import SHIPPED, load_network, save_network
from dsct_gym.agents.serving.network import (
    CLOCKS,
    INPUTS,
    PATIENCE,
    SIZES,
    Network,
    decide,
    new_desk,
    shapes,
)
from dsct_gym.envs.service import ServiceEnv
from dsct_gym.envs.service_view import FIXED, Column, PerClock
from dsct_gym.errors import InputError
from dsct_gym.serving.agent import Situation, make_agent
from dsct_gym.serving.service import serve
from dsct_gym.serving.table import batch_time
from dsct_gym.serving.toy import affine_table

TABLE = affine_table(largest_batch=64, compute=(1.0, 0.2), clocks=tuple(range(700, 1500, 100)))


def draw(width: int = 5, seed: int = 0) -> Network:
    rng = np.random.default_rng(seed)
    return Network(
        **{name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes(width).items()}
    )


def scores_of(network: Network, seen: np.ndarray) -> np.ndarray:
    told = seen[FIXED + PerClock.TOLD * CLOCKS : FIXED + (PerClock.TOLD + 1) * CLOCKS]
    hidden = np.tanh(seen @ network.first + network.bias1)
    hidden = np.tanh(hidden @ network.second + network.bias2)
    return hidden @ network.last + told @ network.keep + network.bias3


def situation_of(table=TABLE, load_seconds=2e-3, seed=0, count=3000) -> Situation:
    rng = np.random.default_rng(seed)
    moments = np.cumsum(-np.log1p(-rng.random(count))) * load_seconds
    return Situation(table, 6.0 * float(batch_time(table)[0, -1]), moments, 1e-3)


def test_scores_worked_out_in_numpy():
    network, rng = draw(), np.random.default_rng(3)
    desk = new_desk(network)
    for _ in range(200):
        seen = rng.random(INPUTS).astype(np.float32)
        told = np.zeros(CLOCKS)
        told[rng.integers(CLOCKS)] = 1.0
        seen[FIXED + PerClock.TOLD * CLOCKS :][:CLOCKS] = told
        desk.seen[0] = seen
        decide(network, desk)
        scores = scores_of(network, seen)
        assert desk.scores == pytest.approx(scores, abs=1e-4)
        best = [scores[: 1 + SIZES].argmax(), scores[1 + SIZES :].argmax()]
        assert desk.action[0].tolist() == best


def test_who_has_waited_too_long_is_started():
    network = draw()
    network.bias3[0] = 1e6  # wait for ever
    desk = new_desk(network)
    decide(network, desk)
    assert desk.action[0, 0] == 0
    desk.seen[0, Column.OLDEST] = PATIENCE
    decide(network, desk)
    assert desk.action[0].tolist() == [SIZES, CLOCKS - 1]


def test_it_plays_what_the_environment_plays():
    """Greedy decisions in the environment, one by one, give the same outcome."""
    network, situation = draw(seed=2), situation_of(count=300)
    known = known_setting(situation)
    env = ServiceEnv(table=TABLE, objective=6.0, latency=1e-3, price=2.0, requests=300)
    observation, _ = env.reset(options={"arrivals": situation.sample})
    done = False
    while not done:
        scores = scores_of(network, observation)
        batch, clock = scores[: 1 + SIZES].argmax(), scores[1 + SIZES :].argmax()
        if observation[Column.OLDEST] >= PATIENCE:
            batch, clock = SIZES, CLOCKS - 1
        observation, _, done, _, info = env.step(np.array([batch, clock]))
    asked = Asked(network, known, 2.0 / known.alone)
    assert asked.play(TABLE, situation.sample).summary() == pytest.approx(info["outcome"])
    assert serve(TABLE, asked, situation.sample, 1.0).summary()["mean_latency"] == pytest.approx(
        info["outcome"]["mean_latency"]
    )


@pytest.mark.parametrize("clocks", [(1000.0,), (600.0, 900.0, 1400.0), tuple(range(500, 1500, 50))])
def test_any_number_of_clocks_will_do(clocks):
    table = affine_table(largest_batch=8, clocks=clocks)
    few = some_clocks(table)
    assert few.time.shape[2] == CLOCKS
    assert (few.clocks[0], few.clocks[-1]) == (clocks[0], clocks[-1])
    situation = situation_of(table, count=200)
    outcome = RlService().serve(situation, table, situation.sample)
    assert outcome.requests == 200


def test_the_shipped_network_serves_within_the_objective_for_less_than_the_highest_clock():
    situation, later = situation_of(load_seconds=4e-3), situation_of(load_seconds=4e-3, seed=1)
    told: list[float] = []
    agent = make_agent("rl-service")
    found = agent.serve(situation, TABLE, later.sample, told.append)
    other = make_agent("fmax-greedy").serve(situation, TABLE, later.sample)
    assert found.violations <= 0.02
    assert found.energy_per_request < 0.95 * other.energy_per_request
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_files(tmp_path):
    network, path = draw(), tmp_path / "policy.safetensors"
    save_network(path, network, {"steps": 3})
    for kept, given in zip(load_network(path), network, strict=True):
        assert np.array_equal(kept, given)
    assert SHIPPED.stat().st_size < 50_000
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match="not a policy"):
        RlService(path)
    with pytest.raises(InputError, match="cannot be read"):
        RlService(tmp_path / "nothing")
    save_network(path, network._replace(bias1=np.full(5, np.nan, dtype=np.float32)), {})
    with pytest.raises(InputError, match="bias1: holds numbers that are not finite"):
        RlService(path)
    save_network(path, network._replace(second=np.zeros((5, 4), dtype=np.float32)), {})
    with pytest.raises(InputError, match=r"second: F32 \(5, 4\)"):
        RlService(path)
    with pytest.raises(InputError, match="format"):
        RlService(SHIPPED.parent / "policy.safetensors")
