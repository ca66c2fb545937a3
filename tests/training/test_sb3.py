"""Stable-Baselines3: configurations, the machine-shared policy, runs that survive a kill."""

import csv
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

import torch

from dsct_gym.agents.stable import fit, load_stable, play
from dsct_gym.envs.game import Game
from dsct_gym.envs.sb3 import SchedulingVecEnv
from dsct_gym.errors import InputError
from dsct_gym.generator import generate
from dsct_gym.instance import Instance
from dsct_gym.plan import Plan, begin
from dsct_gym.training.config import Distribution, read_config, shipped_configs
from dsct_gym.training.held_out import draw_cases
from dsct_gym.training.run_folder import RunFolder
from dsct_gym.training.stable.config import Sb3Config
from dsct_gym.training.stable.held_out import StableHeldOut
from dsct_gym.training.stable.run import train_sb3
from dsct_gym.training.stable.settings import make_algorithm
from dsct_gym.training.start import check_config
from playing import ASSIGN, CONTINUOUS, JOINT, PLAN

torch.set_num_threads(1)

CONFIGS = [name for name in shipped_configs() if name.startswith(("sb3-", "plan-"))]
SMALL = Distribution(n=(6, 6), m=(2, 2))
# What makes a shipped configuration end within seconds.
QUICK = {"n_steps": 4, "batch_size": 8, "n_epochs": 1, "learning_starts": 8, "buffer_size": 200}


def quick(name: str, **changes: Any) -> Sb3Config:
    table = read_config(name)
    settings = {key: QUICK.get(key, value) for key, value in table["settings"].items()}
    table |= {"settings": settings, "envs": 4, "timesteps": 48, "evaluate_every": 24}
    table |= {"distribution": SMALL, "held_out": 2, "threads": 1} | changes
    checked = check_config(table, name)
    assert isinstance(checked, Sb3Config)
    return checked


def go_on(config: Sb3Config, folder: Path) -> float:
    kept = RunFolder(folder, config, resume=True)
    return train_sb3(config, kept, resume=True, trust_pickle=True, device="cpu")


