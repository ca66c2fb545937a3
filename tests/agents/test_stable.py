"""Agents of Stable-Baselines3: trust, what is refused, what is played."""

import json
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

import torch
from sb3_contrib import MaskablePPO, RecurrentPPO
from stable_baselines3 import A2C, DQN, PPO, SAC, TD3
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize

from dsct_gym import training
from dsct_gym.agents.stable import Sb3Agent, load_stable, play
from dsct_gym.allocation import allocate
from dsct_gym.envs.game import Game
from dsct_gym.envs.sb3 import SchedulingVecEnv
from dsct_gym.errors import InputError
from dsct_gym.generator import generate
from dsct_gym.instance import Instance
from dsct_gym.solver import make_solver
from dsct_gym.suites.suite import load_suite
from dsct_gym.training.stable.policy import MaskableSharedPolicy, SharedPolicy
from playing import ARRIVING, ASSIGN, CONTINUOUS, IDS, JOINT, PLAN

torch.set_num_threads(1)

STOCK = "MultiInputPolicy"


def save(path: Path, algorithm: Any, env_id: str, policy: Any = STOCK, **options: Any) -> Any:
    """An untrained agent for six tasks on two machines, saved; also its algorithm."""
    env = SchedulingVecEnv(env_id, 2, n=6, m=2, **options)
    agent = algorithm(policy, env, seed=0, device="cpu")
    agent.save(path)
    return agent


@pytest.mark.parametrize(
    ("algorithm", "env_id", "policy"),
    [
        (PPO, JOINT, STOCK),
        (A2C, ASSIGN, STOCK),
        (DQN, ASSIGN, STOCK),
        (MaskablePPO, JOINT, STOCK),
        (SAC, CONTINUOUS, STOCK),
        (TD3, CONTINUOUS, STOCK),
        (PPO, ASSIGN, SharedPolicy),
        (MaskablePPO, JOINT, MaskableSharedPolicy),
    ],
)
def test_agent_plays_as_its_algorithm_would(
    algorithm: Any, env_id: str, policy: Any, tmp_path: Path
) -> None:
    guided = policy is not STOCK
    agent = save(tmp_path / "agent.zip", algorithm, env_id, policy, guidance=guided)
    instance = generate(6, 2, seed=4)
    env = gymnasium.make(env_id, n=6, m=2, guidance=guided)
    observation, info = env.reset(options={"instance": instance})
    over = False
    while not over:
        masks = {"action_masks": env.unwrapped.action_masks()} if algorithm is MaskablePPO else {}
        action, _ = agent.predict(observation, deterministic=True, **masks)
        observation, _, over, _, info = env.step(action)
    solver = Sb3Agent(tmp_path / "agent.zip", trust_pickle=True)
    schedule = solver.solve(instance).schedule
    assert np.array_equal(schedule.machine, allocate(instance, info["schedule"].machine).machine)
    assert schedule.total_accuracy >= info["schedule"].total_accuracy - 1e-12
    assert schedule.solver == "sb3"


@pytest.mark.parametrize(
    ("algorithm", "env_id", "policy"),
    [
        (PPO, ASSIGN, SharedPolicy),
        (PPO, CONTINUOUS, SharedPolicy),
        (MaskablePPO, JOINT, MaskableSharedPolicy),
    ],
)
def test_shared_network_plays_any_size(
    algorithm: Any, env_id: str, policy: Any, tmp_path: Path
) -> None:
    save(tmp_path / "agent.zip", algorithm, env_id, policy, guidance=True)
    solver = Sb3Agent(tmp_path / "agent.zip", trust_pickle=True)
    for n, m in ((1, 1), (6, 2), (13, 5)):
        assert solver.solve(generate(n, m, seed=0)).schedule.verify()


def test_agent_is_found_as_a_solver(tmp_path: Path) -> None:
    save(tmp_path / "agent.zip", PPO, ASSIGN)
    solver = make_solver(
        "dsct_gym.agents.stable:Sb3Agent", path=str(tmp_path / "agent.zip"), trust_pickle=True
    )
    assert solver.solve(generate(6, 2, seed=1)).schedule.verify()


