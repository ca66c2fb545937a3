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
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dsct_gym.allocation import allocate
from dsct_gym.envs.observation import Layout
from dsct_gym.errors import InputError
from dsct_gym.instance import Instance
from dsct_gym.schedule import Schedule
from dsct_gym.solver import Answer, Solver

if TYPE_CHECKING:
    from gymnasium import spaces

_NOT_OURS = "not trained on an environment of this package"
_MOVED: Final = {
    "training": "dsct_gym.training",
    "training.sb3_policy": "dsct_gym.training.stable.policy",
}
"""Modules that zip files of earlier versions name, and where what they held is now."""


class Game(NamedTuple):
    """What a policy plays.

    Attributes:
        env_id: The environment.
        layout: Sizes and columns of its observations.
        levels: Compression levels of the joint environment, 1 in the others.
    """

    env_id: str
    layout: Layout
    levels: int

    @classmethod
    def of(cls, policy: Any) -> Game:
        """The game whose spaces a policy of Stable-Baselines3 has.

        Machine and one level only, or the machine only, have the same spaces: the latter it is.

        Raises:
            InputError: If it is none of this package's.
        """
        shown, action = policy.observation_space, policy.action_space
        layout = _layout(shown)
        machines = layout.max_machines
        if action.shape == (machines + 1,):
            return cls("DSCT-EA-Continuous-v0", layout, 1)
        levels, rest = divmod(int(getattr(action, "n", 0)) - 1, machines)
        if action.shape != () or rest != 0 or levels < 1:
            raise InputError(f"action space: {_NOT_OURS}")
        return cls("DSCT-EA-v0" if levels > 1 else "DSCT-EA-Assign-v0", layout, levels)

    def play(self, policy: Any, instances: Sequence[Instance]) -> list[Schedule]:
        """Plays a policy greedily on instances of its size, one episode each.

        Returns:
            The schedules as they were played.
        """
        from dsct_gym.envs.sb3 import SchedulingVecEnv

        in_turn = itertools.cycle(instances)
        env = SchedulingVecEnv(
            self.env_id,
            len(instances),
            generator=lambda _: next(in_turn),
            n=self.layout.max_tasks,
            m=self.layout.max_machines,
            guidance=self.layout.guidance,
            levels=self.levels,
        )
        masked = "action_masks" in inspect.signature(policy.predict).parameters
        schedules: list[Schedule | None] = [None] * len(instances)
        observation = env.reset()
        while any(schedule is None for schedule in schedules):
            masks = {"action_masks": env.action_masks()} if masked else {}
            actions, _ = policy.predict(observation, deterministic=True, **masks)
            observation, _, _, told = env.step(actions)
            for index, info in enumerate(told):
                if schedules[index] is None:
                    schedules[index] = info.get("schedule")
        env.close()
        return [schedule for schedule in schedules if schedule is not None]

    def resized(self, n: int, m: int) -> tuple[spaces.Dict, spaces.Space[Any]]:
        """Observation and action space of the same game with n tasks and m machines."""
        from dsct_gym.envs.episodes import episodes_of

        layout = Layout(n, m, self.layout.guidance)
        return layout.space(), episodes_of(self.env_id).make_action_space(layout, self.levels)


def _layout(space: Any) -> Layout:
    """The layout that an observation space is made of."""
    try:
        sizes = {key: space[key].shape[0] for key in ("tasks_mask", "machines_mask")}
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise InputError(f"observation space: {_NOT_OURS}") from error
    for guidance in (False, True):
        layout = Layout(sizes["tasks_mask"], sizes["machines_mask"], guidance)
        if layout.space() == space:
            return layout
    raise InputError(f"observation space: {_NOT_OURS}")


def fit(policy: Any, n: int, m: int) -> Any:
    """The policy for instances of n tasks and m machines, where its network can be used for them.

    Raises:
        InputError: If it plays instances of another size only.
    """
    game = Game.of(policy)
    size = (game.layout.max_tasks, game.layout.max_machines)
    if size == (n, m):
        return policy
    if not getattr(policy, "plays_any_size", False):
        raise InputError(
            f"instance: {n} tasks on {m} machines, but the policy was trained for"
            f" {size[0]} on {size[1]} and plays no other size"
        )
    shown, action = game.resized(n, m)
    made = policy._get_constructor_parameters()
    other = type(policy)(**{**made, "observation_space": shown, "action_space": action})
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


def load_stable(path: str | Path) -> Any:
    """The policy in a zip file of Stable-Baselines3; runs the code in it.

    Raises:
        InputError: If it cannot be loaded, or plays none of this package's environments.
    """
    try:
        from stable_baselines3.common.save_util import load_from_zip_file
    except ImportError as error:
        raise InputError(f"{path}: install dsct-gym[rl] to play it") from error
    if not Path(path).is_file():
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
    try:
        Game.of(policy)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return policy


class Sb3Agent(Solver):
    """An agent trained with Stable-Baselines3, played greedily, with exact processing times.

    It plays the environment it was trained on; then the machines that it chose are kept and works
    are allocated exactly, which is never worse. Stock policies play instances of the size that they
    were trained for, those with the network of `dsct_gym.training.stable.policy` play any.

    Args:
        path: Zip file that an algorithm's ``save`` has written.
        trust_pickle: Whether the user trusts the file: loading it runs whatever code is in it.

    Raises:
        InputError: If the file is not trusted or cannot be loaded.
    """

    name = "sb3"

    def __init__(self, path: str | Path, trust_pickle: bool = False) -> None:
        if trust_pickle is not True:
            raise InputError(
                f"{path}: zip files of Stable-Baselines3 are pickles: loading one runs whatever"
                " code is in it; pass --trust-pickle if you trust its source"
            )
        self._policy = load_stable(path)

    def _solve(self, instance: Instance, *, time_limit: float | None, seed: int | None) -> Answer:
        policy = fit(self._policy, instance.num_tasks, instance.num_machines)
        played = Game.of(policy).play(policy, [instance])[0]
        return Answer(allocate(instance, played.machine))