def log(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_configurations_cover_algorithms_and_environments() -> None:
    checked = [check_config(read_config(name), name) for name in CONFIGS]
    trained = {(config.algorithm, config.policy) for config in checked}
    assert {("PPO", "shared"), ("MaskablePPO", "shared"), ("A2C", "shared")} <= trained
    assert {("PPO", "mlp"), ("DQN", "mlp"), ("SAC", "mlp"), ("TD3", "mlp")} <= trained
    shared = {config.env for config in checked if config.policy == "shared"}
    assert shared == {JOINT, ASSIGN, CONTINUOUS, PLAN}


@pytest.mark.parametrize("name", CONFIGS)
def test_shipped_configuration_trains(name: str, tmp_path: Path) -> None:
    config = quick(name)
    told = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        folder = RunFolder(tmp_path, config, resume=False)
        best = train_sb3(
            config,
            folder,
            resume=False,
            device="cpu",
            progress=lambda done, total, note: told.append((done, total)),
        )
    rows = log(tmp_path)
    assert int(rows[0]["step"]) == 0
    assert int(rows[-1]["step"]) >= 48
    assert best == max(float(row["mean"]) for row in rows)
    assert told
    assert all(done <= total == 48 for done, total in told)
    assert (tmp_path / "curve.png").stat().st_size > 0
    assert Game.of(load_stable(tmp_path / "policy.zip").policy).env_id == config.env
    assert (tmp_path / "policy.safetensors").exists() == config.exports


@pytest.mark.parametrize("name", ["sb3-maskable-ppo", "sb3-dqn"])
def test_killed_run_goes_on(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = quick(name)

    def kill(done: int, total: int, note: str) -> None:
        if done >= 36:
            raise KeyboardInterrupt

    monkeypatch.setattr("dsct_gym.training.stable.telling._EVERY", 0.0)
    folder = RunFolder(tmp_path, config, resume=False)
    with pytest.raises(KeyboardInterrupt):
        train_sb3(config, folder, resume=False, device="cpu", progress=kill)
    before = log(tmp_path)
    assert 0 < int(before[-1]["step"]) <= 36

    steps = []
    train_sb3(
        config,
        RunFolder(tmp_path, config, resume=True),
        resume=True,
        trust_pickle=True,
        device="cpu",
        progress=lambda done, total, note: steps.append(done),
    )
    after = log(tmp_path)
    assert steps[0] == int(before[-1]["step"]) + config.envs
    assert after[: len(before)] == before
    assert int(after[-1]["step"]) >= 48
    # A run that is over stays as it is.
    go_on(config, tmp_path)
    assert log(tmp_path) == after


def test_resumed_run_has_weights_optimizer_and_replay_but_new_instances(tmp_path: Path) -> None:
    from dsct_gym.training.stable import run

    config = quick("sb3-dqn")
    folder = RunFolder(tmp_path, config, resume=False)
    train_sb3(config, folder, resume=False, device="cpu")
    env = run._make_env(config)
    model = run._load(config, folder, env, "cpu")
    again = run._load(config, folder, env, "cpu")
    assert model.num_timesteps >= 48
    assert model.replay_buffer.size() * config.envs == model.num_timesteps
    assert model.policy.optimizer.state_dict()["state"]
    new = env.reset()
    fresh = run._make_env(config)
    fresh.seed(config.seed)
    assert not np.array_equal(fresh.reset()["tasks"], new["tasks"])
    for one, other in zip(model.policy.parameters(), again.policy.parameters(), strict=True):
        assert torch.equal(one, other)


def test_state_is_loaded_only_if_it_may_run_code(tmp_path: Path) -> None:
    """The zip of a stranger's run: it must not even be opened."""
    config = quick("sb3-a2c", timesteps=16)
    train_sb3(config, RunFolder(tmp_path, config, resume=False), resume=False, device="cpu")
    (tmp_path / "state.zip").write_bytes(b"not even opened")
    with pytest.raises(InputError, match="--trust-pickle"):
        train_sb3(config, RunFolder(tmp_path, config, resume=True), resume=True, device="cpu")


def test_damaged_state_is_told(tmp_path: Path) -> None:
    config = quick("sb3-a2c", timesteps=16)
    train_sb3(config, RunFolder(tmp_path, config, resume=False), resume=False, device="cpu")
    (tmp_path / "state.zip").write_bytes(b"broken")
    with pytest.raises(InputError, match=r"state\.zip: damaged"):
        go_on(config, tmp_path)


def test_patience_and_seconds_stop_a_run(tmp_path: Path) -> None:
    endless = {"timesteps": 10**9, "evaluate_every": 1}
    patient = quick("sb3-a2c", **endless, patience=3)
    train_sb3(patient, RunFolder(tmp_path / "a", patient, resume=False), resume=False, device="cpu")
    shares = [float(row["mean"]) for row in log(tmp_path / "a")]
    assert len(shares) == int(np.argmax(shares)) + 4
    short = quick("sb3-a2c", **endless, seconds=0.5)
    train_sb3(short, RunFolder(tmp_path / "b", short, resume=False), resume=False, device="cpu")
    assert 0.5 <= float(log(tmp_path / "b")[-1]["seconds"]) < 20.0


@pytest.mark.parametrize("policy", ["shared", "mlp"])
def test_rules_of_the_environment_are_those_of_training_and_evaluation(
    policy: str, tmp_path: Path
) -> None:
    for name, changes, rules in (
        ("a", {"env": ASSIGN}, {"compact": True}),
        ("b", {"env": PLAN}, {"order": "reverse", "passes": 2}),
    ):
        config = quick("sb3-a2c", policy=policy, rules=rules, **changes)
        train_sb3(
            config, RunFolder(tmp_path / name, config, resume=False), resume=False, device="cpu"
        )
        game = Game.of(load_stable(tmp_path / name / "policy.zip").policy)
        assert game.rules == rules
        assert not (tmp_path / name / "policy.safetensors").exists()


@pytest.mark.parametrize("env_id", [JOINT, ASSIGN])
def test_tasks_left_are_known_without_their_table(env_id: str) -> None:
    full, _ = shared_policy("PPO", env_id, n=(3, 9), m=2)
    compact, env = shared_policy("PPO", env_id, n=(3, 9), m=2, compact=True)
    twin = SchedulingVecEnv(env_id, 3, guidance=True, levels=4, n=(3, 9), m=2)
    env.seed(3)
    twin.seed(3)
    observation, seen = env.reset(), twin.reset()
    for _ in range(6):
        left = [
            policy.extract_features(policy.obs_to_tensor(shown)[0]).tasks_left
            for policy, shown in ((full, seen), (compact, observation))
        ]
        torch.testing.assert_close(left[1], left[0])
        (observation, *_), (seen, *_) = (each.step(np.zeros(3, dtype=int)) for each in (env, twin))


def test_shared_policy_trains_on_many_sizes(tmp_path: Path) -> None:
    config = quick(
        "sb3-maskable-ppo",
        distribution={"n": [4, 8], "m": [1, 3]},
        sizes=[[6, 2], [12, 4]],
    )
    train_sb3(config, RunFolder(tmp_path, config, resume=False), resume=False, device="cpu")
    assert {"6x2", "12x4", "mean"} <= set(log(tmp_path)[-1])


def test_stock_policy_trains_on_ranges_and_is_watched_on_smaller_sizes(tmp_path: Path) -> None:
    ranges = {"n": [4, 8], "m": [1, 3]}
    config = quick("sb3-ppo-mlp", distribution=ranges, sizes=[[8, 3], [5, 2]])
    train_sb3(config, RunFolder(tmp_path, config, resume=False), resume=False, device="cpu")
    assert {"8x3", "5x2", "mean"} <= set(log(tmp_path)[-1])
    assert Game.of(load_stable(tmp_path / "policy.zip").policy).padded


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": {"n_stepz": 3}}, "settings.n_stepz: PPO has no such setting"),
        ({"settings": {"n_steps": "many"}}, "settings.n_steps: Input should be a valid integer"),
        ({"settings": {"learning_rate": "1e-3"}}, "settings.learning_rate: must be a number"),
        ({"settings": {"learning_rate": [1e-3, -1.0]}}, "settings.learning_rate: must be a number"),
        ({"settings": {"device": "cpu"}}, "settings.device: PPO has no such setting"),
        (
            {"settings": {"policy_kwargs": {"net_arch": [8]}}},
            "settings.policy_kwargs.net_arch: the shared policy of PPO has no such setting",
        ),
        ({"algorithm": "DDPG"}, "algorithm: Input should be 'PPO'"),
        ({"env": "CartPole-v1"}, "env: no environment 'CartPole-v1', only DSCT-EA-v0, DSCT-EA"),
        ({"algorithm": "SAC"}, "env: SAC takes continuous actions only"),
        (
            {"algorithm": "SAC", "env": CONTINUOUS, "settings": {}},
            "policy: SAC has no shared policy, only mlp",
        ),
        ({"env": CONTINUOUS, "algorithm": "MaskablePPO"}, "env: MaskablePPO takes discrete"),
        ({"policy": "mlp", "sizes": [[10, 2]]}, "sizes: the mlp policy plays no other size"),
        (
            {"policy": "mlp", "sizes": [[51, 5]], "distribution": {"n": [20, 50], "m": [2, 5]}},
            "sizes: the mlp policy plays no larger size than (50, 5)",
        ),
        ({"rules": {"order": "edf"}}, "rules.order: DSCT-EA-Assign-v0 has only compact"),
        ({"rules": {"compact": True}, "env": PLAN}, f"rules.compact: {PLAN} has only order, pas"),
        ({"stepz": 3}, "stepz: Extra inputs are not permitted"),
    ],
)
def test_mistakes_are_one_line(changes: dict[str, Any], message: str) -> None:
    table = read_config("sb3-ppo") | changes
    with pytest.raises(InputError) as caught:
        check_config(table, "mine.toml")
    assert str(caught.value).startswith(f"mine.toml: {message}")
    assert "\n" not in str(caught.value)