def test_network_of_an_earlier_version_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its module was once `training.sb3_policy`, which the pickle in the file names."""
    with monkeypatch.context() as earlier:
        earlier.setattr(SharedPolicy, "__module__", "training.sb3_policy")
        earlier.setitem(sys.modules, "training", training)
        earlier.setitem(sys.modules, "training.sb3_policy", training.stable.policy)
        save(tmp_path / "agent.zip", PPO, ASSIGN, SharedPolicy)
    assert "training" not in sys.modules
    solver = Sb3Agent(tmp_path / "agent.zip", trust_pickle=True)
    assert solver.solve(generate(6, 2, seed=1)).schedule.verify()
    assert "training" not in sys.modules


def test_pickle_is_refused_unless_it_is_trusted(tmp_path: Path) -> None:
    """A stranger's file must not run its code: not without the flag."""
    ran = tmp_path / "ran"

    class Malicious:
        def __reduce__(self) -> Any:
            return (Path.touch, (ran,))

    import base64

    path = tmp_path / "agent.zip"
    payload = base64.b64encode(pickle.dumps(Malicious())).decode()
    data = {"policy_class": {":type:": "x", ":serialized:": payload}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data", json.dumps(data))
    for trust in (False, None, "no", 1):
        with pytest.raises(InputError, match=r"pickles: loading one runs .* --trust-pickle"):
            Sb3Agent(path, trust_pickle=trust)
    assert not ran.exists()
    with pytest.raises(InputError, match="not an agent of Stable-Baselines3"):
        Sb3Agent(path, trust_pickle=True)
    assert ran.exists()  # so the file is as bad as it is meant to be


@pytest.mark.parametrize("size", [(5, 2), (7, 2), (6, 1), (6, 3)])
def test_stock_agent_refuses_another_size(size: tuple[int, int], tmp_path: Path) -> None:
    save(tmp_path / "agent.zip", PPO, ASSIGN)
    solver = Sb3Agent(tmp_path / "agent.zip", trust_pickle=True)
    message = rf"instance: {size[0]} tasks on {size[1]} machines, .* trained for 6 on 2"
    with pytest.raises(InputError, match=message):
        solver.solve(generate(*size, seed=0))


RANGES: dict[str, Any] = {"n": (3, 6), "m": (1, 3)}


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("named", [False, True])
def test_agent_trained_on_ranges_plays_smaller_instances(
    env_id: str, named: bool, tmp_path: Path
) -> None:
    """Where the range is of a scenario, and where it says what a generator of one's own draws."""
    options: dict[str, Any] = dict(RANGES)
    if named:
        options["generator"] = lambda rng: generate(4, 2, seed=int(rng.integers(9)))
    agent = PPO(STOCK, SchedulingVecEnv(env_id, 2, **options), seed=0, device="cpu")
    loud(agent)
    agent.save(tmp_path / "agent.zip")
    solver = Sb3Agent(tmp_path / "agent.zip", trust_pickle=True)
    for n, m in ((6, 3), (4, 2), (6, 1), (1, 1)):
        instance = generate(n, m, seed=n)
        env = gymnasium.make(env_id, **RANGES)
        observation, info = env.reset(options={"instance": instance})
        over = False
        while not over:
            action, _ = agent.predict(observation, deterministic=True)
            observation, _, over, _, info = env.step(action)
        expected = allocate(instance, info["schedule"].machine).machine
        assert np.array_equal(solver.solve(instance).schedule.machine, expected)
    # What is seen of tasks that arrive is as large for any number of them.
    for n, m in ((6, 4),) if env_id in ARRIVING else ((7, 3), (6, 4)):
        with pytest.raises(InputError, match="plays no larger size"):
            solver.solve(generate(n, m))


def test_a_batch_tells_what_is_known_of_a_suite() -> None:
    known = load_suite("tiny")
    env = SchedulingVecEnv(ASSIGN, 2, n=12, m=4)
    env.set_options([{"instance": known[1]}, {"instance": generate(known[1].num_tasks, 2)}])
    env.reset()
    over = np.zeros(2, dtype=bool)
    while not over.any():
        _, _, over, infos = env.step(np.zeros(2, dtype=int))
    assert infos[0]["reference"] == known.references[1].mean_accuracy
    assert "reference" not in infos[1]
    assert env.metadata["autoreset_mode"].value == "SameStep"


def test_only_what_is_known_to_be_padded_says_so() -> None:
    def padded(**options: Any) -> bool:
        return Game.of(SchedulingVecEnv(ASSIGN, 1, **options)).padded

    def draw(rng: np.random.Generator) -> Instance:
        return generate(4, 2, seed=int(rng.integers(9)))

    assert padded(n=(3, 6), m=2)
    assert padded(n=3, m=(1, 2), devices="T4,V100")
    assert padded(n=(3, 6), m=2, pool=3)
    assert padded(pool=[generate(3, 2), generate(4, 2)])
    assert not padded(n=6, m=2)
    assert not padded(n=(6, 6), m=2)
    assert not padded(pool=[generate(3, 2), generate(3, 2, seed=1)])
    assert not padded(generator=draw, n=6, m=3)
    assert not Game.of(SchedulingVecEnv(ASSIGN, 1, n=(3, 6), m=2)).resized(6, 2).padded


def test_what_is_no_agent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        Sb3Agent(tmp_path / "missing.zip", trust_pickle=True)
    (tmp_path / "text.zip").write_text("text")
    with pytest.raises(InputError, match="not an agent of Stable-Baselines3"):
        Sb3Agent(tmp_path / "text.zip", trust_pickle=True)
    PPO("MlpPolicy", gymnasium.make("CartPole-v1"), device="cpu").save(tmp_path / "pole.zip")
    with pytest.raises(InputError, match="observation space: not trained on an environment"):
        Sb3Agent(tmp_path / "pole.zip", trust_pickle=True)


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("guidance", [False, True])
@pytest.mark.parametrize("levels", [1, 7])
def test_observation_space_carries_the_game(env_id: str, guidance: bool, levels: int) -> None:
    env = SchedulingVecEnv(env_id, 1, n=6, m=3, guidance=guidance, levels=levels)
    game = Game.of(env)
    assert game.env_id == env_id
    assert game.layout == env.batch.layout
    assert game.levels == (0 if env_id in (ASSIGN, CONTINUOUS, PLAN) else levels)
    other = SchedulingVecEnv(env_id, 1, n=4, m=2, guidance=guidance, levels=levels)
    # Of tasks that arrive there may be more than are expected.
    tasks = other.batch.layout.max_tasks
    assert tasks == 4 or env_id in ARRIVING
    assert Game.of(other) == game.resized(tasks, 2)
    assert Game.of(game.resized(tasks, 2)) == Game.of(other)


@pytest.mark.parametrize("env_id", [JOINT, ASSIGN, CONTINUOUS])
@pytest.mark.parametrize("guidance", [False, True])
def test_game_of_earlier_files_follows_from_the_spaces(env_id: str, guidance: bool) -> None:
    env = SchedulingVecEnv(env_id, 1, n=6, m=3, guidance=guidance, levels=7)
    told = Game.of(env)
    del env.observation_space.dsct_gym
    assert Game.of(env) == told


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("env_id", [JOINT, ASSIGN])
def test_file_tells_the_game_without_running_code(
    env_id: str, wrapped: bool, tmp_path: Path
) -> None:
    """Machine and one level only, and the machine only, have the same spaces."""
    options: dict[str, Any] = {"n": 6, "m": 2, "levels": 1, "guidance": True}
    env = (
        VecNormalize(VecMonitor(DummyVecEnv([lambda: gymnasium.make(env_id, **options)])))
        if wrapped
        else SchedulingVecEnv(env_id, 2, **options)
    )
    PPO(STOCK, env, device="cpu").save(tmp_path / "agent.zip")
    data = json.loads(zipfile.ZipFile(tmp_path / "agent.zip").read("data"))
    assert data["observation_space"]["dsct_gym"] == {
        "id": env_id,
        "max_tasks": 6,
        "max_machines": 2,
        "guidance": True,
        "levels": 1 if env_id == JOINT else 0,
    }
    assert Game.of(load_stable(tmp_path / "agent.zip").policy).env_id == env_id


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "DSCT-EA-Other-v0"}, "trained on 'DSCT-EA-Other-v0', which is not known here"),
        ({"id": CONTINUOUS}, f"not the one of {CONTINUOUS} that it says it is"),
        ({"max_tasks": 7}, f"not the one of {JOINT} that it says it is"),
        ({"levels": 3}, f"not the one of {JOINT} that it says it is"),
        ({"levels": "3"}, "not trained on an environment"),
        ({"id": ["x"]}, "not trained on an environment"),
        (None, "not trained on an environment"),
    ],
)
def test_game_that_is_not_that_of_the_spaces_is_refused(
    change: dict[str, Any] | None, message: str
) -> None:
    env = SchedulingVecEnv(JOINT, 1, n=6, m=3)
    space = env.observation_space
    space.dsct_gym = "text" if change is None else space.dsct_gym | change
    with pytest.raises(InputError, match=f"observation space: {message}"):
        Game.of(env)


