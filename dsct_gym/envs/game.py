"""What an agent is trained to play: the observation space carries it, wherever it is kept.

Spaces alone do not tell: machine and a single level look like the machine only. So the observation
space of every environment says whose it is in a plain attribute, which copies, wrappers that leave
observations as they are, and the files of training libraries keep.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from gymnasium import spaces

from dsct_gym.envs.observation import Layout
from dsct_gym.errors import InputError
from dsct_gym.registration import ENVIRONMENTS

ATTRIBUTE: Final = "dsct_gym"
"""Name of the attribute of an observation space; its value is plain JSON."""

_NOT_OURS = "not trained on an environment of this package"


class Game(NamedTuple):
    """An environment and its size.

    Attributes:
        env_id: The environment.
        layout: Sizes and columns of its observations.
        levels: Compression levels, 0 where actions choose none.
        rules: Further arguments of the environment that its dynamics depend on, plain JSON.
        padded: Whether smaller instances than the largest were met, so that an agent knows padding.
    """

    env_id: str
    layout: Layout
    levels: int
    rules: Mapping[str, Any] = MappingProxyType({})
    padded: bool = False

    @classmethod
    def of(cls, player: Any) -> Game:
        """The game of whatever has its spaces: an environment, or an agent trained on it.

        Raises:
            InputError: If it is none of this package's.
        """
        shown, action = player.observation_space, player.action_space
        told = getattr(shown, ATTRIBUTE, None)
        game = _guess(shown, action) if told is None else _read(told)
        if (shown, action) != (game.observation_space, game.action_space):
            raise InputError(f"observation space: not the one of {game.env_id} that it says it is")
        return game

    @property
    def length(self) -> int:
        """Steps of the longest episode."""
        return self.layout.max_tasks * int(self.rules.get("passes", 1))

    def resized(self, n: int, m: int) -> Game:
        """The same game with n tasks and m machines, and no others."""
        layout = replace(self.layout, max_tasks=n, max_machines=m)
        return self._replace(layout=layout, padded=False)

    @property
    def observation_space(self) -> spaces.Dict:
        """The observation space, which carries the game."""
        space = self.layout.space()
        told: dict[str, Any] = {
            "id": self.env_id,
            "max_tasks": self.layout.max_tasks,
            "max_machines": self.layout.max_machines,
            "guidance": self.layout.guidance,
            "levels": self.levels,
        }
        if self.rules:
            told["rules"] = dict(self.rules)
        if self.padded:
            told["padded"] = True
        setattr(space, ATTRIBUTE, told)
        return space

    @property
    def action_space(self) -> spaces.Space[Any]:
        """The action space."""
        episodes = pkgutil.resolve_name(ENVIRONMENTS[self.env_id].episodes)
        space: spaces.Space[Any] = episodes.make_action_space(self.layout, self.levels)
        return space


def _read(told: Any) -> Game:
    """The game that a space carries.

    Raises:
        InputError: If this version knows no such game.
    """
    try:
        env_id, levels, rules = told["id"], told["levels"], told.get("rules", {})
        layout = Layout(told["max_tasks"], told["max_machines"], told["guidance"])
        numbers = (layout.max_tasks, layout.max_machines, levels)
        whole = all(type(number) is int for number in numbers)
    except (KeyError, TypeError) as error:
        raise InputError(f"observation space: {_NOT_OURS}") from error
    if not isinstance(env_id, str) or not isinstance(rules, dict) or not whole:
        raise InputError(f"observation space: {_NOT_OURS}")
    if env_id not in ENVIRONMENTS:
        raise InputError(f"observation space: trained on {env_id!r}, which is not known here")
    layout_type = pkgutil.resolve_name(ENVIRONMENTS[env_id].episodes).layout_for(rules)
    layout = layout_type(layout.max_tasks, layout.max_machines, layout.guidance)
    return Game(env_id, layout, levels, rules, padded=told.get("padded") is True)


def _guess(shown: Any, action: Any) -> Game:
    """The game of spaces from before they carried it, when there were three.

    Machine and one level only, or the machine only, have the same spaces: the latter it is.

    Raises:
        InputError: If they are none of this package's.
    """
    layout = _guess_layout(shown)
    levels = (int(getattr(action, "n", 1)) - 1) // layout.max_machines
    for env_id, most in (
        ("DSCT-EA-Continuous-v0", 0),
        ("DSCT-EA-Assign-v0", 0),
        ("DSCT-EA-v0", levels),
    ):
        game = Game(env_id=env_id, layout=layout, levels=most)
        if game.action_space == action:
            return game
    raise InputError(f"action space: {_NOT_OURS}")


def _guess_layout(space: Any) -> Layout:
    try:
        n, m = (space[key].shape[0] for key in ("tasks_mask", "machines_mask"))
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise InputError(f"observation space: {_NOT_OURS}") from error
    for guidance in (False, True):
        layout = Layout(n, m, guidance)
        if layout.space() == space:
            return layout
    raise InputError(f"observation space: {_NOT_OURS}")