def test_setting_out_of_range_is_told_before_training(tmp_path: Path) -> None:
    config = quick("sb3-ppo", settings={"batch_size": 1})
    with pytest.raises(InputError, match="settings: `batch_size` must be greater than 1"):
        train_sb3(config, RunFolder(tmp_path, config, resume=False), resume=False, device="cpu")


def shared_policy(algorithm: str, env_id: str, **options: Any) -> tuple[Any, SchedulingVecEnv]:
    """A policy whose weights are not small, and an environment in the middle of its episodes."""
    env = SchedulingVecEnv(env_id, 3, guidance=True, levels=4, **options)
    env.seed(3)
    policy = make_algorithm(algorithm, "shared", {}, env, seed=1, device="cpu").policy
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.normal_(0.0, 0.3, generator=generator)
    return policy, env


def permute(policy: Any, observation: dict[str, Any], order: list[int]) -> dict[str, Any]:
    """The observation with its machines in another order."""
    layout = Game.of(policy).layout
    machines = layout.tables(observation)["machines"][:, order]
    return {
        **observation,
        "machines": machines.reshape(machines.shape[0], -1),
        "machines_mask": observation["machines_mask"][:, order],
    }


@pytest.mark.parametrize(
    ("algorithm", "env_id"),
    [
        ("PPO", ASSIGN),
        ("A2C", JOINT),
        ("MaskablePPO", JOINT),
        ("PPO", CONTINUOUS),
        ("PPO", PLAN),
    ],
)
def test_shared_policy_is_equivariant_in_machines(algorithm: str, env_id: str) -> None:
    policy, env = shared_policy(algorithm, env_id, n=7, m=4)
    observation = env.reset()
    order = [2, 0, 3, 1]
    for _ in range(3):
        other = permute(policy, observation, order)
        shown, shown_other = (policy.obs_to_tensor(o)[0] for o in (observation, other))
        with torch.no_grad():
            torch.testing.assert_close(
                policy.predict_values(shown), policy.predict_values(shown_other)
            )
            played, played_other = (
                policy.get_distribution(o).distribution for o in (shown, shown_other)
            )
        name = "mean" if env_id == CONTINUOUS else "probs"
        one, permuted = getattr(played, name), getattr(played_other, name)
        levels = (one.shape[-1] - 1) // 4
        blocks = one[:, :-1].reshape(3, 4, levels)[:, order].reshape(3, -1)
        torch.testing.assert_close(permuted, torch.cat([blocks, one[:, -1:]], -1))
        assert one.std(-1).min() > 1e-3
        actions, _ = policy.predict(observation, deterministic=True)
        observation, *_ = env.step(actions)


