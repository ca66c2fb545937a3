"""Many episodes side by side, stepped by compiled threads: Gymnasium's interface to a batch."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from dsct_gym.arguments import as_integer
from dsct_gym.arrays import Bools, Floats, Ints
from dsct_gym.envs.episodes import DEFAULT_LEVELS, Episodes
from dsct_gym.envs.observation import Layout, Observation
from dsct_gym.envs.options import check_on_invalid, instances_of, make_source, plain_seed
from dsct_gym.envs.outcome import DeferredSchedule
from dsct_gym.envs.rendering import Renderer
from dsct_gym.errors import InputError
from dsct_gym.problem import Problem
from dsct_gym.schedule import Schedule


class SchedulingVectorEnv(VectorEnv[Observation, Any, Any]):
    """What batched environments share.

    Step for step the same as as many single environments: with ``reset(seed=s)``, environment i
    plays what a single one seeded with ``s + i`` plays, over all its episodes.

    Args:
        num_envs: N.
        levels: Number of compression levels L, where actions choose one.
        guidance: Whether observations carry the columns of the fractional relaxation.
        on_invalid: ``"skip"`` or ``"raise"``; see `dsct_gym.envs.single.SchedulingEnv`. With
            ``"raise"``, nothing is played if any action of the batch is forbidden.
        autoreset_mode: What happens at the end of an episode; `AutoresetMode` or its value.
            NEXT_STEP: the next step ignores the action, resets, and rewards 0. SAME_STEP: the step
            itself resets; the last observation and info are in ``info["final_obs"]`` and
            ``info["final_info"]``. DISABLED: reset with ``options={"reset_mask": ...}``.
        num_threads: Threads that share a batch of 128 environments or more; None: one for each
            core.
        render_mode: ``"rgb_array"`` or ``"ansi"``, one frame an environment, or None.
        copy: Whether observations and masks are fresh copies; otherwise they are the arrays that
            the next step overwrites.
        rules: Arguments of the id's own, for its `Episodes`.
        **instances: Where instances come from: see `dsct_gym.envs.options.make_source`.

    Raises:
        InputError: Naming the argument at fault.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "render_modes": ["rgb_array", "ansi"],
        "render_fps": 5,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }
    _episodes_type: ClassVar[type[Episodes]]

    def __init__(
        self,
        num_envs: int = 1,
        *,
        levels: int = DEFAULT_LEVELS,
        guidance: bool = False,
        on_invalid: str = "skip",
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        num_threads: int | None = None,
        render_mode: str | None = None,
        copy: bool = True,
        rules: Mapping[str, Any] = MappingProxyType({}),
        **instances: Any,
    ) -> None:
        num_envs = as_integer(num_envs, "num_envs", 1)
        cores = os.cpu_count() or 1
        threads = cores if num_threads is None else as_integer(num_threads, "num_threads", 1)
        if render_mode not in (None, "rgb_array", "ansi"):
            raise InputError(f"render_mode: {render_mode!r} is not one of rgb_array, ansi")
        self._raises = check_on_invalid(on_invalid)
        self._mode = _as_mode(autoreset_mode)
        self.metadata = {**type(self).metadata, "autoreset_mode": self._mode}  # type: ignore[misc]
        self.num_envs = num_envs
        self.render_mode = render_mode
        source = make_source(self._episodes_type.env_id, **instances)
        self._episodes = self._episodes_type(
            num_envs,
            source,
            levels=levels,
            guidance=guidance,
            threads=threads,
            **rules,
        )
        self.single_observation_space = self._episodes.observation_space
        self.single_action_space = self._episodes.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._copy = copy
        self._generators: list[np.random.Generator] = []
        self._ended = np.zeros(num_envs, dtype=np.bool_)
        self._everyone = np.arange(num_envs)
        self._renderer: Renderer | None = None

    @property
    def layout(self) -> Layout:
        """Sizes and columns of the observation of one environment."""
        return self._episodes.layout

    def instance(self, env: int) -> Problem:
        """The instance that an environment plays."""
        return self._episodes.instance(env)

    def schedule(self, env: int) -> Schedule:
        """The schedule of an environment's decisions so far."""
        return self._episodes.schedule(env)

    def action_masks(self) -> Bools:
        """Which actions are allowed now (N, actions); no row is all false."""
        self._episodes.check_begun()
        return self._episodes.feedback.mask.astype(np.bool_)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observation, dict[str, Any]]:
        """Begins an episode in every environment.

        Args:
            seed: Environment i is seeded with ``seed + i``, or with the i-th of a list.
            options: ``{"instance": ...}`` plays the given problem or instance file everywhere: an
                `Instance`, or a variant that the environment knows; or of a list the i-th in
                environment i (None: as without);
                ``{"reset_mask": ...}`` (N,) bool resets only the environments it marks.

        Returns:
            Observations and infos (``action_mask``).
        """
        envs = self._to_reset(options)
        self._seed(seed, envs)
        given = instances_of(options, self.num_envs, self._episodes.env_id)
        drawn = [env for env in envs.tolist() if given[env] is None]
        if drawn:
            self._begin(np.array(drawn))
        for env in envs.tolist():
            if (instance := given[env]) is not None:
                self._episodes.begin_instance(env, instance)
        self._ended[envs] = False
        return self._observation(), self._infos()

    def step(self, actions: Any) -> tuple[Observation, Floats, Bools, Bools, dict[str, Any]]:
        """Decides the task at hand in every environment.

        Args:
            actions: One action an environment; see the single environment.

        Returns:
            Observations, rewards (N,), terminations (N,), truncations (N,) and infos:
            ``action_mask`` and ``invalid_action`` of all, ``schedule``, ``mean_accuracy`` and
            ``energy`` (J) of those that ended, and ``reference``, the best-known mean accuracy, of
            those of a suite. A schedule is built and verified when it is looked
            at.

        Raises:
            InputError: If an action is not in the action space, or forbidden where the environment
                was told to raise.
        """
        episodes, feedback = self._episodes, self._episodes.feedback
        checked = episodes.check(actions)
        self._check_playing()
        restarted = self._restart_ended()
        if self._raises:
            _refuse(episodes.forbidden(checked), checked)
        episodes.step(checked)
        rewards = feedback.reward.copy()
        terminations, truncations = feedback.terminated.copy(), feedback.truncated.copy()
        judged = ~restarted
        infos: dict[str, Any] = {}
        over = terminations | truncations
        ended = np.flatnonzero(over)
        if ended.size:
            infos = self._outcomes(ended)
        invalid = feedback.invalid.copy()
        if ended.size and self._mode is AutoresetMode.SAME_STEP:
            infos = self._final(ended, infos)
            self._begin(ended)
            judged &= ~over
        infos["invalid_action"], infos["_invalid_action"] = invalid & judged, judged
        infos.update(self._infos())
        self._ended[:] = over & (self._mode is not AutoresetMode.SAME_STEP)
        return self._observation(), rewards, terminations, truncations, infos

    def render(self) -> tuple[Any, ...] | None:
        """One frame (H, W, 3), or text, for each environment."""
        if self.render_mode is None:
            gymnasium.logger.warn("render() needs a render_mode: gym.make_vec(id, render_mode=...)")
            return None
        if self._renderer is None:
            self._renderer = Renderer(self.render_mode, self.metadata["render_fps"])
        return tuple(map(self._renderer.render, map(self._episodes.scene, range(self.num_envs))))

    def close_extras(self, **kwargs: Any) -> None:
        """Stops the threads."""
        self._episodes.workers.close()

    def _to_reset(self, options: dict[str, Any] | None) -> Ints:
        """The environments that ``reset`` is to begin anew."""
        mask = None if options is None else options.get("reset_mask")
        if mask is None:
            return self._everyone
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
            raise InputError("options: reset_mask must be an array of bool")
        if mask.shape != (self.num_envs,) or not mask.any():
            raise InputError(f"options: reset_mask must mark some of {self.num_envs} environments")
        return np.flatnonzero(mask)

    def _seed(self, seed: int | Sequence[int | None] | None, envs: Ints) -> None:
        if isinstance(seed, (int, np.integer)):
            seed = [int(seed) + env for env in range(self.num_envs)]
        seeds = [None] * self.num_envs if seed is None else [plain_seed(given) for given in seed]
        if len(seeds) != self.num_envs:
            raise InputError(f"seed: {len(seeds)} seeds for {self.num_envs} environments")
        if not self._generators:
            self._generators = [seeding.np_random(given)[0] for given in seeds]
            return
        for env in envs.tolist():
            if seeds[env] is not None:
                self._generators[env] = seeding.np_random(seeds[env])[0]

    def _check_playing(self) -> None:
        self._episodes.check_begun()
        if self._mode is AutoresetMode.DISABLED and self._ended.any():
            raise ResetNeeded('an episode is over: call reset(options={"reset_mask": ...}) first')

    def _restart_ended(self) -> Bools:
        """Begins anew where the last step ended an episode; says where."""
        restarted = self._ended.copy()
        if restarted.any():
            again = np.flatnonzero(restarted)
            self._begin(again)
            self._episodes.play.fresh[again] = True
        return restarted

    def _begin(self, envs: Ints) -> None:
        self._episodes.begin(envs, [self._generators[env] for env in envs.tolist()])

    def _observation(self) -> Observation:
        return self._episodes.observation(slice(None), copy=self._copy)

    def _infos(self) -> dict[str, Any]:
        """What every step and reset tells of all environments."""
        mask = self._episodes.feedback.mask
        shown = np.ones(self.num_envs, dtype=np.bool_)
        told = {"action_mask": mask.copy() if self._copy else mask, "_action_mask": shown}
        for key, array in self._episodes.told().items():
            told[key], told[f"_{key}"] = array.copy(), shown
        return told

    def _outcomes(self, ended: Ints) -> dict[str, Any]:
        """What the infos tell of the episodes that ended."""
        episodes = self._episodes
        there = np.zeros(self.num_envs, dtype=np.bool_)
        there[ended] = True
        schedules = np.full(self.num_envs, None, dtype=object)
        mean, energy = np.zeros(self.num_envs), np.zeros(self.num_envs)
        for env in ended.tolist():
            schedules[env] = DeferredSchedule(episodes.schedule_later(env))
        mean[ended] = episodes.mean_accuracy(ended)
        energy[ended] = episodes.play.spent[ended]
        told = {"schedule": schedules, "mean_accuracy": mean, "energy": energy}
        return told | {f"_{key}": there.copy() for key in told} | self._references(ended)

    def _references(self, ended: Ints) -> dict[str, Any]:
        """The best-known mean accuracies of instances that ended, where there are any."""
        known = np.full(self.num_envs, np.nan)
        for env in ended.tolist():
            if (reference := self._episodes.reference(env)) is not None:
                known[env] = reference
        there = ~np.isnan(known)
        return {"reference": known, "_reference": there} if there.any() else {}

    def _final(self, ended: Ints, told: dict[str, Any]) -> dict[str, Any]:
        """The last observations and infos of episodes that the same step begins anew."""
        there = told["_schedule"]
        rows = self._episodes.observation(ended)
        observations = np.full(self.num_envs, None, dtype=object)
        for index, env in enumerate(ended.tolist()):
            observations[env] = {key: array[index] for key, array in rows.items()}
        feedback = self._episodes.feedback
        info = {
            **told,
            "action_mask": feedback.mask * there[:, None],
            "_action_mask": there.copy(),
            "invalid_action": feedback.invalid & there,
            "_invalid_action": there.copy(),
        }
        for key, array in self._episodes.told().items():
            info[key], info[f"_{key}"] = array * there, there.copy()
        return {
            "final_obs": observations,
            "_final_obs": there.copy(),
            "final_info": info,
            "_final_info": there.copy(),
        }

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_renderer": None}


def _as_mode(mode: AutoresetMode | str) -> AutoresetMode:
    try:
        return AutoresetMode(mode)
    except ValueError as error:
        known = ", ".join(known.value for known in AutoresetMode)
        raise InputError(f"autoreset_mode: {mode!r} is not one of {known}") from error


def _refuse(forbidden: Bools, actions: npt.NDArray[Any]) -> None:
    wrong = np.flatnonzero(forbidden)
    if wrong.size:
        env = int(wrong[0])
        raise InputError(
            f"action: {actions[env]} is forbidden by the action mask of environment {env}"
        )