def normalised(folder: Path, steps: int = 64, **options: Any) -> tuple[Any, VecNormalize]:
    """An agent trained behind VecNormalize, saved without its statistics; also these."""
    env = VecNormalize(SchedulingVecEnv(ASSIGN, 4, n=6, m=2), **options)
    agent = PPO(STOCK, env, n_steps=16, batch_size=32, n_epochs=1, seed=0, device="cpu")
    agent.learn(steps)
    loud(agent)
    agent.save(folder / "agent.zip")
    return agent, env


def loud(agent: Any) -> None:
    """Weights that make of every small difference another action."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in agent.policy.parameters():
            parameter.normal_(0.0, 1.0, generator=generator)


def played_by(agent: Any, env: Any, instance: Instance) -> list[int]:
    """The machines that an agent chooses in its own environment, step by step."""
    env.training = False
    env.venv.set_options({"instance": instance})
    observation, state, start = env.reset(), None, np.ones(env.num_envs, dtype=bool)
    while True:
        actions, state = agent.predict(observation, state, start, deterministic=True)
        observation, _, start, infos = env.step(actions)
        if start.all():
            return infos[0]["schedule"].machine.tolist()


CASES = [generate(6, 2, seed=seed) for seed in range(6)]


@pytest.mark.parametrize("where", ["option", "vecnormalize.pkl", f"{ASSIGN}/vecnormalize.pkl"])
def test_agent_sees_through_its_statistics(where: str, tmp_path: Path) -> None:
    agent, env = normalised(tmp_path)
    given = tmp_path / ("elsewhere.pkl" if where == "option" else where)
    given.parent.mkdir(exist_ok=True)
    env.save(str(given))
    named = {"vecnormalize": given} if where == "option" else {}
    solver = Sb3Agent(tmp_path / "agent.zip", trust_pickle=True, **named)
    played = [solver.solve(instance).schedule.machine.tolist() for instance in CASES]
    expected = [played_by(agent, env, instance) for instance in CASES]
    assert played == [
        allocate(instance, np.array(machines)).machine.tolist()
        for instance, machines in zip(CASES, expected, strict=True)
    ]
    blind = [play(agent.policy, [instance])[0].machine.tolist() for instance in CASES]
    assert expected != blind


def test_statistics_of_a_checkpoint_are_its_own(tmp_path: Path) -> None:
    _, env = normalised(tmp_path)
    (tmp_path / "agent.zip").rename(tmp_path / "rl_model_64_steps.zip")
    env.save(str(tmp_path / "rl_model_vecnormalize_64_steps.pkl"))
    (tmp_path / "vecnormalize.pkl").write_bytes(b"of another")
    found = load_stable(tmp_path / "rl_model_64_steps.zip").statistics
    assert np.array_equal(found.obs_rms["tasks"].mean, env.obs_rms["tasks"].mean)


def test_agent_that_misses_its_statistics_is_refused(tmp_path: Path) -> None:
    """Scored without, it plays like a random one."""
    normalised(tmp_path)
    with pytest.raises(InputError, match=r"agent\.zip: trained on other observations .*vecnorm"):
        Sb3Agent(tmp_path / "agent.zip", trust_pickle=True)
    rewards = tmp_path / "rewards.pkl"
    VecNormalize(SchedulingVecEnv(ASSIGN, 1, n=6, m=2), norm_obs=False).save(str(rewards))
    with pytest.raises(InputError, match="trained on other observations"):
        Sb3Agent(tmp_path / "agent.zip", trust_pickle=True, vecnormalize=rewards)


def test_statistics_of_rewards_alone_are_not_missed(tmp_path: Path) -> None:
    agent, env = normalised(tmp_path, norm_obs=False)
    (tmp_path / "vecnormalize.pkl").write_bytes(b"of another")
    solver = Sb3Agent(tmp_path / "agent.zip", trust_pickle=True)
    for instance in CASES:
        machine = solver.solve(instance).schedule.machine
        chosen = np.array(played_by(agent, env, instance))
        assert np.array_equal(machine, allocate(instance, chosen).machine)


def test_statistics_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    normalised(tmp_path)
    zip_file, file = tmp_path / "agent.zip", tmp_path / "other.pkl"
    for content, message in (
        (None, "no such file"),
        (b"", "cannot be loaded"),
        (pickle.dumps([1]), "no statistics of VecNormalize"),
        (pickle.dumps(VecNormalize(SchedulingVecEnv(ASSIGN, 1, n=7, m=2))), "of other observati"),
        (
            pickle.dumps(VecNormalize(SchedulingVecEnv(ASSIGN, 1, n=6, m=2, guidance=True))),
            "of other observati",
        ),
    ):
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(InputError, match=rf"other\.pkl: .*{message}"):
            Sb3Agent(zip_file, trust_pickle=True, vecnormalize=file)
    with pytest.raises(InputError, match="pickles"):
        Sb3Agent(zip_file, vecnormalize=file)


def test_statistics_are_for_one_size(tmp_path: Path) -> None:
    env = VecNormalize(SchedulingVecEnv(ASSIGN, 2, n=6, m=2, guidance=True))
    agent = PPO(SharedPolicy, env, n_steps=4, batch_size=8, n_epochs=1, device="cpu")
    agent.learn(8)
    agent.save(tmp_path / "agent.zip")
    env.save(str(tmp_path / "vecnormalize.pkl"))
    solver = Sb3Agent(tmp_path / "agent.zip", trust_pickle=True)
    assert solver.solve(CASES[0]).schedule.verify()
    with pytest.raises(InputError, match="instance: 7 tasks on 2 machines, but the statistics"):
        solver.solve(generate(7, 2))


def test_recurrent_agent_remembers(tmp_path: Path) -> None:
    env = SchedulingVecEnv(ASSIGN, 1, n=6, m=2)
    agent = RecurrentPPO("MultiInputLstmPolicy", env, seed=0, device="cpu")
    loud(agent)
    agent.save(tmp_path / "agent.zip")
    solver = Sb3Agent(tmp_path / "agent.zip", trust_pickle=True)
    forgetful = 0
    for instance in CASES:
        env.set_options({"instance": instance})
        observation, state, start = env.reset(), None, np.ones(1, dtype=bool)
        forgotten = []
        for _ in range(6):
            actions, state = agent.predict(observation, state, start, deterministic=True)
            forgotten.append(agent.predict(observation, deterministic=True)[0][0] != actions[0])
            observation, _, start, infos = env.step(actions)
        chosen = infos[0]["schedule"].machine
        machine = solver.solve(instance).schedule.machine
        assert np.array_equal(machine, allocate(instance, chosen).machine)
        forgetful += any(forgotten)
    assert forgetful > 0  # so that memory makes a difference


def test_memory_of_each_episode_is_its_own(tmp_path: Path) -> None:
    """Episodes of different lengths in one batch: an early end must not disturb the others."""
    env = SchedulingVecEnv(ASSIGN, 1, n=6, m=2)
    agent = RecurrentPPO("MultiInputLstmPolicy", env, seed=0, device="cpu")
    loud(agent)
    mixed = [generate(n, 2, seed=n) for n in (6, 2, 5, 1)]
    together = play(agent.policy, mixed)
    alone = [play(agent.policy, [instance])[0] for instance in mixed]
    for one, other in zip(together, alone, strict=True):
        assert np.array_equal(one.machine, other.machine)


def test_missing_extra_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "agent.zip", PPO, ASSIGN)
    monkeypatch.setitem(__import__("sys").modules, "stable_baselines3.common.save_util", None)
    with pytest.raises(InputError, match=r"install dsct-gym\[rl\]"):
        Sb3Agent(tmp_path / "agent.zip", trust_pickle=True)