def test_values_of_actions_are_equivariant_in_machines_and_blind_to_padding() -> None:
    policy, env = shared_policy("DQN", PLAN, n=7, m=4)
    observation, order = env.reset(), [2, 0, 3, 1]
    other = permute(policy, observation, order)
    with torch.no_grad():
        values, permuted = (
            policy.q_net(policy.obs_to_tensor(shown)[0]) for shown in (observation, other)
        )
    torch.testing.assert_close(permuted[:, :4], values[:, order])
    torch.testing.assert_close(permuted[:, 4], values[:, 4])
    assert values.std(-1).min() > 1e-3

    wide, instances = fit(policy, 9, 6), [generate(7, 4, seed=seed) for seed in range(3)]
    small, padded = (show(PLAN, instances, n=n, m=m) for n, m in ((7, 4), (9, 6)))
    with torch.no_grad():
        values = policy.q_net(policy.obs_to_tensor(small)[0])
        wider = wide.q_net(wide.obs_to_tensor(padded)[0])
    torch.testing.assert_close(wider[:, [0, 1, 2, 3, 6]], values)
    assert (wider[:, 4:6] < -1e6).all()


def test_shared_policy_obeys_masks() -> None:
    policy, env = shared_policy("MaskablePPO", JOINT, n=6, m=3, beta=0.1)
    observation = env.reset()
    forbidden = 0
    for _ in range(12):
        masks = env.action_masks()
        shown = policy.obs_to_tensor(observation)[0]
        with torch.no_grad():
            chances = policy.get_distribution(shown, masks).distribution.probs.numpy()
        assert (chances[~masks] == 0.0).all()
        assert chances.sum(-1) == pytest.approx(1.0)
        forbidden += int((~masks).sum())
        actions, _ = policy.predict(observation, action_masks=masks)
        assert masks[np.arange(3), actions].all()
        observation, *_ = env.step(actions)
    assert forbidden > 0


