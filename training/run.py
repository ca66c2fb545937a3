"""A training run of a policy: what every method has in common."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from dsct_gym.agents.checkpoint import save_policy
from dsct_gym.training.config import PolicyConfig
from dsct_gym.training.held_out import HeldOut
from dsct_gym.training.module import PolicyModule
from dsct_gym.training.run_folder import RunFolder, choose_device

Progress = Callable[[int, int, str], None]
"""Called with the steps done, the steps in all and a note."""

_LONGEST_GRADIENT = 1.0


class Run(ABC):
    """Steps, evaluations on the held-out set, and the folder that all of it is kept in.

    The random numbers of a step depend on the seed and the step alone, so a run that is killed and
    resumed ends with the same weights as one that was not.

    Args:
        config: What to do.
        folder: Where the run keeps itself; the best policy on the held-out set is its
            ``policy.safetensors``.
        device: Where torch computes; ``auto`` is CUDA where there is some. Rollouts always run on
            the CPU.

    Raises:
        InputError: If the device cannot be used.
    """

    sharpness: ClassVar[float]
    """Initial weight of the exact change in the scores; the higher, the less is explored."""

    def __init__(self, config: PolicyConfig, folder: RunFolder, device: str = "auto") -> None:
        self._folder = folder
        self._common = config
        self.device = choose_device(device)
        self.module = PolicyModule(config.width, config.seed, self.sharpness).to(self.device)
        self._optimizer = torch.optim.Adam(self.module.parameters(), lr=config.learning_rate[0])
        self._held_out = HeldOut(config.distribution, config.sizes, config.held_out)
        self.best_share, self._best_step = -np.inf, 0
        self.step, self._seconds, self._waited = 0, 0.0, 0

    @property
    def total(self) -> int:
        """Steps in all."""
        return self._common.steps

    @abstractmethod
    def improve(self, pool: ThreadPoolExecutor) -> None:
        """One step."""

    @abstractmethod
    def more_state(self) -> dict[str, Tensor]:
        """What a method keeps beside weights and optimiser."""

    @abstractmethod
    def take_state(self, tensors: dict[str, Tensor]) -> None:
        """Takes back what `more_state` gave."""

    def train(self, progress: Progress | None = None) -> float:
        """Goes on until the steps are done, or nothing has become better for too long.

        Args:
            progress: Told after each step.

        Returns:
            The best share of the gap closed on the held-out set, mean over its sizes.
        """
        threads = torch.get_num_threads()
        # The network is too small for more, and sums would depend on their number.
        torch.set_num_threads(1)
        try:
            with ThreadPoolExecutor(self._common.threads) as pool:
                self._train(pool, progress)
        finally:
            torch.set_num_threads(threads)
        return self.best_share

    def _train(self, pool: ThreadPoolExecutor, progress: Progress | None) -> None:
        config = self._common
        if self.step == 0:
            self._evaluate()
        while self.step < self.total and self._waited < config.patience:
            started = time.perf_counter()
            self.improve(pool)
            self.step += 1
            self._seconds += time.perf_counter() - started
            if self.step % config.evaluate_every == 0 or self.step == self.total:
                self._evaluate()
            if progress is not None:
                note = f"closes {100.0 * self.best_share:.1f} % held out"
                progress(self.step, self.total, note)

    def descend(self, loss: Callable[[], Tensor]) -> None:
        """One gradient step on a loss, at the learning rate of the present step."""
        first, last = self._common.learning_rate
        for group in self._optimizer.param_groups:
            group["lr"] = first * (last / first) ** (self.step / self.total)
        self._optimizer.zero_grad()
        loss().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), _LONGEST_GRADIENT)
        self._optimizer.step()

    def _evaluate(self) -> None:
        """Plays the held-out set, keeps the best policy, writes everything down."""
        started = time.perf_counter()
        network = self.module.export()
        shares = self._held_out.closed(network)
        self._seconds += time.perf_counter() - started
        self._waited += 1
        if shares["mean"] > self.best_share:
            self.best_share, self._best_step, self._waited = shares["mean"], self.step, 0
            save_policy(self._folder.path / "policy.safetensors", network, self._summary())
        self._folder.log({"step": self.step, "seconds": round(self._seconds, 1)} | shares)
        self._folder.draw_curve(list(shares))
        self._keep()

    def _summary(self) -> dict[str, Any]:
        """What the checkpoint tells of its training."""
        versions = {name: version(name) for name in ("dsct-gym", "numpy", "torch")}
        return {
            "config": self._common.model_dump(mode="json"),
            "steps": self._best_step,
            "seconds": round(self._seconds, 1),
            "closed": round(self.best_share, 4),
            "versions": versions,
        }

    def _keep(self) -> None:
        tensors = {f"weights.{name}": value for name, value in self.module.state_dict().items()}
        for index, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": value for name, value in state.items()}
        tensors |= {f"more.{name}": value for name, value in self.more_state().items()}
        notes = {
            "step": self.step,
            "seconds": self._seconds,
            "waited": self._waited,
            "best_share": self.best_share,
            "best_step": self._best_step,
        }
        self._folder.save_state(tensors, notes)

    def restore(self) -> None:
        """Goes back to the last state in the folder, if there is one.

        Raises:
            InputError: If it is damaged.
        """
        kept = self._folder.load_state()
        if kept is None:
            return
        tensors, notes = kept
        self.module.load_state_dict(_under(tensors, "weights."))
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _under(tensors, "adam.").items():
            index, field = name.split(".")
            state.setdefault(int(index), {})[field] = value
        self._optimizer.load_state_dict(self._optimizer.state_dict() | {"state": state})
        self.take_state(_under(tensors, "more."))
        self.step, self._seconds = int(notes["step"]), float(notes["seconds"])
        self._waited, self._best_step = int(notes["waited"]), int(notes["best_step"])
        self.best_share = float(notes["best_share"])


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors under a prefix, without it."""
    return {n.removeprefix(prefix): value for n, value in tensors.items() if n.startswith(prefix)}
