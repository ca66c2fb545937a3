"""What a run of Stable-Baselines3 is told."""

from __future__ import annotations

import inspect
import pkgutil
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from dsct_gym.registration import ENVIRONMENTS
from dsct_gym.training.config import Distribution
from dsct_gym.training.stable.settings import (
    EXPORTED,
    EXPORTED_RULES,
    SHARED,
    check_settings,
)

_ACTIONS = {
    "DQN": "discrete",
    "MaskablePPO": "discrete",
    "SAC": "continuous",
    "TD3": "continuous",
}
"""The only kind of actions that these algorithms take."""

_FIXED = Distribution(n=(50, 50), m=(5, 5))

Size = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]


def _check_env(env: str) -> str:
    if env not in ENVIRONMENTS:
        raise ValueError(f"no environment {env!r}, only {', '.join(ENVIRONMENTS)}")
    return env


def _rules_of(env: str) -> list[str]:
    """Names of the arguments that an environment has beside those of all."""
    own = inspect.signature(pkgutil.resolve_name(ENVIRONMENTS[env].single)).parameters.values()
    return [each.name for each in own if each.kind is inspect.Parameter.KEYWORD_ONLY]


class Sb3Config(BaseModel):
    """A run of Stable-Baselines3.

    Attributes:
        method: Which training this is.
        seed: Seed of weights, instances and exploration.
        algorithm: The algorithm.
        env: What it learns to play. DQN and MaskablePPO take discrete actions only, SAC and TD3
            continuous ones only.
        policy: ``shared``: the network in `dsct_gym.training.stable.policy`, which plays any size,
            for PPO, A2C, MaskablePPO and DQN; ``mlp``: the stock policy, which plays the
            size that it is trained for and, trained on several, smaller ones.
        guidance: Whether observations carry the columns of the fractional relaxation.
        levels: Compression levels, where actions choose one.
        rules: The environment's own arguments: ``compact``; ``order`` and ``passes`` of the plan.
        distribution: Training instances.
        envs: Environments of the batch.
        timesteps: Steps in all, over all environments.
        seconds: Seconds after which to stop, evaluations included; no limit when left out.
        threads: Threads of torch and of the batch.
        evaluate_every: Steps between evaluations on the held-out set and checkpoints.
        patience: Evaluations without a better one after which to stop.
        held_out: Instances of each held-out size.
        sizes: Held-out sizes, n and m; left out: the largest of the distribution.
        settings: What to pass to the algorithm, by its own names; what is left out is as
            `dsct_gym.training.stable.recommended` has it. Where it takes a schedule, a pair
            falls linearly from the first number to the second; ``action_noise`` is the standard
            deviation of Gaussian noise; ``policy_kwargs`` are those of the policy, ``width`` of the
            shared one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["sb3"] = "sb3"
    seed: int = Field(default=0, ge=0, lt=2**31)
    algorithm: Literal["PPO", "A2C", "DQN", "MaskablePPO", "SAC", "TD3"]
    env: Annotated[str, AfterValidator(_check_env)]
    policy: Literal["shared", "mlp"]
    guidance: bool = True
    levels: int = Field(default=10, ge=2)
    rules: dict[str, str | bool | int] = {}
    distribution: Distribution = _FIXED
    envs: int = Field(default=64, ge=1)
    timesteps: int = Field(ge=1)
    seconds: float | None = Field(default=None, gt=0.0)
    threads: int = Field(default=2, ge=1)
    evaluate_every: int = Field(default=50_000, ge=1)
    patience: int = Field(default=1_000, ge=1)
    held_out: int = Field(default=16, ge=1)
    sizes: tuple[Size, ...] = ()
    settings: dict[str, Any] = {}

    @model_validator(mode="after")
    def _check(self) -> Sb3Config:
        actions = ENVIRONMENTS[self.env].actions
        if (only := _ACTIONS.get(self.algorithm, actions)) != actions:
            raise ValueError(f"env: {self.algorithm} takes {only} actions only")
        if self.policy == "shared" and self.algorithm not in SHARED:
            raise ValueError(f"policy: {self.algorithm} has no shared policy, only mlp")
        for name in self.rules:
            if name not in (known := _rules_of(self.env)):
                raise ValueError(f"rules.{name}: {self.env} has only {', '.join(known)}")
        if self.policy == "mlp":
            self._check_sizes()
        try:
            check_settings(self.algorithm, self.policy, self.settings)
        except ImportError as error:
            raise ValueError(f"method: needs {error.name}: install dsct-gym[rl]") from error
        return self

    def _check_sizes(self) -> None:
        """A stock policy plays what fits the spaces that it is trained in."""
        largest = self.distribution.n[1], self.distribution.m[1]
        for n, m in self.sizes:
            if (n, m) == largest:
                continue
            if self.distribution.one_size or n > largest[0] or m > largest[1]:
                other = "other" if self.distribution.one_size else "larger"
                raise ValueError(f"sizes: the mlp policy plays no {other} size than {largest}")

    @property
    def exports(self) -> bool:
        """Whether a checkpoint can hold the agent."""
        played = EXPORTED_RULES | self.rules == EXPORTED_RULES
        return self.policy == "shared" and self.env == EXPORTED and played

    @property
    def held_out_sizes(self) -> tuple[tuple[int, int], ...]:
        """Sizes of the held-out instances."""
        return self.sizes or ((self.distribution.n[1], self.distribution.m[1]),)