def show(env_id: str, instances: list[Instance], **size: int) -> dict[str, Any]:
    """The first observation of instances."""
    turn = iter(instances)
    env = SchedulingVecEnv(
        env_id,
        len(instances),
        guidance=True,
        levels=4,
        generator=lambda rng: next(turn),
        **size,
    )
    return env.reset()


@pytest.mark.parametrize(("algorithm", "env_id"), [("PPO", ASSIGN), ("MaskablePPO", JOINT)])
def test_padding_changes_nothing(algorithm: str, env_id: str) -> None:
    policy, _ = shared_policy(algorithm, env_id, n=6, m=2)
    wide = fit(policy, 9, 4)
    instances = [generate(6, 2, seed=seed) for seed in range(3)]
    small, padded = (show(env_id, instances, n=n, m=m) for n, m in ((6, 2), (9, 4)))
    with torch.no_grad():
        one, other = (
            player.get_distribution(player.obs_to_tensor(shown)[0]).distribution.probs
            for player, shown in ((policy, small), (wide, padded))
        )
        values = policy.predict_values(policy.obs_to_tensor(small)[0])
        wide_values = wide.predict_values(wide.obs_to_tensor(padded)[0])
    real = one.shape[-1] - 1
    torch.testing.assert_close(other[:, :real], one[:, :real])
    torch.testing.assert_close(other[:, -1], one[:, -1])
    assert (other[:, real:-1] == 0.0).all()
    torch.testing.assert_close(values, wide_values)


def test_a_pass_starts_where_the_share_closed_is_none() -> None:
    for case in draw_cases(SMALL, 8, 2, 3):
        plan = Plan.of(case.instance)
        begin(plan)
        base = float(case.instance.base_accuracy.sum())
        assert base + plan.gain == pytest.approx(case.first, rel=1e-12)
        assert case.best >= case.first


def test_share_closed_is_worked_out_from_total_accuracy() -> None:
    policy, _ = shared_policy("PPO", ASSIGN, n=6, m=2)
    held_out = StableHeldOut(SMALL, ((6, 2),), 4)
    shares = held_out.closed(policy)
    cases = held_out._cases[6, 2]
    totals = [
        schedule.total_accuracy for schedule in play(policy, [case.instance for case in cases])
    ]
    gap = sum(case.best - case.first for case in cases)
    assert shares["6x2"] == pytest.approx(sum(totals) / gap - sum(c.first for c in cases) / gap)
    assert shares["mean"] == shares["played"] == shares["6x2"]
    assert shares["accuracy"] == pytest.approx(np.mean(totals) / 6)
