"""PPO on services: discounts by time, rewards, the exported network, and runs that go on."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("stable_baselines3")

import torch
from stable_baselines3 import PPO

from dsct_gym.agents.rl_service import RlService
from dsct_gym.agents.serving.files import load_network
from dsct_gym.agents.serving.network import CLOCKS, INPUTS, SIZES, decide, new_desk
from dsct_gym.envs.service_view import Column
from dsct_gym.errors import InputError
from dsct_gym.random import spawn
from dsct_gym.training.serving.buffer import SemiMarkovBuffer
from dsct_gym.training.serving.config import ServiceConfig
from dsct_gym.training.serving.policy import ServicePolicy, export
from dsct_gym.training.serving.practice import KINDS, WINDOWS, draw_dense
from dsct_gym.training.serving.venv import DEAR, ServiceVecEnv
from dsct_gym.training.start import check_config, train

SMALL = {
    "method": "service-ppo",
    "gpus": ["M40"],
    "networks": ["alexnet"],
    "objectives": [6.0],
    "requests": 60,
    "envs": 2,
    "width": 4,
    "timesteps": 256,
    "evaluate_every": 128,
    "held_out": 1,
    "settings": {"n_steps": 32, "batch_size": 32, "n_epochs": 1},
}


@pytest.fixture
def services() -> ServiceVecEnv:
    return ServiceVecEnv(check_config(SMALL, "small"))


def test_what_comes_later_counts_less_by_the_time_until_then(services):
    """With λ = 1 a return is Σ γ^(time until then) r, and the value at the end likewise."""
    rng = np.random.default_rng(0)
    buffer = SemiMarkovBuffer(
        5, services.observation_space, services.action_space, gae_lambda=1.0, gamma=0.7, n_envs=2
    )
    buffer.watch(services)
    rewards, gaps = rng.normal(size=(5, 2)), rng.random((5, 2))
    seen, actions = np.zeros((2, INPUTS)), np.zeros((2, 2))
    for step in range(5):
        services.dt = gaps[step]
        begins = np.array([False, step == 3])
        value = torch.tensor(rng.normal(size=2))
        buffer.add(seen, actions, rewards[step].copy(), begins, value, torch.zeros(2))
    last = torch.tensor([2.0, 3.0])
    buffer.compute_returns_and_advantage(last, np.array([False, False]))
    passed = np.concatenate([np.zeros((1, 2)), np.cumsum(gaps, axis=0)])
    first = (0.7 ** passed[:5, 0] * rewards[:, 0]).sum() + 0.7 ** passed[5, 0] * 2.0
    assert buffer.returns[0, 0] == pytest.approx(first, rel=1e-5)
    # The other service's episode ends before the fourth step.
    second = (0.7 ** passed[:3, 1] * rewards[:3, 1]).sum()
    assert buffer.returns[0, 1] == pytest.approx(second, rel=1e-5)
    after = rewards[3, 1] + 0.7 ** gaps[3, 1] * rewards[4, 1] + 0.7 ** gaps[3:, 1].sum() * 3.0
    assert buffer.returns[3, 1] == pytest.approx(after, rel=1e-5)


def test_advantages_fade_by_the_time_until_then(services):
    """Σ (γ λ)^(time until then) δ, with δ of one step each."""
    rng = np.random.default_rng(1)
    buffer = SemiMarkovBuffer(
        4, services.observation_space, services.action_space, gae_lambda=0.6, gamma=0.7, n_envs=2
    )
    buffer.watch(services)
    rewards, gaps, values = rng.normal(size=(4, 2)), rng.random((4, 2)), rng.normal(size=(5, 2))
    seen, actions, no = np.zeros((2, INPUTS)), np.zeros((2, 2)), np.zeros(2, dtype=bool)
    for step in range(4):
        services.dt = gaps[step]
        value = torch.tensor(values[step])
        buffer.add(seen, actions, rewards[step].copy(), no, value, torch.zeros(2))
    buffer.compute_returns_and_advantage(torch.tensor(values[4]), no)
    change = rewards + 0.7**gaps * values[1:] - values[:4]
    passed = np.concatenate([np.zeros((1, 2)), np.cumsum(gaps, axis=0)[:-1]])
    assert buffer.advantages[0] == pytest.approx((0.42**passed * change).sum(axis=0), rel=1e-4)


def test_rewards_are_costs_beyond_what_must_be_spent(services):
    part = services._parts[0]
    services.reset()
    alone, idle = part.setting.alone, part.setting.costs.idle_power[0]
    sizes = np.arange(1, 65)[:, None]
    beyond = (part.setting.costs.whole_energy - idle * part.setting.costs.whole_time) / sizes
    rng, ended = np.random.default_rng(1), 0
    for _ in range(300):
        before = part.cards.busy_energy + part.cards.idle_energy
        come, late = part.queues.come.copy(), np.zeros(2)
        head, since, price = part.queues.head.copy(), part.cards.now.copy(), part.price.copy()
        actions = np.stack([rng.integers(1 + SIZES, size=2), rng.integers(CLOCKS, size=2)], axis=1)
        services.step_async(actions)
        _, rewards, dones, infos = services.step_wait()
        for row in range(2):
            if dones[row]:
                ended += 1
                assert infos[row]["TimeLimit.truncated"]
                continue
            served = slice(head[row], part.queues.head[row])
            late[row] = (part.queues.latency[row, served] > part.setting.objective).sum()
            energy = part.cards.busy_energy[row] + part.cards.idle_energy[row] - before[row]
            least = idle * (part.cards.now[row] - since[row])
            least += (part.queues.come[row] - come[row]) * beyond.min()
            cost = energy - least + price[row] * late[row]
            assert rewards[row] == pytest.approx(
                -0.1 * cost / (alone + price[row] / DEAR), rel=1e-4, abs=1e-6
            )
            gap = (part.cards.now[row] - since[row]) / part.setting.objective
            assert services.dt[row] == pytest.approx(gap)
    assert ended > 0


@pytest.mark.parametrize("kind", KINDS)
def test_practice_is_told_of_where_it_is_densest(kind):
    process = KINDS[kind](spawn(0, 3))
    plain = process.draw(2000.0, spawn(0, 4))
    dense = draw_dense(process, kind, 2000.0, spawn(0, 4))
    longer = dense[-1] / plain[-1]
    counts, _ = np.histogram(dense, WINDOWS, (0.0, longer))
    if kind == "poisson":
        assert longer == 1.0
    else:
        assert longer > 1.0
        assert counts.max() / (longer / WINDOWS) == pytest.approx(plain.size)


def test_the_exported_network_decides_as_the_policy(services):
    model = PPO(
        ServicePolicy, services, n_steps=8, batch_size=8, policy_kwargs={"width": 6}, device="cpu"
    )
    with torch.no_grad():
        for values in model.policy.parameters():
            values.add_(0.5 * torch.randn(values.shape))
    network = export(model.policy)
    desk = new_desk(network)
    seen = services.reset()
    different = set()
    for _ in range(50):
        seen[:, Column.OLDEST] = np.minimum(seen[:, Column.OLDEST], 0.9)
        actions, _ = model.policy.predict(seen, deterministic=True)
        for row in range(2):
            desk.seen[0] = seen[row]
            decide(network, desk)
            assert desk.action[0].tolist() == actions[row].tolist()
            different.add(tuple(actions[row]))
        services.step_async(np.random.default_rng(0).integers(0, 8, (2, 2)))
        seen = services.step_wait()[0]
    assert len(different) > 1


def test_a_run_leaves_a_network_and_goes_on(tmp_path: Path):
    config = tmp_path / "small.toml"
    text = [f"{name} = {value!r}" for name, value in SMALL.items() if name != "settings"]
    settings = ["[settings]", "n_steps = 32", "batch_size = 32", "n_epochs = 1"]
    config.write_text("\n".join([*text, *settings]).replace("'", '"'))
    whole = train(config, tmp_path / "run", device="cpu")
    assert np.isfinite(whole)
    log = (tmp_path / "run" / "log.csv").read_text().splitlines()
    assert [int(line.split(",")[0]) for line in log[1:]] == [0, 128, 256]
    assert load_network(tmp_path / "run" / "policy.safetensors").width == 4
    assert RlService(tmp_path / "run" / "policy.safetensors").name == "rl-service"
    assert train(config, tmp_path / "run", resume=True, device="cpu") == whole
    with pytest.raises(InputError, match="--resume"):
        train(config, tmp_path / "run", device="cpu")


def test_a_run_that_is_cut_short_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from dsct_gym.training.run_folder import RunFolder
    from dsct_gym.training.serving.run import train_service

    config = ServiceConfig.model_validate(SMALL)

    class Cut(Exception):
        pass

    def cut(done: int, total: int, note: str) -> None:
        if done > 200:
            raise Cut

    monkeypatch.setattr("dsct_gym.training.stable.telling._EVERY", 0.0)
    with pytest.raises(Cut):
        train_service(
            config,
            RunFolder(tmp_path, config, resume=False),
            resume=False,
            device="cpu",
            progress=cut,
        )
    folder = RunFolder(tmp_path, config, resume=True)
    assert [int(row["step"]) for row in folder.rows] == [0, 128]
    train_service(config, folder, resume=True, device="cpu")
    assert [int(row["step"]) for row in folder.rows] == [0, 128, 256]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"gpus": ["x"]}, "small: no GPU"),
        ({"networks": ["x"]}, "network"),
        ({"discount": 1.0}, "discount"),
        ({"settings": {"gamma": 0.9}}, "settings.gamma"),
        ({"settings": {"steps": 0.9}}, "settings.steps"),
    ],
)
def test_what_is_refused(change, line):
    with pytest.raises(InputError, match=line):
        check_config(SMALL | change, "small")
