"""Agents trained with Stable-Baselines3, from the zip files that it saves.

Such a file holds pickles, so loading one runs whatever code its author has put there. It is only
ever done when the user says that the source is trusted.
"""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from dsct_gym.agents.normalisation import find_statistics, left_space, load_statistics
from dsct_gym.allocation import allocate
from dsct_gym.envs.game import Game
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.problem import Problem
from dsct_gym.schedule import Schedule
from dsct_gym.solver import Answer, Solver

_MOVED: Final = {
    "training": "dsct_gym.training",
    "training.sb3_policy": "dsct_gym.training.stable.policy",
}
"""Modules that zip files of earlier versions name, and where what they held is now."""


class Agent(NamedTuple):
    """What a zip file holds.

    Attributes:
        policy: The policy.
        statistics: The ``VecNormalize`` through which it sees, None for as it is.
    """

    policy: Any
    statistics: Any


def play(policy: Any, instances: Sequence[Problem], statistics: Any = None) -> list[Schedule]:
    """Plays a policy greedily on instances of its size, one episode each.

    Args:
        policy: The policy; a recurrent one remembers from step to step.
        instances: The instances, of a type that its environment plays.
        statistics: The ``VecNormalize`` through which it sees, None for as it is.

    Returns:
        The schedules as they were played.
    """
    from dsct_gym.envs.sb3 import SchedulingVecEnv

    game = Game.of(policy)
    in_turn = itertools.cycle(instances)
    env = SchedulingVecEnv(
        game.env_id,
        len(instances),
        generator=lambda _: next(in_turn),
        n=game.layout.max_tasks,
        m=game.layout.max_machines,
        guidance=game.layout.guidance,
        levels=game.levels,
        **game.rules,
    )
    masked = "action_masks" in inspect.signature(policy.predict).parameters
    schedules: list[Schedule | None] = [None] * len(instances)
    observation = env.reset()
    memory, starting = None, np.ones(len(instances), dtype=np.bool_)
    while any(schedule is None for schedule in schedules):
        seen = observation if statistics is None else statistics.normalize_obs(observation)
        masks = {"action_masks": env.action_masks()} if masked else {}
        actions, memory = policy.predict(
            seen, state=memory, episode_start=starting, deterministic=True, **masks
        )
        observation, _, starting, told = env.step(actions)
        for index, info in enumerate(told):
            if schedules[index] is None:
                schedules[index] = info.get("schedule")
    env.close()
    return [schedule for schedule in schedules if schedule is not None]


def fit(policy: Any, n: int, m: int) -> Any:
    """The policy for instances of n tasks and m machines, where its network can be used for them.

    One that was trained on instances of several sizes plays smaller ones as it did then: padded.

    Raises:
        InputError: If it plays instances of other sizes only.
    """
    game = Game.of(policy)
    size = (game.layout.max_tasks, game.layout.max_machines)
    if size == (n, m):
        return policy
    if not getattr(policy, "plays_any_size", False):
        if game.padded and n <= size[0] and m <= size[1]:
            return policy
        raise InputError(
            f"instance: {n} tasks on {m} machines, but the policy was trained for"
            f" {size[0]} on {size[1]} and plays no {'larger' if game.padded else 'other'} size"
        )
    other_game = game.resized(n, m)
    made = policy._get_constructor_parameters() | {
        "observation_space": other_game.observation_space,
        "action_space": other_game.action_space,
    }
    other = type(policy)(**made)
    other.load_state_dict(policy.state_dict())
    return other.to(policy.device)


@contextmanager
def under_old_names() -> Iterator[None]:
    """While it lasts, zip files of earlier versions find what they name."""
    added = {old: import_module(new) for old, new in _MOVED.items() if old not in sys.modules}
    sys.modules.update(added)
    try:
        yield
    finally:
        for old in added:
            del sys.modules[old]


def load_stable(path: str | Path, vecnormalize: str | Path | None = None) -> Agent:
    """The agent in a zip file of Stable-Baselines3; runs the code in it.

    Args:
        path: The file.
        vecnormalize: File of the ``VecNormalize`` behind which it was trained; None: one that lies
            beside the agent, where it needs one.

    Raises:
        InputError: If it cannot be loaded, plays none of this package's environments, or cannot be
            shown what it was trained on.
    """
    path = Path(path)
    policy, shown = _read(path)
    try:
        game = Game.of(policy)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    foreign = left_space(shown, policy.observation_space)
    file = None if vecnormalize is None else Path(vecnormalize)
    if file is None and foreign is not False:
        file = find_statistics(path, game.env_id)
    statistics = None if file is None else load_statistics(file, policy.observation_space)
    if foreign and not getattr(statistics, "norm_obs", False):
        raise InputError(
            f"{path}: trained on other observations than the environment shows; name the file of"
            " their VecNormalize (vecnormalize=FILE), or put it beside the agent (vecnormalize.pkl)"
        )
    return Agent(policy=policy, statistics=statistics)


def _read(path: Path) -> tuple[Any, Any]:
    """The policy in a zip file, and the last observations of its training if they are there."""
    try:
        from stable_baselines3.common.save_util import load_from_zip_file
    except ImportError as error:
        raise InputError(f"{path}: install dsct-gym[rl] to play it") from error
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with under_old_names():
            data, parameters, _ = load_from_zip_file(path, device="cpu")
        options = dict(data["policy_kwargs"])
        if data.get("use_sde"):
            options["use_sde"] = True
        policy = data["policy_class"](
            data["observation_space"], data["action_space"], lambda _: 0.0, **options
        )
        policy.load_state_dict(parameters["policy"])
    except Exception as error:
        # Whatever is in the file, even code, may raise whatever it likes.
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"{path}: not an agent of Stable-Baselines3: {reason}") from error
    return policy, data.get("_last_obs")


class Sb3Agent(Solver):
    """An agent trained with Stable-Baselines3, played greedily, with exact processing times.

    It plays the environment it was trained on; then the machines that it chose are kept and works
    are allocated exactly, which is never worse. Stock policies play instances of the size that they
    were trained for, and smaller ones where they were trained on several; those with the network of
    `dsct_gym.training.stable.policy` play any.

    Args:
        path: Zip file that an algorithm's ``save`` has written.
        trust_pickle: Whether the user trusts the files: loading one runs whatever code is in it.
        vecnormalize: File of the ``VecNormalize`` behind which it was trained, a pickle too; left
            out, ``vecnormalize.pkl`` beside the agent where it needs one.

    Raises:
        InputError: If the files are not trusted, cannot be loaded or do not fit together.
    """

    name = "sb3"

    def __init__(
        self,
        path: str | Path,
        trust_pickle: bool = False,
        vecnormalize: str | Path | None = None,
    ) -> None:
        if trust_pickle is not True:
            raise InputError(
                f"{path}: zip files of Stable-Baselines3 are pickles: loading one runs whatever"
                " code is in it; pass --trust-pickle if you trust its source"
            )
        self._agent = load_stable(path, vecnormalize)

    def _solve(self, instance: Instance, *, time_limit: float | None, seed: int | None) -> Answer:
        n, m = instance.num_tasks, instance.num_machines
        policy, statistics = fit(self._agent.policy, n, m), self._agent.statistics
        if statistics is not None and policy is not self._agent.policy:
            raise InputError(
                f"instance: {n} tasks on {m} machines, but the statistics of VecNormalize are for"
                " the size of training only"
            )
        played = play(policy, [instance], statistics)[0]
        return Answer(allocate(instance, played.machine))
