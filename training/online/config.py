"""What a run of evolution is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dsct_gym.errors import InputError
from dsct_gym.generator import Scenario
from dsct_gym.online.arrivals import ArrivalProcess, make_arrivals
from dsct_gym.online.generator import TOLERANCE
from dsct_gym.training.config import Range


class Practice(BaseModel):
    """Where instances come from; every instance draws its own numbers.

    Each has one of four kinds of arrivals, all as often: Poisson, bursty, diurnal, and stretches of
    the first halves of the traces that are for training; or one of those that ``arrivals`` names.

    Attributes:
        arrivals: Processes to practise on instead, each a table with ``name``, a name or a file as
            `dsct_gym.online.arrivals.make_arrivals` takes it, and options beside it.
        n: Expected number of tasks, drawn log-uniformly.
        m: Number of machines.
        mu: Task heterogeneity.
        rho: One over the offered load.
        beta: Energy budget ratio.
        patience: Longest latency, in mean times of a task in full, drawn log-uniformly.
        families: Share of the instances whose curves are those of a model family.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    arrivals: tuple[dict[str, str | float | int], ...] = Field(default=(), max_length=100)
    n: tuple[int, int] = (40, 160)
    m: tuple[int, int] = (3, 8)
    mu: Range = (1.0, 20.0)
    rho: Range = (0.2, 1.0)
    beta: Range = (0.1, 1.0)
    patience: Range = (0.75, 3.0)
    families: float = Field(default=0.25, ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _check(self) -> Practice:
        Scenario(n=self.n, m=self.m, mu=self.mu, rho=self.rho, beta=self.beta)
        low, high = self.patience
        if not TOLERANCE[0] <= low <= high:
            raise ValueError(f"patience: range from {low:g} to {high:g}")
        for place, told in enumerate(self.arrivals):
            if "name" not in told:
                raise ValueError(f"arrivals[{place}]: has no name")
            try:
                process_of(told)
            except InputError as error:
                raise ValueError(f"arrivals[{place}]: {error}") from error
        return self


def process_of(told: Mapping[str, str | float | int]) -> ArrivalProcess:
    """The arrival process that one entry of `Practice.arrivals` tells.

    Raises:
        InputError: If there is no such process or file, or it has no such option.
    """
    options = {option: value for option, value in told.items() if option != "name"}
    return make_arrivals(str(told["name"]), **options)


class EvolutionConfig(BaseModel):
    """Evolution of the weights of `rl-online`.

    Attributes:
        method: Which training this is.
        seed: Seed of instances and proposals.
        steps: Generations.
        population: Proposals in a generation, an even number: each with its mirror image.
        batch: Instances of each kind of arrivals on which a generation is compared.
        instances: Instances of each kind from which these are drawn.
        spread: Standard deviation of the first proposals.
        evaluate_every: Generations between evaluations on the held-out set; the state to resume
            from is kept as often.
        held_out: Instances of each kind in the held-out set.
        threads: Threads that play. The result does not depend on it.
        practice: Training instances.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["evolution"] = "evolution"
    seed: int = Field(default=0, ge=0)
    steps: int = Field(default=130, ge=1)
    population: int = Field(default=20, ge=4, multiple_of=2)
    batch: int = Field(default=12, ge=1)
    instances: int = Field(default=128, ge=1)
    spread: float = Field(default=0.15, gt=0.0, le=10.0)
    evaluate_every: int = Field(default=10, ge=1)
    held_out: int = Field(default=24, ge=1)
    threads: int = Field(default=1, ge=1)
    practice: Practice = Practice()

    @model_validator(mode="after")
    def _check(self) -> EvolutionConfig:
        if self.batch > self.instances:
            raise ValueError(f"batch: more than the {self.instances} instances of a kind")
        return self
