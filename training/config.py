"""What a training run is: configuration files and their checks."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dsct_gym.errors import InputError
from dsct_gym.files import read_whole
from dsct_gym.generator import Scenario

Range = tuple[float, float]


class Distribution(BaseModel):
    """Where training instances come from; every instance draws its own numbers.

    Attributes:
        n: Number of tasks, drawn log-uniformly.
        m: Number of machines, drawn log-uniformly, at most half the number of tasks.
        mu: Task heterogeneity.
        rho: Deadline tolerance.
        beta: Energy budget ratio.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    n: tuple[int, int] = (10, 200)
    m: tuple[int, int] = (2, 20)
    mu: Range = (1.0, 20.0)
    rho: Range = (0.2, 1.0)
    beta: Range = (0.1, 1.0)

    @model_validator(mode="after")
    def _check(self) -> Distribution:
        if self.n[0] < 2 * self.m[0]:
            raise ValueError(f"n: at least {2 * self.m[0]}, twice the least m")
        self.scenario(self.n[0], self.m[0])
        return self

    @property
    def one_size(self) -> bool:
        """Whether all instances have the same numbers of tasks and machines."""
        return self.n[0] == self.n[1] and self.m[0] == self.m[1]

    def scenario(self, n: int, m: int) -> Scenario:
        """The instances of one size."""
        return Scenario(n=n, m=m, mu=self.mu, rho=self.rho, beta=self.beta)


class PolicyConfig(BaseModel):
    """What every method that trains the shared policy has in common.

    Attributes:
        seed: Seed of weights, instances and rollouts.
        width: Hidden units of the network.
        steps: Steps of training.
        learning_rate: Of Adam, at the start and at the end; falls geometrically.
        distribution: Training instances.
        evaluate_every: Steps between evaluations on the held-out set; the state to resume from is
            kept as often.
        patience: Evaluations without a better one after which to stop.
        held_out: Instances of each held-out size.
        sizes: Held-out sizes, n and m.
        threads: Threads that play. The result does not depend on it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = Field(default=0, ge=0)
    width: int = Field(default=32, ge=1, le=1_024)
    steps: int = Field(default=1_500, ge=1)
    learning_rate: Range = (2e-3, 5e-5)
    distribution: Distribution = Distribution()
    evaluate_every: int = Field(default=50, ge=1)
    patience: int = Field(default=1_000, ge=1)
    held_out: int = Field(default=32, ge=1)
    sizes: tuple[tuple[int, int], ...] = ((30, 10), (50, 5), (100, 10), (200, 5))
    threads: int = Field(default=2, ge=1)


class PolicyGradientConfig(PolicyConfig):
    """Policy gradient on the Assign task, rollouts of one instance as each other's baseline.

    Attributes:
        method: Which training this is.
        rollouts: Rollouts of each instance.
        batch: Machines scored in a step, over instances, rollouts, tasks: sets how many instances
            a step takes.
        trace: λ in [0, 1]: how the credit of a decision for what the plan gains later falls with
            each decision in between.
        imitation: Steps that imitate annealing before, to warm up; 0 for none.
    """

    method: Literal["policy-gradient"] = "policy-gradient"
    rollouts: int = Field(default=16, ge=2)
    batch: int = Field(default=40_000, ge=1)
    trace: float = Field(default=0.9, ge=0.0, le=1.0)
    imitation: int = Field(default=0, ge=0)


class PolicyIterationConfig(PolicyConfig):
    """Policy iteration: learning what looking ahead with the policy itself would decide.

    Attributes:
        method: Which training this is.
        instances: New instances in a step, all with one number of machines.
        states: Tasks of each at which to look ahead.
        candidates: Machines to try at each: the best scores, and one other at random.
        horizon: Tasks that the policy decides on after a trial.
        memory: Steps whose states are learnt from.
        updates: Gradient steps in a step.
        minibatch: States in a gradient step.
    """

    method: Literal["policy-iteration"] = "policy-iteration"
    instances: int = Field(default=8, ge=1)
    states: int = Field(default=12, ge=1)
    candidates: int = Field(default=8, ge=2)
    horizon: int = Field(default=32, ge=0)
    memory: int = Field(default=400, ge=1)
    updates: int = Field(default=3, ge=1)
    minibatch: int = Field(default=512, ge=1)


def read_config(path: str | Path) -> dict[str, Any]:
    """The table in a configuration file, or in one that ships under this name.

    Raises:
        InputError: If it cannot be read or is no TOML.
    """
    shipped = files("dsct_gym.training") / "configs" / f"{path}.toml"
    source = Path(path)
    try:
        with (shipped if shipped.is_file() else source).open("rb") as file:
            return tomllib.loads(read_whole(file, str(path)).decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(shipped_configs())
        reason = getattr(error, "strerror", None) or "not text"
        raise InputError(f"config: {path}: {reason}; those that ship: {known}") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not TOML: {error}") from error


def shipped_configs() -> list[str]:
    """Names of the configurations that ship."""
    folder = files("dsct_gym.training") / "configs"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))
