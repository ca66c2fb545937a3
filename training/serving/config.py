"""What a run of PPO on services is told."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dsct_gym.errors import InputError
from dsct_gym.serving.gpu import gpu as find_gpu
from dsct_gym.serving.networks import network as find_network
from dsct_gym.training.config import Range
from dsct_gym.training.stable.settings import check_settings


class Task(NamedTuple):
    """A kind of service.

    Attributes:
        gpu: Name.
        network: Name.
        objective: In times of one request alone at the highest clock.
    """

    gpu: str
    network: str
    objective: float


class ServiceConfig(BaseModel):
    """A run of PPO on services, each of one card, network and objective.

    Attributes:
        method: Which training this is.
        seed: Seed of weights, arrivals and exploration.
        gpus: Cards.
        networks: Networks.
        objectives: In times of one request alone at the highest clock.
        load: Of each episode where requests come most densely, as a share of what the card
            sustains.
        prices: Of a late request, over the energy of one alone; log-uniform.
        requests: Of an episode.
        latency: From commanding a clock to its effect, s.
        envs: Services of each card, network and objective.
        width: Hidden units of each of two layers.
        timesteps: Steps in all, over all services.
        evaluate_every: Steps between evaluations; the state to resume from is kept as often.
        held_out: Services of the held-out set.
        scale: Rewards are over the energy of one request alone and times this.
        discount: γ for the time of an objective.
        threads: Threads of torch.
        settings: What to pass to PPO, by its own names; ``gamma`` is ``discount``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["service-ppo"] = "service-ppo"
    seed: int = Field(default=0, ge=0, lt=2**31)
    gpus: tuple[str, ...] = Field(default=("V100", "M40"), min_length=1)
    networks: tuple[str, ...] = Field(
        default=("alexnet", "vgg16", "googlenet", "resnet50", "mobilenet-v2"), min_length=1
    )
    objectives: tuple[float, ...] = Field(default=(3.0, 6.0, 12.0), min_length=1)
    load: Range = (0.1, 0.9)
    prices: Range = (0.3, 30.0)
    requests: int = Field(default=1_000, ge=2)
    latency: float = Field(default=0.01, ge=0.0)
    envs: int = Field(default=4, ge=1)
    width: int = Field(default=32, ge=1, le=1_024)
    timesteps: int = Field(default=2_000_000, ge=1)
    evaluate_every: int = Field(default=200_000, ge=1)
    held_out: int = Field(default=12, ge=1)
    scale: float = Field(default=0.1, gt=0.0)
    discount: float = Field(default=0.8, gt=0.0, lt=1.0)
    threads: int = Field(default=1, ge=1)
    settings: dict[str, Any] = {}

    @model_validator(mode="after")
    def _check(self) -> ServiceConfig:
        try:
            for gpu in self.gpus:
                find_gpu(gpu)
            for network in self.networks:
                find_network(network)
            check_settings("PPO", "mlp", self.settings)
        except InputError as error:
            raise ValueError(str(error)) from error
        except ImportError as error:
            raise ValueError(f"method: needs {error.name}: install dsct-gym[rl]") from error
        for name in ("gamma", "policy_kwargs", "rollout_buffer_class"):
            if name in self.settings:
                raise ValueError(f"settings.{name}: is set by the run")
        return self

    @property
    def tasks(self) -> list[Task]:
        """Every card, network and objective."""
        return [
            Task(gpu, network, objective)
            for objective in self.objectives
            for gpu in self.gpus
            for network in self.networks
        ]
