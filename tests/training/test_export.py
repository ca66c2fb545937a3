"""Agents of Stable-Baselines3 as checkpoints: the same decisions, without torch."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

import torch

from dsct_gym.agents.checkpoint import load_policy, save_policy
from dsct_gym.agents.network import Scratch
from dsct_gym.agents.rollout import play_greedily, rate
from dsct_gym.agents.stable import fit, load_stable
from dsct_gym.benchmark.evaluation import size_group
from dsct_gym.cli import run
from dsct_gym.envs.sb3 import SchedulingVecEnv
from dsct_gym.errors import InputError
from dsct_gym.generator import generate
from dsct_gym.instance import Instance
from dsct_gym.plan import Plan, begin, decide
from dsct_gym.solver import make_solver
from dsct_gym.training.stable.export import export_network, export_policy
from dsct_gym.training.stable.settings import make_algorithm
from playing import ASSIGN, PLAN

torch.set_num_threads(1)

ALGORITHMS = ["PPO", "A2C", "MaskablePPO", "DQN"]
SIZES = [(1, 1), (7, 3), (40, 5), (12, 9)]


def agent(algorithm: str, env_id: str = PLAN, policy: str = "shared", **options: Any) -> Any:
    """An agent with weights that make of every small difference another decision."""
    env = SchedulingVecEnv(env_id, 2, n=8, m=2, **options)
    made = make_algorithm(algorithm, policy, {}, env, seed=1, device="cpu")
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in made.policy.parameters():
            parameter.normal_(0.0, 0.3, generator=generator)
    return made


def played(policy: Any, instance: Instance) -> tuple[list[int], Any]:
    """Greedy decisions in the environment, and what it tells at the end."""
    fitted = fit(policy, instance.num_tasks, instance.num_machines)
    env = gymnasium.make(PLAN, instance=instance)
    observation, info = env.reset()
    actions, over = [], False
    while not over:
        action, _ = fitted.predict(observation, deterministic=True)
        actions.append(int(action))
        observation, _, over, _, info = env.step(action)
    return actions, info


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_decisions_are_those_of_the_agent(algorithm: str, tmp_path: Path) -> None:
    made = agent(algorithm)
    export_policy(made, tmp_path / "policy.safetensors", {"seed": 1})
    network, header = load_policy(tmp_path / "policy.safetensors")
    assert header.training == {"seed": 1}
    chosen: set[int] = set()
    for n, m in SIZES:
        instance = generate(n, m, mu=10.0, seed=n)
        actions, info = played(made.policy, instance)
        plan, scratch = Plan.of(instance), Scratch.empty(network, m)
        begin(plan)
        for rank, action in enumerate(actions):
            rate(network, scratch, plan, rank)
            assert int(scratch.score.argmax()) == action
            decide(plan, rank, action if action < m else -1)
        moved = [action for action in actions if action < m]
        chosen |= set(moved)
        begin(plan)
        play_greedily(network, scratch, plan, 0, n)
        base = float(instance.base_accuracy.sum())
        assert base + plan.gain == pytest.approx(n * info["mean_accuracy"], rel=1e-12)
    assert len(chosen) > 3  # so that there is something to be the same


def test_scores_are_the_logits(tmp_path: Path) -> None:
    made = agent("PPO")
    network = export_network(made.policy)
    instance = generate(8, 2, seed=5)
    plan, scratch = Plan.of(instance), Scratch.empty(network, 2)
    begin(plan)
    observation, _ = gymnasium.make(PLAN, instance=instance).reset()
    with torch.no_grad():
        shown = made.policy.obs_to_tensor(observation)[0]
        logits = made.policy.get_distribution(shown).distribution.logits[0].numpy()
    rate(network, scratch, plan, 0)
    # A distribution keeps its logits less the logarithm of their sum.
    differences = scratch.score - logits
    assert np.ptp(differences) < 1e-5
    assert np.ptp(logits) > 0.1


def test_what_a_checkpoint_cannot_say_is_refused() -> None:
    for made, message in (
        (agent("PPO", ASSIGN), "policy: trained on DSCT-EA-Assign-v0"),
        (agent("PPO", PLAN, "mlp"), "policy: not the shared network"),
        (agent("DQN", PLAN, "mlp"), "policy: not the shared network"),
        (agent("PPO", order="reverse"), "policy: trained with order='reverse'"),
        (agent("PPO", passes=2), "policy: trained with passes=2"),
    ):
        with pytest.raises(InputError, match=message):
            export_network(made.policy)


CONFIG = """
method = "sb3"
algorithm = "PPO"
env = "DSCT-EA-Plan-v0"
policy = "shared"
envs = 4
timesteps = 96
evaluate_every = 48
held_out = 2
threads = 1

[distribution]
n = [6, 6]
m = [2, 2]

[settings]
n_steps = 6
batch_size = 12
learning_rate = 1e-2
"""


def test_train_leaves_a_checkpoint_that_is_evaluated_without_torch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.toml").write_text(CONFIG)
    folder = tmp_path / "run"
    assert run(["train", "--config", str(tmp_path / "mine.toml"), "-o", str(folder)]) == 0
    checkpoint = folder / "policy.safetensors"
    network, header = load_policy(checkpoint)
    kept = export_network(load_stable(folder / "policy.zip").policy)
    for array, same in zip(network, kept, strict=True):
        assert np.array_equal(array, same)
    assert header.training["config"]["algorithm"] == "PPO"
    assert header.training["steps"] <= 96
    assert make_solver("rl", checkpoint=checkpoint).solve(generate(9, 4, seed=0)).schedule.verify()
    words = ["evaluate", str(checkpoint), "--size", "9x3", "--count", "2", "--reference-moves", "9"]
    code = (
        "import sys; from dsct_gym.cli import run; status = run("
        f"{words!r}); sys.exit(status or 'torch' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "rl-greedy" in told.stdout


def test_evaluated_is_what_was_earned_in_the_environment(tmp_path: Path) -> None:
    """`rl-greedy` with an exported agent scores what the agent earned in the environment."""
    made = agent("PPO")
    save_policy(tmp_path / "policy.safetensors", export_network(made.policy))
    solver = make_solver("rl-greedy", checkpoint=tmp_path / "policy.safetensors")
    refined = make_solver("approx-refined")
    for instance in size_group("10x3", 3, 0).instances.values():
        _, info = played(made.policy, instance)
        earned = max(
            info["schedule"].total_accuracy, refined.solve(instance).schedule.total_accuracy
        )
        assert solver.solve(instance).schedule.total_accuracy == pytest.approx(earned, rel=1e-12)
