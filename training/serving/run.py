"""A run of PPO on services, and the folder all of it is kept in."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger

from dsct_gym.agents.serving.files import save_network
from dsct_gym.training.run_folder import RunFolder, choose_device
from dsct_gym.training.serving.buffer import SemiMarkovBuffer
from dsct_gym.training.serving.config import ServiceConfig
from dsct_gym.training.serving.held_out import HeldOut
from dsct_gym.training.serving.policy import ServicePolicy, export
from dsct_gym.training.serving.venv import ServiceVecEnv
from dsct_gym.training.stable.settings import check_settings
from dsct_gym.training.stable.telling import Telling

if TYPE_CHECKING:
    from dsct_gym.training.run import Progress


def train_service(
    config: ServiceConfig,
    folder: RunFolder,
    *,
    resume: bool,
    device: str = "auto",
    progress: Progress | None = None,
) -> float:
    """Trains a network; the best one on the held-out set ends in ``policy.safetensors``.

    A run that is killed and resumed goes on from the last evaluation with the same weights,
    optimiser and count of steps, on new arrivals.

    Args:
        config: What to do.
        folder: Where the run keeps itself.
        resume: Whether to go on from the last state in the folder.
        device: Where torch computes; services always run on the CPU.
        progress: Told about twice a second.

    Returns:
        The best share of the gap from `batch-timeout` to `static` on the held-out set.

    Raises:
        InputError: If the device cannot be used, or the state is damaged.
    """
    env = ServiceVecEnv(config)
    threads = torch.get_num_threads()
    torch.set_num_threads(config.threads)
    try:
        model = _make(config, env, str(choose_device(device)))
        watch = Watch(config, folder, progress)
        if resume:
            watch.restore(model, env)
        left = config.timesteps - model.num_timesteps
        if left > 0:
            model.learn(left, callback=watch, reset_num_timesteps=False)
        return watch.best_share
    finally:
        torch.set_num_threads(threads)


def _make(config: ServiceConfig, env: ServiceVecEnv, device: str) -> Any:
    """PPO at its start."""
    model = PPO(
        ServicePolicy,
        env,
        seed=config.seed,
        device=device,
        gamma=config.discount,
        policy_kwargs={"width": config.width},
        rollout_buffer_class=SemiMarkovBuffer,
        **check_settings("PPO", "mlp", config.settings),
    )
    model.set_logger(Logger(None, []))
    buffer = model.rollout_buffer
    assert isinstance(buffer, SemiMarkovBuffer)
    buffer.watch(env)
    return model


class Watch(Telling):
    """Evaluates between rollouts, when nothing is under way that a kill could lose.

    Args:
        config: The run.
        folder: Where it keeps itself.
        progress: Told where the run stands.

    Attributes:
        best_share: Best share of the gap closed.
    """

    def __init__(self, config: ServiceConfig, folder: RunFolder, progress: Progress | None) -> None:
        super().__init__(config.timesteps, progress)
        self._config, self._folder = config, folder
        self._held_out = HeldOut(config)
        self._due, self._evaluated = 0, -1

    def _on_rollout_start(self) -> None:
        if self.num_timesteps >= self._due:
            self._evaluate()

    def _on_training_end(self) -> None:
        if self.num_timesteps > self._evaluated:
            self._evaluate()

    def _evaluate(self) -> None:
        """Plays the held-out set, keeps the best network, writes everything down."""
        network = export(self.model.policy)
        shares = self._held_out.closed(network)
        self._evaluated = self.num_timesteps
        self._due = self.num_timesteps + self._config.evaluate_every
        if shares["mean"] > self.best_share:
            self.best_share = shares["mean"]
            save_network(self._folder.path / "policy.safetensors", network, self._summary(shares))
        self._folder.log({"step": self.num_timesteps, "seconds": round(self._seconds, 1)} | shares)
        self._folder.draw_curve(["mean"])
        self._keep()

    def _summary(self, shares: dict[str, float]) -> dict[str, Any]:
        """What the file tells of the training."""
        packages = ("dsct-gym", "numpy", "torch", "stable-baselines3")
        return {
            "config": self._config.model_dump(mode="json"),
            "steps": self.num_timesteps,
            "seconds": round(self._seconds, 1),
            "held_out": {name: round(share, 4) for name, share in shares.items()},
            "versions": {name: version(name) for name in packages},
        }

    def _keep(self) -> None:
        """Keeps what a resumed run goes on from: numbers, no pickles."""
        policy = self.model.policy
        tensors = {f"weights.{name}": value for name, value in policy.state_dict().items()}
        for index, state in policy.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": value for name, value in state.items()}
        notes = {
            "steps": self.num_timesteps,
            "due": self._due,
            "best_share": self.best_share,
            "seconds": self._seconds,
        }
        self._folder.save_state(tensors, notes)

    def restore(self, model: Any, env: ServiceVecEnv) -> None:
        """Goes back to the last state in the folder, if there is one.

        Raises:
            InputError: If it is damaged.
        """
        kept = self._folder.load_state()
        if kept is None:
            return
        tensors, notes = kept
        weights: dict[str, Any] = {}
        adam: dict[int, dict[str, Any]] = {}
        for name, value in tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "weights":
                weights[rest] = value
            else:
                index, _, field = rest.partition(".")
                adam.setdefault(int(index), {})[field] = value
        model.policy.load_state_dict(weights)
        optimizer = model.policy.optimizer
        optimizer.load_state_dict(optimizer.state_dict() | {"state": adam})
        model.num_timesteps = int(notes["steps"])
        self.best_share, self._due = float(notes["best_share"]), int(notes["due"])
        self._count_from(float(notes["seconds"]))
        self._evaluated = model.num_timesteps
        # Seeded as at the start, it would meet the same arrivals again.
        env.seed_streams(self._config.seed, model.num_timesteps)
