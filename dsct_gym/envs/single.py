"""One episode at a time: Gymnasium's interface over a batch of one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, cast

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from dsct_gym.arrays import Bools
from dsct_gym.envs.episodes import DEFAULT_LEVELS, Episodes
from dsct_gym.envs.observation import Layout, Observation
from dsct_gym.envs.options import check_on_invalid, instance_of, make_source, plain_seed
from dsct_gym.envs.outcome import DeferredSchedule
from dsct_gym.envs.rendering import RENDER_MODES, Renderer
from dsct_gym.errors import InputError
from dsct_gym.problem import Problem
from dsct_gym.schedule import Schedule

_ONLY = np.array([0])


class SchedulingEnv(gymnasium.Env[Observation, Any]):
    """What single environments share; the class of each id says what it is.

    Args:
        levels: Number of compression levels L, where actions choose one.
        guidance: Whether observations carry the columns of the fractional relaxation.
        on_invalid: What becomes of an action that the mask forbids: ``"skip"`` plays it as skip
            and sets ``info["invalid_action"]``, ``"raise"`` raises an `InputError`.
        render_mode: ``"rgb_array"``, ``"human"``, ``"ansi"`` or None.
        copy: Whether observations and masks are fresh copies; otherwise they are the arrays that
            the next step overwrites.
        rules: Arguments of the id's own, for its `Episodes`.
        **instances: Where instances come from: see `dsct_gym.envs.options.make_source`.

    Raises:
        InputError: Naming the argument at fault.
    """

    metadata = {  # noqa: RUF012 (Gymnasium's own declaration)
        "render_modes": list(RENDER_MODES),
        "render_fps": 5,
    }
    _episodes_type: ClassVar[type[Episodes]]

    def __init__(
        self,
        *,
        levels: int = DEFAULT_LEVELS,
        guidance: bool = False,
        on_invalid: str = "skip",
        render_mode: str | None = None,
        copy: bool = True,
        rules: Mapping[str, Any] = MappingProxyType({}),
        **instances: Any,
    ) -> None:
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise InputError(f"render_mode: {render_mode!r} is not one of {RENDER_MODES}")
        self._raises = check_on_invalid(on_invalid)
        source = make_source(self._episodes_type.env_id, **instances)
        self._episodes = self._episodes_type(1, source, levels=levels, guidance=guidance, **rules)
        self.observation_space = cast("spaces.Space[Observation]", self._episodes.observation_space)
        self.action_space = self._episodes.action_space
        self.render_mode = render_mode
        self._copy = copy
        self._playing = False
        self._renderer: Renderer | None = None

    @property
    def layout(self) -> Layout:
        """Sizes and columns of the observation."""
        return self._episodes.layout

    @property
    def instance(self) -> Problem:
        """The instance of the episode."""
        return self._episodes.instance(0)

    @property
    def task(self) -> int | None:
        """Index in the instance of the task at hand; None when all are decided."""
        return self._episodes.task(0)

    @property
    def schedule(self) -> Schedule:
        """The schedule of the decisions so far; tasks not yet decided do no work."""
        return self._episodes.schedule(0)

    def action_masks(self) -> Bools:
        """Which actions are allowed now, as sb3-contrib asks for it; never all false."""
        self._episodes.check_begun()
        return np.asarray(self._episodes.feedback.mask[0] == 1)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begins an episode.

        Args:
            seed: Seeds the environment's random generator.
            options: ``{"instance": ...}`` plays the given problem or instance file: an `Instance`,
                or a variant that the environment knows.

        Returns:
            Observation and info (``action_mask``).
        """
        super().reset(seed=plain_seed(seed))
        given = instance_of(options, self._episodes.env_id)
        if given is None:
            self._episodes.begin(_ONLY, [self.np_random])
        else:
            self._episodes.begin_instance(0, given)
        self._playing = True
        if self.render_mode == "human":
            self.render()
        return self._shown()

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Decides the task at hand.

        Args:
            action: See the class.

        Returns:
            Observation, reward, terminated, truncated (where the class says so) and info:
            ``action_mask`` and ``invalid_action``; at the end also ``schedule``, ``mean_accuracy``
            and ``energy`` (J), and of an instance of a suite ``reference``, its best-known mean
            accuracy. The schedule is built, and verified, when it is looked at.

        Raises:
            InputError: If the action is not in the action space, or forbidden where the
                environment was told to raise.
        """
        episodes = self._episodes
        if not self._playing:
            raise ResetNeeded("the episode is over or has not begun: call reset() first")
        checked = episodes.check(np.asarray(action)[None])
        if self._raises and episodes.forbidden(checked)[0]:
            raise InputError(f"action: {action} is forbidden by the action mask")
        episodes.step(checked)
        feedback = episodes.feedback
        terminated, truncated = bool(feedback.terminated[0]), bool(feedback.truncated[0])
        observation, info = self._shown()
        info["invalid_action"] = bool(feedback.invalid[0])
        if terminated or truncated:
            self._playing = False
            info["schedule"] = DeferredSchedule(episodes.schedule_later(0))
            info["mean_accuracy"] = float(episodes.mean_accuracy(_ONLY)[0])
            info["energy"] = float(episodes.play.spent[0])
            if (reference := episodes.reference(0)) is not None:
                info["reference"] = reference
        if self.render_mode == "human":
            self.render()
        return observation, float(feedback.reward[0]), terminated, truncated, info

    def _shown(self) -> tuple[Observation, dict[str, Any]]:
        mask = self._episodes.feedback.mask[0]
        info: dict[str, Any] = {"action_mask": mask.copy() if self._copy else mask}
        info.update((key, float(array[0])) for key, array in self._episodes.told().items())
        return self._episodes.observation(0, copy=self._copy), info

    def render(self) -> npt.NDArray[np.uint8] | str | None:
        """Shows the schedule so far: a frame (H, W, 3), text, or a window."""
        if self.render_mode is None:
            gymnasium.logger.warn("render() needs a render_mode: gym.make(id, render_mode=...)")
            return None
        if self._renderer is None:
            self._renderer = Renderer(self.render_mode, self.metadata["render_fps"])
        return self._renderer.render(self._episodes.scene(0))

    def close(self) -> None:
        """Closes the window, if there is one."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_renderer": None}
